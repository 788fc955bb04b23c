package e2e

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// TestSeed runs the seed's own program, written on @pulumi/aws, and then RobotAccount in the same, emptied account:
// the objects in AWS are equal, and so are the calls that change something.
func TestSeed(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	var accounts []*lab.Contents
	var calls []map[string]int
	for _, folder := range []string{"tests/programs/seed-typescript", "examples/robot-account-typescript"} {
		s := harness.ProgramStack(t, l, "typescript", folder)
		l.Calls()
		s.MustUp()
		writes := map[string]int{}
		for _, action := range l.Writes() {
			writes[action]++
		}
		calls = append(calls, writes)
		a := harness.Account(t, l)
		harness.CheckSeed(t, a) // Which takes the random ids away.
		accounts = append(accounts, withoutPolicyNames(a))
		_, err := s.Destroy(t.Context(), optdestroy.Remove())
		harness.Check(t, err)
	}
	harness.Same(t, "RobotAccount's objects, and the seed's", accounts[1], accounts[0])
	harness.Same(t, "RobotAccount's calls, and the seed's", calls[1], calls[0])
}

// TestByHand checks that the programs that the benchmark compares the component with make what the component makes.
func TestByHand(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"typescript", "python", "go"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			l := harness.NewLab(t)
			s := harness.ProgramStack(t, l, language, "tests/programs/many-by-hand-"+language)
			harness.Check(t, s.SetConfig(t.Context(), "robots", auto.ConfigValue{Value: "1"}))
			s.MustUp()
			user := harness.SeedUser
			user.Name, user.ARN, user.Groups = "cicd-bot-0", user.ARN+"-0", []string{"PulumiStackUpdaters-0"}
			harness.SameAccount(t, withoutPolicyNames(harness.Account(t, l)), user, lab.Group{
				Name: "PulumiStackUpdaters-0", Path: "/", ARN: "arn:aws:iam::123456789012:group/PulumiStackUpdaters-0",
				Policies: map[string]string{"*": harness.SeedPolicy},
			})
			s.MustDestroy()
		})
	}
}

// withoutPolicyNames takes the names of policies away, which the seed's program leaves to chance.
func withoutPolicyNames(a *lab.Contents) *lab.Contents {
	for i, group := range a.Groups {
		policies := map[string]string{}
		for _, policy := range group.Policies {
			policies["*"] = policy
		}
		a.Groups[i].Policies = policies
	}
	return a
}
