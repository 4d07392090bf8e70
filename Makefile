# Two commands are enough on a machine with Rust: `make run` and `make test`.
# Missing Debian packages are installed (with sudo if necessary).

SHELL := /bin/bash
.DEFAULT_GOAL := help

# The servers beside pbm: the directory, and Redis for the address book.
RUN_PACKAGES := 389-ds-base redis-server
TEST_PACKAGES := $(RUN_PACKAGES) ldap-utils redis-tools openssl libnss3-tools curl nginx-light haproxy slapd etcd-server etcd-client dovecot-core dovecot-imapd

APT := env DEBIAN_FRONTEND=noninteractive apt-get
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# $(call install,PACKAGES): installs the missing packages. Services of the packages are not started: pbm starts its own
# servers.
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

.PHONY: help run test attack stress proxy-check api-check vcard-check recall-check ldif-check bitrix24-check files-check docker-check ad-check bench lint fuzz packages test-packages

help: ## Show these targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

packages:
	$(call install,$(RUN_PACKAGES))

test-packages:
	$(call install,$(TEST_PACKAGES))

run: packages ## Build pbm and start it with a private directory, a Redis and demo people; ARGS="--demo 1000" for more
	cargo build --profile quick --locked -p server
	exec target/quick/pbm dev $(ARGS)

test: test-packages ## Run every test, against real servers that the tests start themselves
	cargo test --workspace --locked

attack: test-packages ## Send an attacker's inputs at full size, one after the other (15 minutes)
	PBM_ATTACK=full cargo test --locked -p tests --test attack -- --test-threads=1

stress: test-packages ## Write and search from 32 connections for minutes; MINUTES=30, BACKEND=bdb
	PBM_STRESS_MINUTES=$(or $(MINUTES),5) PBM_BACKEND=$(BACKEND) cargo test --locked -p tests --test stress

proxy-check: test-packages ## Send a thousand of each request that is refused early through nginx and HAProxy
	PBM_PROXIES=full cargo test --locked -p tests --test proxies

api-check: packages ## Check the API's document, and the API against it, with public checkers (needs the network)
	$(call install,python3-venv curl)
	cargo build --locked -p server
	tests/openapi/check.sh

vcard-check: packages ## Read a vCard export with two Python parsers, and compare it with the JSON (needs the network)
	$(call install,python3-venv curl ldap-utils)
	cargo build --locked -p server
	tests/vcard/check.sh

recall-check: packages ## Recall messages from a real Dovecot, and look at the boxes with imapclient (needs the network)
	$(call install,python3-venv curl dovecot-core dovecot-imapd)
	cargo build --locked -p server
	cargo build --locked -p sandbox --example dovecot
	tests/recall/check.sh

ldif-check: ## Read our LDIF with python-ldap, and its LDIF with ours (needs the network)
	$(call install,python3-venv python3-dev gcc libldap-dev libsasl2-dev)
	cargo build --locked -p ldap-text --example ldif_json
	tests/ldif/check.sh

bitrix24-check: ## Read a stand-in of Bitrix24 with two Python clients, and compare them with our reader (needs the network)
	$(call install,python3-venv)
	cargo build --locked -p stand-ins -p sources --examples
	tests/bitrix24/check.sh

files-check: packages ## Read files that other programs write, and compare them with the expected values (large: LibreOffice)
	$(call install,libreoffice-calc-nogui python3 curl slapd ldap-utils)
	cargo build --locked -p server
	tests/files/check.sh

docker-check: packages ## Check the images and docker-compose.yml without a container engine (needs the network)
	$(call install,python3-venv ldap-utils redis-tools curl)
	cargo build --locked -p server
	deploy/docker/check.sh

lint: ## Formatting, clippy, documentation, dependency rules
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	@if ! cargo deny --version >/dev/null 2>&1; then \
	  echo "cargo-deny is not installed (cargo install cargo-deny): dependency rules not checked"; \
	elif timeout 60 cargo deny --log-level off fetch db >/dev/null 2>&1; then \
	  cargo deny --log-level error check bans licenses sources advisories; \
	else \
	  echo "the advisory database cannot be fetched: advisories not checked"; \
	  cargo deny --log-level error check bans licenses sources; \
	fi

ad-check: test-packages ## Read and follow a domain of Active Directory, by Samba (needs root)
	$(call install,samba samba-ad-dc samba-ad-provision winbind ldb-tools python3-samba samba-dsdb-modules samba-vfs-modules)
	cargo test --locked -p sources --test ldap -- --ignored
	PBM_SAMBA=1 cargo test --locked -p tests --test life -- sync_samba

bench: packages ## Measure pbm and the raw directory side by side
	$(call install,ldap-utils)
	cargo build --release --locked -p server -p bench
	target/release/bench $(ARGS)

fuzz: ## Fuzz every parser for a minute each (needs cargo-fuzz)
	cd fuzz && for target in $$(RUSTC_BOOTSTRAP=1 cargo fuzz list); do \
	  RUSTC_BOOTSTRAP=1 cargo fuzz run "$$target" -- -max_total_time=60 || exit 1; done
