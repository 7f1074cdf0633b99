# CityVision. `make help` lists the targets; every one of them can be run again at any time.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
LOCKS := requirements/base.txt requirements/dev.txt
CONSOLE_SOURCES := $(shell find console -path console/node_modules -prune -o -path console/dist -prune -o -type f -print)

# Clips and weights: a folder beside the checkout, where there is one; else the zoo fetches from the official addresses.
ifneq ($(wildcard ../shared/MANIFEST.tsv),)
export CITYVISION_MIRROR ?= $(abspath ../shared)
endif

ARGS ?=
TRITON ?=
KILLS ?= 20
JOBS ?= 3
MINUTES ?= 60
KEYWORD ?=
SEED ?= 1
REPORTS := data/evaluation

.PHONY: help install media demo loop test thorough check check-python check-console faults evaluate soak bench train lock

help: ## This list
	@echo "CityVision 城市智眼"; echo
	@awk -F ':.*## ' '/^[a-z_-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile
	@echo; echo "  Start here: make demo          The command itself: $(BIN)/cityvision --help"

install: $(STAMPS)/system $(STAMPS)/python $(STAMPS)/console media ## Everything that is needed, into .venv and console/

demo: install $(if $(TRITON),$(STAMPS)/triton) ## RTSP cameras and their events; works without a network. TRITON=1: through Triton. ARGS="--until-events 3 --timeout 240"
	$(BIN)/cityvision demo $(if $(TRITON),--triton) $(ARGS)

loop: install $(STAMPS)/train ## The algorithm warehouse on real photos: verdicts in, a promotion and a refusal out. ARGS=--json
	$(BIN)/cityvision demo loop $(ARGS)

test: install $(STAMPS)/train ## All tests, on real services and media, JOBS=3 files at a time. KEYWORD=…: some of them
	scripts/tests $(JOBS) $(if $(KEYWORD),-k "$(KEYWORD)") $(ARGS)

thorough: export CITYVISION_THOROUGH := 1
thorough: test ## `make test` in its long forms: more rates, sizes, lights and examples

check: check-python check-console ## Formatting, lint, types, import rules, licences, pool files, console

check-python: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy scripts/*.py
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_data.py
	$(BIN)/python scripts/third_party.py --check

check-console: install
	scripts/console check

faults: install ## Kills worker, consumer, Valkey and Postgres under load. KILLS=20 each
	$(BIN)/pytest tests/faults --kills $(KILLS) $(ARGS)

evaluate: install ## What the rules are worth: real clips, 40 simulated ones, 24 quiet hours. SEED=1
	$(BIN)/cityvision evaluate events --suite algorithm_repo/suites/footage --json $(REPORTS)/footage.json $(ARGS)
	$(BIN)/cityvision evaluate events --suite simulated --seed $(SEED) --clips 40 --quiet-hours 24 \
	  --json $(REPORTS)/simulated.json $(ARGS)

soak: install $(STAMPS)/train ## The demo for a long time, 60 kills under deliveries, the rules on 400 clips and 360 quiet hours: fails where one falls short. MINUTES=60
	$(BIN)/cityvision demo --soak $(MINUTES) $(ARGS)
	$(BIN)/pytest tests/faults/test_delivery_kills.py --delivery-kills 60 --delivery-minutes 10 --soak docs/soak
	CITYVISION_THOROUGH=1 $(BIN)/pytest tests/e2e/test_invariance.py --whole-grid
	$(BIN)/pytest tests/e2e/test_case_street.py --street-case --soak docs/soak
	$(BIN)/cityvision demo loop --json --fresh
	CITYVISION_THOROUGH=1 $(BIN)/pytest tests/e2e/test_console_map.py -k whole_city --soak docs/soak
	CITYVISION_FUZZ_S=600 $(BIN)/pytest tests/contract/test_api_fuzz.py --soak docs/soak
	$(BIN)/cityvision evaluate events --suite simulated --seed $(SEED) --clips 400 --quiet-hours 360 \
	  --resume docs/soak/quiet-hours.jsonl --at-least 0.95 --quiet-at-most 0.2 --json $(REPORTS)/soak.json

bench: install $(STAMPS)/bench ## Every measurement, beside its peers, into docs/benchmarks.md
	$(BIN)/cityvision bench all $(ARGS)

train: install $(STAMPS)/train ## The built-in networks again, as docs/training.md says. ARGS="all --out OUT --minutes 90"
	$(BIN)/cityvision train $(ARGS)

lock: install ## Resolve requirements/*.txt again from pyproject.toml. ARGS=--upgrade: newest versions
	$(BIN)/python scripts/lock.py $(ARGS)
	$(BIN)/python scripts/third_party.py

# --- stamps: a step is done again when what it was made from has changed ---------------------------------------------

$(STAMPS)/system: scripts/system_packages
	scripts/system_packages
	@[ -x $(BIN)/python ] || { echo "making $(VENV)"; python3.11 -m venv $(VENV); }
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/python: $(STAMPS)/system $(LOCKS) pyproject.toml
	$(BIN)/python -m pip install --no-deps $(LOCKS:%=-r %)
	$(BIN)/python -m pip install --no-deps -e .
	@touch $@

$(STAMPS)/console: $(STAMPS)/python $(CONSOLE_SOURCES) scripts/console
	scripts/console build
	@touch $@

# Clips and weights of the demo, verified. Without them everything else is installed all the same.
media: $(STAMPS)/python
	@$(BIN)/cityvision demo --fetch || echo "clips and weights are not complete: the demo fetches them at its start" >&2

$(STAMPS)/triton: $(STAMPS)/python requirements/triton.txt | media
	$(BIN)/cityvision demo --fetch --triton
	@touch $@

$(STAMPS)/bench: $(STAMPS)/python requirements/bench.txt
	$(BIN)/python -m pip install --no-deps -r requirements/bench.txt
	@touch $@

$(STAMPS)/train: $(STAMPS)/python requirements/train.txt
	$(BIN)/python -m venv --clear .venv-train
	.venv-train/bin/python -m pip install --no-deps -r requirements/train.txt
	@touch $@
