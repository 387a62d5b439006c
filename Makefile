# Everything happens in .venv; `make help` lists the targets.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# The CPU build of torch: from pip's find-links where they are set, else from PyTorch's own index.
UV_TORCH := $(if $(PIP_FIND_LINKS),,--torch-backend cpu)
export UV_FIND_LINKS := $(PIP_FIND_LINKS)
export UV_LINK_MODE ?= copy
# Every replica is a new process that imports vLLM; compiling once saves each of them seconds.
export UV_COMPILE_BYTECODE ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup check format schemas test bless soak bench demo clean

help: ## Show the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.ready ## Make the environment in .venv (pinned by constraints.txt)

.venv/.ready: pyproject.toml constraints.txt overrides-cpu.txt
	@echo "Setting up .venv (Ray, vLLM for CPUs, torch: about 3.5 GB; the first time takes minutes)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --override overrides-cpu.txt \
		$(UV_TORCH) --editable '.[cpu,dev]'
	@touch $@

check: setup ## Lint, types, import contracts, generated files up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python schemas/generate.py --check
	$(BIN)/reconcile validate --strict

format: setup ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schemas: setup ## Generate schemas/ again from the code and the installed vLLM and Ray
	$(BIN)/python schemas/generate.py

# What others publish and tests compare with. Without the npm registry those tests are skipped, with the reason.
.venv/.published: .venv/.ready tests/support/published.py
	$(BIN)/python -m tests.support.published && touch $@ || echo "what tests compare with could not be fetched"

test: setup .venv/.published ## Run the test suite, real Ray Serve and real vLLM included
	$(BIN)/python -m pytest -m "not ray and not vllm" --numprocesses auto --dist loadfile
	$(BIN)/python -m pytest -m "ray or vllm"

bless: setup ## Accept what the golden tests print now as expected
	RECONCILER_BLESS=1 $(BIN)/python -m pytest -m "not ray and not vllm"

soak: setup ## Everything long: ten times the examples, every fault at every step, matrices on real Ray (hours)
	RECONCILER_EXAMPLES=soak $(BIN)/python -m pytest --numprocesses auto --dist loadfile --durations=20 \
		-m "(hypothesis or soak) and not ray and not vllm"
	RECONCILER_EXAMPLES=soak $(BIN)/python -m pytest --verbose --durations=20 -m "soak and (ray or vllm)"

bench: setup ## Measure start-up, validate, plan, apply on real Ray, the gateway on vLLM: ratios beside the goals
	$(BIN)/python tests/bench/bench.py
	$(BIN)/python tests/bench/bench_apply.py
	$(BIN)/python tests/bench/bench_gateway.py

demo: setup ## The main job on a local cluster: plan, apply, ask, edit, drift, heal
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash tests/demo/demo.sh

clean: ## Remove what was generated and installed here
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
