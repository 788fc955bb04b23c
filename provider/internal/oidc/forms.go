package oidc

import (
	"regexp"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// wildcards are the characters with which a text is a pattern.
const wildcards = "*?"

// Beginnings of the full names of Git's branches and tags.
const (
	branchPrefix = "refs/heads/"
	tagPrefix    = "refs/tags/"
)

// anyUUID matches every UUID. It has the length of one, since a * would match text after it too, such as the one that
// an attacker chooses for a branch.
const anyUUID = "????????-????-????-????-????????????"

var (
	uuidRE    = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	decimalRE = regexp.MustCompile(`^[1-9][0-9]*$`)
	nameRE    = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	slugRE    = regexp.MustCompile(`^[a-z0-9_-]+$`)
	patternRE = regexp.MustCompile(`^[A-Za-z0-9_.*?-]+$`)
)

// checkText reports whether a trust policy can have s as a text.
// Sources: "IAM and AWS STS quotas", section "IAM name requirements"; "IAM policy elements: Variables and tags".
func checkText(s string) error {
	switch {
	case s == "":
		return rule.Broken("must not be empty")
	case strings.ContainsFunc(s, func(r rune) bool { return r > '\u00FF' }):
		return rule.Broken("must have no characters above U+00FF: IAM takes none in a policy")
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || (r > '~' && r < '\u00A0') }):
		return rule.Broken("must have no control characters")
	case strings.Contains(s, "${"):
		return rule.Broken("must not have ${, which begins a policy variable in IAM")
	case strings.TrimSpace(s) != s:
		return rule.Broken("must not begin or end with a space").WithHint("%s", rule.DidYouMean(strings.TrimSpace(s)))
	}
	return nil
}

// checkUUID reports whether s is a UUID as tokens have it.
func checkUUID(s string) error {
	switch meant := strings.ToLower(strings.Trim(s, "{}")); {
	case uuidRE.MatchString(s):
		return nil
	case uuidRE.MatchString(meant):
		return rule.Broken("must be a UUID in lower case and without braces, as tokens have it").
			WithHint("%s", rule.DidYouMean(meant))
	}
	return rule.Broken("must be a UUID, such as 6a63c9ac-3c11-4d4f-8b5e-0d1f7e3c2b1a")
}

// checkDecimal reports whether s is a number of which each digit counts.
func checkDecimal(s string) error {
	if !decimalRE.MatchString(s) {
		return rule.Broken("must be a decimal ID, such as 123456, and not a name")
	}
	return nil
}

// checkName reports whether s is a name of letters, digits and a few signs.
func checkName(s string) error {
	if !nameRE.MatchString(s) {
		return rule.Broken("must consist of the characters A-Z a-z 0-9 _ . -")
	}
	return nil
}

// checkPattern reports whether s is a name as [checkName] takes it, or a pattern of such names.
func checkPattern(s string) error {
	if !patternRE.MatchString(s) {
		return rule.Broken("must consist of the characters A-Z a-z 0-9 _ . - and of the wildcards * and ?")
	}
	return nil
}

// checkSlug reports whether s is a name as it stands in the system's URLs.
func checkSlug(s string) error {
	const form = "must be the name as it stands in URLs, of the characters a-z 0-9 _ -"
	switch meant := strings.ToLower(s); {
	case slugRE.MatchString(s):
		return nil
	case slugRE.MatchString(meant):
		return rule.Broken(form).WithHint("%s", rule.DidYouMean(meant))
	}
	return rule.Broken(form)
}

// checkTitle reports whether s is a name that may have spaces, and does not reach into the next part of a subject.
func checkTitle(s string) error {
	if strings.ContainsAny(s, ":/") {
		return rule.Broken("must be a name, without the characters : and /, which separate the parts of a subject")
	}
	return nil
}

// checkBranch reports whether s is the name of a branch, or a pattern of them.
func checkBranch(s string) error { return checkRef(s, "branch", branchPrefix) }

// checkTag reports whether s is the name of a tag, or a pattern of them.
func checkTag(s string) error { return checkRef(s, "tag", tagPrefix) }

// checkRef reports whether s is a name, or a pattern of names, that Git takes after a prefix. No name of Git's has a
// colon or a wildcard. Source: git-check-ref-format(1).
func checkRef(s, what, prefix string) error {
	name, isFull := strings.CutPrefix(s, prefix)
	switch {
	case isFull:
		return rule.Broken("must be the name of a %s without %s", what, prefix).WithHint("%s", rule.DidYouMean(name))
	case strings.HasPrefix(s, "refs/"):
		return rule.Broken("must be the name of a %s, and this is that of another kind of ref", what)
	case strings.ContainsAny(s, ` ~^:[\`) || strings.Contains(s, "..") || strings.Contains(s, "@{") ||
		strings.HasSuffix(s, ".lock") || strings.HasSuffix(s, ".") ||
		strings.Contains("/"+s+"/", "//") || strings.Contains("/"+s, "/."):
		return rule.Broken("must be a name that Git takes for a %s, or a pattern of such names", what)
	}
	return nil
}
