package provider

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// TestPreviewedARNs checks that a preview has the ARN of a user, a group and a role whose names are given, with the name
// and path that the child has, and that all other ARNs are those of AWS.
func TestPreviewedARNs(t *testing.T) {
	t.Parallel()
	bot, unknown := resource.NewProperty("bot"), resource.MakeComputed(resource.NewProperty(""))
	for _, tt := range []struct {
		kind, of, input, output string
	}{
		{"user", "User", "userName", "userArn"}, {"group", "Group", "groupName", "groupArn"},
		{"role", "Role", "roleName", "roleArn"},
	} {
		known := "arn:aws-cn:iam::210987654321:" + tt.kind
		for name, c := range map[string]struct {
			inputs map[string]resource.PropertyValue
			// child are properties of the child that differ from the inputs.
			child  resource.PropertyMap
			want   string
			secret bool
			update bool
		}{
			"name":           {inputs: map[string]resource.PropertyValue{tt.input: bot}, want: known + "/bot"},
			"path":           {inputs: map[string]resource.PropertyValue{tt.input: bot, "path": resource.NewProperty("/ci/")}, want: known + "/ci/bot"},
			"secret":         {inputs: map[string]resource.PropertyValue{tt.input: resource.MakeSecret(bot)}, want: known + "/bot", secret: true},
			"generated name": {want: "arn:" + tt.of},
			"unknown name":   {inputs: map[string]resource.PropertyValue{tt.input: unknown}},
			"unknown path":   {inputs: map[string]resource.PropertyValue{tt.input: bot, "path": unknown}},
			"transform": {
				inputs: map[string]resource.PropertyValue{tt.input: bot},
				child:  resource.PropertyMap{"name": resource.NewProperty("my-bot"), "path": resource.NewProperty("/my/")},
				want:   known + "/my/my-bot",
			},
			"update": {inputs: map[string]resource.PropertyValue{tt.input: bot}, want: "arn:" + tt.of, update: true},
		} {
			t.Run(tt.kind+" "+name, func(t *testing.T) {
				t.Parallel()
				tp := startProvider(t)
				tp.callerARN = "arn:aws-cn:iam::210987654321:user/me"
				tp.state = map[string]resource.PropertyMap{"aws:iam/" + tt.kind + ":" + tt.of: c.child}
				inputs := resource.PropertyMap{}
				for name, v := range c.inputs {
					inputs[resource.PropertyKey(name)] = v
				}
				req := tp.robotRequest(t, inputs)
				if tt.kind == "role" {
					inputs["trusted"] = strs("arn:aws-cn:iam::210987654321:user/me")
					req = tp.request(t, deploymentRoleToken, inputs)
				}
				req.DryRun = !c.update
				resp, err := tp.Construct(t.Context(), req)
				check(t, err)
				got := unmarshal(t, resp.GetState())[resource.PropertyKey(tt.output)]
				want := resource.NewProperty(c.want)
				if c.secret {
					want = resource.MakeSecret(want)
				}
				if c.want == "" && !got.ContainsUnknowns() || c.want != "" && !got.DeepEquals(want) {
					t.Errorf("it is %v, and not %v", got, want)
				}
			})
		}
	}
}
