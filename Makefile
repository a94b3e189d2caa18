# make demo: distills the zoo's MNIST teacher into a small student.
# make test: checks lint, format and types, and runs the whole test suite.
# make coverage: runs all tests, slower, and prints the lines that none of them reaches.
# make docs: builds the documentation as a site, in build/site/.

PYTHON ?= python3
BIN := .venv/bin
# Files in their order, so that those with few long tests, in tests/cli, are not left for the end.
WORKERS := --numprocesses=2 --dist=loadfile --no-loadscope-reorder
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable

.PHONY: demo test coverage docs
demo: .venv/installed
	$(BIN)/python run.py --gin_file=gin/mnist_mlp_akdg.gin

test: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q $(WORKERS)

coverage: .venv/installed-test
	$(BIN)/python -m pytest -q $(WORKERS) --cov=akdg_tf --cov-report=term-missing:skip-covered

docs: .venv/installed-docs
	$(BIN)/mkdocs build --strict

.venv/installed: setup.cfg setup.py pyproject.toml
	$(PYTHON) -m venv .venv
	$(INSTALL) .
	touch $@

.venv/installed-test: .venv/installed
	$(INSTALL) '.[test]'
	touch $@

.venv/installed-docs: .venv/installed
	$(INSTALL) '.[docs]'
	touch $@
