# Silverline. `make` alone lists the targets.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

UV_VERSION := 0.13.9
UV := $(shell command -v uv || echo .envs/uv/bin/uv)
PYTHON := .venv/bin/python
IMAGE := sagemaker-scikit-learn-1.9-0-cpu-py3
IMAGES := infra/local_aws/sagemaker/images
RESOLVE := pip compile --universal --generate-hashes --no-header --no-annotate --quiet
# An installed environment is one whose stamp is newer than its lock file.
LAPTOP := .venv/.installed
AWS_CLI := .envs/aws-cli/.installed
MWAA := .envs/mwaa/.installed
SDK := .envs/sagemaker-sdk/.installed
CHECKOV := .envs/checkov/.installed
DOCS := .envs/docs/.installed
# Without ENV the environment is `local`, which `make run` lays by itself; the others are Terraform's. A shell may have an
# ENV of its own, the name of a start-up file: only the one given to make counts.
ifneq ($(origin ENV),command line)
ENV :=
endif
export SILVERLINE_ENV := $(ENV)
# What `python -m local_aws --record-calls` writes, as docs/environments.md has it.
CALLS := .state/$(ENV)/calls.jsonl

help:  ## list the targets
	@awk -F ':.*## *' '/^[a-z-]+:.*##/ {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup  ## run flight_delay end to end (ENV=dev AS_OF=yyyy-mm TEST_MONTHS=n TUNE=true PIPELINE=name MONTH=yyyy-mm AWS_PORT=n AIRFLOW_PORT=n)
	@$(PYTHON) -m laptop run $(if $(PIPELINE),--pipeline $(PIPELINE)) $(if $(AS_OF),--as-of $(AS_OF)) \
		$(if $(TEST_MONTHS),--test-months $(TEST_MONTHS)) $(if $(TUNE),--tune $(TUNE)) $(if $(MONTH),--month $(MONTH)) $(if $(PREFIX),--prefix $(PREFIX)) \
		$(if $(AWS_PORT),--aws-port $(AWS_PORT)) $(if $(AIRFLOW_PORT),--airflow-port $(AIRFLOW_PORT))

backfill: setup  ## a model a month, oldest first; goes on where it was left (FROM=yyyy-mm TO=yyyy-mm AGAIN=true ENV=dev)
	@$(PYTHON) -m laptop backfill $(if $(PIPELINE),--pipeline $(PIPELINE)) $(if $(AGAIN),--again $(AGAIN)) \
		$(if $(AWS_PORT),--aws-port $(AWS_PORT)) $(if $(AIRFLOW_PORT),--airflow-port $(AIRFLOW_PORT)) \
		$(or $(FROM),$(error from which month? make backfill FROM=2013-03 TO=2013-12)) \
		$(or $(TO),$(error to which month? make backfill FROM=2013-03 TO=2013-12))

history: setup  ## the registry's models, month by month, as a table and a picture (PNG=file ENV=dev)
	@$(PYTHON) -m laptop history $(if $(PIPELINE),--pipeline $(PIPELINE)) $(if $(PNG),--png $(PNG))

invoke: setup  ## send a sample flight to the endpoint and print the answer
	@$(PYTHON) -m laptop invoke $(if $(PIPELINE),--pipeline $(PIPELINE))

new: setup  ## a pipeline of your own, made of a CSV or JSON file (NAME=churn FILE=churn.csv LABEL=column KEY=id TIME=date WITHOUT=a,b)
	@$(PYTHON) -m scaffold $(if $(LABEL),--label '$(LABEL)') $(if $(KEY),--key '$(KEY)') $(if $(TIME),--time '$(TIME)') \
		$(if $(WITHOUT),--without '$(WITHOUT)') \
		$(or $(NAME),$(error what is it called? make new NAME=churn FILE=churn.csv)) \
		'$(or $(FILE),$(error of which file? make new NAME=churn FILE=churn.csv))'

contract: setup  ## hold a file against the contract of its bronze table, before it is delivered (TABLE=flights FILE=flights.csv)
	@$(PYTHON) -m laptop contract $(or $(TABLE),$(error of which bronze table? make contract TABLE=flights FILE=flights.csv)) \
		'$(or $(FILE),$(error which file? make contract TABLE=flights FILE=flights.csv))'

