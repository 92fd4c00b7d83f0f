# The only commands there are, here and in CI. Bare `make` lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test bench check plugins test-guests host clean setup

# A rustup installation that the shell has not put on its PATH is found all the same.
cargo_bin := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin
ifeq ($(findstring :$(cargo_bin):,:$(PATH):),)
ifneq ($(wildcard $(cargo_bin)/cargo),)
export PATH := $(cargo_bin):$(PATH)
endif
endif

target := $(or $(CARGO_TARGET_DIR),target)
host := $(target)/release/host
plugins := $(patsubst %/plugin.toml,%,$(wildcard plugins/*/plugin.toml))
rust_guests := $(patsubst %/Cargo.toml,%,$(wildcard tests/guests/*/Cargo.toml))

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

# Always the whole workspace: cargo compiles wasmtime anew for every other choice of packages. Tests turn on features of tokio's and
# others', so what is built for them is built with all targets throughout, or it would be compiled once with those and once without.
targets :=

run: plugins ## Build everything, trade the sample data with the reference plugins, ask one of them a question
	$(host) run --plugins plugins/ --seed seed.toml --feed data/daily-bars.csv
	$(host) call user-service user-service.list-active

test: setup ## Every test, on SQLite and on a PostgreSQL server of its own
	scripts/setup-postgresql.sh
	$(MAKE) targets=--all-targets plugins test-guests
	scripts/test-languages.sh build $(target)
	cargo test --release --workspace
	scripts/test-languages.sh run $(target)

bench: plugins test-guests ## Measure it against its peers; the lines go into target/bench*.tsv too
	scripts/setup-postgresql.sh
	scripts/setup-peer.sh $(target)/peer
	scripts/test-languages.sh build $(target)
	$(target)/release/bench
	$(target)/release/bench-database
	$(target)/release/bench-sandbox
	$(target)/release/bench-rows
	$(target)/release/bench-pool
	$(target)/release/bench-languages

check: ## Formatting, lints, licences, advisories and documentation
	scripts/setup.sh lints
	scripts/check-unsafe.sh
	scripts/check-dependencies.sh $(target)/lints
	cargo fmt --check
	cargo clippy --release --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --release --workspace

plugins: host ## Build the reference plugins into plugins/
	$(host) build --install --output plugins $(plugins)

clean: ## Remove everything that was built
	cargo clean
	rm -f plugins/*.wasm

host: setup
	cargo build --release --workspace $(targets)

test-guests: host
	$(host) build --install --output $(target)/test-guests $(rust_guests)

setup:
	scripts/setup.sh
