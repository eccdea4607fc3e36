# The commands of this project; `make` alone lists them. Everything is installed into .venv from constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
# Two more than there are cores: tests that wait for a page, a time limit or a retry leave theirs to others.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 2)')
READY := .venv/.installed

# Tests start a few hundred interpreters: each would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo lab test truth truth-all canaries attack listed-worlds lint reference expectations bench bench-fleet lock test-az readme clean

help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@# An editable install leaves out what JupyterLab loads.
	@ln -sfn $(CURDIR)/lib/vmbackup/notebook/labextensions/vmbackup .venv/share/jupyter/labextensions/vmbackup
	@touch $(READY)

demo: $(READY) ## run every runbook headless over a simulated fleet and print what each found
	$(BIN)/vmbackup demo

lab: $(READY) ## open JupyterLab on the start notebook (OPTIONS="--incident NAME --language de", or JupyterLab's own)
	$(BIN)/vmbackup lab $(OPTIONS)

test: $(READY) lint ## all tests, nbval on the reference executions among them
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -rs \
		--nbval --nbval-sanitize-with tests/reference/sanitize.cfg

truth: $(READY) ## judge every world whose cause is known, and print what was right, honest, weak and wrong
	PYTHONPATH=tests $(BIN)/python -m tests.truth $(WORLDS)

truth-all: $(READY) ## the same, and whether withheld evidence ever creates knowledge
	PYTHONPATH=tests $(BIN)/python -m tests.truth --all $(WORLDS)

canaries: $(READY) ## plant a secret in every spelling, bundle, and print which came through in which file
	PYTHONPATH=tests $(BIN)/python -m tests.canaries

attack: $(READY) ## try all that a hostile tester would, and print what held (KINDS="faults kills" OPTIONS="--most 200 --seed 1")
	PYTHONPATH=tests $(BIN)/python -m tests.attack $(KINDS) $(OPTIONS)

listed-worlds: $(READY) ## examine every world with the evidence of lists and without, and print what differs
	PYTHONPATH=tests $(BIN)/python -m tests.listed_worlds $(WORLDS)

lint: $(READY) ## ruff, mypy --strict and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

reference: $(READY) ## execute the notebooks again for tests/reference
	$(BIN)/python -m tests.renew_reference

expectations: $(READY) ## print what the checks say in a world, WORLDS="NAME..." (OPTIONS=--write: into tests/expected)
	PYTHONPATH=tests $(BIN)/python -m tests.renew_expectations $(WORLDS) $(OPTIONS)

readme: $(READY) ## write README's generated table anew, and take its pictures (needs chromium)
	$(BIN)/python -m tests.renew_readme
	$(BIN)/python -m tests.renew_screenshots

bench: $(READY) build/ploomber/bin/python ## measure; prints a table and writes build/bench.json
	PYTHONPATH=tests $(BIN)/python -m tests.bench

# The fastest engine that can be installed, to compare with.
build/ploomber/bin/python:
	$(PYTHON) -m venv build/ploomber
	build/ploomber/bin/pip install --quiet --disable-pip-version-check ploomber-engine papermill pandas ipywidgets \
		azure-identity azure-mgmt-compute azure-mgmt-monitor azure-mgmt-network azure-mgmt-recoveryservicesbackup

bench-fleet: $(READY) ## ten thousand simulated VMs through `vmbackup fleet`, once
	PYTHONPATH=tests $(BIN)/python -m tests.bench_fleet

build/az/bin/az:
	$(PYTHON) -m venv build/az
	build/az/bin/pip install --quiet --disable-pip-version-check azure-cli

test-az: $(READY) build/az/bin/az ## the real az against the simulator (installs azure-cli, 700 MB)
	VMBACKUP_AZ=$(CURDIR)/build/az/bin/az $(BIN)/python -m pytest tests/az

lock: $(READY) ## resolve constraints.txt anew from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --all-extras --no-header --no-emit-index-url \
		--no-annotate --upgrade pyproject.toml -o constraints.txt

clean: ## remove what the other commands made
	rm -rf .venv build runs notebooks/runs
