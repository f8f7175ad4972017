# The developer's verbs. `make` alone lists them.
# Needs a Rust toolchain, a C compiler and make; `make test` installs the rest when it may.

CARGO ?= cargo
# Extra arguments for every build, for example CARGO_FLAGS=--locked.
CARGO_FLAGS ?=
# Arguments for `make demo`.
ARGS ?=

DIST := target/dist

.DEFAULT_GOAL := help
.PHONY: help demo build test check generate fmt fmt-check clippy deny dist install-deps

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

demo: ## build and run the demonstration: a whole small system on this machine
	$(CARGO) run $(CARGO_FLAGS) --package autoexec -- demo $(ARGS)

build: ## build everything, unoptimised
	$(CARGO) build $(CARGO_FLAGS) --workspace

test: install-deps ## run every test, doc tests too
	$(CARGO) test $(CARGO_FLAGS) --workspace --doc
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
	    set -x; $(CARGO) nextest run $(CARGO_FLAGS) --workspace; \
	else \
	    echo 'make test: no cargo-nextest here, so cargo test is used; the tests are the same'; \
	    set -x; $(CARGO) test $(CARGO_FLAGS) --workspace --no-fail-fast --lib --bins --tests; \
	fi

check: fmt-check clippy test deny ## everything that must hold before a commit

generate: ## write the files in docs/ that are made from the code
	AUTOEXEC_GENERATE=1 $(CARGO) test $(CARGO_FLAGS) --package autoexec-tests --test main generated

fmt: ## format the source
	$(CARGO) fmt --all

fmt-check:
	$(CARGO) fmt --all -- --check

clippy: ## lint all targets; a warning is an error
	$(CARGO) clippy $(CARGO_FLAGS) --workspace --all-targets -- -D warnings

# The advisories need the network; without it the rest is still judged.
deny: ## licences, advisories, duplicates and sources of the dependencies
	@if ! $(CARGO) deny --version >/dev/null 2>&1; then \
	    echo 'make deny: NOT CHECKED: no cargo-deny here; cargo install cargo-deny --locked'; exit 0; \
	fi; \
	(set -x; $(CARGO) deny check bans licenses sources) || exit 1; \
	if ! $(CARGO) deny fetch db; then \
	    echo 'make deny: advisories NOT CHECKED: their database cannot be fetched'; exit 0; \
	fi; \
	set -x; $(CARGO) deny check --disable-fetch advisories

dist: ## optimised, stripped binary in target/dist
	$(CARGO) build $(CARGO_FLAGS) --release --package autoexec
	@mkdir -p $(DIST)
	cp "$${CARGO_TARGET_DIR:-target}/release/autoexec" $(DIST)/autoexec
	@if command -v strip >/dev/null 2>&1; then strip $(DIST)/autoexec; else echo 'make dist: no strip here; the symbol table stays in'; fi
	@ls -lh $(DIST)/autoexec

install-deps: ## install the programs that the tests drive (as root, with apt-get)
	@scripts/install-deps
