# Firesteel runs Apache Spark jobs without a JVM. `make help` lists what can be done here.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# What is built and installed lies outside the clone.
FIRESTEEL_CACHE ?= $(HOME)/.cache/firesteel
export CARGO_TARGET_DIR ?= $(FIRESTEEL_CACHE)/target
VENV := $(FIRESTEEL_CACHE)/venv
PYTHON := $(VENV)/bin/python
FIRESTEEL := $(CARGO_TARGET_DIR)/debug/firesteel
OPERATOR := $(CARGO_TARGET_DIR)/debug/firesteel-operator
RELEASE := $(CARGO_TARGET_DIR)/release
CONF_DOCS := $(CARGO_TARGET_DIR)/debug/examples/conf_docs
FUNCTION_DOCS := $(CARGO_TARGET_DIR)/debug/examples/function_docs
HELM ?= helm
# What makes a cluster for the end-to-end tests: up, load, run, node-stop, node-start, down.
CLUSTER ?= ../shared/cluster/cluster
GOAL ?= e2e
# Tests that run side by side; most of their time they wait.
E2E_WORKERS ?= 8
E2E_MARKS ?= not scripts
# Each has a server of its own.
SPARK_WORKERS ?= 2
REQUIREMENTS := tests/requirements.txt
BENCH_VENV := $(FIRESTEEL_CACHE)/bench
BENCH_REQUIREMENTS := tests/bench/requirements.txt
TPC_VENV := $(FIRESTEEL_CACHE)/tpc
TPC_ARGS ?= --scale 0.01
FUZZ_ARGS ?= --seconds 25
BENCH_ARGS ?= --scale 1 --engines firesteel,sail,spark
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
APT_INSTALL := $(SUDO) apt-get install --yes --no-install-recommends

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build python ## Run manifests/sales.yaml on this machine: a PySpark script over a CSV file, with Parquet as its result.
	mkdir -p firesteel-data/sales-data
	cp manifests/data/orders.csv firesteel-data/sales-data/
	$(FIRESTEEL) run manifests/sales.yaml --python $(PYTHON)
	@echo "The Parquet files are in $(CURDIR)/firesteel-data/sales-data/output:"
	@ls -l firesteel-data/sales-data/output

.PHONY: test
test: test-rust test-python test-spark ## Run each crate's tests, those of the wheel, and the stock PySpark client against the real server.

.PHONY: test-rust
test-rust: build ## Run each crate's own tests.
	if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --workspace; else cargo test --workspace --lib --bins --tests; fi

.PHONY: test-spark
test-spark: build python ## Run tests/spark: the stock PySpark client against the real server. ONLY=name picks tests.
	FIRESTEEL=$(FIRESTEEL) $(PYTHON) -m pytest tests/spark -n $(SPARK_WORKERS) --dist loadfile $(if $(ONLY),-k '$(ONLY)')

.PHONY: chaos
chaos: build python ## Run queries and writes while executors and the store fail. CHAOS_ARGS='--seed 7 --faults 500'; MINIO=program for its store.
	FIRESTEEL=$(FIRESTEEL) $(PYTHON) tests/chaos/chaos.py $(CHAOS_ARGS)

.PHONY: conformance
conformance: build python ## Run Spark's golden files through the real server; FILE=name shows one file's failures.
	FIRESTEEL=$(FIRESTEEL) $(PYTHON) tests/conformance/judge.py $(if $(FILE),--file '$(FILE)' --failing,--causes 40)

.PHONY: conformance-short
conformance-short: build python ## Run every third of Spark's golden files; fails if a statement fails that passed before.
	FIRESTEEL=$(FIRESTEEL) $(PYTHON) tests/conformance/judge.py --every 3 --causes 20

.PHONY: conformance-update
conformance-update: build python ## Run all golden files, write docs/conformance.md and the list of what passes.
	FIRESTEEL=$(FIRESTEEL) $(PYTHON) tests/conformance/judge.py --update --causes 40

.PHONY: test-tpc
test-tpc: build python $(TPC_VENV)/.installed ## Run TPC-DS and TPC-H through executors against DuckDB's answers. TPC_ARGS='--scale 1 --judge spark' changes it.
	FIRESTEEL=$(FIRESTEEL) $(PYTHON) tests/tpc/tpc.py $(TPC_ARGS)

$(TPC_VENV)/.installed: tests/tpc/requirements.txt
	test -x $(TPC_VENV)/bin/python || python3 -m venv $(TPC_VENV)
	$(TPC_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/tpc/requirements.txt
	touch $@

.PHONY: fuzz-sql
fuzz-sql: build python ## Ask random queries in ways that have to agree. FUZZ_ARGS='--seed 7 --seconds 3600' changes it.
	FIRESTEEL=$(FIRESTEEL) $(PYTHON) tests/fuzz/fuzz.py $(FUZZ_ARGS)

.PHONY: bench
bench: release $(BENCH_VENV)/.installed ## Time TPC-H beside Spark and Sail, release build. BENCH_ARGS='--scale 0.1 --engines ...' changes it.
	FIRESTEEL=$(RELEASE)/firesteel $(BENCH_VENV)/bin/python tests/bench/tpch.py $(BENCH_ARGS)

.PHONY: bench-python
bench-python: release python $(BENCH_VENV)/.installed ## Time Python functions and RDDs beside PySpark and Sail, release build. BENCH_ARGS='--repeat 1' changes it.
	FIRESTEEL=$(RELEASE)/firesteel python3 tests/bench/python.py --firesteel $(PYTHON) --spark $(BENCH_VENV)/bin/python $(BENCH_ARGS)

$(BENCH_VENV)/.installed: $(BENCH_REQUIREMENTS)
	test -x $(BENCH_VENV)/bin/python || python3 -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(BENCH_REQUIREMENTS)
	touch $@

.PHONY: test-python
test-python: python ## Run the tests of the wheel in python/: RDDs over frames in one process, without a server.
	PYTHONPATH=$(CURDIR)/python/tests $(PYTHON) -m pytest python/tests

.PHONY: bench-iterations
bench-iterations: release $(BENCH_VENV)/.installed ## Time 20 iterations of joins over a cached frame, release build: each as long as the last.
	FIRESTEEL=$(RELEASE)/firesteel $(BENCH_VENV)/bin/python tests/bench/iterations.py $(BENCH_ARGS)

.PHONY: bench-scheduler
bench-scheduler: release ## Measure the scheduler alone: launches a second, a stage of 100,000 tasks, 10,000 executors, memory a task.
	$(RELEASE)/examples/bench_scheduler

.PHONY: bench-shuffle
bench-shuffle: release ## Measure the shuffle on object storage: requests, bytes, speed against plain reads and writes.
	$(RELEASE)/examples/shuffle_bench $(LOAD)

.PHONY: bench-operator
bench-operator: release ## Measure the operator against the API server of KUBECONFIG, pods simulated: jobs a minute, one core, 256 MiB. Needs root.
	$(RELEASE)/examples/bench_operator --operator $(RELEASE)/firesteel-operator $(OPERATOR_LOAD)

.PHONY: bench-start
bench-start: ## Measure apply to first task on the cluster of KUBECONFIG, where the chart is installed. START_ARGS='--namespace x --runs 20'.
	python3 tests/bench/start.py $(START_ARGS)

.PHONY: check
check: check-tidy check-generated ## Check style: formatting, lints, sizes, generated files, licences.
	cargo fmt --all --check
# Where clippy compiles, as in .ci/run, all but the examples has been checked by now.
	if [ "$${RUSTC_WORKSPACE_WRAPPER:-}" = clippy-driver ]; then cargo build --workspace --examples; \
	  else cargo clippy --workspace --all-targets -- --deny warnings; fi
	if cargo deny --version >/dev/null 2>&1; then cargo deny check; else echo "cargo-deny is not installed: skipped"; fi

.PHONY: check-tidy
check-tidy: ## Check sizes of files and functions, and which crate may use which.
	python3 tests/tidy.py

.PHONY: check-generated
check-generated: build ## Check that generated files are up to date.
	cargo build --workspace --example conf_docs --example function_docs
	$(OPERATOR) crds --out crds --check
	$(OPERATOR) crds --out charts/firesteel/crds --check
	diff manifests/data/orders.csv charts/firesteel/files/orders.csv
	$(OPERATOR) docs --out docs/sparkjob.md --check
	$(CONF_DOCS) | diff docs/configuration.md - \
	  || { echo "docs/configuration.md is not up to date: make generate"; exit 1; }
	$(FUNCTION_DOCS) | diff docs/functions.md - \
	  || { echo "docs/functions.md is not up to date: make generate"; exit 1; }

.PHONY: generate
generate: build ## Write the generated files: crds/, docs/sparkjob.md, docs/configuration.md, docs/functions.md.
	cargo build --workspace --example conf_docs --example function_docs
	$(OPERATOR) crds --out crds
	$(OPERATOR) crds --out charts/firesteel/crds
	cp manifests/data/orders.csv charts/firesteel/files/orders.csv
	$(OPERATOR) docs --out docs/sparkjob.md
	$(CONF_DOCS) > docs/configuration.md
	$(FUNCTION_DOCS) > docs/functions.md

.PHONY: check-chart
check-chart: python ## Check the Helm chart: lint, and what it renders with each kind of values.
	HELM=$(HELM) $(PYTHON) tests/chart.py

.PHONY: images
images: build ## Build the images firesteel:0.1 and firesteel-operator:0.1 with buildah or docker. BASE=image, ARCHIVE=folder.
	images/build.sh $(CARGO_TARGET_DIR)/debug

.PHONY: e2e
e2e: check-chart ## Run tests/e2e against the cluster of KUBECONFIG, with images that are there. ONLY=name picks tests.
	$(PYTHON) -m pytest tests/e2e --tb=short --durations=20 -n $(E2E_WORKERS) -m '$(E2E_MARKS)' $(if $(ONLY),-k '$(ONLY)')

.PHONY: e2e-scripts
e2e-scripts: ## Run the classic scripts of tests/spark/scripts as jobs on the cluster of KUBECONFIG.
	$(PYTHON) -m pytest tests/e2e/test_scripts.py --tb=short -rA -n 5 -m scripts $(if $(ONLY),-k '$(ONLY)')

.PHONY: e2e-local
e2e-local: build python ## Run tests/e2e on a cluster that CLUSTER makes, with images built from this tree. GOAL=e2e-scripts runs that.
	if test -x $(CLUSTER); then tests/e2e/run.sh $(CLUSTER) $(CARGO_TARGET_DIR)/debug $(MAKE) $(GOAL); \
	  else echo "end-to-end tests skipped: KUBECONFIG names no cluster, and there is no $(CLUSTER) to make one"; fi

.PHONY: kind-demo
kind-demo: build ## Make a cluster in docker with kind, install the chart there and run manifests/sales.yaml. KIND_CLUSTER=name.
	tests/e2e/kind.sh $(CARGO_TARGET_DIR)/debug demo

.PHONY: kind-up
kind-up: build ## Make that cluster and load the images, for make e2e.
	tests/e2e/kind.sh $(CARGO_TARGET_DIR)/debug up

.PHONY: build
build: protoc ## Build both programs, over the whole workspace so that dependencies compile once.
	cargo build --workspace

.PHONY: build-all
build-all: protoc ## Build tests and examples too, at once and not one after the other.
	cargo build --workspace --all-targets

.PHONY: release
release: protoc ## Build both programs and the benchmarks with optimisations; takes long.
	cargo build --release --workspace --bins --example bench_operator --example bench_scheduler --example shuffle_bench

.PHONY: install
install: protoc ## Build the command line with optimisations and install it where cargo installs programs.
	cargo install --locked --path crates/firesteel

.PHONY: python
python: $(VENV)/.installed ## Make the Python environment: the stock PySpark client, and our wheel with RDD and SparkContext.

.PHONY: wheel
wheel: python ## Build the wheel with RDD and SparkContext into dist/.
	$(PYTHON) -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist ./python

$(VENV)/.installed: $(REQUIREMENTS) $(shell find python/pyspark python/pyproject.toml -name '*.py' -o -name '*.toml')
	python3 -m venv --help >/dev/null 2>&1 && python3 -c 'import ensurepip' 2>/dev/null \
	  || { $(SUDO) apt-get update && $(APT_INSTALL) python3-venv; }
	test -x $(PYTHON) || python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --requirement $(REQUIREMENTS)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --force-reinstall ./python
	touch $@

# The compiler of the protocol's messages, and a linker.
.PHONY: protoc
protoc:
	@command -v protoc cc >/dev/null && [ $$(command -v protoc cc | wc -l) = 2 ] \
	  || { $(SUDO) apt-get update && $(APT_INSTALL) protobuf-compiler libprotobuf-dev build-essential; }

.PHONY: clean
clean: ## Remove what was built; the Python environment stays.
	cargo clean
	rm -rf firesteel-data spark-warehouse
