# What the tests and the demo run with, in .tools: "make -f tools/toolchain.mk GOAL...". The goals are env, which gets
# the CLI, the AWS plugin, moto and this plugin, and before it languages of programs: nodejs, python, go and yaml,
# and aws7, the AWS plugin of version 7.
#
# Make's timestamps tell what is up to date. A file in .tools/done stands for a step that ended well: one that was
# interrupted is done again. .tools/env, to be sourced, is written last.
SHELL := bash
.DELETE_ON_ERROR:
unexport GOOS GOARCH
export GOWORK := off
USERS_HOME := $(filter-out $(CURDIR)/% %/.tools/pulumi-home,$(or $(PULUMI_HOME),$(HOME)/.pulumi))
export PULUMI_HOME := $(CURDIR)/.tools/pulumi-home
export PULUMI_SKIP_UPDATE_CHECK := true
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The oldest CLI on PATH that is used. The one that is built is in tools/pulumi/go.mod.
PULUMI_OLDEST := 3.220.0
# The AWS plugins: the one that most tests run with, and version 7, which is only in the Pulumi home .tools/aws7-home.
# There, the engine takes it for programs that name no version.
AWS_VERSION := 6.83.4
AWS7_VERSION := 7.40.0
AWS7_HOME := $(CURDIR)/.tools/aws7-home
users_aws = $(wildcard $(USERS_HOME)/plugins/resource-aws-v$*/pulumi-resource-aws)
VERSION := $(shell sed -n 's/^var Version = "\(.*\)"$$/\1/p' provider/provider.go)
PYTHON := python3
VENV := .tools/venv/bin/python
BIN := $(CURDIR)/.tools/bin

# The CLI on PATH is used if it is new enough and has its language hosts. Otherwise all of them are built.
HOSTS := nodejs python go yaml
ON_PATH := $(filter-out $(BIN)/pulumi,$(shell command -v pulumi))
USABLE := $(if $(ON_PATH),$(shell tools/usable-pulumi '$(ON_PATH)' $(PULUMI_OLDEST) $(HOSTS)))
PULUMI := $(or $(USABLE),$(BIN)/pulumi)
built = $(if $(USABLE),,$(1:%=.tools/done/%))

.PHONY: $(HOSTS) aws7 env plugin FORCE
nodejs: .tools/done/node .tools/done/pip-tests $(call built,hosts python-exec) .tools/done/sdk-nodejs
python: .tools/done/pip-tests .tools/done/pip-aws7 $(call built,hosts python-exec) .tools/done/sdk-python
go: .tools/done/pip-tests $(call built,gohost)
yaml:
aws7: .tools/done/aws-$(AWS7_VERSION)
	@echo "aws: the $$(cat $<) AWS plugin $(AWS7_VERSION)"
$(HOSTS):
	@:

# --- packages ----------------------------------------------------------------------------------------------------

.tools/done/node: tools/node/package.json tools/node/package-lock.json
	@node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2>/dev/null || \
		{ echo 'this needs Node.js 20 or newer, with npm: https://nodejs.org' >&2; exit 1; }
	@echo 'nodejs: fetching the npm packages, half a minute the first time'
	@mkdir -p .tools/node .tools/done && cp $^ .tools/node/
	@# None of the packages needs an install script.
	@npm ci --prefix .tools/node --ignore-scripts --no-audit --no-fund --loglevel=error --omit-lockfile-registry-resolved
	@# The language host takes the newest AWS package in node_modules for that of the program.
	@rm -rf .tools/node/aws7 && mkdir -p .tools/node/aws7/node_modules/@pulumi && \
		mv .tools/node/node_modules/aws7 .tools/node/aws7/node_modules/@pulumi/aws
	@touch $@

# The Python packages of tools/python: what packs a release, what the tests import, and what lints. Each has its hashes.
# Only wheels are taken: no package runs code here, or fetches something to build itself with.
.tools/done/venv:
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || \
		{ echo 'this needs Python 3.10 or newer with its module venv, as $(PYTHON): else set PYTHON' >&2; exit 1; }
	@rm -rf .tools/venv && mkdir -p .tools/done && $(PYTHON) -m venv .tools/venv
	@touch $@

.tools/done/pip-%: tools/python/%.txt .tools/done/venv
	@echo 'python: fetching the packages of $<, up to a minute the first time'
	@$(VENV) -m pip install --quiet --only-binary :all: --require-hashes --requirement $<
	@touch $@

