# Two commands are enough: `make demo` and `make test`. Everything is installed into .venv, from hashed lists.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
INSTALL := $(if $(UV),$(UV) pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet --disable-pip-version-check)
PERSONS ?= 500000
DEMO := demo
BENCHMARKS := accuracy coverage whole_run link_count demo_rates synthetic synthetic_coverage synthetic_privacy suppression

.PHONY: demo test test-all static benchmarks lab system requirements clean

# Invented registers, a ledger with a grant, and a whole release. What is there already is kept.
demo: $(VENV)/.installed
	test -d $(DEMO)/registers || $(BIN)/utfall demo $(DEMO)/registers --persons $(PERSONS)
	test -f $(DEMO)/ledger.sqlite || { \
	  $(BIN)/utfall ledger init --ledger $(DEMO)/ledger.sqlite --population fi-graduates --by "demo office" && \
	  $(BIN)/utfall ledger grant --ledger $(DEMO)/ledger.sqlite --rho 2 --by "demo office" --reason "the demo"; }
	$(BIN)/utfall run policies/graduates-demo.yaml --data $(DEMO)/registers --out $(DEMO)/releases --ledger $(DEMO)/ledger.sqlite

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2 -m "not slow"

test-all: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2

static: $(VENV)/.installed-test
	$(BIN)/ruff check release synthetic tests benchmarks
	$(BIN)/ruff format --check release synthetic tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

benchmarks: $(VENV)/.installed-test
	for name in $(BENCHMARKS); do $(BIN)/python benchmarks/$$name.py || exit 1; done

# JupyterLab, to use the notebooks by hand.
lab: $(VENV)/.installed
	$(INSTALL) -e '.[lab]'
	$(BIN)/jupyter lab notebooks

# What a test needs from the system: Chromium, to look at the site as a reader does.
system:
	apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium

$(VENV)/bin/python:
	$(if $(UV),$(UV) venv --quiet --seed --python $(PYTHON) $(VENV),$(PYTHON) -m venv $(VENV))

$(VENV)/.installed: $(VENV)/bin/python requirements.txt pyproject.toml
	$(INSTALL) --require-hashes -r requirements.txt
	$(INSTALL) --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed requirements-test.txt
	$(INSTALL) --require-hashes -r requirements-test.txt
	touch $@

# Makes the hashed lists anew, without registry addresses.
COMPILE := pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options --upgrade
requirements: $(VENV)/.installed-test
	$(BIN)/$(COMPILE) --extra build --output-file requirements.txt pyproject.toml
	$(BIN)/$(COMPILE) --extra build --extra test --output-file requirements-test.txt pyproject.toml

clean:
	rm -rf $(VENV) $(DEMO) .mypy_cache .ruff_cache .hypothesis .import_linter_cache
