SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test sim chaos lint format schemas bench repaint lock clean

READY := .venv/ready
BIN := .venv/bin
PAGE := services/charts/page

help:
	@echo "make demo     a simulated market through all five services, on http://127.0.0.1:8000 (SECONDS=20 ends it)"
	@echo "make test     lint, types, import contracts and every test (ARGS='-k word' passes on to pytest)"
	@echo "make sim      the runtime under simulated faults, compared with the oracle (RUNS=1000 SEED=1)"
	@echo "make chaos    kill, stop and cut off real processes, and compare every topic (RUNS=20 SEED=1)"
	@echo "make setup    build .venv and the page's packages; does nothing when they are up to date"
	@echo "make lint     ruff, mypy and the import contracts alone"
	@echo "make format   lay out the code and mend what ruff can mend"
	@echo "make schemas  write docs/schemas from the events; refuses what would break a reader"
	@echo "make bench    run the benchmarks"
	@echo "make repaint  replay recorded markets prefix by prefix and count rewritten readings (DATA=folder)"
	@echo "make lock     resolve requirements.lock and the page's lock anew"
	@echo "make clean    remove what setup and the tests have built"

setup: $(READY)
	@:

$(READY): requirements.lock pyproject.toml tools/setup $(PAGE)/package.json $(PAGE)/package-lock.json
	@tools/setup

demo: $(READY)
	@$(BIN)/tideline demo$(if $(filter command line,$(origin SECONDS)), --seconds $(SECONDS))

test: lint
	@$(BIN)/pytest -n 2 --dist loadgroup $(ARGS)

sim: $(READY)
	@$(BIN)/python -m tests.sim --runs $(or $(RUNS),1000) --seed $(or $(SEED),1)

chaos: $(READY)
	@$(BIN)/python -m tests.chaos --runs $(or $(RUNS),20) --seed $(or $(SEED),1)

lint: $(READY)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy .
	@$(BIN)/lint-imports

format: $(READY)
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

schemas: $(READY)
	@$(BIN)/python -m shared.events.schemas --write

bench: $(READY)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --target build/bench --require-hashes \
		--requirement benchmarks/requirements.lock \
		|| echo "bytewax could not be installed: candles_vs_bytewax will not be measured" >&2
	@$(BIN)/python -m benchmarks $(ARGS)

repaint: $(READY)
	@$(BIN)/python -m benchmarks.repaint $(if $(DATA),--data $(DATA))

lock: $(READY)
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
		--generate-hashes --no-emit-index-url --no-header \
		--all-extras --group dev --group node --output-file requirements.lock pyproject.toml
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header \
		--group bench --output-file benchmarks/requirements.lock
	@cd $(PAGE) && npm update --silent --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

clean:
	@rm -rf .venv $(PAGE)/node_modules build dist htmlcov .coverage .hypothesis \
		.import_linter_cache .mypy_cache .pytest_cache .ruff_cache
