# What people and CI run. `make help` lists it. Everything shares one target folder and the dev profile, so that
# `make demo` after `make test` (and the other way round) builds nothing twice.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test ci lint peers unit deploy-check bench bench-browsers screenshots release image clean

CARGO ?= cargo
IMAGE ?= sqswatch
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
DEMO_FLAGS ?=

help: ## List these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

demo: cargo ## Watch a simulated AWS: builds (a few minutes the first time), prints an address to open
	$(CARGO) run --locked --bin sqswatch -- demo $(DEMO_FLAGS)

test: peers unit deploy-check ## Everything: installs the peers it needs, then all Rust and deployment tests

peers: ## Install the third-party servers and tools of the tests (into .peers/, and prometheus, alertmanager and chromium by apt)
	sh scripts/peers.sh install

unit: cargo ## All Rust tests, those against the peers included
	$(CARGO) test --locked

deploy-check: ## Kubernetes manifests, Dockerfile, IAM policies and the systemd unit
	sh scripts/deploy-check.sh

lint: cargo ## Formatting, clippy, documentation, shell syntax; warnings are errors
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps
	for script in scripts/*.sh; do sh -n "$$script" || exit 1; done
	bash -n .ci/run

ci: lint test ## What CI runs: lint and test

bench: cargo ## CPU, memory and scrape time at 10, 1,000 and 5,000 queues (release build, takes a while)
	sh scripts/bench.sh

bench-browsers: cargo ## What 50 and 500 open browsers cost at 1,000 and 5,000 queues, and that polling keeps its pace
	sh scripts/bench.sh browsers

screenshots: cargo ## Take the pictures of the documentation anew, from a demo that ran for ten minutes
	sh scripts/peers.sh install browser
	$(CARGO) build --locked --bin sqswatch
	SQSWATCH=$${CARGO_TARGET_DIR:-target}/debug/sqswatch PEERS=$${SQSWATCH_PEERS:-$(CURDIR)/.peers} SCREENSHOTS=docs \
	  node tests/browser/run.mjs pictures

release: cargo ## The optimised binary: target/release/sqswatch (10 to 20 minutes on 2 cores)
	$(CARGO) build --locked --release --bin sqswatch

image: ## The container image, static and without root
	docker build --file deploy/Dockerfile --tag $(IMAGE):$(VERSION) --tag $(IMAGE):latest .

clean: ## Remove what was built; the peers stay
	$(CARGO) clean

.PHONY: cargo
cargo:
	@command -v $(CARGO) >/dev/null || { \
	  echo "cargo is not installed: get Rust 1.95 or newer from https://rustup.rs"; exit 1; }
