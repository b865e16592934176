# `make help` lists what can be made.

CARGO_DENY_VERSION := 0.20.2
TOOLS := target/tools/cargo-deny-$(CARGO_DENY_VERSION)
CARGO_DENY := $(TOOLS)/bin/cargo-deny

STEP = @printf '\n== %s\n'

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run link test components fmt fmt-check lint doc unit deny

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build and start the server on http://127.0.0.1:8080 with its data in ./boardcast-data
	@scripts/run.sh

link: ## Print a link that opens the running server's boards, signed in as admin
	@target/release/boardcast link --server http://$(or $(LISTEN),127.0.0.1:8080) --data-dir $(or $(DATA),./boardcast-data) --user admin --role admin

test: components fmt-check lint doc unit deny ## Run everything that CI runs
	$(STEP) 'all checks passed'

fmt: ## Format the Rust code
	cargo fmt --all

fmt-check: ## Check the format of the Rust code
	$(STEP) 'format'
	cargo fmt --all --check

lint: ## Run clippy; a warning fails
	$(STEP) 'lints'
	cargo clippy --workspace --all-targets --all-features -- -D warnings

doc: ## Build the API documentation; a warning fails
	$(STEP) 'documentation'
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

unit: ## Run the Rust tests
	$(STEP) 'tests'
	cargo test --workspace --all-features

deny: $(CARGO_DENY) ## Check bans, licenses and sources of the dependencies
	$(STEP) 'dependencies'
	$(CARGO_DENY) check --hide-inclusion-graph bans licenses sources

components:
	@cargo --version > /dev/null 2>&1 || { echo 'Rust is missing: install it from https://rustup.rs' >&2; exit 1; }
	@cargo fmt --version > /dev/null 2>&1 || { echo 'rustfmt is missing: rustup component add rustfmt' >&2; exit 1; }
	@cargo clippy --version > /dev/null 2>&1 || { echo 'clippy is missing: rustup component add clippy' >&2; exit 1; }

$(CARGO_DENY):
	$(STEP) 'installing cargo-deny $(CARGO_DENY_VERSION) into $(TOOLS), once'
	cargo install cargo-deny --locked --version $(CARGO_DENY_VERSION) --root $(TOOLS)
