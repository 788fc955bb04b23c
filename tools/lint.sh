#!/usr/bin/env bash
# Checks what can be checked without running anything. "make lint" gets first what this needs.
# Goes on after a check that fails, and then fails. Changes no file.
#
# usage: tools/lint.sh [check...]
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
REPO=$PWD
export GOWORK=off
PATH=$REPO/.tools/venv/bin:$PATH

# files PATTERN... writes the names of the files that are, or are about to be, in the repository.
files() {
	git ls-files --cached --others --exclude-standard -- "$@" | while IFS= read -r f; do [ ! -f "$f" ] || printf '%s\n' "$f"; done
}

# none MEANING GREP-ARGUMENT... fails when git grep finds something.
none() {
	! git grep --untracked -nIE "${@:2}" -- . ':!tools/lint.sh' || { echo "$1" && false; }
}

# No file names a package registry, or a folder of the machine that it was written on. A lock file that names a mirror
# works for nobody else.
check_private() {
	none "these name a package registry" \
		-e 'registry\.(npmjs|yarnpkg)\.|pypi\.org|pythonhosted\.org|(proxy|sum)\.golang\.org|api\.nuget\.org|repo1?\.maven' \
		-e '(extra-)?index-url|find-links|trusted-host|GOPROXY *[:=]|"resolved": *"http|^ *(@[a-z-]+:)?registry *=' &&
		none "these name a folder of somebody's machine" \
			-e '(^|[^[:alnum:]_.*/}-])/(root|work|home|Users)/[[:alnum:]_.]' &&
		# A folder of one part is in many a text that means something else.
		case $REPO in /*/*) none "these name this working copy" -F -e "$REPO" ;; esac
}

check_shell() { git grep --untracked -lE '^#! ?/usr/bin/env bash' -- . ':!*.md' | xargs shellcheck --external-sources; }

# actionlint also looks with shellcheck at what the steps run. What zizmor leaves out is in .github/zizmor.yml.
check_workflows() {
	dev actionlint -color=false && zizmor --offline --quiet --strict-collection --persona pedantic .github
}

# Links from one page of the repository to another, and to its headings. The registry shows pages without their ending.
check_links() {
	local home=github.com/pulumi-cicd/pulumi-cicd
	files '*.md' | xargs lychee --offline --quiet --no-progress --include-fragments --root-dir "$REPO" \
		--fallback-extensions md --exclude /registry/packages/ --remap "https://$home# file://$REPO/README.md#" \
		--remap "https://$home/(blob|tree)/main/ file://$REPO/" \
		--remap "https://raw.githubusercontent.com/${home#*/}/main/ file://$REPO/"
}

# The programs' modules require the Go SDK in a version that may not be published. Those in tools hold no code.
check_tidy() {
	for module in . cmd/pulumi-gen-cicd tests sdk/go/cicd; do
		go -C "$module" mod tidy -diff || { echo "$module/go.mod is not tidy" && return 1; }
	done
}

check_format() { [ -z "$(files '*.go' | xargs gofmt -l | tee /dev/stderr)" ]; }

# Within the module of the tests, an example finds the SDK as it is here, and the packages that it delivers keys with.
check_vet() {
	go -C sdk/go/cicd vet ./... || return 1
	for example in "$REPO"/examples/*-go; do go -C tests vet "$example"/*.go || return 1; done
}

check_licenses() { tools/notices list | diff docs/licenses.md - || { echo 'run "make licenses"' && return 1; }; }

# What the plugin and the Go SDK link, with the Go that releases are built with, whose own vulnerabilities it tells.
check_vulnerabilities() {
	local database=https://vuln.go.dev GOTOOLCHAIN
	GOTOOLCHAIN=$(sed -n 's/^toolchain //p' go.mod) && export GOTOOLCHAIN
	if ! curl -fsS --max-time 20 -o /dev/null "$database/index/db.json"; then
		make -s -f tools/toolchain.mk .tools/done/vulndb || return 1
		database=file://$REPO/.tools/vulndb
	fi
	dev govulncheck -db "$database" -tags grpcnotrace . && dev govulncheck -db "$database" -C sdk/go/cicd ./...
}

check_golangci() {
	local tool result=0
	tool=$(go tool -modfile=tools/lint/go.mod -n golangci-lint) || return 1
	for module in . cmd/pulumi-gen-cicd tests; do (cd "$module" && "$tool" run ./...) || result=1; done
	return "$result"
}

# dev TOOL... runs a program of tools/dev/go.mod, which Go builds first if it has to.
dev() { go tool -modfile=tools/dev/go.mod "$@"; }

FAILED=
[ $# -gt 0 ] || set -- private shell workflows links tidy format vet licenses vulnerabilities golangci
for check; do
	case $check in
	licenses | vulnerabilities | golangci) echo "lint     $check, minutes the first time" ;;
	*) echo "lint     $check" ;;
	esac
	start=$SECONDS
	"check_$check" || FAILED="$FAILED $check"
	[ $((SECONDS - start)) -lt 5 ] || echo "lint     $check: $((SECONDS - start)) s"
done
[ -z "$FAILED" ] || { echo "tools/lint.sh: failed:$FAILED" >&2 && exit 1; }
