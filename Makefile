# Silverline. `make` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
UV := $(shell command -v uv || echo .envs/uv/bin/uv)
UV_VERSION := 0.13.9
PY := .venv/bin/python
LOCK := --universal --python-version 3.12 --generate-hashes --no-header --no-annotate --quiet
IMAGE := sagemaker-scikit-learn-1.9-0-cpu-py3
IMAGES := infra/local_aws/sagemaker/images

lock:  ## re-resolve every lock file from its .in file
	grep -v '^--constraint' requirements.txt | $(UV) pip compile - requirements/laptop.in -c requirements/airflow-3.2.1-constraints.txt $(LOCK) -o requirements/laptop.lock.txt
	$(UV) pip compile requirements/sagemaker-sdk.in $(LOCK) -o requirements/sagemaker-sdk.lock.txt
	$(UV) pip compile requirements/aws-cli.in $(LOCK) -o requirements/aws-cli.lock.txt
	$(UV) pip compile $(IMAGES)/$(IMAGE).in --override $(IMAGES)/$(IMAGE).in $(LOCK) -o $(IMAGES)/$(IMAGE).lock.txt
