package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

// keyOutputNames are the outputs of an access key that are text.
var keyOutputNames = []string{
	"accessKeyId", "secretAccessKey", "encryptedSecretAccessKey", "previousAccessKeyId", "rotatedAt", "rotateAfter", "secretArn",
}

// TestAccessKeyOutputsOfOthers checks that every output can be given to other resources, where it is empty too: a
// second preview has no changes.
func TestAccessKeyOutputsOfOthers(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := newKeyStack(t, l)
	all := values{"generation": "${key.generation}", "ssmParameterNames": "${key.ssmParameterNames}"}
	tags := values{
		"generation":        "${key.generation}",
		"ssmParameterNames": values{"fn::join": []any{" ", "${key.ssmParameterNames}"}},
	}
	for _, name := range keyOutputNames {
		all[name], tags[name] = "${key."+name+"}", "${key."+name+"}"
	}
	others := values{
		"robot": values{"type": "cicd:RobotAccount", "properties": values{"userName": "cicd-bot"}},
		// As they are: a tag may be empty.
		"reader": values{"type": "aws:iam:User", "properties": values{"name": "reader", "tags": tags}},
		"copy":   values{"type": "aws:secretsmanager:Secret", "properties": values{"name": "copy", "recoveryWindowInDays": 0}},
		"copyValue": values{"type": "aws:secretsmanager:SecretVersion", "properties": values{
			"secretId": "${copy.id}", "secretString": values{"fn::toJSON": all},
		}},
		"parameter": values{"type": "aws:ssm:Parameter", "properties": values{
			"name": "/copy", "type": "String", "value": "${key.accessKeyId} after ${key.previousAccessKeyId}, in ${key.secretArn}",
		}},
	}
	for i, inputs := range []values{
		{},
		{"generation": 2, "rotateEvery": "90d", "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"},
		{"generation": 3, "previous": "deleted", "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"},
	} {
		s.WriteWith(others, inputs)
		result, _ := s.MustUp()
		s.Unchanged()
		o := harness.ReadKeyOutputs(t, result.Outputs)
		if o.Generation != i+1 || (o.PreviousAccessKeyID == "") != (i != 1) || (o.SecretArn == "") != (i == 0) ||
			(len(o.SsmParameterNames) == 0) != (i == 0) || (o.RotateAfter == "") != (i != 1) || o.EncryptedSecretAccessKey != "" {
			t.Errorf("the outputs are %+v", o)
		}
		a, copied := harness.Account(t, l), harness.KeyOutputs{}
		for _, secret := range a.Secrets {
			if secret.Name == "copy" {
				harness.Check(t, json.Unmarshal([]byte(secret.Value), &copied))
			}
		}
		harness.Same(t, "the outputs in a secret", copied, o)
		for _, p := range a.Parameters {
			if want := o.AccessKeyID + " after " + o.PreviousAccessKeyID + ", in " + o.SecretArn; p.Name == "/copy" && p.Value != want {
				t.Errorf("the outputs in a parameter are %q, not %q", p.Value, want)
			}
		}
		for _, user := range a.Users {
			if user.Name == "reader" && (len(user.Tags) != len(tags) || user.Tags["secretAccessKey"] != o.SecretAccessKey ||
				user.Tags["previousAccessKeyId"] != o.PreviousAccessKeyID || user.Tags["rotatedAt"] != o.RotatedAt) {
				t.Errorf("the outputs in tags are %v", user.Tags)
			}
		}
	}
	onlyPackageProvider(s.Stack)
	s.MustDestroy()
}

// TestAccessKeyInline checks that a program without a project of its own, through the Automation API, has a robot and
// its access key of one provider.
func TestAccessKeyInline(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		robot, err := cicd.NewRobotAccount(ctx, "robot", nil)
		if err != nil {
			return err
		}
		key, err := cicd.NewAccessKey(ctx, "key", &cicd.AccessKeyArgs{UserName: robot.UserName})
		if err != nil {
			return err
		}
		ctx.Export("accessKeyId", key.AccessKeyId)
		return nil
	})
	result, _ := s.MustUp()
	if keys := harness.KeysOf(t, l); len(keys) != 1 || keys[0] != result.Outputs["accessKeyId"].Value.(string)+harness.Active {
		t.Errorf("the user has the keys %v, and the outputs are %v", keys, result.Outputs)
	}
	if inputs := onlyPackageProvider(s); !strings.Contains(inputs, "pluginDownloadURL:") || !strings.Contains(inputs, "version:") {
		t.Errorf("the package's provider has the inputs %s", inputs)
	}
	s.Unchanged()
	s.MustDestroy()
}

// onlyPackageProvider checks that the state has one provider of the package, and returns its inputs.
func onlyPackageProvider(s *harness.Stack) (inputs string) {
	s.T.Helper()
	var providers []string
	for urn, r := range s.Resources() {
		if r.Type == "pulumi:providers:cicd" {
			providers, inputs = append(providers, urn), fmt.Sprint(r.Inputs)
		}
	}
	if len(providers) != 1 {
		s.T.Errorf("the state has the providers %v", providers)
	}
	return inputs
}
