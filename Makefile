# One command each; the first call of any builds .venv, a later one starts at once.
#
#   make demo                      the custom model, trained on a table of diamonds
#   make demo DATA=housing.csv     the same on California housing
#   make test                      all tests and docstring examples
#   make check                     what a change must pass: format, lint, types, floors, tests
#   make benchmark                 Tensorsmith and its peers in turn (ARGS="--quick")
#   make clean                     remove the environments and what was written

PYTHON ?= python3
VENV ?= .venv
DATA ?=
EPOCHS ?=
ARGS ?=
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test check benchmark clean
.DELETE_ON_ERROR:
.PRECIOUS: %/.made

help:
	@sed -n 's/^#   //p' Makefile

demo: $(VENV)/.with-plot
	$(BIN)/tensorsmith demo $(if $(DATA),--data "$(DATA)") $(if $(EPOCHS),--epochs $(EPOCHS))

test: $(VENV)/.with-test
	$(BIN)/pytest -n auto $(ARGS)

check: $(VENV)/.with-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/pytest -n auto $(ARGS)

# An environment of its own: TensorFlow and PyTorch choose the versions in it.
benchmark: $(VENV)-benchmark/.with-benchmark
	$(VENV)-benchmark/bin/python -m benchmarks $(if $(DATA),--data "$(DATA)") $(ARGS)

# The stamps: an extra is installed once, and anew when pyproject.toml changes.
$(VENV)/.with-%: $(VENV)/.made pyproject.toml
	@echo "Installing Tensorsmith with its $* extra into $(VENV): once, a minute or two"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	@touch $@

$(VENV)-benchmark/.with-benchmark: $(VENV)-benchmark/.made pyproject.toml
	@echo "Installing Tensorsmith and its peers into $(VENV)-benchmark: once, several minutes, 5 GB"
	@$(VENV)-benchmark/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[benchmark]"
	@touch $@

%/.made: | .ci/make-venv
	@.ci/make-venv "$(PYTHON)" "$*"
	@touch $@

clean:
	rm -rf "$(VENV)" "$(VENV)-benchmark" demo-out