# The AWS package of version 7 for programs in Python, beside the others that it needs.
.tools/done/pip-aws7: tools/python/aws7.txt .tools/done/venv
	@echo 'python: fetching the package of $<'
	@rm -rf .tools/python-aws7 && $(VENV) -m pip install --quiet --only-binary :all: --require-hashes --no-deps \
		--target .tools/python-aws7 --requirement $<
	@touch $@

# What govulncheck knows of, where its own database cannot be reached.
.tools/done/vulndb: tools/dev/go.mod
	@echo 'lint: making the database of vulnerabilities from its Go module'
	@rm -rf .tools/vulndb && mkdir -p .tools/vulndb .tools/done
	@go tool -modfile=tools/dev/go.mod indexdb -out .tools/vulndb \
		-vulns "$$(go -C tools/dev list -m -f '{{.Dir}}' golang.org/x/vulndb)/data/osv"
	@touch $@

# --- the CLI and the language hosts ------------------------------------------------------------------------------

PROGRAMS_pulumi := the Pulumi CLI and the language host for YAML, 5 minutes the first time
PROGRAMS_hosts := the language hosts for Node.js and Python, a minute the first time
PROGRAMS_gohost := the language host for Go, a minute the first time

# The programs that tools/NAME/go.mod names. They say that they are of the version of Pulumi's SDK that it pins.
$(call built,pulumi hosts gohost): .tools/done/%: tools/%/go.mod tools/%/go.sum
	@$(if $(ON_PATH),echo 'pulumi: not used: $(ON_PATH) is older than $(PULUMI_OLDEST) or without its language hosts')
	@echo 'pulumi: building from Go modules: $(PROGRAMS_$*)'
	@rm -rf .tools/new-$* && mkdir -p .tools/new-$* .tools/bin .tools/done
	@version=$$(go -C tools/$* list -m -f '{{.Version}}' github.com/pulumi/pulumi/sdk/v3) && \
		GOBIN='$(CURDIR)/.tools/new-$*' go -C tools/$* install -trimpath \
		-ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$$version" tool
	@mv -f .tools/new-$*/* .tools/bin/ && rmdir .tools/new-$* && touch $@

# The host for Python wants a script of Pulumi's beside it, which is in the module of the SDK.
.tools/done/python-exec: .tools/done/hosts
	@folder=$$(go -C tools/hosts list -m -f '{{.Dir}}' github.com/pulumi/pulumi/sdk/v3) && \
		install -m 755 "$$folder/python/cmd/pulumi-language-python-exec" .tools/bin/
	@touch $@

# --- the AWS plugin ----------------------------------------------------------------------------------------------

INSTALL := '$(PULUMI)' plugin install --non-interactive resource
# On a terminal the CLI asks for the colours, and waits for the answer.
QUIETLY := </dev/null >.tools/plugin.log 2>&1

# Each official plugin where the user has it or it can be downloaded, else its stand-in. CICD_AWS_PLUGIN=official or
# stand-in takes that one and no other. The file says which it is. Version 6 is in both homes, for stacks that move from
# it to version 7.
AWS6 := .tools/done/aws-$(AWS_VERSION)
AWS7 := .tools/done/aws-$(AWS7_VERSION)
$(foreach done,$(AWS6) $(AWS7),$(eval $(done): \
	$(if $(filter-out $(shell cat $(done) 2>/dev/null),$(CICD_AWS_PLUGIN)),FORCE)))
$(AWS6) $(AWS7): .tools/done/aws-%: tests/go.mod $(wildcard tests/standin/*.go) | $(call built,pulumi)
	@install() { for home in $(if $(filter $(AWS_VERSION),$*),'$(PULUMI_HOME)') '$(AWS7_HOME)'; do \
		PULUMI_HOME="$$home" $(INSTALL) aws $* "$$@" $(QUIETLY) || return; done; }; \
	mkdir -p .tools/done && if [ '$(CICD_AWS_PLUGIN)' != stand-in ]; then \
		echo 'aws: $(if $(users_aws),copying $(users_aws),fetching the official AWS plugin $*)'; \
		if [ "$$(cat $@ 2>/dev/null)" != official ]; then rm -rf .tools/*-home/plugins/resource-aws-v$*; fi; \
		if install $(users_aws:%=--file '%'); then echo official >$@; exit; fi; \
		echo "aws: not fetched: $$(sed -n 's/^.*[Ee]rror[^:]*: //p' .tools/plugin.log | head -n 1)"; \
		[ '$(CICD_AWS_PLUGIN)' != official ] || exit 1; \
	fi; \
	echo 'aws: building the stand-in for it from tests/standin, a minute the first time' && \
	go -C tests build -trimpath -ldflags '-X main.version=$*' -o ../.tools/stand-in-$*/pulumi-resource-aws ./standin && \
	install --reinstall --file .tools/stand-in-$*/pulumi-resource-aws && echo stand-in >$@ || \
	{ cat .tools/plugin.log >&2; exit 1; }

