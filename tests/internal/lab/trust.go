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
	key := f.key(call.scope.key)
	enforcing := f.enforcing
	f.mu.Unlock()
	if !enforcing || key == nil || call.Action != "AssumeRole" {
		return true, done
	}
	ctx := context.WithoutCancel(r.Context())
	enforce := func(on bool) { _ = f.control(ctx, "reset-auth", authCount(on)) }
	enforce(false)
	defer enforce(true)

	arn := call.Params.Get("RoleArn")
	name := path.Base(arn)
	role, err := f.client.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil || aws.ToString(role.Role.Arn) != arn {
		return true, done
	}
	user, err := f.client.GetUser(ctx, &iam.GetUserInput{UserName: &key.user})
	if err != nil {
		return false, done
	}
	trust, err := url.QueryUnescape(aws.ToString(role.Role.AssumeRolePolicyDocument))
	if err != nil {
		return false, done
	}
	source, _, _ := net.SplitHostPort(r.RemoteAddr)
	if !trusts(trust, map[string]string{
		"aws:PrincipalArn": aws.ToString(user.User.Arn), "aws:username": key.user, "aws:SourceIp": source,
		"sts:RoleSessionName": call.Params.Get("RoleSessionName"), "sts:ExternalId": call.Params.Get("ExternalId"),
	}) {
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
		enforce(false)
		_ = set(trust)
		enforce(true)
	}
}

// trusts reports whether a trust policy lets a user assume its role, by the condition keys of the call. What it does
// not know, an effect, an operator or a key, trusts nobody.
func trusts(policy string, keys map[string]string) bool {
	var document struct {
		Statement statements
	}
	if json.Unmarshal([]byte(policy), &document) != nil {
		return false
	}
	user := keys["aws:PrincipalArn"]
	account := strings.Join(strings.SplitN(user, ":", 6)[:5], ":") + ":root"
	trusted := false
	for _, s := range document.Statement {
		if s.Effect != "Allow" {
			return false
		}
		principals := s.Principal["AWS"]
		if (slices.Contains(principals, user) || slices.Contains(principals, account)) &&
			slices.Contains(s.Action, "sts:AssumeRole") && holds(s.Condition, keys) {
			trusted = true
		}
	}
	return trusted
}

func holds(conditions map[string]map[string]oneOrMore, keys map[string]string) bool {
	for operator, wanted := range conditions {
		for key, alternatives := range wanted {
			got := keys[key]
			if got == "" || !slices.ContainsFunc(alternatives, func(want string) bool {
				want = strings.ReplaceAll(want, "${aws:username}", keys["aws:username"])
				switch operator {
				case "StringEquals", "ArnEquals":
					return got == want
				case "StringLike":
					return like(want, got)
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
func like(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case pattern[0] == '*':
		return like(pattern[1:], s) || (s != "" && like(pattern, s[1:]))
	default:
		return s != "" && (pattern[0] == '?' || pattern[0] == s[0]) && like(pattern[1:], s[1:])
	}
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
