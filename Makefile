# make demo: virtual environment, dependencies, and the whole workflow on a generated city, on the CPU.
# make test: the quick tests, one case of each kind.   make test-all: all of them.   make lint: what CI checks besides.
# make test-extras: tests of encoders from timm and torchvision, in an environment of their own.
# make test-oldest: the quick tests with the oldest versions that pyproject.toml allows, in an environment of their own.
# make test-without-torch: the tests that need no torch, in an environment without it, for any Python: PYTHON=python3.13.
# make test-slurm: tests on a real SLURM.   make test-gpu: trainings and predictions on a GPU of this machine.
# make resume: go on after a crash.   make lock: pin the dependencies again.
# make bench: most of what docs/benchmarks.md says, measured on this machine in half an hour.
# make bench-peers: the same work by other libraries.
# make results: the tables of docs/results.md, from the finished rows in docs/data.
# make docs: the documentation site, in results/site/html.
# make maplibre: MapLibre GL JS of npm, for the page of the map viewer.
# make example-run DATA=DIR: the trained run that is shipped, from the real scene in DIR.
VENV ?= .venv
PYTHON ?= python3
CORES ?= 2
CONFIG ?= config/config.yaml
SCENE ?= datasets/autzen
DATA ?= $(SCENE)
EXAMPLE := results/example_run
ASSETS ?= visdom
BENCH := results/bench
ON_GPU := $(addprefix tests/,weighting/test_in_the_network.py training $(addprefix prediction/test_,predictor.py tile_maps.py accepted_images.py monte_carlo_dropout.py))
PEERS := benchmarks/.peers-venv
LOCKING := .lock-venv
EXTRAS ?= .venv-extras
OLDEST ?= .venv-oldest
NO_TORCH ?= .venv-without-torch
DOCS ?= .venv-docs
SITE := results/site
BIN := $(abspath $(VENV))/bin
INSTALLED := $(VENV)/.installed
PYTEST := PATH="$(BIN):$$PATH" $(BIN)/pytest
TOGETHER := -n $(CORES) --dist worksteal --durations 20
NEW_VENV = sh envs/python_version.sh $(PYTHON) && $(PYTHON) -m venv
SNAKEMAKE := PATH="$(BIN):$$PATH" $(BIN)/snakemake --cores $(CORES)

.PHONY: demo results test test-all test-extras test-oldest test-without-torch test-slurm test-gpu lint docs resume dashboard schema lock licences maplibre bench bench-peers example-run clean

demo: $(INSTALLED)
	$(SNAKEMAKE) --configfile config/config.yaml config/demo.yaml
	@cat results/demo/tables/city.md
	@echo
	@echo "Tables:  results/demo/tables"
	@echo "Figures: results/demo/figures"
	@echo "Report:  results/demo/report.html"

results: $(INSTALLED)
	$(BIN)/python benchmarks/results.py

test: $(INSTALLED)
	$(PYTEST) $(TOGETHER)

test-all: $(INSTALLED)
	$(PYTEST) $(TOGETHER) -m "not slurm"

# Some 3 GB of downloads the first time, 7 GB on disk: torch for GPUs, which the registry's torchvision is built for.
test-extras: $(EXTRAS)/.installed
	PATH="$(abspath $(EXTRAS))/bin:$$PATH" $(EXTRAS)/bin/pytest -m extras

test-oldest: $(OLDEST)/.installed
	PATH="$(abspath $(OLDEST))/bin:$$PATH" $(OLDEST)/bin/pytest $(TOGETHER)

# Modules that import torch are left out, and tests that train or predict; the report counts them as skipped.
test-without-torch: $(NO_TORCH)/.installed
	PATH="$(abspath $(NO_TORCH))/bin:$$PATH" $(NO_TORCH)/bin/pytest $(TOGETHER)

# By root, on a machine to spare: Debian's SLURM is installed where it is missing, and works on this machine meanwhile.
test-slurm: $(INSTALLED)
	$(PYTEST) -m slurm tests/slurm

test-gpu: $(INSTALLED)
	$(PYTEST) -n $(CORES) -m "not slurm" --accelerator cuda $(ON_GPU)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(SNAKEMAKE) --lint --configfile config/config.yaml config/demo.yaml

