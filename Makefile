# Two commands matter: `make demo` and `make test`. `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE := tests/node/node_modules
HARDHAT := tests/node/hardhat/node_modules
ANALYSERS := .venv-contracts
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types generated counts pytest forge slither halmos mutants heavy bench gpu-check gpu-bench fmt clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(VENV)/.base ## real LLM requests to a finalized state root on an embedded L1 (python3 and make alone)
	@$(BIN)/aitbc-rollup demo

test: $(VENV)/.dev $(NODE)/.installed $(HARDHAT)/.installed ## installs what is missing, then check and every test (needs node >= 20)
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory forge
	@$(MAKE) --no-print-directory pytest

check: lint types generated counts ## lint, types, generated files, committed counts

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	MYPYPATH=src $(BIN)/mypy -p aitbc_rollup

generated: $(VENV)/.dev $(NODE)/.installed
	$(BIN)/python contracts/tools/build_artifacts.py --check
	$(BIN)/python docs/tools/cli_reference.py --check

counts: $(VENV)/.dev
	$(BIN)/python benchmarks/constraints.py --check
	$(BIN)/python gpu/tools/resources.py --check

pytest: $(VENV)/.dev $(NODE)/.installed $(HARDHAT)/.installed
	$(BIN)/python -m pytest -m "not heavy"

forge: $(NODE)/.installed ## the contracts' own tests, and their gas against the committed snapshot
	cd contracts && node ../tests/node/foundry.mjs forge fmt --check
	cd contracts && node ../tests/node/foundry.mjs forge snapshot --check --no-match-test "testFuzz|invariant"
	cd contracts && node ../tests/node/foundry.mjs forge test

slither: $(ANALYSERS)/.installed $(NODE)/.installed ## the contracts under slither: no finding that is not explained (contracts/README.md)
	cd contracts && PATH="$(CURDIR)/contracts/tools/bin:$$PATH" FOUNDRY_OUT=../build/slither/out \
	  FOUNDRY_CACHE_PATH=../build/slither/cache ../$(ANALYSERS)/bin/slither .

halmos: $(ANALYSERS)/.installed $(NODE)/.installed ## what the contracts pay, for all values at once (contracts/README.md)
	cd contracts && PATH="$(CURDIR)/contracts/tools/bin:$$PATH" FOUNDRY_TEST=test/halmos FOUNDRY_OUT=../build/halmos/out \
	  FOUNDRY_CACHE_PATH=../build/halmos/cache ../$(ANALYSERS)/bin/halmos --forge-build-out ../build/halmos/out \
	  --function check_ --solver-timeout-assertion 0

mutants: $(VENV)/.base $(NODE)/.installed ## is every change of the contracts seen by a test? Can be stopped and resumed
	$(BIN)/python contracts/tools/mutate.py

heavy: $(VENV)/.dev $(NODE)/.installed $(HARDHAT)/.installed ## long fuzzing and large sizes
	$(BIN)/python -m pytest -m heavy
	cd contracts && FOUNDRY_PROFILE=heavy node ../tests/node/foundry.mjs forge test --match-test "testFuzz|invariant"
	@$(MAKE) --no-print-directory slither halmos mutants

bench: $(VENV)/.bench $(NODE)/.installed ## measures beside peers; RAPIDSNARK=path/to/prover adds that one (benchmarks/README.md)
	$(BIN)/python benchmarks/demo.py
	$(BIN)/python benchmarks/compile.py
	$(BIN)/python benchmarks/versions.py
	$(BIN)/python benchmarks/gas.py
	$(if $(AITBC_DATA),$(BIN)/python benchmarks/batch.py $(AITBC_DATA)/azure_llm/AzureLLMInferenceTrace_code.csv)
	$(BIN)/python benchmarks/prover_cpu.py --work build/bench --resume $(if $(RAPIDSNARK),--rapidsnark "$(RAPIDSNARK)")

# On a machine with a card: numpy, numba, cupy and pytest are enough, nothing is installed or downloaded.
gpu-check: ## checks the GPU engine on this card; PYTHON=/path/to/python3 STAGES="sums proofs"
	PYTHONPATH=src $(PYTHON) benchmarks/gpu_check.py $(STAGES)

gpu-bench: ## measures it, beside the CPU engine; OUT=folder for the result
	PYTHONPATH=src $(PYTHON) benchmarks/gpu.py $(if $(OUT),--out "$(OUT)") $(STAGES)

fmt: $(VENV)/.dev ## formats Python
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## removes what make installed (not the caches: see `aitbc-rollup --help`)
	rm -rf $(VENV) $(ANALYSERS) $(NODE) $(HARDHAT) build dist contracts/out contracts/cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than 3.11. Next: make PYTHON=/path/to/python3.11 (or later)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment. Next: install its venv module (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }

$(VENV)/.base: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "installing into $(VENV) ..."
	@$(BIN)/python -m pip install -q -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	@$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev,bench]'
	@touch $@

$(ANALYSERS)/.installed: contracts/tools/requirements.txt
	$(PYTHON) -m venv $(ANALYSERS)
	@$(ANALYSERS)/bin/python -m pip install -q -r contracts/tools/requirements.txt
	@touch $@

%/node_modules/.installed: %/package.json %/package-lock.json
	@node -e 'process.exit(+(process.versions.node.split(".")[0] < 20))' || \
	  { echo "make test needs node 20 or later on the PATH" >&2; exit 1; }
	npm ci --no-audit --no-fund --prefix $*
	@touch $@
