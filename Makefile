# `make help` lists what can be made.

CARGO_DENY_VERSION := 0.20.2
TOOLS := target/tools/cargo-deny-$(CARGO_DENY_VERSION)
CARGO_DENY := $(TOOLS)/bin/cargo-deny

STEP = @printf '\n== %s\n'

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run link simulate test components fmt fmt-check client lint doc unit deny web openapi pictures \
	bench bench-check bench-journal bench-journal-slow bench-rest bench-search bench-start bench-web drain \
	faults faults-build faults-kill faults-power faults-planted faults-disk-full faults-nth-fault \
	faults-network faults-stopped-readers faults-joiners faults-clock

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-24s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build and start the server on http://127.0.0.1:8080 with its data in ./boardcast-data
	@scripts/run.sh

link: ## Print a link that opens the running server's boards, signed in as admin
	@target/release/boardcast link --server http://$(or $(LISTEN),127.0.0.1:8080) --data-dir $(or $(DATA),./boardcast-data) --user admin --role admin

simulate: ## Run SEEDS=1000 simulated worlds, or one SEED=N (TRIM=1: trimmed, TRACE=1: told)
	@cargo test --profile simulate -p boardcast --lib simulation::runner::simulate -- --exact --ignored --nocapture

# The client first: the server takes it along when it is compiled.
test: components fmt-check client lint doc unit deny web openapi ## Run everything that CI runs
	$(STEP) 'all checks passed'

fmt: ## Format the Rust code
	cargo fmt --all

fmt-check: ## Check the format of the Rust code
	$(STEP) 'format'
	cargo fmt --all --check

client: ## Build the browser client into web/app/dist, where it is not
	$(STEP) 'browser client'
	scripts/build-client.sh

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

web: client ## Check and test the TypeScript client and the browser client against the server
	$(STEP) 'web'
	cargo build --package boardcast
	cd web && BOARDCAST_BIN="$(CURDIR)/target/debug/boardcast" npm test

openapi: ## Ask a server what its OpenAPI document says, with EXAMPLES=10 for each operation and SEED=1
	$(STEP) 'OpenAPI'
	tests/schemathesis.sh

pictures: client ## Take the pictures of the README from the sample board
	cargo build --package boardcast
	cd web/app && BOARDCAST_BIN="$(CURDIR)/target/debug/boardcast" node scripts/pictures.mjs

bench-journal: ## Measure how fast commands become durable, beside a bare SQLite loop
	cargo bench --package boardcast-tests --bench journal -- $(BENCH)

bench-journal-slow: ## The same on a disk whose syncs take 4 ms longer
	@command -v strace > /dev/null || { echo 'SKIPPED: strace is missing, so no disk can be slowed down' >&2; exit 0; }; \
	built=$$(cargo bench --package boardcast-tests --bench journal --no-run --message-format json \
		| sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1); \
	strace --follow-forks --seccomp-bpf --trace fsync,fdatasync --inject fsync,fdatasync:delay_exit=4000 \
		--output /dev/null "$$built" --rates 5000,20000 --rounds 1 $(BENCH)

bench-rest: ## Measure reads and changes over HTTP, beside a bare handler of the same framework
	cargo build --release --package boardcast
	taskset --cpu-list 1 cargo bench --package boardcast-tests --bench rest -- --server "$(CURDIR)/target/release/boardcast" $(BENCH)

bench-search: ## Measure what the search index costs, and how long searches take among 100,000 cards
	cargo bench --package boardcast-tests --bench search -- $(BENCH)

bench-start: ## Measure how fast the server starts on 1,000 boards and 1 GB
	cargo build --release --package boardcast
	cargo bench --package boardcast-tests --bench start -- --server "$(CURDIR)/target/release/boardcast" $(BENCH)

bench-web: client ## Measure the browser client on a board of 4,000 cards in Chromium: BENCH="--only start,frames"
	cargo build --release --package boardcast --package boardcast-sim
	cd web/app && BOARDCAST_BIN="$(CURDIR)/target/release/boardcast" node bench/run.mjs $(BENCH)

drain: ## Restart a server under 5,000 clients: nobody is lost, no second has more connects than are let in
	cargo test --package boardcast-tests --test drain -- --ignored --nocapture five_thousand

FAULTS := target/release/boardcast-faults

faults: faults-kill faults-power faults-planted faults-disk-full faults-nth-fault faults-network faults-stopped-readers faults-joiners faults-clock ## Make real faults on the real server: docs/faults.md

faults-build:
	$(STEP) 'release binaries'
	cargo build --release --workspace --bins
	cargo build --release --package boardcast --features planted-faults --bin boardcast-planted

faults-kill: faults-build ## 200 kills under load
	$(FAULTS) kill --rounds 200

faults-power: faults-build ## 20 power cuts under load (root)
	$(FAULTS) power --cuts 20

faults-planted: faults-build ## Power cuts with synchronous=NORMAL planted, which must be seen to lose (root)
	@if [ "$$(id -u)" != 0 ]; then echo 'faults-planted: SKIPPED: only root may mount'; exit 0; fi; \
	$(FAULTS) power --cuts 20 --plant synchronous-normal; \
	[ $$? -eq 1 ] || { echo 'faults-planted: the losses were not seen' >&2; exit 1; }

faults-disk-full: faults-build ## A full disk, again and again (root)
	$(FAULTS) disk-full --fills 5 --rate 500

faults-nth-fault: faults-build ## The n-th write or sync fails (root)
	$(FAULTS) nth-fault --from 1 --to 60 --rate 500 --boards 10 --clients 40

faults-network: faults-build ## Delay, stalls and cuts between clients and server
	$(FAULTS) network --seconds 60 --rate 500 --boards 10 --clients 40

faults-stopped-readers: faults-build ## 100 clients that stop reading for a minute
	$(FAULTS) stopped-readers --clients 100 --seconds 60 --rate 1000

faults-joiners: faults-build ## 1,000 clients that join a board of 4,000 cards at one moment
	$(FAULTS) joiners --clients 1000 --cards 4000

faults-clock: faults-build ## The server's clock jumps by hours
	$(FAULTS) clock --jumps 20 --rate 500

bench: ## Measure beside other servers: PEERS=boardcast,floor-iter SCENARIOS=S1,S4 REPS=3 NICE=-15
	@python3 benches/peers/run.py --peers $(or $(PEERS),all) --scenarios $(or $(SCENARIOS),default) --repetitions $(or $(REPS),3) --nice $(or $(NICE),0)

bench-check: ## Check the code of the benchmark, which is a workspace of its own
	cd benches/peers && cargo fmt --all --check
	cd benches/peers && cargo clippy --locked --all-targets --target-dir ../../target/peers -- -D warnings
	cd benches/peers && cargo test --locked --target-dir ../../target/peers

components:
	@cargo --version > /dev/null 2>&1 || { echo 'Rust is missing: install it from https://rustup.rs' >&2; exit 1; }
	@cargo fmt --version > /dev/null 2>&1 || { echo 'rustfmt is missing: rustup component add rustfmt' >&2; exit 1; }
	@cargo clippy --version > /dev/null 2>&1 || { echo 'clippy is missing: rustup component add clippy' >&2; exit 1; }

$(CARGO_DENY):
	$(STEP) 'installing cargo-deny $(CARGO_DENY_VERSION) into $(TOOLS), once'
	cargo install cargo-deny --locked --version $(CARGO_DENY_VERSION) --root $(TOOLS)
