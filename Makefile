# make demo: virtual environment, dependencies, and the whole workflow on a generated city, on the CPU.
# make test: the test suite.   make lint: what CI checks besides.   make resume: go on after a crash.
VENV ?= .venv
PYTHON ?= python3
CORES ?= 2
CONFIG ?= config/config.yaml
BIN := $(abspath $(VENV))/bin
INSTALLED := $(VENV)/.installed
SNAKEMAKE := PATH="$(BIN):$$PATH" $(BIN)/snakemake --cores $(CORES)

.PHONY: demo test lint resume schema clean

demo: $(INSTALLED)
	$(SNAKEMAKE) --configfile config/config.yaml config/demo.yaml
	@cat results/demo/tables/city.md
	@echo
	@echo "Tables:  results/demo/tables"
	@echo "Figures: results/demo/figures"
	@echo "Report:  results/demo/report.html"

test: $(INSTALLED)
	PATH="$(BIN):$$PATH" $(BIN)/pytest -n $(CORES)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(SNAKEMAKE) --lint --configfile config/config.yaml config/demo.yaml

# After Snakemake was killed its lock stays behind; it is taken away only when no Snakemake works in this folder.
resume: $(INSTALLED)
	PATH="$(BIN):$$PATH" $(BIN)/python workflow/resume.py --cores $(CORES) --configfile $(CONFIG)

schema: $(INSTALLED)
	$(BIN)/python -m mtlaerial.config.schema > config/schema.json

# torch first, and alone: where it lies on disk as a wheel for the CPU, that is taken.
$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet "$$(grep '^torch==' requirements.lock)"
	$(BIN)/pip install --quiet -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

clean:
	rm -rf $(VENV) results/demo datasets/city
