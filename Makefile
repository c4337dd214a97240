# Each target makes .venv when it is missing. `make` alone prints the targets.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test test-cluster lint bench chaos clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "korbert needs Python 3.11: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: $(STAMP) ## the whole way on what ships: crawl, corpus, tokenizer, pre-training, score, sweep, report
	$(BIN)/korbert run demo

test: $(STAMP) ## all tests, in parallel
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-cluster: $(STAMP) ## overlays on the cluster that KORBERT_TEST_KUBECONFIG names: dry runs, local to a score, torchx
	@test -n "$$KORBERT_TEST_KUBECONFIG" || { echo "test-cluster: KORBERT_TEST_KUBECONFIG is not set; name a kubeconfig of a cluster for tests" >&2; exit 2; }
	$(BIN)/python -m pytest tests/k8s/test_dry_run.py tests/k8s/test_to_a_score.py tests/k8s/test_torchx_on_a_cluster.py

lint: $(STAMP) ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) ## speed beside peers, on the demo's data
	$(BIN)/korbert run demo --to tokens
	$(BIN)/korbert bench pretrain --against transformers --json

chaos: $(STAMP) ## a crawl and a training under kill -9, freezes and full disks, compared in the end
	$(BIN)/python tests/chaos/kill_storm.py --articles 20000 --processes 3 --rounds 10 --seed 1
	$(BIN)/python tests/chaos/training_storm.py --minutes 10 --seed 1

clean: ## remove what make and the runs made: .venv, runs, report
	rm -rf $(VENV) runs report build *.egg-info
