# The README's two commands are `make run` and `make test`. Only Python 3.11 and make are needed.

SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# What was imported once is kept compiled, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE
# Everything is pinned with its hash: nothing to resolve, and bytecode is made for what is imported only.
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile --no-deps --require-hashes

.DEFAULT_GOAL := run
.PHONY: run serve-full test lint format coverage bench seed lock installed test-installed

run: installed                  ## install, migrate, serve on http://127.0.0.1:$PORT (8000)
	@exec $(BIN)/python manage.py serve --migrate

serve-full: installed           ## the same by several processes, on DATABASE_URL and REDIS_URL; sockets on $WS_PORT (8001)
	@exec $(BIN)/python manage.py serve_full --migrate

seed: installed                 ## fill in sample data; may be repeated, and run while the product serves
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py seed_demo

test: test-installed                ## the whole suite, on every database and service that answers
	@$(BIN)/python -m tests.run

coverage: test-installed            ## the suite on SQLite, and which lines it never ran
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

lint: test-installed                ## style, types, templates, migrations, the API's schema
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/djlint --quiet --lint templates
	TRACKER_ENV=test DATA_DIR=$(VENV)/lint $(BIN)/python manage.py makemigrations --check --dry-run
	TRACKER_ENV=test DATA_DIR=$(VENV)/lint $(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null

bench: test-installed               ## measure, and write docs/performance.md; QUICK=1 a short form, KEEP=1 keeps what was filled
	@$(BIN)/python -m bench.run

format: test-installed              ## ruff's format, and what ruff can mend
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

lock:                              ## choose the newest versions that requirements*.in allow, with hashes
	@test -x .tools/bin/uv || ($(PYTHON) -m venv .tools && .tools/bin/python -m pip install --quiet uv)
	.tools/bin/uv pip compile --quiet --upgrade --generate-hashes --python-version 3.11 requirements.in -o requirements.txt
	.tools/bin/uv pip compile --quiet --upgrade --generate-hashes --python-version 3.11 requirements-dev.in -o requirements-dev.txt

# What was installed last is kept beside it, so that the next start does not ask pip.
installed: $(BIN)/python
	@cmp -s requirements.txt $(VENV)/installed.txt \
		|| { echo "Installing what the product needs …"; $(INSTALL) -r requirements.txt && cp requirements.txt $(VENV)/installed.txt; }

test-installed: $(BIN)/python
	@cmp -s requirements-dev.txt $(VENV)/installed-dev.txt \
		|| { echo "Installing what the tests need …"; $(INSTALL) -r requirements-dev.txt \
			&& cp requirements-dev.txt $(VENV)/installed-dev.txt && cp requirements.txt $(VENV)/installed.txt; }

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11) and "Python 3.11 or later is needed.")'
	@$(PYTHON) -m venv $(VENV)
