# make setup   .venv with everything and the command gristmill in it
# make demo    the main job on text found on this machine; INPUT='my/*.jsonl.gz' takes your own
# make test    lint, then the quick laws
# make soak    the long laws
# make lint    ruff and mypy
# make bench   the bars of the project as a table; PEER=/path/to/python of an environment with datatrove races it

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := setup
.PHONY: setup demo test soak lint bench requirements clean

PYTHON := python3 python3.13 python3.12 python3.11
INPUT :=
PEER :=
BIN := .venv/bin
PACKAGES := schemas curation annotation jobs
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install --no-deps

setup: .venv/.kernels

.venv/.dependencies: requirements.txt
	@supported='import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'
	python=
	for candidate in $(PYTHON); do
	  if $$candidate -c "$$supported" 2>/dev/null; then python=$$candidate; break; fi
	done
	if [ -z "$$python" ]; then
	  echo "setup: needs Python 3.11, 3.12 or 3.13 with venv (on Debian: apt-get install python3 python3-venv); tried: $(PYTHON)." >&2
	  echo "setup: name another with: make setup PYTHON=/path/to/python3" >&2
	  exit 1
	fi
	echo "setup: $$($$python --version), $$(grep -c == requirements.txt) packages into .venv"
	$$python -m venv --clear .venv
	$(PIP) --no-compile --require-hashes -r requirements.txt
	echo "setup: compiling"
	$(BIN)/python -m compileall -qq -j 0 .venv/lib
	touch $@

.venv/.gristmill: .venv/.dependencies pyproject.toml
	@$(PIP) --no-build-isolation --editable .
	touch $@

.venv/.kernels: .venv/.gristmill $(wildcard curation/*.py curation/*/*.py)
	@find curation -name '*.nb[ic]' -delete # numba does not see that a kernel calls one that changed
	$(BIN)/python -m compileall -q $(PACKAGES)
	$(BIN)/python -m curation.warm
	touch $@

demo: setup
	@$(BIN)/python -m jobs.demo $(if $(INPUT),'$(INPUT)')

lint: setup
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	@$(BIN)/python -m pytest

soak: setup
	@$(BIN)/python -m pytest -m soak

bench: setup
	@$(BIN)/python -m tests.benchmarks.run $(if $(PEER),--peer '$(PEER)')

# Pins every dependency anew from pyproject.toml; needs uv.
requirements:
	@UV_CUSTOM_COMPILE_COMMAND="make requirements" uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-annotate --extra dev pyproject.toml --output-file requirements.txt

clean:
	@rm -rf .venv build dist
