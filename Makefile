# The targets are all there is to know: "make demo" shows the product, "make test" tests it. All that they build or
# fetch lies in the ignored folders .tools, bin and dist.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

# The language of the demo's program: typescript, python, go or yaml.
LANGUAGE ?= yaml
LANGUAGES := typescript python go yaml

PLUGIN := bin/pulumi-resource-cicd

# What the tests and the demo run with: see tools/setup.
ENV := . .tools/env &&

.PHONY: build sdk test demo lint clean

## build: the plugin, stripped and trimmed
build:
	@echo "building $(PLUGIN)"
	go build -trimpath -ldflags '-s -w' -o $(PLUGIN) ./cmd/pulumi-resource-cicd

## sdk: schema.json and sdk/ from the Go code, offline
sdk:
	go run ./cmd/pulumi-gen-cicd
	cd sdk/go/cicd && go mod tidy

## test: every test
test: build
	tools/setup
	tools/install-package nodejs python
	$(ENV) go test -race ./...
	$(ENV) cd sdk/go/cicd && go vet ./...
	$(ENV) cd tests && go test -timeout 30m ./...

## demo: a real "pulumi up" of the seed's robot account, in LANGUAGE
demo: build
	tools/setup pulumi aws moto $(if $(filter typescript,$(LANGUAGE)),nodejs,$(LANGUAGE))
	tools/install-package $(if $(filter typescript,$(LANGUAGE)),nodejs,$(LANGUAGE))
	$(ENV) cd tests && go run ./demo -language $(LANGUAGE)

## lint: what CI checks besides the tests
lint:
	tools/setup lint
	tools/lint.sh

## clean: all that is built or fetched
clean:
	rm -rf .tools bin dist
