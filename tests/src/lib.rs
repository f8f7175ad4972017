//! The crate of tests that look at the whole. The tests are in `tests/`; what several of them share is here.
