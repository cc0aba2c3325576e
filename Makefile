# Each verb is the first command a newcomer may type: what it needs is set up once, by hash, under .venv.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
SCALE ?= 1
JOBS ?= 2
SEEDS ?= 1000
ENV ?= dev
TERRAFORM ?= terraform

export SCALE
# Imports resolve from the checkout, also in tools that do not look there by themselves.
export PYTHONPATH := $(CURDIR)
BIN := .venv/bin
READY = $(PYTHON) infra/environment.py

.PHONY: help up down run test check bench chaos simulate build plan lock clean

help:
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

up: ## start the local cloud and leave it running
	@$(READY)
	@$(BIN)/daybook up

down: ## stop the local cloud
	@$(READY)
	@$(BIN)/daybook down

run: ## a month of business on a local cloud of its own (SCALE=0.05 for a small one)
	@$(READY)
	@$(BIN)/python -m emulators.month

test: ## every test, those against the emulators included (JOBS=2 at once)
	@$(READY)
	@$(BIN)/python -m infra.emulators_present
	@$(BIN)/python -m pytest -n $(JOBS)

check: ## lint, types, layers, unused code, house laws, Terraform
	@$(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/python -m pytest tests/house tests/infra

bench: ## measure against the raw client; prints a table, writes build/bench.json
	@$(READY)
	@$(BIN)/python -m tests.bench

chaos: ## the faults alone: kills, lost answers, late commits, duplicates, bad input
	@$(READY)
	@$(BIN)/python -m infra.emulators_present
	@$(BIN)/python -m pytest -n $(JOBS) tests/emulator/month tests/emulator/ledger tests/emulator/payments tests/emulator/payroll tests/emulator/invoicing tests/emulator/review tests/emulator/doors

simulate: ## days of a cloud that fails, by seed (SEEDS=1000); writes build/simulate.json
	@$(READY)
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) --jobs $(JOBS)
	@$(BIN)/python -m tests.simulation --plants --jobs $(JOBS)

build: ## one bundle a function: build/bundles/{function}/ and .zip
	@$(READY)
	@$(BIN)/python -m infra.bundle

plan: build ## what Terraform would change (ENV=dev; STATE_BUCKET holds the state)
	@command -v $(TERRAFORM) >/dev/null || { echo "terraform 1.11 or newer is needed: https://developer.hashicorp.com/terraform/install"; exit 1; }
	@test -n "$${STATE_BUCKET:-}" || { echo "STATE_BUCKET=name-of-the-bucket-with-the-state is needed"; exit 1; }
	@cd infra/terraform/environments/$(ENV) && $(TERRAFORM) init -input=false -backend-config="bucket=$$STATE_BUCKET" && $(TERRAFORM) plan -input=false -var-file="$(CURDIR)/build/bundles/bundles.tfvars.json"

lock: ## pin requirements/*.in again (UPGRADE=1 takes newer versions)
	@$(READY)
	@$(BIN)/python -m infra.lock $(if $(UPGRADE),--upgrade)

clean: ## remove everything that the verbs made
	@rm -rf build .venv .daybook .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
