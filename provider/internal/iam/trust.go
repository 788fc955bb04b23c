package iam

import (
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// DefaultTrustPolicyLimit is how many characters the trust policy of a role may have in an account with IAM's
// default quotas. An account can have more, up to 8,192.
// Source: "IAM and AWS STS quotas", "Role trust policy length".
const DefaultTrustPolicyLimit = 2048

// Limits of roles and their sessions: characters of a trust policy at the most, of an external ID, and of a session's
// name; and seconds of a session.
// Sources: "IAM and AWS STS quotas"; IAM API Reference, "CreateRole", MaxSessionDuration; AWS STS API Reference,
// "AssumeRole".
const (
	maxTrustPolicy = 8192

	minExternalID = 2
	maxExternalID = 1224

	minSessionName = 2
	maxSessionName = 64

	minSessionDuration = 3600
	maxSessionDuration = 43200
)

// Bounds of the inputs that a trust policy is made of: no more of the shortest principal, subject, range of addresses
// and session name, written as elements of a list, fit into it.
const (
	MaxPrincipals    = maxTrustPolicy / len(`"arn:aws:iam::123456789012:user/x",`)
	MaxWebIdentities = maxTrustPolicy / len(`"x",`)
	MaxTrustSources  = maxTrustPolicy / len(`"::/0",`)
	MaxSessionNames  = maxTrustPolicy / len(`"*",`)
)

// userNameVariable stands for the name of the IAM user who calls. It has no value where a role calls.
// Source: "IAM policy elements: Variables and tags".
const userNameVariable = "${aws:username}"

const sessionNameLength = "must match a session's name: %d to %d characters"

const principalForm = "must be the ARN of an IAM user or role, such as arn:aws:iam::123456789012:user/NAME"

var (
	externalIDRE  = regexp.MustCompile(`^[A-Za-z0-9_+=,.@:/-]*$`)
	sessionNameRE = regexp.MustCompile(`^[A-Za-z0-9_+=,.@*?-]*$`)
	anyCaseRE     = regexp.MustCompile(`(?i)\$\{aws:username\}`)
)

// Trust says who may assume a role, and how. It needs at least one principal or web identity.
type Trust struct {
	// Account is the role's own. Only web identities need it.
	Account Account
	// Principals are the ARNs of users and roles, as [Account.CheckPrincipal] says.
	Principals []string
	// WebIdentities are those who call with a token of an OpenID Connect provider of the account, such as CI jobs.
	WebIdentities []WebIdentity
	// SessionNames are patterns of the names that a session may have, as [CheckSessionName] says; none for any.
	SessionNames []string
	// ExternalID is what a principal must know, as [CheckExternalID] says, or empty. Web identities cannot give one.
	ExternalID string
	// Sources are the ranges of addresses that calls may come from; none for any.
	Sources []netip.Prefix
	// SessionTags says that callers may tag their sessions.
	SessionTags bool
}

// Policy returns the trust policy of a role. The document is minimal and deterministic: the order of elements, and
// how often they are given, does not matter. It fails for a part that is malformed, for nobody to trust, for one who is
// trusted and left without a session name, and if the document is larger than IAM takes from any account.
func (t Trust) Policy() (string, error) {
	if len(t.Principals) == 0 && len(t.WebIdentities) == 0 {
		return "", rule.Broken("must name at least one user, role or CI job")
	}
	for _, s := range t.SessionNames {
		if err := CheckSessionName(s); err != nil {
			return "", err
		}
	}
	if err := CheckSessionNamesFor(t.Principals, len(t.WebIdentities) > 0, t.SessionNames); err != nil {
		return "", err
	}
	if err := CheckExternalIDFor(t.Principals, t.ExternalID); err != nil {
		return "", err
	}
	principals, err := t.principalGrants()
	if err != nil {
		return "", err
	}
	webIdentities, err := t.webIdentityGrants()
	if err != nil {
		return "", err
	}
	var statements []statement
	for _, g := range append(principals, webIdentities...) {
		statements = append(statements, g.statements(t.SessionTags)...)
	}
	text, err := write(statements...)
	if err != nil {
		return "", err
	}
	if size := DocumentSize(text); size > maxTrustPolicy {
		return "", rule.Broken("must fit into a trust policy of %d characters, IAM's limit after its quota is raised, "+
			"and this one has %d", maxTrustPolicy, size)
	}
	return text, nil
}

// grant lets some callers assume a role.
type grant struct {
	principal principal
	// action is the one by which they assume it.
	action string
	// caller says who they are and where they call from.
	caller conditions
	// call says what else the action must come with.
	call conditions
}

// statements returns the grant as statements of a trust policy, with or without leave to tag sessions.
func (g grant) statements(sessionTags bool) []statement {
	assume := statement{
		Effect: "Allow", Principal: &g.principal, Action: oneOrMore{g.action}, Condition: g.caller.and(g.call),
	}
	switch {
	case !sessionTags:
		return []statement{assume}
	case len(g.call) == 0:
		assume.Action = append(assume.Action, tagSession)
		return []statement{assume}
	}
	// IAM decides on sts:TagSession apart from the action that assumes the role, though both are asked of it by one call,
	// and neither sts:ExternalId nor sts:RoleSessionName is among the keys that it documents for the former: a
	// condition on them could refuse every call with tags. They are not lost, since a call needs both actions.
	// Sources: Service Authorization Reference, "AWS Security Token Service"; IAM User Guide, "Pass session
	// tags in AWS STS", whose example asks for an external ID in the same way.
	tag := assume
	tag.Action, tag.Condition = oneOrMore{tagSession}, g.caller
	return []statement{assume, tag}
}

// principalGrants returns the grant of the principals, if there are any.
//
// The policy's principals are their accounts, and a condition says who of them. IAM stores a user that is named as a
// principal by its unique ID, so that the trust would end when the user is deleted, and not begin again when it is
// recreated; and it refuses a user that does not exist yet.
// Source: "AWS JSON policy elements: Principal", section "IAM user principals".
func (t Trust) principalGrants() ([]grant, error) {
	if len(t.Principals) == 0 {
		return nil, nil
	}
	accounts := make(map[string]bool)
	for _, s := range t.Principals {
		a, err := parsePrincipal(s)
		if err != nil {
			return nil, err
		}
		accounts[arn{a.partition, "iam", "", a.account, "root"}.String()] = true
	}
	call, err := namedSessions(t.SessionNames)
	if err != nil {
		return nil, err
	}
	if t.ExternalID != "" {
		if err := CheckExternalID(t.ExternalID); err != nil {
			return nil, err
		}
		call = call.and(conditions{"StringEquals": {"sts:ExternalId": {t.ExternalID}}})
	}
	who := conditions{"ArnEquals": {"aws:PrincipalArn": Distinct(t.Principals)}}
	return []grant{{
		principal{AWS: slices.Sorted(maps.Keys(accounts))}, assumeRole, fromSources(t.Sources).and(who), call,
	}}, nil
}

// namedSessions returns the conditions of a statement that holds only for sessions with one of the names; none if there
// are no names.
func namedSessions(patterns []string) (conditions, error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	names, err := minimal(patterns, coversSessionNames)
	return conditions{"StringLike": {"sts:RoleSessionName": names}}, err
}

// CheckPrincipal reports whether s is the ARN of one IAM user or one IAM role that a role of the account can trust,
// which is in its partition. Source: "IAM identifiers", section "IAM ARNs".
func (a *Account) CheckPrincipal(s string) error {
	principal, err := parsePrincipal(s)
	if err != nil || a == nil {
		return err
	}
	return a.checkPartition(principal)
}

// parsePrincipal reads the ARN of a user or a role. What else a policy could trust, it refuses by name.
func parsePrincipal(s string) (arn, error) {
	if s == "*" {
		return arn{}, rule.Broken("must not be everybody: name each user and each role")
	}
	if accountRE.MatchString(s) {
		return arn{}, errWholeAccount
	}
	a, ok := parseARN(s)
	if !ok {
		broken := rule.Broken(principalForm)
		if tail, err := parsePrincipal("arn:aws:iam::123456789012:" + s); err == nil {
			return arn{}, broken.WithHint("did you mean arn:aws:iam::ACCOUNT:%s, with the number of its account?", tail.resource)
		}
		return arn{}, broken
	}
	if role, isSession := sessionRole(a); isSession {
		return arn{}, rule.Broken("must be the ARN of a role, and not of a session of one").
			WithHint("did you mean %q, with the role's path if it has one?", role)
	}
	kind, name, _ := strings.Cut(a.resource, "/")
	switch {
	case strings.ContainsAny(s, "*?"):
		return arn{}, rule.Broken("must not have wildcards: name each user and each role")
	case a.service == "sts" && kind == "federated-user":
		return arn{}, rule.Broken("must be the ARN of a user, and not of a session of one")
	case !a.isIAM() || !accountRE.MatchString(a.account):
		return arn{}, rule.Broken(principalForm)
	case a.resource == "root":
		return arn{}, errWholeAccount
	case kind == "group":
		return arn{}, rule.Broken("must not be a group, which IAM lets no policy trust: name each user of it")
	case kind != "user" && kind != "role":
		return arn{}, rule.Broken(principalForm)
	}
	dir, name := splitName("/" + name)
	checkName := CheckUserName
	if kind == "role" {
		checkName = CheckRoleName
	}
	if CheckPath(dir) != nil || checkName(name) != nil {
		return arn{}, rule.Broken(principalForm)
	}
	return a, nil
}

var errWholeAccount = rule.Broken("must not be a whole account: anyone in it could assume the role whose own " +
	"policies allow that; name each user and each role")

// isRole reports whether the principal, which is as [Account.CheckPrincipal] says, is a role.
func isRole(principal string) bool {
	a, _ := parseARN(principal)
	return strings.HasPrefix(a.resource, rolePrefix)
}

// CheckExternalID reports whether s can be the external ID of a role: 2 to 1,224 characters.
// Source: "IAM and AWS STS quotas", section "IAM name requirements".
func CheckExternalID(s string) error {
	switch {
	case utf8.RuneCountInString(s) < minExternalID || utf8.RuneCountInString(s) > maxExternalID:
		return rule.Broken("must have %d to %d characters", minExternalID, maxExternalID)
	case !externalIDRE.MatchString(s):
		return rule.Broken("must consist of the characters A-Z a-z 0-9 + = , . @ _ : / -")
	}
	return nil
}

// CheckSessionName reports whether s is a pattern of the names of a role's sessions: the characters of such names,
// with * for any characters and ? for one, and with ${aws:username} for the name of the user who calls. No other
// policy variable is taken: most have no value where a role is assumed, or one that the caller chooses.
// Sources: AWS STS API Reference, "AssumeRole", RoleSessionName; "IAM JSON policy elements: Condition operators".
func CheckSessionName(s string) error {
	// A name of nothing but variables, each for one character, is the longest pattern that makes sense.
	if len(s) > maxSessionName*len(userNameVariable) {
		return rule.Broken(sessionNameLength, minSessionName, maxSessionName)
	}
	literal := strings.ReplaceAll(s, userNameVariable, "")
	fixed := len(strings.ReplaceAll(literal, "*", ""))
	switch {
	case strings.Contains(literal, "$"):
		const form = "must have no other policy variable than " + userNameVariable
		if meant := anyCaseRE.ReplaceAllLiteralString(s, userNameVariable); meant != s && CheckSessionName(meant) == nil {
			return rule.Broken(form).WithHint("%s", rule.DidYouMean(meant))
		}
		return rule.Broken(form)
	case s == "":
		return rule.Broken("must not be empty: %d to %d characters of A-Z a-z 0-9 + = , . @ _ -, with * and ? as wildcards",
			minSessionName, maxSessionName)
	case !sessionNameRE.MatchString(literal):
		return rule.Broken("must consist of the characters A-Z a-z 0-9 + = , . @ _ -, of the wildcards * and ?, and of %s",
			userNameVariable)
	case fixed > maxSessionName || (fixed < minSessionName && s == literal && fixed == len(s)):
		return rule.Broken(sessionNameLength, minSessionName, maxSessionName)
	}
	return nil
}

// CheckSessionNamesFor reports whether every principal can use at least one of the session names, and, if there are web
// identities, whether these can.
func CheckSessionNamesFor(principals []string, webIdentities bool, patterns []string) error {
	who := "roles"
	switch {
	case len(patterns) == 0 || slices.ContainsFunc(patterns, func(s string) bool { return !hasUserName(s) }):
		return nil
	case slices.ContainsFunc(principals, isRole):
	case webIdentities:
		who = "CI jobs"
	default:
		return nil
	}
	return rule.Broken("must have an element without %s: %s are trusted too, and have no user name, so that "+
		"they could not assume the role under any name", userNameVariable, who)
}

// hasUserName reports whether a session name has the variable that only users have a value for.
func hasUserName(s string) bool { return strings.Contains(s, userNameVariable) }

// CheckExternalIDFor reports whether there is a principal that can give the external ID, if there is one.
// Source: AWS STS API Reference, "AssumeRoleWithWebIdentity", which has no such parameter.
func CheckExternalIDFor(principals []string, externalID string) error {
	if externalID != "" && len(principals) == 0 {
		return rule.Broken("must not be given where only CI jobs are trusted: only users and roles can give an external ID")
	}
	return nil
}

// coversSessionNames reports whether every name that pattern b matches is matched by pattern a as well. It may miss
// a case, and never claims one: a variable of b could be any text, and one of a matches none.
func coversSessionNames(a, b string) bool {
	return covers(a, strings.ReplaceAll(b, userNameVariable, "*"))
}

// CheckSessionDuration reports whether a role's sessions can be limited to that many seconds: 3,600 to 43,200.
func CheckSessionDuration(seconds int) error {
	if seconds < minSessionDuration || seconds > maxSessionDuration {
		return rule.Broken("must be %d to %d seconds", minSessionDuration, maxSessionDuration)
	}
	return nil
}
