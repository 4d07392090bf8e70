# Two commands do everything on a machine that has Rust: `make run` and `make test`.
# Debian packages that are missing are installed (with sudo where that is needed).

SHELL := /bin/bash
.DEFAULT_GOAL := help

# What runs beside pbm: the directory, and Redis for the address book.
RUN_PACKAGES := 389-ds-base redis-server
TEST_PACKAGES := $(RUN_PACKAGES) ldap-utils redis-tools openssl libnss3-tools curl

APT := env DEBIAN_FRONTEND=noninteractive apt-get
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# $(call install,PACKAGES): installs those that are not there. A service that a package would start is
# kept from starting: pbm starts its own servers.
define install
	@missing=(); for package in $(1); do \
	  dpkg-query -W -f='$${Status}' "$$package" 2>/dev/null | grep -q "ok installed" || missing+=("$$package"); \
	done; \
	if [ $${#missing[@]} -gt 0 ]; then \
	  echo "installing $${missing[*]}"; \
	  $(SUDO) $(APT) update -qq && \
	  $(SUDO) env RUNLEVEL=1 $(APT) install -y -qq --no-install-recommends "$${missing[@]}" >/dev/null; \
	fi
endef

.PHONY: help run test api-check vcard-check ldif-check bench lint fuzz packages test-packages

help: ## What can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

packages:
	$(call install,$(RUN_PACKAGES))

test-packages:
	$(call install,$(TEST_PACKAGES))

run: packages ## Build pbm and start it with a private directory, a Redis and demo people; ARGS="--demo 1000" for more
	cargo build --release --locked -p server
	exec target/release/pbm dev $(ARGS)

test: test-packages ## Run every test, against real servers that the tests start themselves
	cargo test --workspace --locked

api-check: packages ## Have public checkers look at the API's document, and at whether the API keeps to it (needs the network)
	$(call install,python3-venv curl)
	cargo build --locked -p server
	tests/openapi/check.sh

vcard-check: packages ## Have two parsers of Python read an export as vCard, and compare it with the JSON (needs the network)
	$(call install,python3-venv curl ldap-utils)
	cargo build --locked -p server
	tests/vcard/check.sh

ldif-check: ## Have python-ldap read the LDIF that we write, and the other way round (needs the network)
	$(call install,python3-venv python3-dev gcc libldap-dev libsasl2-dev)
	cargo build --locked -p ldap-text --example ldif_json
	tests/ldif/check.sh

lint: ## Formatting, clippy, documentation, dependency rules
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --log-level error check bans licenses sources; \
	else echo "cargo-deny is not installed (cargo install cargo-deny): dependency rules not checked"; fi

bench: packages ## Measure pbm and the raw directory side by side
	$(call install,ldap-utils)
	cargo build --release --locked -p server -p bench
	target/release/bench $(ARGS)

fuzz: ## Fuzz every parser for a minute each (needs cargo-fuzz)
	cd fuzz && for target in $$(RUSTC_BOOTSTRAP=1 cargo fuzz list); do \
	  RUSTC_BOOTSTRAP=1 cargo fuzz run "$$target" -- -max_total_time=60 || exit 1; done
