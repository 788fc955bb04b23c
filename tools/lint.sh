#!/usr/bin/env bash
# Checks what can be checked without running anything: see "tools/lint.sh --help". "make lint" gets its tools first.
# Changes no file. Runs on the bash 3.2 of macOS.
set -euo pipefail
unset CDPATH

REPO=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$REPO"

usage() {
	cat <<-END
		usage: tools/lint.sh [check...]

		Runs these checks, or those that are named, the cheap ones first; goes on after one that fails, and then fails.

		  private   no file names a package registry or a folder of the machine it was written on
		  syntax    JSON, YAML and Python files can be read
		  shell     shellcheck finds nothing in the shell scripts
		  workflows actionlint finds nothing in the workflows of GitHub
		  tidy      go.mod and go.sum of the provider, the tests and the Go SDK are as "go mod tidy" makes them
		  format    the Go programs outside of the modules are formatted
		  vet       "go vet" finds nothing in the Go SDK and the Go examples
		  licenses  docs/licenses.md lists what the plugin is linked with, all of it under licenses that are accepted
		  vulnerabilities
		            govulncheck finds nothing in the plugin, built as it is released
		  root      golangci-lint finds nothing in the provider's module
		  generator golangci-lint finds nothing in the generator's module
		  tests     golangci-lint finds nothing in the module of the tests
	END
}

CHECKS="private syntax shell workflows tidy format vet licenses vulnerabilities root generator tests"

# files PATTERN... writes the names of the files that are, or are about to be, in the repository. A file that is
# deleted and not yet committed is in neither.
files() {
	git ls-files --cached --others --exclude-standard -- "$@" | sort -u | while IFS= read -r file; do
		if [ -f "$file" ]; then printf '%s\n' "$file"; fi
	done
}

# none MEANING GREP-ARGUMENT... fails when git grep finds something.
none() {
	local meaning=$1 status=0
	shift
	git grep --untracked -nIE "$@" || status=$?
	case $status in
	0) echo "$meaning" && return 1 ;;
	1) return 0 ;;
	*) return "$status" ;;
	esac
}

# Where packages are fetched from is the affair of the machine that fetches them. A lock file that names a mirror
# works for nobody else, and a name can be one that is not to be known.
private() {
	local result=0 folder
	none "these name a package registry" \
		-e 'registry\.(npmjs|yarnpkg)\.|pypi\.org|pythonhosted\.org|(proxy|sum)\.golang\.org|api\.nuget\.org|repo1?\.maven' \
		-e '(extra-)?index-url|find-links|trusted-host|GOPROXY *[:=]|"resolved": *"http|^ *(@[a-z-]+:)?registry *=' \
		-- . ':!tools/lint.sh' || result=1
	none "these name a folder of somebody's machine" \
		-e '(^|[^[:alnum:]_.*/}-])/(root|work|home|Users)/[[:alnum:]_.]' -- . ':!tools/lint.sh' || result=1
	for folder in "$REPO" "${HOME:-}"; do
		# A home of "/" or "/root" is in many a text that means something else; the pattern above knows the latter.
		case $folder in /*/*) none "these name a folder of this machine" -F -e "$folder" || result=1 ;; esac
	done
	return "$result"
}

syntax() {
	# The Python with the packages of the tests, because Python's own library does not read YAML.
	files '*.json' '*.yaml' '*.yml' '*.py' | .tools/venv/bin/python -c '
import ast, json, os, sys
import yaml

failed = False
for name in sys.stdin.read().splitlines():
    # TypeScript allows comments in its configuration, and reads it in the tests.
    if os.path.basename(name) == "tsconfig.json":
        continue
    try:
        with open(name, encoding="utf-8") as file:
            text = file.read()
        if name.endswith(".json"):
            json.loads(text)
        elif name.endswith(".py"):
            ast.parse(text)
        else:
            list(yaml.safe_load_all(text))
    except (OSError, ValueError, SyntaxError, yaml.YAMLError) as error:
        print(f"{name}: {error}")
        failed = True
sys.exit(failed)
'
}

shell() {
	local scripts
	scripts=$(git grep --untracked -lE '^#! ?/(usr/)?bin/(env )?(ba)?sh( |$)' -- . ':!*.md' | sort)
	# shellcheck disable=SC2086 # Names of scripts have no spaces.
	shellcheck --external-sources $scripts tools/versions
}

# With shellcheck, which it finds on PATH, for what the steps run.
workflows() { actionlint -color=false; }

# Not the other modules. The programs' require the Go SDK in a version that may not be published yet. Those in tools
# hold no code, and tidying them would fetch what the tests of other people's tools depend on.
tidy() {
	local result=0 module
	for module in . cmd/pulumi-gen-cicd tests sdk/go/cicd; do
		go -C "$module" mod tidy -diff || { echo "$module/go.mod is not tidy" && result=1; }
	done
	return "$result"
}

format() {
	local unformatted
	unformatted=$(files 'examples/*.go' 'tests/programs/*.go' 'tests/sdks/**/*.go' | xargs gofmt -l) || return
	[ -z "$unformatted" ] || { printf '%s is not formatted\n' "$unformatted" && return 1; }
}

# Within the module of the SDK, an example finds the SDK as it is here, with all that it depends on.
vet() {
	local result=0 example
	go -C sdk/go/cicd vet ./... || result=1
	for example in "$REPO"/examples/*-go; do
		go -C sdk/go/cicd vet "$example"/*.go || result=1
	done
	return "$result"
}

licenses() {
	go -C tools/release run ./notices -root ../.. -list | diff docs/licenses.md - ||
		{ echo 'docs/licenses.md: "make licenses" brings it up to date' && return 1; }
}

vulnerabilities() {
	local database=()
	if [ -d .tools/vulndb ]; then database=(-db "file://$REPO/.tools/vulndb"); fi
	# The one that is released for is the one that is scanned on.
	GOTOOLCHAIN=go$(cat .go-version) govulncheck ${database[@]+"${database[@]}"} -tags grpcnotrace .
}

root() { golangci-lint run ./...; }
generator() { (cd cmd/pulumi-gen-cicd && golangci-lint run ./...); }
tests() { (cd tests && golangci-lint run ./...); }

case ${1:-} in
-h | --help)
	usage
	exit
	;;
esac

# shellcheck source=/dev/null
. .tools/env
# Every module is to stand for itself.
export GOWORK=off

FAILED=
for check in "${@:-$CHECKS}"; do
	for name in $check; do
		case " $CHECKS " in *" $name "*) ;; *) usage >&2 && exit 2 ;; esac
		start=$SECONDS
		# A function that is called in a condition goes on after an error: each one says itself how it ends.
		if "$name"; then result=ok; else result=FAILED FAILED="$FAILED $name"; fi
		printf '%-8s %-9s %s (%d s)\n' lint "$name" "$result" $((SECONDS - start))
	done
done
[ -z "$FAILED" ] || { echo "tools/lint.sh: failed:$FAILED" >&2 && exit 1; }
