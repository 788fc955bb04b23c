package lab

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/pulumi-cicd/pulumi-cicd/internal/sharedissuers"
)

// trustsEverybody is what moto is told of a role that trusts the caller.
const trustsEverybody = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},` +
	`"Action":"sts:AssumeRole"}]}`

// decideTrust decides in moto's place, where policies are enforced, whether a role trusts the user who calls
// sts:AssumeRole: to moto an account's root is not everybody in the account, and most conditions always hold. If the
// role does, moto takes it to trust everybody until done is called, and decides on the policies of the user alone.
// Callers who are no users, and roles that are not there, are left to moto. Nobody decides on session tags.
func (f *front) decideTrust(r *http.Request, call Call) (trusted bool, done func()) {
	done = func() {}
	f.mu.Lock()
	who, _ := f.caller(call.scope.key)
	enforcing := f.enforcing
	f.mu.Unlock()
	if !enforcing || who.user == "" || call.Action != "AssumeRole" {
		return true, done
	}
	ctx := context.WithoutCancel(r.Context())
	defer f.lift(ctx)()
	arn := call.Params.Get("RoleArn")
	name := path.Base(arn)
	role, err := f.client.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil || aws.ToString(role.Role.Arn) != arn {
		return true, done
	}
	user, err := f.client.GetUser(ctx, &iam.GetUserInput{UserName: &who.user})
	if err != nil {
		return false, done
	}
	trust, err := url.QueryUnescape(aws.ToString(role.Role.AssumeRolePolicyDocument))
	if err != nil {
		return false, done
	}
	caller := aws.ToString(user.User.Arn)
	account := strings.Join(strings.SplitN(caller, ":", 6)[:5], ":") + ":root"
	if !trusts(trust, trustQuestion{"sts:AssumeRole", map[string][]string{"AWS": {caller, account}}, map[string]string{
		"aws:PrincipalArn": caller, "aws:username": who.user, "aws:SourceIp": sourceIP(r),
		"sts:RoleSessionName": call.Params.Get("RoleSessionName"), "sts:ExternalId": call.Params.Get("ExternalId"),
	}}) {
		return false, done
	}
	set := func(document string) error {
		_, err := f.client.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{
			RoleName: &name, PolicyDocument: &document,
		})
		return err
	}
	if set(trustsEverybody) != nil {
		return false, done
	}
	return true, func() {
		defer f.lift(ctx)()
		_ = set(trust)
	}
}

// lift has moto take calls from anybody until the function that it returns is called, where policies are enforced. The
// caller has moto to itself.
func (f *front) lift(ctx context.Context) (enforce func()) {
	if !f.isEnforcing() {
		return func() {}
	}
	_ = f.control(ctx, "reset-auth", authCount(false))
	return func() { _ = f.control(ctx, "reset-auth", authCount(true)) }
}

func sourceIP(r *http.Request) string {
	source, _, _ := net.SplitHostPort(r.RemoteAddr)
	return source
}

// refuseTrust refuses a trust policy that lets in every tenant of an issuer that many customers share.
func (f *front) refuseTrust(w http.ResponseWriter, call Call) bool {
	text := call.Params.Get("AssumeRolePolicyDocument")
	switch call.Action {
	case "CreateRole":
	case "UpdateAssumeRolePolicy":
		text = call.Params.Get("PolicyDocument")
	default:
		return false
	}
	var document trustPolicy
	if json.Unmarshal([]byte(text), &document) != nil {
		return false // moto says so.
	}
	for _, s := range document.Statement {
		for _, provider := range s.Principal["Federated"] {
			_, issuer, _ := strings.Cut(provider, ":oidc-provider/")
			if key := sharedissuers.Missing(issuer, s.Condition); key != "" && s.Effect == "Allow" {
				writeError(w, "iam", http.StatusBadRequest, "MalformedPolicyDocument", "Trust policy with trusted principal "+
					provider+" must evaluate, using StringEquals, StringLike or StringEqualsIgnoreCase, "+key+
					" which is not scoped to all.")
				return true
			}
		}
	}
	return false
}

// trustQuestion is a call that a role's trust policy decides on.
type trustQuestion struct {
	action string
	// principals are those that the caller is, by the kind that policies have them under.
	principals map[string][]string
	// keys are the condition keys that IAM knows of the call.
	keys map[string]string
}

// trusts reports whether a trust policy lets a caller in. What it does not know, an effect, an operator or a key,
// trusts nobody.
func trusts(policy string, q trustQuestion) bool {
	var document trustPolicy
	if json.Unmarshal([]byte(policy), &document) != nil {
		return false
	}
	keys := map[string]string{} // Their letter case does not matter.
	for key, value := range q.keys {
		keys[strings.ToLower(key)] = value
	}
	trusted := false
	for _, s := range document.Statement {
		if s.Effect != "Allow" {
			return false
		}
		named := false
		for kind, principals := range q.principals {
			for _, principal := range principals {
				named = named || slices.Contains(s.Principal[kind], principal)
			}
		}
		if named && slices.Contains(s.Action, q.action) && holds(s.Condition, keys) {
			trusted = true
		}
	}
	return trusted
}

// holds reports whether all conditions hold. A key that the call does not have fails.
// Source: "IAM JSON policy elements: Condition operators".
func holds(conditions map[string]map[string]oneOrMore, keys map[string]string) bool {
	for operator, wanted := range conditions {
		for key, alternatives := range wanted {
			got := keys[strings.ToLower(key)]
			if got == "" || !slices.ContainsFunc(alternatives, func(want string) bool {
				if name := keys["aws:username"]; name != "" {
					want = strings.ReplaceAll(want, "${aws:username}", name)
				}
				switch operator {
				case "StringEquals", "ArnEquals":
					return got == want
				case "StringEqualsIgnoreCase":
					return strings.EqualFold(got, want)
				case "StringLike":
					return like([]rune(want), []rune(got))
				case "IpAddress":
					within, err := netip.ParsePrefix(want)
					address, err2 := netip.ParseAddr(got)
					return err == nil && err2 == nil && within.Contains(address)
				}
				return false
			}) {
				return false
			}
		}
	}
	return true
}

// like reports whether s matches a pattern with * for any characters and ? for one.
func like(pattern, s []rune) bool {
	switch {
	case len(pattern) == 0:
		return len(s) == 0
	case pattern[0] == '*':
		return like(pattern[1:], s) || (len(s) > 0 && like(pattern, s[1:]))
	default:
		return len(s) > 0 && (pattern[0] == '?' || pattern[0] == s[0]) && like(pattern[1:], s[1:])
	}
}

type trustPolicy struct {
	Statement statements
}

type statement struct {
	Effect    string
	Principal map[string]oneOrMore
	Action    oneOrMore
	Condition map[string]map[string]oneOrMore
}

// statements are a list of statements, or one.
type statements []statement

// UnmarshalJSON reads them.
func (s *statements) UnmarshalJSON(text []byte) error {
	if one := (statement{}); json.Unmarshal(text, &one) == nil {
		*s = statements{one}
		return nil
	}
	return json.Unmarshal(text, (*[]statement)(s))
}

// oneOrMore is a list of strings, or one.
type oneOrMore []string

// UnmarshalJSON reads it.
func (s *oneOrMore) UnmarshalJSON(text []byte) error {
	if one := ""; json.Unmarshal(text, &one) == nil {
		*s = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(s))
}
