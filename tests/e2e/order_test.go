package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// A change is one of an input, with the calls of AWS that it takes: those in one string come in any order.
type change struct {
	input string
	value any
	calls []string
}

// TestOrder checks, for each input of each component, which calls change AWS, and in which order: what is new comes
// before what is old goes, where AWS takes two.
func TestOrder(t *testing.T) {
	t.Parallel()
	policy, trust := []string{"PutGroupPolicy"}, []string{"UpdateAssumeRolePolicy"}
	for component, tt := range map[string]struct {
		inputs  map[string]any
		changes []change
	}{
		"RobotAccount": {
			map[string]any{"userName": "robot", "groupName": "robots", "policyName": "assume"}, []change{
				// What the stack has is not taken over.
				{"adopt", true, nil},
				{"adopt", nil, nil},
				{"tags", map[string]string{"a": "b"}, []string{"TagUser"}},
				{"path", "/cicd/", []string{"UpdateGroup UpdateUser"}},
				{"permissionsBoundary", accountIAM + "policy/old", []string{"PutUserPermissionsBoundary"}},
				{"forceDestroy", true, nil},
				{"assumableRoles", []string{"cicd/*"}, policy},
				{"sourceIps", []string{"203.0.113.0/24"}, policy},
				{"allowSessionTags", true, policy},
				{"confine", true, policy},
				{"policyName", "assume-roles", []string{"PutGroupPolicy", "DeleteGroupPolicy"}},
				{"userName", "robot2", []string{
					"CreateUser", "RemoveUserFromGroup", "AddUserToGroup", "DeleteLoginProfile", "DeleteUser",
				}},
				{"groupName", "robots2", []string{
					"CreateGroup", "AddUserToGroup PutGroupPolicy", "DeleteGroupPolicy RemoveUserFromGroup", "DeleteGroup",
				}},
			},
		},
		"DeploymentRole": {
			map[string]any{"trusted": []string{accountIAM + "user/robot"}, "roleName": "deploy"}, []change{
				{"adopt", true, nil},
				{"adopt", nil, nil},
				{"trusted", []string{accountIAM + "user/other"}, trust},
				{"trustedJobs", []any{map[string]any{"gitlab": map[string]any{"project": "acme/shop", "branch": "main"}}}, trust},
				{"externalId", "external", trust},
				{"sessionNames", []string{"gha-*"}, trust},
				{"allowSessionTags", true, trust},
				{"sourceIps", []string{"203.0.113.0/24"}, trust},
				{"description", "Deploys.", []string{"UpdateRoleDescription"}},
				{"permissionsBoundary", accountIAM + "policy/old", []string{"PutRolePermissionsBoundary"}},
				{"maxSessionDuration", 7200, []string{"UpdateRole"}},
				{"tags", map[string]string{"a": "b"}, []string{"TagRole"}},
				{"managedPolicyArns", []string{accountIAM + "policy/old"}, []string{"AttachRolePolicy"}},
				{"managedPolicyArns", []string{accountIAM + "policy/new"}, []string{"AttachRolePolicy", "DetachRolePolicy"}},
				{"inlinePolicies", map[string]string{"a": harness.AssumePolicy("*")}, []string{"PutRolePolicy"}},
				{"inlinePolicies", map[string]string{"b": harness.AssumePolicy("*")}, []string{"PutRolePolicy", "DeleteRolePolicy"}},
				{"roleName", "deploy2", []string{
					"CreateRole", "AttachRolePolicy PutRolePolicy", "DeleteRolePolicy DetachRolePolicy", "DeleteRole",
				}},
				// AWS takes no second role of the same name, on whatever path.
				{"path", "/cicd/", []string{
					"DeleteRolePolicy DetachRolePolicy", "DeleteRole", "CreateRole", "AttachRolePolicy PutRolePolicy",
				}},
				{"revokeSessionsBefore", "2026-11-26T15:30:00Z", []string{"PutRolePolicy"}},
				{"revokeSessionsBefore", nil, []string{"DeleteRolePolicy"}},
			},
		},
		"OidcProvider": {
			map[string]any{"issuer": "https://gitlab.com"}, []change{
				{"adopt", true, nil},
				{"adopt", nil, nil},
				{"audiences", []string{"https://gitlab.com", "sts"}, []string{"AddClientIDToOpenIDConnectProvider"}},
				{"audiences", []string{"aws"}, []string{
					"AddClientIDToOpenIDConnectProvider",
					"RemoveClientIDFromOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider",
				}},
				{
					"thumbprints", []string{"0123456789abcdef0123456789abcdef01234567"},
					[]string{"UpdateOpenIDConnectProviderThumbprint"},
				},
				{"tags", map[string]string{"a": "b"}, []string{"TagOpenIDConnectProvider"}},
				{"issuer", "https://ci.example.com", []string{"CreateOpenIDConnectProvider", "DeleteOpenIDConnectProvider"}},
			},
		},
		"AccessKey": {
			map[string]any{"userName": "one"}, []change{
				{"rotateEvery", "90d", nil},
				{"secretsManager", map[string]any{"name": "one"}, []string{"CreateSecret", "PutSecretValue"}},
				{"ssmPath", "/one", []string{"PutParameter PutParameter"}},
				{"generation", 2, []string{"CreateAccessKey", "PutParameter PutParameter PutSecretValue"}},
				// A secret lives until the update after the one that renames it.
				{"secretsManager", map[string]any{"name": "two"}, []string{"CreateSecret", "PutSecretValue"}},
				{"rotateEvery", "80d", []string{"DeleteSecret"}},
				{"secretsManager", map[string]any{"name": "two", "kmsKeyId": "alias/two"}, []string{"UpdateSecret"}},
				{"ssmPath", "/two", []string{"PutParameter PutParameter", "DeleteParameter DeleteParameter"}},
				{"revoked", true, []string{"PutUserPolicy UpdateAccessKey UpdateAccessKey"}},
				{"revoked", false, []string{"PutUserPolicy UpdateAccessKey UpdateAccessKey"}},
				{"previous", "inactive", []string{"UpdateAccessKey"}},
				// AWS takes two keys of a user: the one before the previous one goes first.
				{"generation", 3, []string{
					"DeleteAccessKey", "CreateAccessKey", "PutParameter PutParameter PutSecretValue", "UpdateAccessKey",
				}},
				{"previous", "deleted", []string{"DeleteAccessKey"}},
				{"handOver", "7d", nil},
				{"generation", 4, []string{"CreateAccessKey", "PutParameter PutParameter PutSecretValue"}},
				{"userName", "two", []string{
					"CreateAccessKey UpdateSecret", "PutParameter PutParameter PutSecretValue",
					"DeleteAccessKey DeleteAccessKey DeleteUserPolicy",
				}},
				{"secretsManager", nil, nil},
				{"ssmPath", nil, []string{"DeleteParameter DeleteParameter DeleteSecret"}},
				{"pgpKey", publicKey(t, 0), []string{"CreateAccessKey"}},
			},
		},
	} {
		t.Run(component, func(t *testing.T) {
			t.Parallel()
			l := harness.NewLab(t)
			createPolicies(t, l, "old", "new")
			client := awsiam.NewFromConfig(l.Config())
			for _, name := range []string{"one", "two"} {
				_, err := client.CreateUser(t.Context(), &awsiam.CreateUserInput{UserName: &name})
				harness.Check(t, err)
			}
			inputs := maps.Clone(tt.inputs)
			dir := ""
			run := func(args ...string) {
				t.Helper()
				var err error
				dir, err = l.WriteProgram("order", map[string]lab.Resource{"it": {Type: "cicd:" + component, Properties: inputs}})
				harness.Check(t, err)
				if out, err := l.Command(t.Context(), dir, args...).CombinedOutput(); err != nil {
					t.Fatalf("%v: %v\n%s", args, err, out)
				}
			}
			run("stack", "init", "--secrets-provider", lab.SecretsProvider)
			run("up", "--yes", "--skip-preview")
			l.Writes()
			untried := inputsOf(t, component)
			for _, c := range tt.changes {
				inputs[c.input] = c.value
				delete(untried, c.input)
				run("up", "--yes", "--skip-preview")
				if calls := l.Writes(); !inOrder(calls, c.calls) {
					t.Errorf("%s = %v: the calls are\n%q and not\n%q", c.input, c.value, calls, c.calls)
				}
			}
			if len(untried) > 0 {
				t.Errorf("no change of %v is tried", slices.Sorted(maps.Keys(untried)))
			}
		})
	}
}

