# The targets are all there is to know: "make demo" shows the product, "make test" tests it. All that they build or
# fetch lies in the ignored folders .tools, bin and dist.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

# The language of the demo's program: typescript, python, go or yaml. It is not taken from the environment, where
# gettext has a LANGUAGE too.
LANGUAGE := yaml
LANGUAGES := typescript python go yaml
# The demo's program: robot-account, access-key, deployment-role or keyless.
EXAMPLE := robot-account

PLUGIN := bin/pulumi-resource-cicd

# What the tests and the demo run with.
TOOLCHAIN := $(MAKE) --no-print-directory -f tools/toolchain.mk
ENV := . .tools/env &&

GOTESTSUM := go tool -modfile=../tools/dev/go.mod gotestsum --format testname --
AWS7_TESTS := TestAccessKeyGeneration|TestDeploymentRoleOutlivesRobot|TestOidcProvider|TestRobotCanOnlyAssumeItsRoles

# These end a recipe before it has built anything.
refuse = { echo "$@: $(1)" >&2; exit 2; }
needs_example = printf '%s\n' $(LANGUAGES) | grep -xF -e '$(LANGUAGE)' >/dev/null || \
	$(call refuse,it cannot run a program in \"$(LANGUAGE)\": LANGUAGE is one of $(LANGUAGES)); \
	[ -d 'examples/$(EXAMPLE)-$(LANGUAGE)' ] || \
	$(call refuse,there is no example \"$(EXAMPLE)\" in $(LANGUAGE): see examples/)
needs_program = [ -f "$$PROGRAM/Pulumi.yaml" ] || \
	$(call refuse,PROGRAM=\"$$PROGRAM\" is not a folder with a Pulumi.yaml)

.PHONY: help build sdk tools test demo playground bench install licenses lint dist clean

## help: what there is to make
help:
	@awk -F ': ' '/^## [a-z]+: / { name = substr($$1, 4); sub(/^[^:]*: /, ""); printf "%-12s%s\n", name, $$0 }' Makefile

## build: the plugin, stripped and trimmed
build:
	@echo "building $(PLUGIN)"
	go build -trimpath -tags grpcnotrace -ldflags '-s -w' -o $(PLUGIN) .

## sdk: schema.json, sdk/ and docs/reference.md from the Go code, offline
sdk:
	@# Trimmed, go builds it once for all working copies.
	go -C cmd/pulumi-gen-cicd run -trimpath . -root ../..
	cd sdk/go/cicd && go mod tidy

## tools: what the tests run with, and this package where their programs find it
tools: build
	@$(TOOLCHAIN) nodejs python go yaml aws7 env

## test: every test
test: tools
	$(ENV) go test -race ./...
	$(ENV) cd sdk/go/cicd && go vet ./...
	@# Each test is told as it ends, and at the end all that failed or were skipped once more, with what they said. Go
	@# knows nothing of the programs that these run, and would take what it remembers for true when only those have
	@# changed. Some tests mostly wait, so that there are more of them at once than processors. Packages run one after
	@# the other: some tests measure time or memory, or kill processes at a moment of their choice.
	$(ENV) cd tests && $(GOTESTSUM) -count 1 -p 1 -parallel 4 -timeout 30m ./...
	@# What the components register, look up and rotate, once more with version 7 of the AWS provider.
	$(ENV) cd tests && CICD_LAB_AWS7=1 $(GOTESTSUM) -count 1 -parallel 4 -run '^($(AWS7_TESTS))$$' ./e2e

## demo: a real "pulumi up" of the robot account, or of another EXAMPLE, in LANGUAGE
demo:
	@$(needs_example)
	@$(MAKE) --no-print-directory build
	@$(TOOLCHAIN) $(LANGUAGE:typescript=nodejs) env
	@echo "building the demo"
	cd tests && go build -o ../.tools/bin/demo ./demo
	@$(ENV) exec .tools/bin/demo -language $(LANGUAGE) -example '$(EXAMPLE)'

## playground: a shell with a local AWS account for the program in PROGRAM, or for EXAMPLE in LANGUAGE; or RUN commands
playground: override export PROGRAM := $(value PROGRAM)
playground: override export RUN := $(value RUN)
playground:
	@$(needs_example)
	@[ -z "$$PROGRAM" ] || $(needs_program)
	@$(MAKE) --no-print-directory build
	@host=yaml folder=$${PROGRAM:-examples/$(EXAMPLE)-$(LANGUAGE)}; \
	for it in nodejs:package.json python:requirements.txt go:go.mod; do \
		[ ! -f "$$folder/$${it#*:}" ] || host=$${it%:*}; \
	done; \
	$(TOOLCHAIN) "$$host" env
	@cd tests && go build -o ../.tools/bin/demo ./demo
	@$(ENV) exec .tools/bin/demo -playground -language $(LANGUAGE) -example '$(EXAMPLE)' -program "$$PROGRAM" -run "$$RUN"

## bench: what the package costs, to docs/performance.md and .svg; about 25 minutes on a machine that does nothing else
bench: tools
	@echo "building the benchmark"
	cd tests && go build -o ../.tools/bin/bench ./bench
	@$(ENV) exec .tools/bin/bench $(BENCH)

## install: this clone's plugin and SDK, for the program in the folder PROGRAM
install: override export PROGRAM := $(value PROGRAM)
install:
	@$(needs_program)
	@$(MAKE) --no-print-directory build
	@[ ! -f "$$PROGRAM/package.json" ] || $(TOOLCHAIN) .tools/done/sdk-nodejs
	@if command -v pulumi >/dev/null; then \
		pulumi plugin install resource cicd "$$(sed -n 's/^var Version = "\(.*\)"$$/\1/p' provider/provider.go)" \
			--reinstall --file $(PLUGIN); \
	else \
		echo 'install: there is no pulumi on PATH: the program runs in "make playground" only'; \
	fi
	tools/install-sdk "$$PROGRAM"

## licenses: docs/licenses.md, from the licenses of what the plugin is linked with
licenses:
	@echo "listing the licenses"
	@mkdir -p .tools
	tools/notices list >.tools/licenses.md
	mv .tools/licenses.md docs/licenses.md

## lint: what CI checks besides the tests
lint:
	@$(TOOLCHAIN) .tools/done/pip-lint
	tools/lint.sh

## dist: the files of the release VERSION, in dist; see tools/dist --help
dist: export VERSION := $(VERSION)
dist:
	@tools/dist --check "$$VERSION"
	@$(TOOLCHAIN) .tools/done/node .tools/done/pip-dist
	@tools/dist "$$VERSION"

## clean: all that is built or fetched
clean:
	rm -rf .tools bin dist
