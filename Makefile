# `make` lists what there is to make. Everything happens in $(VENV), which is made when it is missing.

VENV ?= .venv
PEERS ?= .venv-peers
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
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet
INPUTS = pyproject.toml constraints.txt

.PHONY: help setup demo check test lint format bench test-peers fuzz docs constraints clean

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

lint: $(VENV)/ready-for-work ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)/ready-for-work ## let ruff order and lay out the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/ready-for-work ## our figures beside those of the peers
	$(BIN)/python -m benchmarks.manifests
	$(BIN)/python -m benchmarks.recordio

test-peers: $(VENV)/ready-for-work $(PEERS)/ready ## exported models in MXNet 1.3.1, in .venv-peers
	MTOOL_MXNET13_PYTHON=$(PEERS)/bin/python $(BIN)/python -m pytest tests/peers $(TESTS)

fuzz: $(VENV)/ready-for-work ## a coverage-guided fuzzer over every command, for SECONDS
	mkdir -p build
	$(BIN)/python -m tests.fuzz -max_total_time=$(SECONDS) -artifact_prefix=build/

docs: $(VENV)/ready-for-work ## write the pages that the commands and tables say
	$(BIN)/python -m docs.regenerate

constraints: ## choose the versions in constraints.txt anew
	rm -rf build/constraints
	$(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install --quiet -e '.[gluon,plots,dask,tune,serve,docs,dev]'
	(sed '/^$$/q' constraints.txt; \
	build/constraints/bin/python -m pip freeze --exclude-editable; \
	echo; sed -n '/^# ---/,$$p' constraints.txt) > build/constraints.txt
	mv build/constraints.txt constraints.txt

clean: ## remove whatever was made
	rm -rf $(VENV) $(PEERS) build dist demo benchmarks/data .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { \
	echo "mtool needs Python 3.11 or 3.12 with venv; type: apt install python3.11-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready-for-demo: $(INPUTS) | $(BIN)/python
	$(PIP) install -c constraints.txt -e '.[gluon,plots]'
	$(lend-mxnet-libraries)
	touch $@

$(VENV)/ready-for-work: $(INPUTS) | $(BIN)/python
	$(PIP) install -c constraints.txt -e '.[gluon,plots,dask,tune,serve,docs,dev]'
	$(lend-mxnet-libraries)
	touch $@

# MXNet's wheel leans on two libraries of the system's compiler, which a bare Debian does not have;
# the wheels of scikit-learn and NumPy bring the same two, and MXNet looks beside itself first.
define lend-mxnet-libraries
@for library in libgomp.so.1 libquadmath.so.0; do \
	$(BIN)/python -c "import ctypes; ctypes.CDLL('$$library')" 2>/dev/null \
	|| (cd $(VENV)/lib/python3*/site-packages && for lent in *.libs/$${library%.so*}-*; do \
	ln -sf ../$$lent mxnet/$$library; done) || exit 1; \
	done
endef

# mxnet 1.3.1 asks for a NumPy that no Python of today has, so its wheel is taken without what it asks for.
$(PEERS)/ready: Makefile
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip --quiet install --no-deps mxnet==1.3.1
	$(PEERS)/bin/python -m pip --quiet install -c constraints.txt 'numpy<2' requests 'graphviz<0.9'
	touch $@
