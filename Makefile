# The commands of every day; `make` lists them.

PYTHON ?=
WORKERS ?= 2
# Where tests wait for a broker half of the time.
WAITING_WORKERS ?= 4

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST := $(BIN)/python -m pytest -q
BROKER := $(BIN)/python -m tools.broker --
SERVED := $(if $(SERVE), --serve 127.0.0.1:8080)
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --exclude-newer "2 weeks" --custom-compile-command "make lock"

# Whoever keeps Python from keeping what it compiled has every process compile this tree anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo tools lint lint-types lint-layers format test bench lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.dev ## create .venv with everything needed to work on Adjudex (PYTHON=... chooses the interpreter)

demo: $(VENV)/.runtime $(if $(KAFKA),build/kafka/.jars) ## run the demonstration (KAFKA=1: through Apache Kafka, which needs a JDK and Maven; SERVE=1: leaves API and console up)
	$(if $(KAFKA),$(BROKER) sh -c 'exec $(BIN)/adjudex demo --kafka "$$ADJUDEX_KAFKA"$(SERVED)',$(BIN)/adjudex demo$(SERVED))

lint: setup ## check style, types, layers and licences
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory --jobs 2 lint-types lint-layers

lint-types:
	$(BIN)/mypy

lint-layers:
	$(BIN)/lint-imports
	$(BIN)/python tools/check_licences.py
	$(BIN)/python -m tools.schemas --check

format: setup ## mend what can be mended by itself: imports, layout
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

test: ## check everything, the cheap first: lint, rules, simulation, killed processes, documents, Kafka
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target lint tools
	$(PYTEST) -n $(WORKERS) tests/unit tests/property tests/conformance
	$(PYTEST) -n $(WORKERS) tests/simulation
	$(PYTEST) -n $(WORKERS) tests/docs tests/integration tests/e2e --ignore tests/integration/kafka
	$(BROKER) $(PYTEST) -n $(WAITING_WORKERS) tests/conformance --stores kafka -k kafka
	$(BROKER) $(PYTEST) -n $(WORKERS) tests/integration/kafka
	$(PYTEST) tests/chaos

bench: setup build/bench/.streams ## measure (see tests/bench)
	$(BIN)/python -m tests.bench

lock: setup ## resolve requirements/*.in again (UPGRADE=--upgrade takes newer versions)
	cd requirements && ../$(LOCK) $(UPGRADE) --output-file runtime.txt runtime.in
	cd requirements && ../$(LOCK) $(UPGRADE) --output-file dev.txt dev.in

clean: ## remove .venv and everything generated
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find schemas services tests tools examples -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

# The project is installed as a path to this tree: what is edited is what runs.
$(VENV)/.runtime: requirements/runtime.txt pyproject.toml $(VENV)/.created
	$(PIP) install --require-hashes -r requirements/runtime.txt
	$(PIP) install --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
	@touch $@

# What tests need besides Python; early, so that what is missing is said before the tests. On Debian, root installs it.
NEEDS := kcat:kcat chromium:chromium promtool:prometheus node:nodejs npm:npm initdb:postgresql

tools: setup build/kafka/.jars
	@missing=; for need in $(NEEDS); do \
		command -v "$${need%%:*}" >/dev/null || [ -n "$$(ls /usr/lib/postgresql/*/bin/$${need%%:*} 2>/dev/null)" ] \
			|| missing="$$missing $${need##*:}"; \
	done; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "installing$$missing"; export DEBIAN_FRONTEND=noninteractive; \
			apt-get install -y -q --no-install-recommends $$missing >/dev/null 2>&1 || { \
				apt-get update -q && apt-get install -y -q --no-install-recommends $$missing; } >/dev/null; \
		else \
			echo "Adjudex's tests need$$missing (on Debian: apt install$$missing)." >&2; exit 1; \
		fi; \
	fi
	@$(MAKE) --no-print-directory build/asyncapi/.installed

# The official parser of AsyncAPI documents, which the generated one is held against.
build/asyncapi/.installed: tools/asyncapi/package-lock.json
	@rm -rf $(@D) && mkdir -p $(@D) && cp tools/asyncapi/package.json $< $(@D)
	@npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --silent
	@touch $@

# A real Kafka for tests, demonstration and benchmark (tools/broker.py).
build/kafka/.jars: deploy/kafka/pom.xml | $(VENV)/.created
	@java="$${JAVA_HOME:+$$JAVA_HOME/bin/}java"; \
	version=$$("$$java" -version 2>&1 | sed -n '1s/[^"]*"\([0-9]*\).*/\1/p'); \
	if [ "$${version:-0}" -lt 17 ]; then \
		echo "Apache Kafka needs a JDK >= 17; $$java is $${version:-missing}." >&2; \
		echo "Install one (on Debian: apt install openjdk-17-jdk-headless), or set JAVA_HOME." >&2; \
		exit 1; \
	fi; \
	if ! command -v mvn >/dev/null; then \
		echo "Fetching Apache Kafka needs Maven (on Debian: apt install maven)." >&2; \
		exit 1; \
	fi
	@echo "fetching Apache Kafka into $(@D)"
	@rm -rf $(@D)
	@mvn -q -B -f $< dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(@D)/jars
	@$(BIN)/python -m tools.broker --prepare
	@touch $@

# The rival on Kafka Streams that the benchmark compares with (tests/bench/rivals.py); the broker's target asks for Java.
build/bench/.streams: tests/bench/kafka_streams/pom.xml $(wildcard tests/bench/kafka_streams/src/main/java/*/*/*.java) \
		| build/kafka/.jars
	@rm -rf $(@D)/kafka_streams
	@mvn -q -B -f $< package
	@touch $@

$(VENV)/.created:
	@tried="$(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python)"; found=; bare=; \
	for python in $$tried; do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
		if "$$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then found=$$python; break; fi; \
		bare="$$bare $$python"; \
	done; \
	if [ -z "$$found" ]; then \
		if [ -n "$$bare" ]; then \
			echo "Found$$bare, but without the modules venv and ensurepip (on Debian: apt install python3-venv)." >&2; \
		else \
			echo "Adjudex needs Python 3.11 or newer; tried: $$tried." >&2; \
		fi; \
		echo "Install one, or name it: make setup PYTHON=/path/to/python" >&2; \
		exit 1; \
	fi; \
	echo "$(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv --clear $(VENV)
	@touch $@
