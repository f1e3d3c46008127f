# `make run` and `make test` are all a fresh machine needs: Python 3.11+, make and a package index.
# python3, or where that is too old a newer one that is here.
OLD = import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$each -c '$(OLD)' 2>/dev/null && echo $$each && break; done)
BIN := .venv/bin
WITH := $(if $(LOCAL),[local],)
# A file stays with one worker: its tests share a router.
PARALLEL := -n logical --dist loadfile
# Without its caches Python compiles every test, in each worker, each time: 5 s of CPU.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run install test quick test-all lint bench screenshots man clean

run: .venv/installed$(if $(LOCAL),-local,)
	@$(BIN)/pointsman

install: .venv/installed
	@echo "ready: $(BIN)/pointsman and $(BIN)/ccr"

# One that was interrupted begins anew the next time.
.DELETE_ON_ERROR:
.venv/bin/python:
	@$(or $(PYTHON),false) -c '$(OLD)' || \
		{ echo 'Pointsman needs Python 3.11 or newer: make run PYTHON=/path/to/python3'; exit 1; }
	@echo 'setting up .venv, once: a minute, or a few'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'

.venv/installed .venv/installed-local: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.$(WITH)'
	@touch $@

.venv/developing: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	@touch $@

# The everyday run: lint, types, import contracts, and every quick test beside them.
test: .venv/developing
	@$(MAKE) --no-print-directory -j2 lint quick

quick: .venv/developing
	$(BIN)/python -m pytest $(PARALLEL)

# Also the long suites: ten times as many bytes, soak and kill, the real small model, real client
# programs.
test-all: test
	$(BIN)/python -m pytest $(PARALLEL) --hypothesis-profile thorough tests/router/formats
	$(BIN)/python -m pytest -m 'long or real_model or real_client'

lint: .venv/developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: .venv/developing
	$(BIN)/python bench/run.py
	$(BIN)/python bench/deciding.py

screenshots: .venv/developing
	$(BIN)/python screenshots/make.py

# Manual pages, from the parsers.
man: .venv/installed
	$(BIN)/python packaging/man.py build/man

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
