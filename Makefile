# Two commands are enough: `make serve` and `make test`. Both set everything up, which is quick to repeat.

PYTHON ?= $(shell sh scripts/find-python)
VENV   ?= .venv
BIN    := $(VENV)/bin
SETUP  := $(PYTHON) scripts/prepare.py --venv $(VENV)
DATA   ?= .cache/data
PORT   ?= 8000
# Tests often wait, for a browser or for a job: twice as many as the two processors that a small machine has. Their order
# is that of tests/conftest.py.
PYTEST ?= -n 4 --dist loadfile --no-loadscope-reorder --timeout 600

# Containers often forbid Python to keep what it has compiled. Tests start a thousand processes, and two thirds of a start
# would be compiling; empty means allowed.
export PYTHONDONTWRITEBYTECODE :=
# Debian keeps servers such as nginx where only root looks for programs.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin

.DEFAULT_GOAL := help
.PHONY: help serve test suite quick lint types format web wheel bench soak docs site screenshots picture newcomer lock \
	test-pythons test-lowest clean \
	setup setup-test setup-bench

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

serve: setup ## start a server on its own data in .cache/data (DATA=, PORT=, ARGS=--demo for a try)
	$(BIN)/streamhost serve $(if $(findstring --demo,$(ARGS)),,--data $(DATA)) --port $(PORT) $(ARGS)

test: setup-test lint ## everything that must hold: style, types, floors, and every test
	$(MAKE) --no-print-directory -j2 types suite

# Types are looked at beside the first tests, which leave a processor time enough. Tests end processes, never the power:
# nothing of theirs need be on the disk for good, and waiting for that would be most of what they do on a slow one.
suite: setup-test
	$(shell command -v eatmydata) $(BIN)/pytest $(PYTEST) $(ARGS)

quick: setup-test ## the tests that take no more than a few seconds each
	$(shell command -v eatmydata) $(BIN)/pytest $(PYTEST) -m "not slow" $(ARGS)

lint: setup-test ## ruff, formatting, import floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: setup-test ## mypy, strict
	$(BIN)/mypy

format: setup-test ## put the sources in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

web: setup ## build the pages' scripts and styles

wheel: setup ## build dist/*.whl, web UI included
	$(BIN)/python scripts/uv.py build --wheel --out-dir dist

bench: setup-bench ## measure, against the best peers, and refresh docs/explanation/performance.md (ONLY=delivery, FULL=1)
	$(BIN)/python tests/benchmarks/run.py $(ONLY)

soak: setup-test ## 2,000 spoiled media files, then the tests that look for rare failures (MINUTES=10)
	$(BIN)/python scripts/soak.py $(MINUTES)

docs: setup-test ## write the generated reference pages anew
	$(BIN)/python scripts/reference.py

site: setup-test ## build the documentation as a site in dist/docs; a broken link ends it
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs dist/docs

screenshots: setup-test ## pictures of the pages, at three widths, light and dark, in dist/pictures
	PICTURES=dist/pictures $(BIN)/pytest -n 2 --dist loadfile --timeout 600 -m looks tests/browser

picture: setup-test ## take the picture of the README anew, docs/pictures/watch.jpg
	$(BIN)/python scripts/picture.py

newcomer: ## clone this commit and start it as the first tutorial says, with a set-up of its own
	$(PYTHON) scripts/newcomer.py

lock: setup-test ## renew constraints.txt with the newest versions that fit
	$(BIN)/python scripts/uv.py pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--upgrade --quiet --no-header --no-annotate --output-file constraints.txt

test-pythons: setup-test ## the tests on every supported Python of this machine
	$(BIN)/python scripts/pythons.py $(ARGS)

test-lowest: setup-test ## the tests with the oldest versions that pyproject.toml allows
	$(BIN)/python scripts/pythons.py --lowest $(ARGS)

clean: ## remove what was built, not the data
	rm -rf .make dist build web/dist web/node_modules src/streamhost/_web .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis .venv .venv-*
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

setup:
	@$(SETUP) --group web --web

setup-test:
	@$(SETUP) --group dev --web --system test

setup-bench:
	@$(SETUP) --group dev --web --system test --system bench
