# make setup   .venv with everything and the command gristmill in it
# make demo    runs the main job on text found on this machine; INPUT='my/*.jsonl.gz' reads your own files
# make test    lint, then the quick tests; installs the trainers, and with apt-get Chromium and nginx if they are missing
# make trainer installs the extra `trainer` into .venv: TRL, datasets, torch (5 GB)
# make trainers-test   runs the commands and settings that export cards print, with each trainer's own parser and loader,
#              in a separate environment per trainer
# make soak    the long tests, including clusters; with apt-get installs Java, Maven and PostgreSQL, from Maven Central Flink and Spark
# make cluster-test   only the tests on clusters
# make lint    ruff and mypy
# make reference   writes jobs/commands.md from the help of the commands
# make bench   prints two tables: the speed of kernels against libraries, and the project's targets; LARGE=1000 adds the
#              targets of full size (1 and 2 GB), PEER=/path/to/python of an environment with datatrove compares with it,
#              CONSTANTS=FILE writes the costs from which gristmill plan estimates

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := setup
unexport PYTHONDONTWRITEBYTECODE # without bytecode each process compiles torch anew, for 3 s
.PHONY: setup demo test ready soak cluster-test trainers-test lint bench studio trainer programs postgresql clusters requirements reference clean

PYTHON := python3 python3.13 python3.12 python3.11
INPUT :=
PEER :=
LARGE :=
CONSTANTS :=
UPGRADE := --upgrade
BIN := .venv/bin
TRAINERS := openrlhf llama-factory axolotl hydra
ALONE := tests/cluster tests/jobs/test_plan.py tests/schemas/test_speed.py tests/curation/test_skew.py tests/curation/test_bounds.py \
  tests/curation/test_hostile_texts.py tests/curation/sources/test_damage.py
PACKAGES := schemas curation annotation jobs
PIP := $(BIN)/python -P -m pip --quiet --disable-pip-version-check install --no-deps
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes

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
	$$python -P -m venv --clear .venv
	awk '/^uv==/ { on = 1 } on { print } on && !/\\$$/ { exit }' requirements.txt > .venv/uv.txt # uv alone, with its hashes
	$(PIP) --require-hashes -r .venv/uv.txt
	$(UV) --compile-bytecode -r requirements.txt
	touch $@

.venv/.gristmill: .venv/.dependencies pyproject.toml
	@$(PIP) --no-build-isolation --editable .
	touch $@

.venv/.kernels: .venv/.gristmill $(wildcard curation/*.py curation/*/*.py)
	@find curation -name '*.nb[ic]' -delete # numba does not notice a change in a kernel that another kernel calls
	$(BIN)/python -P -m compileall -q $(PACKAGES)
	$(BIN)/python -P -m curation.warm
	touch $@

demo: setup
	@$(BIN)/python -P -m jobs.demo $(if $(INPUT),'$(INPUT)')

lint: setup
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: ready
	@$(BIN)/python -P -m pytest --numprocesses=2 --dist=loadfile

soak: ready clusters postgresql # one test at a time where tests measure seconds or memory
	@$(BIN)/python -P -m pytest -m soak --durations=40 --numprocesses=2 --dist=loadfile $(ALONE:%=--ignore=%)
	$(BIN)/python -P -m pytest -m soak --durations=40 $(ALONE)

cluster-test: setup clusters
	@$(BIN)/python -P -m pytest -m soak tests/cluster

ready: # prepares the tests; downloads and compilation run in parallel
	@$(MAKE) --no-print-directory --jobs=3 lint studio programs trainer

studio: .venv/.studio/ready

.venv/.studio/ready: .venv/.gristmill annotation/server/requirements.txt
	@rm -rf .venv/.studio
	$(BIN)/gristmill studio install --home .venv/.studio
	touch $@

trainer: .venv/.trainer

.venv/.trainer: .venv/.gristmill requirements-trainer.txt
	@echo "setup: the trainers (TRL, datasets, torch)"
	$(UV) -r requirements-trainer.txt
	touch $@

trainers-test: trainer $(TRAINERS:%=.venv/.trainers/%/ready)
	@$(BIN)/python -m pytest -m trainers tests/trainers

