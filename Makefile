# On a fresh Debian or Ubuntu `make demo` and `make test` install what they need first: see tools/setup.sh.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:

PYTHON := .venv/bin/python
CORE_PYTHON := .venv-core/bin/python
METER ?= virtual
DEMO_ARGS ?=
PYTEST_ARGS ?=
LOCK_ARGS ?=

# The tests draw into memory, also where there is a screen.
test-%: export QT_QPA_PLATFORM := offscreen

ifeq ($(filter virtual emulated,$(METER)),)
$(error METER is virtual or emulated, not '$(METER)')
endif

step = @printf '\n== %s\n' '$(1)'

.PHONY: help setup setup-core build-firmware demo test lint types test-unit test-firmware test-ui test-e2e \
    test-long explore bench lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z].*:.*## / { printf "make %-17s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv from requirements/dev.txt, with the system packages Qt needs
	@tools/setup.sh .venv requirements/dev.txt

setup-core:
	@tools/setup.sh .venv-core requirements/core-test.txt

build-firmware:
	@tools/setup.sh --firmware
	@$(MAKE) --no-print-directory -j 2 -C firmware all emulator

demo: setup ## Trade for 30 days in fast motion; METER=emulated: 2 days, a house on the emulated firmware
demo: $(if $(filter emulated,$(METER)),build-firmware)
	$(PYTHON) main_central.py demo --out demo-output $(if $(filter emulated,$(METER)),--emulated) $(DEMO_ARGS)

test: lint types test-unit test-firmware test-ui test-e2e ## Everything that must hold before a commit
	$(call step,All checks passed)

lint: setup ## Style and the direction of imports
	$(call step,ruff)
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(call step,import-linter)
	.venv/bin/lint-imports --no-logo

types: setup ## mypy: strict in microgrid, db and node
	$(call step,mypy)
	$(PYTHON) -m mypy

test-unit: setup-core ## tests/unit, in an environment without Qt
	$(call step,tests/unit without Qt)
	$(CORE_PYTHON) -m pytest tests/unit -n 2 $(PYTEST_ARGS)

# Where what they are built with cannot be had, their tests are skipped and say why.
test-firmware: setup ## The meter's firmware: its core on this machine, and all of it in an emulator
	$(call step,tests/firmware)
	@if tools/setup.sh --firmware; then $(MAKE) --no-print-directory -j 2 -C firmware all emulator test; fi
	$(PYTHON) -m pytest tests/firmware -n 2 $(PYTEST_ARGS)

test-ui test-e2e: test-%: setup ## tests/ui (screens, offscreen); tests/e2e (real processes)
	$(call step,tests/$*)
	@if [[ -n $$(find tests/$* -name 'test_*.py' 2>/dev/null) ]]; then \
	    $(PYTHON) -m pytest tests/$* -n 2 $(PYTEST_ARGS); \
	else echo 'no tests here'; fi

test-long: setup ## The tests marked `long`, in all folders
	$(call step,long tests)
	$(PYTHON) -m pytest -m long --timeout 3600 $(PYTEST_ARGS)

explore: setup-core ## The property tests of tests/unit with more examples, new ones each time
	$(call step,new examples)
	HYPOTHESIS_PROFILE=explore $(CORE_PYTHON) -m pytest tests/unit -m hypothesis --timeout 3600 $(PYTEST_ARGS)

bench: setup ## Measure ours against others
	$(PYTHON) -m benchmarks

lock: ## Pin the dependencies again; LOCK_ARGS=--upgrade moves them to their newest versions
	@tools/lock.sh $(LOCK_ARGS)

clean: ## Remove the environments, caches and output
	rm -rf .venv .venv-core demo-output benchmark-output .pytest_cache .mypy_cache .ruff_cache .hypothesis \
	    .import_linter_cache firmware/build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
