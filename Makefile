# `make run` and `make test` are all a fresh machine needs: Python 3.11+, make and a package index.
PYTHON ?= python3
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

.venv/bin/python:
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