# Broken links and names that the reference does not find are errors.
docs: $(INSTALLED) $(DOCS)/.installed
	$(BIN)/python docs/site/stage_pages.py $(SITE)/pages
	$(BIN)/python -m typer mtlaerial.cli utils docs --name mtlaerial --title Commands --output $(SITE)/pages/commands.md
	$(DOCS)/bin/zensical build --clean --strict
	@echo "Documentation: $(SITE)/html/index.html"

# After Snakemake was killed its lock stays behind; it is taken away only when no Snakemake works in this folder.
resume: $(INSTALLED)
	PATH="$(BIN):$$PATH" $(BIN)/python workflow/resume.py --cores $(CORES) --configfile $(CONFIG)

# Where trainings are shown, until Ctrl-C; without internet: make dashboard ASSETS=npm.
dashboard: $(INSTALLED)
	$(BIN)/mtlaerial dashboard --assets $(ASSETS)

schema: $(INSTALLED)
	$(BIN)/python -m mtlaerial.config.schema config/schemas

# Every benchmark leaves its table here and its figures in results/bench; those of the real scene need SCENE.
bench: $(INSTALLED)
	mkdir -p $(BENCH)
	$(BIN)/python benchmarks/arithmetic.py --json $(BENCH)/arithmetic.json
	$(BIN)/python benchmarks/training_step.py --rounds 1 --steps 3 --json $(BENCH)/training_step.json
	$(BIN)/python benchmarks/depthwise.py --json $(BENCH)/depthwise.json
	$(BIN)/python benchmarks/engine.py --json $(BENCH)/engine.json
	$(BIN)/python benchmarks/writing.py --json $(BENCH)/writing.json
	$(BIN)/python benchmarks/predict_memory.py --json $(BENCH)/predict_memory.json
	$(BIN)/python benchmarks/predictors.py --json $(BENCH)/predictors.json
	$(BIN)/python benchmarks/weightings.py --only uw pcgrad cagrad mgda --json $(BENCH)/weightings.json
	$(BIN)/python benchmarks/workflow_overhead.py --json $(BENCH)/workflow_overhead.json
ifneq ($(wildcard $(SCENE)/images),)
	$(BIN)/python benchmarks/scene.py --root $(SCENE) --out $(BENCH)/tiles
	$(BIN)/python benchmarks/sampling.py --tiles $(BENCH)/tiles --json $(BENCH)/sampling.json
	$(BIN)/python benchmarks/full_scene.py --root $(SCENE) --crop 0 --runs 3 --json $(BENCH)/full_scene.json
else
	@echo "No scene in $(SCENE): sampling and full_scene are left out. Give its folder: make bench SCENE=DIR"
endif

ifneq ($(wildcard $(SCENE)/images),)
bench-peers: $(INSTALLED) $(PEERS)/.installed
	$(BIN)/python benchmarks/scene.py --root $(SCENE) --out $(BENCH)/tiles
	$(BIN)/python benchmarks/with_peers.py --python $(PEERS)/bin/python --root $(SCENE) --tiles $(BENCH)/tiles \
		--json $(BENCH)/peers.json
else
bench-peers:
	@echo "No scene in $(SCENE), which the comparison needs. Give its folder: make bench-peers SCENE=DIR"; exit 1
endif

$(PEERS)/.installed: benchmarks/peers/requirements.lock
	@$(NEW_VENV) $(PEERS)
	$(PEERS)/bin/pip install --quiet --require-hashes -r $<
	@touch $@

# Trained from the beginning where RECIPE or the overlays changed. Commit its files only if it is better than the last one.
example-run: $(INSTALLED)
ifneq ($(wildcard $(DATA)/images),)
	$(BIN)/mtlaerial train config/datasets/autzen.yaml --root $(DATA) --out $(EXAMPLE) --method town --replace \
		--config config/config.yaml --config config/autzen.yaml --config config/example_run.yaml $(addprefix --config ,$(RECIPE))
	$(BIN)/mtlaerial score $(EXAMPLE) config/datasets/autzen.yaml --root $(DATA) --out $(EXAMPLE)/scores --replace
	$(BIN)/python workflow/example_run.py $(EXAMPLE) $(EXAMPLE)/scores src/mtlaerial/example_runs/town