# A separate environment per trainer, which also sees the packages of .venv: torch, transformers, datasets.
.venv/.trainers/%/ready: tests/trainers/%.txt .venv/.trainer
	@echo "setup: $*"
	rm -rf $(@D)
	$(BIN)/uv venv --quiet --python $(BIN)/python $(@D)
	site='import sysconfig; print(sysconfig.get_path("purelib"))'
	$(BIN)/python -c "$$site" > "$$($(@D)/bin/python -c "$$site")/shared.pth"
	$(BIN)/uv pip install --quiet --python $(@D)/bin/python --no-deps --require-hashes -r $<
	touch $@

programs:
	@missing=
	command -v chromium > /dev/null || missing="chromium fonts-dejavu-core"
	command -v openssl > /dev/null || missing="$$missing openssl"
	PATH="$$PATH:/usr/sbin" command -v nginx > /dev/null || missing="$$missing nginx-light"
	$(call debian,Chromium and nginx)

postgresql:
	@missing=
	[ -n "$$(command -v postgres || find /usr/lib/postgresql -name postgres 2> /dev/null)" ] || missing="postgresql"
	$(call debian,PostgreSQL)

clusters: .venv/.flink/ready .venv/.spark/ready

.venv/.%/ready: tests/cluster/%.xml .venv/.gristmill
	@missing=
	command -v java > /dev/null || missing="default-jre-headless"
	command -v mvn > /dev/null || missing="$$missing maven"
	$(call debian,Java and Maven)
	echo "setup: $* and Beam's job server for it"
	rm -rf $(@D)
	mvn --batch-mode --quiet -Dstyle.color=never --file $< dependency:copy-dependencies -DoutputDirectory="$$PWD/$(@D)"
	touch $@

# Installs the Debian packages in $$missing, if any, with apt-get; $(1) names them in messages.
define debian
if [ -n "$$missing" ]; then
  as=
  if [ "$$(id -u)" != 0 ]; then as=sudo; fi
  if ! command -v apt-get > /dev/null || { [ -n "$$as" ] && ! command -v sudo > /dev/null; }; then
    echo "test: needs $(1): install them (on Debian: apt-get install $$missing)." >&2
    exit 1
  fi
  echo "test: installing $$missing"
  log=$$(mktemp)
  export DEBIAN_FRONTEND=noninteractive
  quiet=/usr/sbin/policy-rc.d # the tests start nginx themselves, so its installation must not start a server
  if [ ! -e $$quiet ]; then
    printf '#!/bin/sh\nexit 101\n' | $$as install -m 755 /dev/stdin $$quiet
    trap "$$as rm -f $$quiet" EXIT
  fi
  if ! { $$as apt-get update && $$as apt-get install --yes --no-install-recommends $$missing; } > $$log 2>&1; then
    tail -n 5 $$log >&2
    echo "test: needs $(1), and apt-get cannot install them: apt-get install $$missing" >&2
    exit 1
  fi
  rm $$log
fi
endef

bench: setup
	@$(BIN)/python -P -m tests.benchmarks.run $(if $(LARGE),--large $(LARGE)) $(if $(PEER),--peer '$(PEER)') $(if $(CONSTANTS),--constants '$(CONSTANTS)')

# Pins every dependency of pyproject.toml, and of the Label Studio that annotation/server pins, with hashes. UPGRADE=
# keeps pinned versions and adds missing ones. The pins in tests/trainers are edited manually.
requirements:
	@PATH="$$PWD/$(BIN):$$PATH"
	export UV_CUSTOM_COMPILE_COMMAND="make requirements"
	compile() {
	  uv pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate "$$@"
	}
	compile --extra dev --extra languages pyproject.toml --output-file requirements.txt
	compile --extra dev --extra languages --extra trainer --constraint requirements.txt pyproject.toml --output-file requirements-trainer.txt
	studio=annotation/server/requirements.txt
	{ grep --only-matching '^label-studio==[0-9.]*' $$studio; echo gunicorn; } | (cd / && compile - --output-file "$$OLDPWD/$$studio")

reference: setup
	@$(BIN)/python -P -m jobs.reference

clean:
	@rm -rf .venv build dist
