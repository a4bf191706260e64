# `make help` lists what there is. Everything Python lives in .venv, made on first use.

VENV := .venv
BIN := $(VENV)/bin
# What the tests start besides Python, as program or program:package where the names differ.
PROGRAMS := chromium node:nodejs npm ip:iproute2 unshare:util-linux nft:nftables conntrack tinyproxy \
  mosquitto prosody ngircd

# What the Locust page offers to choose from.
SCENARIOS := scenarios/chat.py,scenarios/heartbeat.py

# A package index is the machine's own affair; where pip puts things is ours.
PIP := env -u PIP_TARGET -u PIP_PREFIX PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip

.DEFAULT_GOAL := help
.PHONY: help demo test lint serve ui conform mutants crashes hostile faults bench fuzz docs system-packages

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 26

demo: $(VENV)/.installed ## a server, a swarm and broken networks, for about a minute; ends with a report
	@$(BIN)/chatproof run demo

test: $(VENV)/.installed system-packages ## every test of the project
	@$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.installed ## ruff (rules and format) and mypy (strict)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

serve: $(VENV)/.installed ## the reference server with 5,000 test accounts, until Ctrl-C
	@$(BIN)/chatproof serve

ui: $(VENV)/.installed ## the Locust web page; needs `make serve` in another terminal
	@$(BIN)/locust -f $(SCENARIOS) --host chat+tcp://127.0.0.1:14000 \
	  --cohort 50 --proxies --web-host 127.0.0.1

conform: $(VENV)/.installed ## the conformance suite over every carrier, with a page of it; seven minutes
	@$(BIN)/chatproof conform --carrier all --out conformance-results

mutants: $(VENV)/.installed ## the suite against servers broken on purpose, and the kill table
	@$(BIN)/chatproof mutants

crashes: $(VENV)/.installed ## fifty kills under traffic, and whether anything acknowledged got lost
	@$(BIN)/chatproof crashes

faults: $(VENV)/.installed ## every fault over every carrier, and whether anything got lost; two hours
	@$(BIN)/chatproof faults

hostile: $(VENV)/.installed ## attacks, what they cost the server, and what other users feel
	@$(BIN)/chatproof hostile

docs: $(VENV)/.installed ## these pages as a site in .site, with every link checked
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

bench: $(VENV)/.installed ## one table: swarms, servers and messages beside their peers, in five minutes
	@$(BIN)/python -m bench

fuzz: $(VENV)/.installed ## a million damaged inputs for each parser, and the HTTP face against its description
	@$(BIN)/python tests/fuzz
	@CHATPROOF_OPENAPI_EXAMPLES=300 $(BIN)/python -m pytest -q tests/refserver/access/test_openapi.py

$(VENV)/.installed: pyproject.toml constraints.txt
	@if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  for candidate in python3.11 python3 none; do \
	    $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && break; \
	  done; \
	  if [ $$candidate = none ]; then \
	    echo 'make: no Python 3.11 or newer is called python3.11 or python3; install one and try again' >&2; \
	    exit 2; \
	  fi; \
	  echo "making $(VENV) with $$($$candidate --version)"; \
	  $$candidate -m venv --clear $(VENV) || { \
	    echo 'make: venv failed; on Debian and Ubuntu: apt-get install python3-venv' >&2; exit 2; }; \
	fi
	@echo 'installing what constraints.txt names'
	@$(PIP) install -qq -c constraints.txt -e '.[dev]'
	@touch $@

# Servers among them are not to start by themselves, which is what policy-rc.d says meanwhile.
# Only root with apt can; for everybody else the tests that need a missing program skip and say so.
system-packages:
	@missing=; \
	for entry in $(PROGRAMS); do \
	  command -v "$${entry%%:*}" >/dev/null 2>&1 || missing="$$missing $${entry##*:}"; \
	done; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  echo "installing$$missing"; \
	  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1; \
	  policy=/usr/sbin/policy-rc.d; made=; \
	  [ -e $$policy ] || { made=$$policy; printf '#!/bin/sh\nexit 101\n' >$$policy; chmod 755 $$policy; }; \
	  { apt-get -qq -o DPkg::Lock::Timeout=120 update && \
	    apt-get -qq -o DPkg::Lock::Timeout=120 install --no-install-recommends $$missing; \
	  } >/dev/null 2>&1 || echo "not installed:$$missing"; \
	  [ -z "$$made" ] || rm -f $$made; \
	fi
