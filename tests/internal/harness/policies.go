package harness

import (
	"fmt"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// TrustPolicy returns the trust policy of a role that trusts the user, with more conditions. They begin with a comma.
func TrustPolicy(user, conditions string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},` +
		`"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:user/` + user +
		`"}` + conditions + `}}}`
}

// SeedPolicy is the policy of the seed's program, to the letter, in moto's account.
const SeedPolicy = `{
	"Version": "2012-10-17",
	"Statement": [{
		"Action": ["sts:AssumeRole"],
		"Effect": "Allow",
		"Resource": "arn:aws:iam::123456789012:role/*",
		"Sid": ""
	}]
}`

// SeedUser is the user of the seed's program, but for its random id.
var SeedUser = lab.User{
	Name: "cicd-bot", Path: "/", ARN: "arn:aws:iam::123456789012:user/cicd-bot",
	Tags:   map[string]string{"purpose": "Account used to perform Pulumi stack updates on CI/CD."},
	Groups: []string{"PulumiStackUpdaters"},
}

// CheckSeed checks that the account holds the seed's objects and nothing else. The policy's name is random.
func CheckSeed(t *testing.T, a *lab.Contents) {
	t.Helper()
	policies := map[string]string{}
	for _, group := range a.Groups {
		for name := range group.Policies {
			policies[name] = SeedPolicy
		}
	}
	if len(policies) != 1 {
		t.Errorf("there are %d policies", len(policies))
	}
	SameAccount(t, a, SeedUser, lab.Group{
		Name: "PulumiStackUpdaters", Path: "/", ARN: "arn:aws:iam::123456789012:group/PulumiStackUpdaters",
		Policies: policies,
	})
}

// SameAccount checks that an account holds one user and one group, but for their random ids.
func SameAccount(t *testing.T, a *lab.Contents, user lab.User, group lab.Group) {
	t.Helper()
	for i := range a.Users {
		a.Users[i].ID = ""
	}
	for i := range a.Groups {
		a.Groups[i].ID = ""
	}
	for name, policy := range group.Policies {
		group.Policies[name] = Canonical(t, policy)
	}
	Same(t, "the account", a, &lab.Contents{Users: []lab.User{user}, Groups: []lab.Group{group}})
}

// AssumePolicy returns a policy that allows assuming the roles that an ARN or a pattern names.
func AssumePolicy(resource string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":%q}]}`,
		resource)
}
