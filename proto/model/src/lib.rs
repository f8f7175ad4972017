//! The vocabulary of autoexec: what an engineer writes, what the scheduler plans, what is recorded and what a runner is told.
//!
//! Pure data and pure text formats. Nothing here reads a clock, a file, the environment or randomness, and nothing here knows
//! how messages travel: `autoexec-wire` converts these types to and from protobuf.
//!
//! | room | what is in it |
//! |---|---|
//! | [`spec`], [`inventory`], [`tool`] | what people write: jobs, hosts, tool manifests |
//! | [`yaml`], [`diagnostic`] | reading those files, and errors that point into them |
//! | [`param`], [`template`], [`selector`], [`nodeset`], [`batch`], [`budget`], [`millis`] | the small languages inside |
//! | [`plan`] | a job resolved and frozen |
//! | [`outcome`], [`state`], [`event`] | how things end, where they stand, what is recorded |
//! | [`grant`] | what travels to a runner |
//! | [`api`], [`view`], [`refusal`] | what clients ask, what readers get, and how they are told no |

pub mod api;
pub mod batch;
pub mod budget;
pub mod diagnostic;
pub mod event;
pub mod grant;
pub mod id;
pub mod inventory;
pub mod millis;
pub mod nodeset;
pub mod outcome;
pub mod param;
pub mod plan;
pub mod refusal;
pub mod selector;
pub mod spec;
pub mod state;
pub mod template;
pub mod tool;
pub mod view;
pub mod yaml;
