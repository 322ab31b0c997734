# `make` alone lists what there is.

PYTHON := $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Checks that only read the code need no services: these addresses are never opened.
NO_SERVICES := DATABASE_URL=postgresql://nobody@localhost/none REDIS_URL=redis://localhost/0

.DEFAULT_GOAL := help
.PHONY: help demo test check bench bench-flat bench-control bench-mirror bench-tracking bench-parts bench-million bench-qualify bench-bounces bench-reports bench-rates fuzz chaos run worker beat migrations fmt

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

$(STAMP): requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; " + sys.executable + " is older.")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the project's packages into $(VENV); the first time this takes a minute …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

demo: $(STAMP) ## Run the main job visibly (ONCE=1 ends after it, RECIPIENTS=n chooses how many)
	$(BIN)/python -m campaign.demo $(if $(ONCE),--once) $(if $(RECIPIENTS),--recipients $(RECIPIENTS))

test: $(STAMP) ## Run the tests on two processes
	$(BIN)/python -m pytest

check: $(STAMP) ## Check format, style, types, imports, templates, migrations, settings and the compose file
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(NO_SERVICES) $(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python -m tests.compose

$(VENV)/.bench: requirements/bench.txt $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

bench: $(VENV)/.bench ## Measure the engine beside its references (MESSAGES=n, LISTMONK=binary), on two nodes, to a relay far away; then reports and clicks
	$(BIN)/python -m benchmarks.sending $(if $(MESSAGES),--messages $(MESSAGES))
	$(BIN)/python -m benchmarks.sending --nodes 2
	$(BIN)/python -m benchmarks.sending --latency-ms 50 --connections 40
	$(BIN)/python -m benchmarks.reports
	@if command -v wrk >/dev/null; then $(BIN)/python -m benchmarks.tracking; else echo "Clicks and opens were not measured: install wrk."; fi

bench-flat: $(STAMP) ## Measure whether rate and memory stay the same with a million messages (MESSAGES=n)
	$(BIN)/python -m benchmarks.sending --beside 20000 --messages $(or $(MESSAGES),1000000)

bench-rates: $(STAMP) ## Measure at the server whether a rate of 50 a second is kept, and reached (45 seconds)
	$(BIN)/python -m benchmarks.rates --seconds 45

bench-control: $(STAMP) ## Measure how soon acts take effect beside a large delivery, and how two deliveries share the workers (MESSAGES=n)
	$(BIN)/python -m benchmarks.control $(if $(MESSAGES),--messages $(MESSAGES))

bench-mirror: $(STAMP) ## Measure mirror pages of random messages of a delivery (MESSAGES=n)
	$(BIN)/python -m benchmarks.mirror $(if $(MESSAGES),--messages $(MESSAGES))

bench-tracking: $(STAMP) ## Measure clicks and opens per second and core with wrk (MESSAGES=n)
	$(BIN)/python -m benchmarks.tracking $(if $(MESSAGES),--messages $(MESSAGES))

bench-parts: $(STAMP) ## Measure rendering, signing and transmission alone
	$(BIN)/python -m benchmarks.render
	$(BIN)/python -m benchmarks.signing
	$(BIN)/python -m benchmarks.transport

bench-million: $(STAMP) ## Measure import and analysis of a million people (PEOPLE=n)
	$(BIN)/python -m benchmarks.million $(or $(PEOPLE),1000000)

bench-qualify: $(STAMP) ## Measure how many bounces a core understands per second (MAILS=directory)
	$(BIN)/python -m benchmarks.qualify $(MAILS)

bench-bounces: $(STAMP) ## Measure bounces from the mail to what follows, brought together, one by one and by SMTP (MAILS=n)
	$(BIN)/python -m benchmarks.bounces $(if $(MAILS),--mails $(MAILS))

bench-reports: $(STAMP) ## Measure figures and reports with a million messages (MESSAGES=n, EVENTS=n)
	$(BIN)/python -m benchmarks.reports $(if $(MESSAGES),--messages $(MESSAGES)) $(if $(EVENTS),--events $(EVENTS))

$(VENV)/.fuzz: requirements/fuzz.txt $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/fuzz.txt
	@touch $@

fuzz: $(VENV)/.fuzz ## Fuzz the reading of bounces, guided by coverage (SECONDS=n, SEEDS=directory of mails)
	@mkdir -p var/fuzz/corpus
	$(BIN)/python -m benchmarks.fuzz_bounces var/fuzz/corpus $(SEEDS) -max_total_time=$(or $(SECONDS),60) -max_len=20000 -artifact_prefix=var/fuzz/

chaos: $(STAMP) ## Kill, empty and restart everything during a delivery, and count what was lost or repeated (SEED=n)
	$(BIN)/python -m benchmarks.chaos $(if $(SEED),--seed $(SEED))

run: $(STAMP) ## Serve the web pages on http://127.0.0.1:8000 and reload on change
	$(BIN)/python manage.py migrate
	DEBUG=true $(BIN)/python manage.py runserver 127.0.0.1:8000

worker: $(STAMP) ## Run a Celery worker for both queues
	$(BIN)/celery -A campaign worker --queues sending,default --loglevel INFO

beat: $(STAMP) ## Run the scheduler
	$(BIN)/celery -A campaign beat --loglevel INFO

migrations: $(STAMP) ## Write migrations for changed models
	$(BIN)/python manage.py makemigrations

fmt: $(STAMP) ## Format the code and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
