# `make up` and `make test` need Python 3.11 or later and make, nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Tests with real Ray run one after the other in one of them.
TEST_WORKERS ?= 2
# Each starts a control plane of its own, and waits half of the time.
CLUSTER_WORKERS ?= 3

.PHONY: up test test-cluster test-node test-gke test-parts cluster-up cluster-down check docs goldens dashboards schemas lock bench help

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

up: $(VENV)/up.stamp ## Bring up the first blueprint on this machine
	$(BIN)/ray-gke up squares

test: $(VENV)/test.stamp ## Run all tests
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadgroup

test-cluster: $(VENV)/test.stamp ## Run the tests on a real control plane (needs Go)
	$(BIN)/python -m pytest --cluster -m cluster -n $(CLUSTER_WORKERS) --dist worksteal

test-node: $(VENV)/test.stamp ## Run the tests on a real node (needs Go, root on Debian)
	$(BIN)/python -m pytest --node -m node

test-gke: $(VENV)/test.stamp ## Run the tests on GKE itself, which costs (PROJECT=… ZONE=…)
	RAY_GKE_TEST_PROJECT=$(PROJECT) RAY_GKE_TEST_ZONE=$(ZONE) \
	  $(BIN)/python -m pytest --gke -m gke -s

test-parts: $(VENV)/test.stamp ## Build what the test clusters are made of (needs Go)
	$(BIN)/python -m tests.cluster build

cluster-up: $(VENV)/test.stamp ## Start a test cluster; print its kubeconfig
	@$(BIN)/python -m tests.cluster up

cluster-down: $(VENV)/test.stamp ## End the test cluster and remove its folder
	@$(BIN)/python -m tests.cluster down

check: $(VENV)/test.stamp ## Format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --no-explicit-package-bases blueprints
	$(BIN)/lint-imports

docs: $(VENV)/test.stamp ## Rewrite what is generated: help, references, picture
	$(BIN)/python tools/write_help.py
	$(BIN)/python tools/write_terraform_docs.py
	$(BIN)/python tools/draw_run.py docs/up-squares.svg

goldens: $(VENV)/test.stamp ## Rewrite the goldens, to be reviewed as a diff
	$(BIN)/python -m pytest tests/test_goldens.py tests/test_terraform_modules.py \
	  --update-goldens

dashboards: $(VENV)/test.stamp ## Let Ray write its Grafana dashboards anew
	$(BIN)/python tools/write_dashboards.py

schemas: $(VENV)/test.stamp ## Extract the facts-only schemas from KubeRay and Kubernetes (needs Go)
	$(BIN)/python tools/extract_schemas.py

bench: $(VENV)/test.stamp ## Measure speed and memory beside peers (needs Go, for helm)
	$(BIN)/python -m bench

lock: ## Choose versions anew and pin them with their hashes
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet uv
	$(LOCK) pyproject.toml requirements/build.in --all-extras \
	  --output-file requirements/test.txt
	$(LOCK) pyproject.toml requirements/build.in --extra local --extra blueprints \
	  --constraint requirements/test.txt --output-file requirements/up.txt
	rm -r $(VENV)-lock

LOCK = $(VENV)-lock/bin/uv pip compile --quiet --upgrade --universal \
  --python-version 3.11 --generate-hashes --no-annotate --no-header

# Versions and hashes are pinned; the package itself is installed in place.
$(VENV)/%.stamp: requirements/%.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'ray-gke needs Python 3.11 or later; name one: make $* PYTHON=python3.12' >&2; exit 1; }
	@echo "making $(VENV) (once, a minute or two)" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q ray_gke
	@touch $@