else
	@echo "No scene in $(DATA). Give its folder: make example-run DATA=DIR"; exit 1
endif

# torch first, and alone: where it lies on disk as a wheel for the CPU, that is taken.
$(INSTALLED): requirements.lock envs/first.txt pyproject.toml
	@$(NEW_VENV) $(VENV)
	$(BIN)/pip install --quiet -r envs/first.txt
	$(BIN)/pip install --quiet --no-build-isolation --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(EXTRAS)/.installed: requirements.lock requirements-extras.lock pyproject.toml
	@$(NEW_VENV) $(EXTRAS)
	$(EXTRAS)/bin/pip install --quiet --require-hashes -r requirements-extras.lock
	$(EXTRAS)/bin/pip install --quiet --no-build-isolation --require-hashes -r requirements.lock
	$(EXTRAS)/bin/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# Some 3 GB of downloads: the oldest torch on the registry is built for GPUs.
$(OLDEST)/.installed: requirements-oldest.lock envs/first.txt pyproject.toml
	@$(NEW_VENV) $(OLDEST)
	grep -v '^torch==' envs/first.txt > $(OLDEST)/first.txt
	$(OLDEST)/bin/pip install --quiet -r $(OLDEST)/first.txt
	$(OLDEST)/bin/pip install --quiet --no-deps --no-build-isolation --require-hashes -r requirements-oldest.lock
	$(OLDEST)/bin/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# The pins without what they need: else lightning-fabric and TorchJD would bring torch.
$(NO_TORCH)/.installed: requirements.lock envs/first.txt pyproject.toml
	@$(NEW_VENV) $(NO_TORCH)
	grep -v '^torch==' envs/first.txt > $(NO_TORCH)/first.txt
	$(NO_TORCH)/bin/pip install --quiet -r $(NO_TORCH)/first.txt
	$(NO_TORCH)/bin/pip install --quiet --no-deps --no-build-isolation --require-hashes -r requirements.lock
	$(NO_TORCH)/bin/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(DOCS)/.installed: requirements-docs.lock
	@$(NEW_VENV) $(DOCS)
	$(DOCS)/bin/pip install --quiet --require-hashes -r $<
	@touch $@

# The pins again, after a change of pyproject.toml; those that still fit stay. To take the newest, delete the lock first.
# Afterwards, make licences.
lock:
	@$(NEW_VENV) $(LOCKING)
	$(LOCKING)/bin/pip install --quiet pip-tools==7.6.2 uv==0.13.9
	$(LOCKING)/bin/pip-compile --quiet --generate-hashes --strip-extras --no-annotate --no-emit-index-url \
		--no-emit-find-links --no-emit-trusted-host --unsafe-package torch --unsafe-package mtlaerial \
		--extra dev --extra dashboard --constraint envs/first.txt --output-file requirements.lock pyproject.toml
	$(LOCKING)/bin/pip-compile --quiet --generate-hashes --strip-extras --no-annotate --allow-unsafe \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--constraint requirements.lock --output-file requirements-extras.lock envs/extras.txt
	$(LOCKING)/bin/pip-compile --quiet --generate-hashes --strip-extras --no-annotate --allow-unsafe \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--constraint requirements.lock --output-file requirements-docs.lock envs/docs.txt
	grep '^setuptools==' envs/first.txt > $(LOCKING)/build.txt
	sed -n '/^#/p' envs/oldest.txt > requirements-oldest.lock
	$(LOCKING)/bin/uv pip compile --quiet --generate-hashes --no-annotate --no-header --python-version 3.11 \
		--python-platform x86_64-manylinux_2_28 --resolution lowest-direct --build-constraints $(LOCKING)/build.txt \
		$(addprefix --extra ,workflow efficientnet export openvino objects tensorboard dashboard viewer) \
		pyproject.toml envs/oldest.txt >> requirements-oldest.lock

# The version and its hash are in the script. Afterwards, make licences, and the tests of the viewer.
maplibre: $(INSTALLED)
	$(BIN)/python envs/vendor_maplibre.py

licences: $(INSTALLED)
	$(BIN)/python envs/licences.py > docs/licences.md

clean:
	rm -rf $(VENV) $(EXTRAS) $(DOCS) $(PEERS) results/demo datasets/city