demo-drift: setup  ## ask the endpoint what its model has not learned from; alarm, new training, all-clear (ten minutes)
	@$(PYTHON) -m laptop demo-drift $(if $(AWS_PORT),--aws-port $(AWS_PORT)) $(if $(AIRFLOW_PORT),--airflow-port $(AIRFLOW_PORT))

dashboard: setup  ## open the dashboard, beside what else there is in local AWS, in the browser (ENV=dev)
	@$(PYTHON) -m laptop dashboard

proof: export SILVERLINE_STATE := $(or $(SILVERLINE_STATE),$(CURDIR)/.state)/proof

diagram:  ## draw docs/architecture.dot (Graphviz)
	dot -Tsvg docs/architecture.dot -o docs/images/architecture.svg
	dot -Tpng -Gdpi=100 docs/architecture.dot -o docs/images/architecture.png

docs: $(DOCS)  ## build these pages as a site that needs no network, in .state/site
	@if command -v dot >/dev/null; then $(MAKE) --no-print-directory --silent diagram; \
		else echo "the diagram stays as it is: there is no Graphviz here to draw it"; fi
	@PYTHONPATH=infra:dags .envs/docs/bin/python -m documentation .state/site

proof: setup  ## run everything from an empty state and write docs/proof.md of it, with pictures (Chromium, Terraform; ten minutes)
	@$(PYTHON) -m proof

# Its Airflow has a state of its own: what is called dev on local AWS is another dev.
airflow demo-data: export SILVERLINE_STATE := $(or $(SILVERLINE_STATE),$(CURDIR)/.state)/aws

airflow: setup  ## run Airflow here, on your own AWS account (ENV=dev AIRFLOW_PORT=n), until Ctrl-C
	$(if $(ENV),,$(error which environment? make $@ ENV=dev))
	@$(PYTHON) -m laptop airflow $(if $(AIRFLOW_PORT),--airflow-port $(AIRFLOW_PORT))

demo-data: setup  ## put the demo data into bronze of your own AWS account (ENV=dev)
	$(if $(ENV),,$(error which environment? make $@ ENV=dev))
	@$(PYTHON) -m laptop demo-data

reproduce: setup  ## train a registered model again and compare it bit for bit (MODEL=version or ARN ENV=dev)
	@$(PYTHON) -m laptop reproduce $(if $(PIPELINE),--pipeline $(PIPELINE)) \
		$(or $(MODEL),$(error which model package? make reproduce MODEL=1))

cost: setup  ## what a run and a month would cost on AWS, by list prices and what the last run took here (RUNS=30 ENV=dev)
	@$(PYTHON) -m laptop cost $(if $(PIPELINE),--pipeline $(PIPELINE)) $(if $(RUNS),--runs $(RUNS))

announce: setup  ## tell Airflow that bronze has new files, so that the pipeline starts by its schedule
	@$(PYTHON) -m laptop announce $(if $(PIPELINE),--pipeline $(PIPELINE))

bootstrap: $(AWS_CLI)  ## make the bucket that keeps Terraform's state in your AWS account (ENV=dev)
	@PATH="$(CURDIR)/.envs/aws-cli/bin:$$PATH" infra/terraform/bootstrap/apply.sh $(or $(ENV),$(error which environment? make bootstrap ENV=dev))

deploy: setup  ## bring this checkout to an environment that Terraform has made (ENV=dev ARGS=--dry-run)
	@$(PYTHON) -m deploy --env $(or $(ENV),$(error which environment? make deploy ENV=dev)) $(ARGS)

iam-diff: setup  ## compare what the roles may do with what local AWS saw them do (ENV=dev CALLS=file ARGS=--renew-docs)
	@$(PYTHON) -m least_privilege diff --calls $(CALLS) $(ARGS)

iam-ablation: setup  ## take each action from its role, run the pipeline, and write what breaks into docs/iam.md (ENV=dev)
	@$(PYTHON) -m least_privilege ablate --calls $(CALLS) --renew-docs

mwaa-check: setup $(MWAA)  ## show that MWAA can install requirements.txt and import everything below dags/
	@$(PYTHON) -m deploy.mwaa_check

down:  ## stop everything that `make run` started
	@test ! -x $(PYTHON) || $(PYTHON) -m laptop down

