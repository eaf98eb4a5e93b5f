# `make` lists what there is to make. Everything happens in $(VENV), which is made when it is missing;
# MXNet holds NumPy below 2 there, and $(NUMPY2) is the other world: all but the extra gluon, and NumPy 2.

VENV ?= .venv
NUMPY2 ?= .venv-numpy2
PEERS ?= .venv-peers
DATA_PEERS ?= .venv-peers-data
TESTS ?=
WORKERS ?= 2
SECONDS ?= 60
SINCE ?= HEAD
DEMO ?=

# The first Python here that will do; a name on the PATH may still be an empty promise, so each is asked.
PYTHON ?= $(shell for python in python3.11 python3.12 python3; do \
	$$python -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null \
	&& echo $$python && break; done)
BIN = $(VENV)/bin
INSTALL = python -m pip --disable-pip-version-check --quiet install
# What is installed everywhere but at a newcomer's; the trainers of torch and keras are still to come.
EXTRAS = plots,dask,tune,serve,docs,hf,tfrecord,fast

.PHONY: help setup demo check test test-numpy2 lint format bench test-peers fuzz docs site \
	docker-steps constraints clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/ready-for-work ## everything that the work on mtool needs, in .venv

demo: $(VENV)/ready-for-demo ## the main job on the sample, in about a minute
	$(BIN)/mtool demo $(DEMO)

check: $(VENV)/ready-for-work ## lint, and the tests of what has changed since SINCE, in under a minute
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	tests=$$($(BIN)/python -m tests.affected $(SINCE)) && \
	if [ -n "$$tests" ]; then $(BIN)/python -m pytest -n $(WORKERS) -q $$tests; fi

test: $(VENV)/ready-for-work ## all tests, or some: make test TESTS=tests/verbs/split WORKERS=0
	$(BIN)/python -m pytest -n $(WORKERS) $(TESTS)

test-numpy2: $(NUMPY2)/ready-for-work ## the tests without MXNet, under NumPy 2, in .venv-numpy2
	$(NUMPY2)/bin/python -m pytest -n $(WORKERS) $(TESTS)

lint: $(VENV)/ready-for-work ## ruff, mypy, and hadolint for the Dockerfile
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/hadolint Dockerfile

format: $(VENV)/ready-for-work ## let ruff order and lay out the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/ready-for-work ## our figures beside those of the peers
	$(BIN)/python -m benchmarks.manifests
	$(BIN)/python -m benchmarks.recordio
	$(BIN)/python -m benchmarks.datasets
	$(BIN)/python -m benchmarks.packed_pictures
	$(BIN)/python -m benchmarks.s3

test-peers: $(VENV)/ready-for-work $(PEERS)/ready $(DATA_PEERS)/ready ## our models and data sets, read by others
	MTOOL_MXNET13_PYTHON=$(PEERS)/bin/python MTOOL_PEERS_PYTHON=$(DATA_PEERS)/bin/python \
	$(BIN)/python -m pytest -n $(WORKERS) $(or $(TESTS),tests/peers)

fuzz: $(VENV)/ready-for-work ## a coverage-guided fuzzer over every command, for SECONDS
	mkdir -p build
	$(BIN)/python -m tests.fuzz -max_total_time=$(SECONDS) -artifact_prefix=build/

docs: $(VENV)/ready-for-work ## write the pages that the commands and tables say
	$(BIN)/python -m docs.regenerate

docker-steps: $(VENV)/ready-for-work ## do what the Dockerfile does, without Docker
	$(BIN)/python -m tests.docker_steps

site: $(VENV)/ready-for-work ## the site of docs/ in build/site; a broken link is an error
	$(BIN)/zensical build --clean --strict

constraints: ## choose the versions in constraints.txt and constraints-gluon.txt anew
	$(call choose-versions,constraints.txt,$(EXTRAS),dev)
	$(call choose-versions,constraints-gluon.txt,$(EXTRAS),dev-gluon)

clean: ## remove whatever was made
	rm -rf $(VENV) $(NUMPY2) $(PEERS) $(DATA_PEERS) build dist demo benchmarks/data .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

%/bin/python:
	@test -n "$(PYTHON)" || { \
	echo "mtool needs Python 3.11 or 3.12 with venv; type: apt install python3.11-venv" >&2; exit 1; }
	$(PYTHON) -m venv $*

$(VENV)/ready-for-demo: pyproject.toml constraints-gluon.txt | $(BIN)/python
	$(BIN)/$(INSTALL) -c constraints-gluon.txt -e '.[gluon,plots]'
	touch $@

$(VENV)/ready-for-work: pyproject.toml constraints-gluon.txt | $(BIN)/python
	$(BIN)/$(INSTALL) -c constraints-gluon.txt -e '.[$(EXTRAS),dev-gluon]'
	touch $@

$(NUMPY2)/ready-for-work: pyproject.toml constraints.txt | $(NUMPY2)/bin/python
	$(NUMPY2)/bin/$(INSTALL) -c constraints.txt -e '.[$(EXTRAS),dev]'
	touch $@

# mxnet 1.3.1 asks for a NumPy that no Python of today has, so its wheel is taken without what it asks for.
$(PEERS)/ready: Makefile | $(PEERS)/bin/python
	$(PEERS)/bin/$(INSTALL) --no-deps mxnet==1.3.1
	$(PEERS)/bin/$(INSTALL) -c constraints-gluon.txt 'numpy<2' requests 'graphviz<0.9'
	touch $@

# Whoever reads and writes data sets as mtool does; they want NumPy 2.2 or later together.
$(DATA_PEERS)/ready: constraints-peers.txt | $(DATA_PEERS)/bin/python
	$(DATA_PEERS)/bin/$(INSTALL) -c constraints-peers.txt datasets datumaro label-studio-sdk mlcroissant panlabel \
	polars pyarrow pycocotools supervision tensorflow-cpu webdataset
	touch $@

# $(call choose-versions,FILE,EXTRAS...): what pip chooses without FILE, between FILE's own words above and below.
define choose-versions
rm -rf build/constraints
$(PYTHON) -m venv build/constraints
build/constraints/bin/$(INSTALL) -e '.[$(2),$(3)]'
(sed '/^$$/q' $(1); \
build/constraints/bin/python -m pip freeze --exclude-editable; \
echo; sed -n '/^# ---/,$$p' $(1)) > build/$(1)
mv build/$(1) $(1)
endef
