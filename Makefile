# `make run` needs Python 3.11 or newer and nothing else; `make test` installs or names what it needs besides.

PYTHON ?= python3
# Which tests, for example: make test TESTS=tests.domain
TESTS ?=
# How long the chaos lasts, which of all (none: any), and a folder for the logs of the daemons and the ledger.
MINUTES ?= 2
SEED ?=
KEEP ?=
# How many histories are simulated (or the one with SEED), and how many days each of them lasts.
SEEDS ?= 100
DAYS ?= 1
# Which scenarios, and in how many rounds (none: all, and as many as each asks for); SIZE=quick shows that it works.
SCENARIO ?=
REPEATS ?=
SIZE ?=

venv := .venv
python := $(venv)/bin/python
# Twice quiet: what an index or a folder of wheels lacks is pip's own affair, an error is not.
pip := $(python) -m pip -qq --disable-pip-version-check
sources = find cronq twisted -type f ! -name '*.pyc' ! -name dropin.cache | sort

.PHONY: help run test chaos simulate bench bench-report lint clean FORCE

help:
	@echo 'make run    run cronq in the foreground, all in one process, with the example jobs; Ctrl-C ends it'
	@echo 'make test   run all tests and checks; make test TESTS=tests.domain runs these tests only'
	@echo 'make chaos  kill, freeze, restart and cut off everything for MINUTES=2 while jobs run; SEED=n repeats a plan'
	@echo 'make simulate  live through SEEDS=100 histories of DAYS=1 of faults under a virtual clock; SEED=n replays one'
	@echo 'make bench  measure cronq beside what this machine can do and beside its peers; SCENARIO=runner measures one'
	@echo 'make lint   check style and types only'
	@echo 'make clean  remove what the others made, except var/, which holds what cronq has to remember'

run: $(venv)/.installed
	@mkdir -p var/state var/log
	@exec env -u DATABASE_URL -u CRONQ_MYSQL -u RABBITMQ_URL \
	    $(python) $(venv)/bin/twistd --nodaemon --pidfile= cronq \
	    --state-path var/state --log-path var/log --load examples/example.json

test: $(venv)/.installed-for-tests
	@$(python) tests/debian.py
	@exec $(python) -m tests.run $(TESTS)

chaos: $(venv)/.installed-for-tests
	@$(python) tests/debian.py
	@CHAOS_MINUTES=$(MINUTES) CHAOS_SEED=$(SEED) CHAOS_KEEP=$(KEEP) \
	    exec $(python) -m tests.run tests.integration.chaos.test_chaos

simulate: $(venv)/.installed-for-tests
	@exec $(python) -m tests.simulation --days $(DAYS) $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

bench: $(venv)/.installed-for-bench
	@$(python) tests/debian.py
	@exec $(python) -m bench $(SCENARIO) $(if $(REPEATS),--repeats $(REPEATS)) $(if $(filter quick,$(SIZE)),--quick)

# Writes docs/performance.md again from the figures that are there.
bench-report: $(venv)/.installed-for-bench
	@exec $(python) -m bench.report

lint: $(venv)/.installed-for-tests
	@exec $(python) -m tests.run --lint

clean:
	rm -rf $(venv) build dist cronq.egg-info .mypy_cache .ruff_cache .hypothesis _trial_temp*
	find cronq tests twisted bench -name __pycache__ -prune -exec rm -r {} +
	rm -f twisted/plugins/dropin.cache

$(venv)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo 'cronq needs Python 3.11 or newer; name one: make PYTHON=python3.13 $(MAKECMDGOALS)' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(PYTHON) tests/debian.py python3-venv
	@echo 'Making $(venv) …'
	@$(PYTHON) -m venv $(venv)
	@$(pip) install 'setuptools >= 77'
	@touch $@

# Python's editable install shows what is changed in a file, but no file that is new: those need another install.
$(venv)/.sources: FORCE | $(venv)/.made
	@$(sources) | cmp -s - $@ || $(sources) > $@

$(venv)/.installed: setup.cfg setup.py pyproject.toml $(venv)/.sources
	@echo 'Installing cronq into $(venv) …'
	@rm -rf build
	@$(pip) install --no-build-isolation --editable .
	@touch $@

$(venv)/.installed-for-tests: $(venv)/.installed
	@echo 'Installing what the tests need into $(venv) …'
	@$(pip) install --no-build-isolation --editable '.[test]'
	@touch $@

$(venv)/.installed-for-bench: $(venv)/.installed
	@echo 'Installing what the benchmark needs into $(venv) …'
	@$(pip) install --no-build-isolation --editable '.[bench]'
	@touch $@
