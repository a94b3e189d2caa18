# make demo: distil the zoo's MNIST teacher into a small student. make test: lint, format check, the whole suite.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable

.PHONY: demo test
demo: .venv/installed
	$(BIN)/python run.py --gin_file=gin/mnist_mlp_akdg.gin

test: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -q --numprocesses=2 --dist=loadfile

.venv/installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(INSTALL) .
	touch $@

.venv/installed-test: .venv/installed
	$(INSTALL) '.[test]'
	touch $@
