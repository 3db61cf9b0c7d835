# Everything runs in .venv, which is made on demand from the locked requirements.
# Needs python3 (3.11 or newer) with venv; PYTHON=python3.12 picks another one.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.DEFAULT_GOAL := help
.PHONY: help demo test check fuzz mutation bench messages screenshots lock clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(MAKEFILE_LIST)

demo: $(READY) ## a whole simulated district on this machine; nothing to configure
	@if [ -t 1 ]; then exec $(BIN)/meetbot demo; else exec $(BIN)/meetbot demo --once; fi

test: check ## check, then the whole test suite
	$(BIN)/pytest -n 2

check: $(READY) ## lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fuzz: $(READY) ## presence against the second opinion, 200,000 cases and more
	$(BIN)/pytest -n 2 --hypothesis-profile=fuzz tests/unit/test_presence_properties.py

mutation: $(READY) ## whether a test notices each of thousands of changes to the decisions
	nice -n 19 $(BIN)/python -m tests.mutation

bench: $(READY) ## speed and memory beside plain alternatives
	$(BIN)/python -m tests.bench

# A text that is new stands untranslated in the catalogs afterwards; a test names it.
CATALOGS := meetbot/console/translations
messages: $(READY) ## look for texts of the console to translate; use the translations
	$(BIN)/pybabel -q extract -F meetbot/console/babel.cfg -k lazy_gettext --add-location=file \
		--no-wrap --sort-by-file --omit-header -o $(CATALOGS)/messages.pot meetbot
	$(BIN)/pybabel -q update -i $(CATALOGS)/messages.pot -d $(CATALOGS) --no-wrap \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	$(BIN)/pybabel -q compile -d $(CATALOGS)

screenshots: $(READY) ## the picture of a flag mail in the README (needs chromium)
	$(BIN)/python -m tests.screenshots

# Packages already locked keep their version; delete a line, or the file, to move on.
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	--system-certs --no-emit-index-url --no-annotate --no-header pyproject.toml

lock: $(READY) ## lock the dependencies of pyproject.toml with their hashes
	$(COMPILE) -o requirements.lock
	$(COMPILE) --group dev -c requirements.lock -o requirements-dev.lock

clean: ## remove everything that can be made again
	rm -rf $(VENV) build meetbot.egg-info .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "meetbot needs Python 3.11 or newer; try: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