// inOrder reports whether calls are those that are wanted, where those in one string come in any order.
func inOrder(calls, want []string) bool {
	for _, group := range want {
		together := strings.Fields(group)
		if len(calls) < len(together) || !slices.Equal(slices.Sorted(slices.Values(calls[:len(together)])), together) {
			return false
		}
		calls = calls[len(together):]
	}
	return len(calls) == 0
}

// inputsOf returns the names of a component's inputs.
func inputsOf(t *testing.T, component string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Repo(t), "schema.json"))
	harness.Check(t, err)
	var schema struct {
		Resources map[string]struct{ InputProperties map[string]any }
	}
	harness.Check(t, json.Unmarshal(text, &schema))
	inputs := schema.Resources["cicd:index:"+component].InputProperties
	if len(inputs) == 0 {
		t.Fatalf("the schema has no inputs of %s", component)
	}
	return inputs
}

// createPolicies creates managed policies.
func createPolicies(t *testing.T, l *lab.Lab, names ...string) {
	t.Helper()
	document := harness.AssumePolicy("*")
	for _, name := range names {
		_, err := awsiam.NewFromConfig(l.Config()).CreatePolicy(t.Context(), &awsiam.CreatePolicyInput{
			PolicyName: &name, PolicyDocument: &document,
		})
		harness.Check(t, err)
	}
}
