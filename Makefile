# The way into this repository: `make` lists what there is. Needs make, git, Python 3.11 or newer, and Node 18 or newer.

PYTHON ?= python3
BIN    := .venv/bin
UV_COMPILE := $(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header

# What is left to the caller: make test TESTS=tests/unit, make demo SOURCE=… TARGET=…, make stack OPTIONS='--hosts 2'
TESTS   ?= tests
PROCESSES ?= auto
PYTEST   = $(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder
SOURCE  ?=
TARGET  ?=
OPTIONS ?=

.DEFAULT_GOAL := help
.PHONY: help setup test coverage fuzz check lint format types demo bench soak mutants stack lock audit clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: ## install everything that is needed (quick when nothing changed)
	@$(PYTHON) tools/setup.py

test: setup ## run the tests on every core (PROCESSES=0 for one after the other)
	@$(PYTEST) $(TESTS)

coverage: setup ## the same, and which lines no test runs; half as long again
	@$(PYTEST) --cov --cov-report term:skip-covered $(TESTS)

fuzz: setup ## thirty thousand odd inputs for everything that is parsed from outside
	@HYPOTHESIS_PROFILE=deep $(BIN)/python -m pytest --timeout 0 tests/unit/hostile/test_fuzz.py

check: lint types ## everything that can be said without running the code
	@$(BIN)/ruff format --check .

lint: setup ## ruff
	@$(BIN)/ruff check .

format: setup ## let ruff format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix-only --quiet .

types: setup ## mypy, strict
	@$(BIN)/mypy

demo: setup ## import an image on the local stack (SOURCE=… TARGET=… for your own)
	@$(BIN)/python -m devtools demo $(if $(SOURCE),--source $(SOURCE)) $(if $(TARGET),--target $(TARGET))

bench: setup ## measure the copy beside its peers (OPTIONS=--quick for a look)
	@$(BIN)/python -m bench.copy_images $(OPTIONS)

soak: setup ## a hundred imports under faults and kills (OPTIONS='--imports 10' for a look)
	@$(BIN)/python -m bench.faults $(OPTIONS)

mutants: setup ## take the mechanisms away one by one; a test must notice each time (OPTIONS='--list reliability' or '--only fence' for some)
	@$(BIN)/python tools/mutants.py $(OPTIONS)

stack: setup ## start the local stack and keep it running (OPTIONS='--hosts 2 --data .local-stack')
	@$(BIN)/python -m devtools up $(OPTIONS)

lock: setup ## lock the requirements again
	@$(UV_COMPILE) --python-version 3.11 pyproject.toml -o requirements.txt
	@$(UV_COMPILE) --python-version 3.11 -c requirements.txt --group dev pyproject.toml -o requirements-dev.txt
	@$(UV_COMPILE) --python-version 3.11 --group infra -o requirements-infra-test.txt
	@echo 'azure-functions-runtime==1.3.0' | $(UV_COMPILE) --python-version 3.13 -c requirements.txt pyproject.toml - -o requirements-runtime-test.txt

audit: setup ## compare the locked dependencies with the public advisories (needs the internet)
	@for lock in requirements*.txt; do $(BIN)/uvx pip-audit@2.10.1 --strict --disable-pip --require-hashes -r $$lock || exit; done

clean: ## remove what setup and the tools made
	@rm -rf .venv .venv-runtime .venv-infra node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* htmlcov .local-stack
