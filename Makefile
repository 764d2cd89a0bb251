# `make` lists the targets. A fresh clone needs Python 3.11 or newer and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
AUDIT := .local/audit
export DEBUG ?= 1

.DEFAULT_GOAL := help
.PHONY: help install run test chaos drill-outage drill-blackout drill-rolling drill-database drill-restore machine cost bench bench-growth bench-bulk bench-admin fuzz bad-input audit lint format migrations schema lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(STAMP) ## Make the virtual environment

$(STAMP): requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

run: $(STAMP) ## Run everything: PostgreSQL, inventory sandbox, web server, worker, demo orders
	$(BIN)/python -m orderservice.dev.run

test: $(STAMP) ## Run every test on a real PostgreSQL (ARGS= for pytest)
	$(BIN)/python -m pytest -n 3 --dist loadgroup $(ARGS)

chaos: MINUTES ?= 5
chaos: SEED ?= 7
chaos: $(STAMP) ## Kill everything for MINUTES=5 with SEED=7, and judge it (ABLATION=, JSON=)
	@$(BIN)/python -m tests.chaos --minutes $(MINUTES) --seed $(SEED) \
	  $(if $(ABLATION),--ablation $(ABLATION)) $(if $(JSON),--json $(JSON))

drill-outage: $(STAMP) ## Take the inventory service away for 60 s in the middle of 200 orders (ARGS=--silent)
	@$(BIN)/python -m tests.chaos.drills outage $(ARGS)

drill-blackout: $(STAMP) ## Kill every process in the middle of 1,000 orders, and start them again
	@$(BIN)/python -m tests.chaos.drills blackout $(ARGS)

drill-rolling drill-database: RATE ?= 100
drill-rolling: SECONDS ?= 60
drill-rolling: $(STAMP) ## Replace web instances and worker behind HAProxy at RATE=100 a second for SECONDS=60 (ARGS=)
	@$(BIN)/python -m tests.uptime rolling --seconds $(SECONDS) --rate $(RATE) $(ARGS)

drill-database: SECONDS ?= 20
drill-database: $(STAMP) ## Stop PostgreSQL for SECONDS=20 at RATE=100 a second (ARGS=--frozen, or --crashed)
	@$(BIN)/python -m tests.uptime database --seconds $(SECONDS) --rate $(RATE) $(ARGS)

drill-restore: ORDERS ?= 1000000
drill-restore: $(STAMP) ## Back up ORDERS=1000000, destroy their database, restore it and compare
	@$(BIN)/python -m tests.backup.drill --orders $(ORDERS) $(ARGS)

machine: EXAMPLES ?= 200
machine: STEPS ?= 50
machine: SEED ?= 7
machine: $(STAMP) ## Work at the order desk by chance: EXAMPLES=200 of STEPS=50 verbs, faults and deaths
	EXAMPLES=$(EXAMPLES) STEPS=$(STEPS) SEED=$(SEED) $(BIN)/python -m pytest tests/stock/test_machine.py -s -k keeps

cost: $(STAMP) ## Measure what "exactly once" costs, beside a service that does without
	@$(BIN)/python -m tests.chaos.cost $(ARGS)

bench: $(STAMP) ## Load the API, beside a usual service and pgbench (QUICK=1, ARGS="--json FILE …")
	@$(BIN)/python -m benchmarks.api $(if $(QUICK),--quick --rounds 1 --seconds 2) $(ARGS)

bench-growth: $(STAMP) ## Load the API at 10,000, 100,000 and a million orders (ARGS="--plot FILE")
	@$(BIN)/python -m benchmarks.api --growth --rounds 5 --seconds 3 $(ARGS)

bench-bulk: $(STAMP) ## Confirm 1,000 orders from the list, against one by one
	@$(BIN)/python -m benchmarks.bulk $(ARGS)

bench-admin: $(STAMP) ## Measure the admin with a million orders, beside the usual admin (ORDERS=)
	@$(BIN)/python -m benchmarks.admin $(if $(ORDERS),--orders $(ORDERS)) $(ARGS)

fuzz: EXAMPLES ?= 5000
fuzz: SEED ?= 7
fuzz: $(STAMP) ## Send the API what schemathesis makes up: EXAMPLES=5000 an operation, with SEED=7
	@FUZZ_EXAMPLES=$(EXAMPLES) FUZZ_SEED=$(SEED) $(BIN)/python -m pytest tests/fuzz -s -q $(ARGS)

bad-input: SEED ?= 7
bad-input: $(STAMP) ## Send thousands of malformed requests, and judge what they get (SEED=7, ARGS=--only HTTP)
	@$(BIN)/python -m benchmarks.bad_input --seed $(SEED) $(ARGS)

audit: $(AUDIT)/.installed ## Ask for known vulnerabilities of what we depend on; fails when nobody can be asked
	@$(BIN)/python -m orderservice.dev.audit $(AUDIT)/bin

$(AUDIT)/.installed: $(STAMP) requirements-audit.txt
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.txt
	@touch $@

lint: $(STAMP) ## Check style, types, import directions, migrations, production settings, image and workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m orderservice.dev.lint_migrations
	$(BIN)/python -m orderservice.dev.check_deploy
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

format: $(STAMP) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

migrations: $(STAMP) ## Write migrations for changed models
	$(BIN)/python manage.py makemigrations

schema: $(STAMP) ## Write docs/openapi.yaml as the code has it
	@$(BIN)/python -m orders.api.schema.generate

lock: $(STAMP) ## Compile requirements*.in to hashed locks that hold for Python 3.11 to 3.13
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --no-header --universal --python-version 3.11 --generate-hashes \
	  -o requirements.txt requirements.in
	$(BIN)/uv pip compile --quiet --no-header --universal --python-version 3.11 --generate-hashes \
	  -c requirements.txt -o requirements-dev.txt requirements-dev.in
	$(BIN)/uv pip compile --quiet --no-header --universal --python-version 3.11 --generate-hashes \
	  -o requirements-audit.txt requirements-audit.in

clean: ## Stop the local database and remove what can be made again
	-$(BIN)/python -m orderservice.dev.postgres stop
	rm -rf $(VENV) .local staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis
