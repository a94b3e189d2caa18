# make demo: distills the zoo's MNIST teacher into a small student.
# make test: checks lint, format and types, and runs the tests.
# make long: runs the longest tests, which make test leaves out: several workers, whole and killed runs, the guides, UMAP, a full
# disk, folders that cannot be written, and further cases of what make test checks once: most entries of the zoo, above all.
# make coverage: runs all tests, slower, and prints the lines that none of them reaches.
# make fuzz: gives each target in tests/fuzz/ INPUTS inputs, at low priority. The test suite gives them a few.
# make docs: builds the documentation as a site, in build/site/.

PYTHON ?= python3
BIN := .venv/bin
# Files in their order, so that those with few long tests, in tests/cli, are not left for the end.
WORKERS := --numprocesses=2 --dist=loadfile --no-loadscope-reorder
# A module is compiled when it is first imported: most modules of the packages never are.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable
PACKAGE := setup.cfg setup.py pyproject.toml

INPUTS := 10000

.PHONY: demo test long coverage fuzz docs
demo: .venv/installed
	$(BIN)/python run.py --gin_file=gin/mnist_mlp_akdg.gin

test: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -m "not long" $(WORKERS)

long: .venv/installed-test
	$(BIN)/python -m pytest -q -m long

coverage: .venv/installed-test
	$(BIN)/python -m pytest -q $(WORKERS) --cov=akdg_tf --cov-report=term-missing:skip-covered

fuzz: .venv/installed-test
	AKDG_FUZZ=$(INPUTS) nice -n 10 $(BIN)/python -m pytest -q tests/fuzz --hypothesis-show-statistics

docs: .venv/installed-docs
	$(BIN)/mkdocs build --strict

.venv/installed: WHAT := .
.venv/installed-test: WHAT := '.[test]'
.venv/installed-docs: WHAT := '.[docs]'
.venv/installed .venv/installed-test .venv/installed-docs: $(PACKAGE)
	$(PYTHON) -m venv .venv
	$(INSTALL) $(WHAT)
	touch .venv/installed $@
