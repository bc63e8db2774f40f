# One target per intention. A fresh clone needs only python3 (3.11 or later) with its venv module, and make.
#   make run      the demonstration provider, from nothing
#   make test     everything it needs, then every test
#   make lint types bench lock format clean

PYTHON ?= python3
ARGS ?=
PYTEST_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEVELOPMENT := $(VENV)/.development-installed
CLIENTS := tests/clients/node_modules/.package-lock.json
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test lint types format bench lock clean venv system-packages
.DEFAULT_GOAL := run

run: $(RUNTIME)
	$(BIN)/appliance demo $(ARGS)

test: $(DEVELOPMENT) system-packages
	@$(MAKE) --no-print-directory $(CLIENTS)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(DEVELOPMENT)
	$(BIN)/ruff check .

types: $(DEVELOPMENT)
	$(BIN)/mypy

format: $(DEVELOPMENT)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(RUNTIME)
	$(BIN)/python -m bench $(ARGS)

# Writes the three locks anew; `make lock ARGS=--upgrade` moves every version up.
lock:
	@command -v uv >/dev/null || { echo 'make lock needs uv: pip install uv' >&2; exit 1; }
	$(LOCK) $(ARGS) pyproject.toml --group build --extra test --extra dev -o requirements-dev.lock
	$(LOCK) pyproject.toml -c requirements-dev.lock -o requirements.lock
	$(LOCK) --group build -c requirements-dev.lock -o requirements-build.lock

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/clients/node_modules
	find appliance tests bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

venv: $(DEVELOPMENT)

# The stamps are newer than the locks exactly when the environment holds what the locks say.
$(RUNTIME): requirements.lock requirements-build.lock pyproject.toml
	@PYTHON="$(PYTHON)" tests/install-python-packages.sh $(VENV) requirements.lock requirements-build.lock
	@touch $@

$(DEVELOPMENT): requirements-dev.lock pyproject.toml
	@PYTHON="$(PYTHON)" tests/install-python-packages.sh $(VENV) requirements-dev.lock
	@touch $(RUNTIME) $@

system-packages:
	@tests/install-system-packages.sh

$(CLIENTS): tests/clients/package-lock.json
	cd tests/clients && npm ci --no-audit --no-fund --loglevel=error
	@touch $@