# What no other environment than the laptop's is needed for.
PLAIN := $(addprefix tests/,$(addsuffix %,dags sql scripts scaffold))
test: setup $(if $(filter-out $(PLAIN),$(or $(ARGS),all)),$(SDK) $(CHECKOV) $(MWAA) $(DOCS))  ## run all tests, several files at once (ARGS=tests/... runs these, in one process)
	@$(PYTHON) -m pytest $(or $(ARGS),-n 3)

bench: setup  ## measure what serving costs, as ratios to named baselines (under 90 s)
	@$(PYTHON) tests/benchmarks/serving.py

lint: setup  ## ruff and mypy
	@$(PYTHON) -m ruff check . && $(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy dags/silverline infra/local_aws infra/laptop infra/deploy infra/least_privilege infra/proof infra/plugins \
		infra/documentation infra/scaffold

setup: $(LAPTOP) $(AWS_CLI)  ## install the locked environments, nothing else
	@$(PYTHON) -m local_aws.sagemaker.images $(IMAGE) >/dev/null

clean: down  ## remove all state (the installed environments stay)
	rm -rf .state

lock: $(UV)  ## resolve the lock files anew from requirements.txt and the *.in files
	grep -v '^--constraint' requirements.txt | $(UV) $(RESOLVE) --python-version 3.12 - requirements/laptop.in \
		-c requirements/airflow-3.2.1-constraints.txt -o requirements/laptop.lock.txt
	grep -v '^--constraint' requirements.txt | $(UV) $(filter-out --universal,$(RESOLVE)) --python-version 3.12 - \
		--python-platform x86_64-manylinux_2_28 -c requirements/airflow-3.2.1-constraints.txt \
		-o requirements/mwaa.lock.txt
	$(UV) $(RESOLVE) --python-version 3.12 requirements/sagemaker-sdk.in -o requirements/sagemaker-sdk.lock.txt
	$(UV) $(RESOLVE) --python-version 3.12 requirements/aws-cli.in -o requirements/aws-cli.lock.txt
	$(UV) $(RESOLVE) --python-version 3.12 requirements/checkov.in -o requirements/checkov.lock.txt
	$(UV) $(RESOLVE) --python-version 3.12 requirements/docs.in -o requirements/docs.lock.txt
	awk -F'"' '/^repository/ {r = $$2} /^tag/ {t = $$2} /^python/ {print r "-" t, $$2}' $(IMAGES).toml | \
		while read -r name python; do \
		$(UV) $(RESOLVE) --python-version $$python $(IMAGES)/$$name.in --override $(IMAGES)/$$name.in \
			-o $(IMAGES)/$$name.lock.txt || exit 1; done

# `local_aws` and `laptop` are imported from infra/ by whatever folder the interpreter is started in.
$(LAPTOP): requirements/laptop.lock.txt | $(UV)
	$(call install,.venv,$<)
	@echo "$(CURDIR)/infra" > "$$(echo .venv/lib/python3.*/site-packages)/silverline.pth"
	@touch $@

$(AWS_CLI): requirements/aws-cli.lock.txt | $(UV)
	$(call install,.envs/aws-cli,$<)
	@touch $@

# Not compiled: a check imports a tenth of it, once.
$(MWAA): requirements/mwaa.lock.txt | $(UV)
	$(call install,.envs/mwaa,--no-compile-bytecode $<)
	@touch $@

$(SDK): requirements/sagemaker-sdk.lock.txt | $(UV)
	$(call install,.envs/sagemaker-sdk,$<)
	@touch $@

$(CHECKOV): requirements/checkov.lock.txt | $(UV)
	$(call install,.envs/checkov,$<)
	@touch $@

$(DOCS): requirements/docs.lock.txt | $(UV)
	$(call install,.envs/docs,$<)
	@touch $@

# Compiled at once: every task and every job is a process of its own, and would compile its imports again.
define install
	@infra/laptop/preflight.sh
	@$(1)/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null || \
		$(UV) venv --quiet --clear --python 3.12 $(1)
	@echo "installing $(1) from $(lastword $(2))"
	@$(UV) pip sync --quiet --compile-bytecode --python $(1) $(2)
endef

.envs/uv/bin/uv:
	@infra/laptop/preflight.sh
	@echo "installing uv $(UV_VERSION) into .envs/uv"
	@python3 -m venv .envs/uv
	@.envs/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.PHONY: help run new contract demo-drift backfill history invoke dashboard reproduce iam-diff iam-ablation airflow demo-data announce bootstrap deploy mwaa-check down test bench lint setup clean lock docs diagram proof