# --- this package ------------------------------------------------------------------------------------------------

files = $(shell git ls-files --cached --others --exclude-standard $(1) | while read -r f; do [ ! -f "$$f" ] || echo "$$f"; done)

.tools/done/sdk-nodejs: .tools/done/node tools/dist-nodejs $(call files,sdk/nodejs)
	@echo 'nodejs: installing the SDK from sdk/nodejs'
	@tools/dist-nodejs sdk/nodejs .tools/node/node_modules/@pulumi-cicd/cicd && touch $@

.tools/done/sdk-python: .tools/done/pip-tests $(call files,sdk/python)
	@echo 'python: installing the SDK from sdk/python'
	@rm -rf .tools/python-sdk && cp -R sdk/python .tools/python-sdk
	@$(VENV) -m pip install --quiet --no-deps --no-build-isolation --force-reinstall .tools/python-sdk && touch $@

# "go build" brings the file's time up to date even if it is the same.
plugin: | $(call built,pulumi)
	@for home in '$(PULUMI_HOME)' '$(AWS7_HOME)'; do \
		cmp -s bin/pulumi-resource-cicd "$$home/plugins/resource-cicd-v$(VERSION)/pulumi-resource-cicd" || \
		{ echo "plugin: installing bin/pulumi-resource-cicd as version $(VERSION) in $$home" && \
		PULUMI_HOME="$$home" $(INSTALL) cicd $(VERSION) --reinstall --file bin/pulumi-resource-cicd $(QUIETLY); } || \
		{ cat .tools/plugin.log >&2; exit 1; }; \
	done

# --- the environment ---------------------------------------------------------------------------------------------

# What is installed comes first on PATH. Each command of the CLI logs to a file, and looks at all of them to delete the
# oldest: without a limit those of one run of the tests, thousands, would cost each command a third of its time.
env: .tools/done/pip-tests $(call built,pulumi) $(AWS6) plugin | $(filter $(HOSTS) aws7,$(MAKECMDGOALS))
	@printf 'export %s\n' \
		"PATH=$(if $(USABLE),\$$PATH:'$(BIN)','$(BIN)':\$$PATH)" \
		"PULUMI_HOME='$(PULUMI_HOME)'" \
		"PULUMI_SKIP_UPDATE_CHECK=true" \
		"PULUMI_LOG_ROTATION_MAX_TOTAL_MB=1" \
		"CICD_PULUMI='$(PULUMI)'" \
		"CICD_TOOLS_PYTHON='$(CURDIR)/$(VENV)'" \
		"MOTO_PYTHON='$(CURDIR)/$(VENV)'" \
		"PULUMI_PYTHON_CMD='$(CURDIR)/$(VENV)'" \
		"CICD_NODE_MODULES='$(CURDIR)/.tools/node/node_modules'" \
		"CICD_AWS_PLUGIN_KIND='$$(cat $(AWS6))'" \
		"CICD_AWS_PLUGIN_VERSION='$(AWS_VERSION)'" \
		"CICD_AWS7_PLUGIN_VERSION='$(AWS7_VERSION)'" \
		"CICD_AWS7_HOME='$(AWS7_HOME)'" >.tools/env.new
	@mv -f .tools/env.new .tools/env
	@echo "pulumi: $$('$(PULUMI)' version), $(if $(USABLE),installed,built from its Go module): $(PULUMI)"
	@echo "aws: the $$(cat $(AWS6)) AWS plugin $(AWS_VERSION)$$(! grep -q stand-in $(AWS6) || \
		echo ', which knows only the resources that this package uses')"
