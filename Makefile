# Every target sets up what it needs: an interpreter, uv, the environment. ARGS goes to the command that a target runs.

ENV := .venv
SECOND := 3.13
SECOND_ENV := .venv-$(SECOND)
# It needs other versions of what we depend on.
AUDIT_ENV := .venv-audit
CHECKOV := checkov==3.3.30
PYTHON := $(ENV)/bin/python
ARGS ?=
# Tests that read files, whatever Python runs them.
FILES_ALONE := walls deploy support test_docs.py test_makefile.py

# Where the user's shell has these, they would lead Python to the packages of another project.
unexport PYTHONHOME PYTHONPATH
# Without compiled files the sandbox would compile the workflow anew for every run, which takes longer than the run.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-first test-second soak lint audit bench bench-scale image clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "%-19s%s\n", $$1, $$2 }'

demo: $(ENV)/.ready ## Watch an agent survive the kill of its worker; no key, no Docker
	@$(ENV)/bin/spine-temporal demo $(ARGS)

test: test-first test-second ## Run the tests; with ARGS='-k approval' only those, on one Python

test-first: $(ENV)/.ready
	@$(PYTHON) -m pytest -n 4 --dist worksteal $(ARGS)

# What neither needs a Temporal server nor reads files alone is enough to tell whether another Python runs it. None of it
# waits, so it takes no more processes than cores.
test-second: test-first
	@if [ -n "$(strip $(ARGS))" ] || $(PYTHON) -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(SECOND)")'; then :; \
	elif .ci/find-python.sh $(SECOND) >/dev/null; then \
		$(MAKE) --no-print-directory $(SECOND_ENV)/.ready && $(SECOND_ENV)/bin/python -m pytest -n 2 -m "not durable" $(FILES_ALONE:%=--ignore=tests/%); \
	else \
		echo "No Python $(SECOND) here: the tests ran on one Python only."; \
	fi

soak: export SOAK := 1
soak: $(ENV)/.ready ## What takes long: random storms, faults at every boundary, whatever the tests leave to it
	@STORM_EXAMPLES=$${STORM_EXAMPLES:-500} FAULT_STRIKES=$${FAULT_STRIKES:-all} $(PYTHON) -m pytest -s tests/storm tests/faults tests/parity $(ARGS)
	@$(PYTHON) -m pytest -m soak --ignore=tests/storm --ignore=tests/faults --ignore=tests/parity $(ARGS)

lint: $(ENV)/.ready ## Check format, style, types, shell scripts, the image and the compose file
	@$(ENV)/bin/ruff format --check
	@$(ENV)/bin/ruff check
	@$(PYTHON) -m mypy
	@for script in .ci/*.sh; do sh -n $$script || exit; done
	@bash -n .ci/run
	@$(ENV)/bin/hadolint deploy/Dockerfile
	@$(ENV)/bin/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml deploy/compose.postgres.yaml
	@$(ENV)/bin/check-jsonschema --quiet --check-metaschema deploy/helm/spine-temporal-worker/values.schema.json

audit: $(ENV)/.ready $(AUDIT_ENV)/.ready ## Check what the manifests render to, and the image, with checkov
	@$(PYTHON) -m tests.deploy.render .audit
	@$(AUDIT_ENV)/bin/checkov --directory .audit --config-file deploy/checkov.yaml --skip-download

bench: $(ENV)/.ready ## Measure, and write the numbers to bench.json
	@$(PYTHON) -m tests.bench $(ARGS)

bench-scale: $(ENV)/.ready ## Measure many sessions and restarts under load, and write bench-scale.json
	@$(PYTHON) -m tests.bench.scale $(ARGS)

image: $(ENV)/.ready ## Build the image and run an agent in it; takes docker, podman or buildah
	@$(PYTHON) -m tests.deploy.built_image $(ARGS)

clean: ## Remove the environments, caches and build results
	rm -rf .venv .venv-* .audit .bench .bootstrap dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

$(ENV)/.ready: pyproject.toml uv.lock .ci/bootstrap.sh .ci/find-python.sh
	@.ci/bootstrap.sh $(ENV)
	@touch $@

$(SECOND_ENV)/.ready: pyproject.toml uv.lock .ci/bootstrap.sh .ci/find-python.sh
	@.ci/bootstrap.sh $(SECOND_ENV) $(SECOND)
	@touch $@

$(AUDIT_ENV)/.ready: $(ENV)/.ready
	@$(PYTHON) -m venv --clear $(AUDIT_ENV)
	@$(AUDIT_ENV)/bin/python -m pip install --quiet --disable-pip-version-check $(CHECKOV)
	@touch $@
