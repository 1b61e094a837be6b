# On a fresh Debian or Ubuntu `make demo` and `make test` install what they need first: see tools/setup.sh.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:

PYTHON := .venv/bin/python
CORE_PYTHON := .venv-core/bin/python
DEMO_ARGS ?=
PYTEST_ARGS ?=
LOCK_ARGS ?=

# The tests draw into memory, also where there is a screen.
test-%: export QT_QPA_PLATFORM := offscreen

step = @printf '\n== %s\n' '$(1)'

.PHONY: help setup setup-core demo test lint types test-unit test-ui test-e2e test-long explore bench lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z].*:.*## / { printf "make %-17s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv from requirements/dev.txt, with the system packages Qt needs
	@tools/setup.sh .venv requirements/dev.txt

setup-core:
	@tools/setup.sh .venv-core requirements/core-test.txt

demo: setup ## Trade for 30 days in fast motion; DEMO_ARGS adds arguments
	$(PYTHON) main_central.py demo --days 30 --out demo-output $(DEMO_ARGS)

test: lint types test-unit test-ui test-e2e ## Everything that must hold before a commit
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
	$(CORE_PYTHON) -m pytest tests/unit $(PYTEST_ARGS)

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
	    .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
