package provider

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// errorHookVersions are the versions of the Pulumi CLI that have error hooks in Go.
const errorHookVersions = ">=3.217.1"

// explainExisting returns an option for children that tells the way on if AWS has an object of the same name already.
// An error hook cannot add to the error of AWS, only replace it, so this one logs a second error on the component. A
// CLI without error hooks shows the error of AWS alone.
func (c *construction) explainExisting(
	component pulumi.ComponentResource, explain func(args *pulumi.ErrorHookArgs, component pulumi.URN) string,
) (pulumi.ResourceOption, error) {
	if c.DryRun() {
		return pulumi.Composite(), nil
	}
	if err := c.RequirePulumiVersion(errorHookVersions); err != nil {
		return pulumi.Composite(), nil //nolint:nilerr // See above.
	}
	urn := await[pulumi.URN](c.Context.Context(), component.URN())
	name := fmt.Sprintf("explain errors of %s %s in %s", c.token, c.name, c.parent)
	hook, err := c.RegisterOnError(c.Context, name, func(args *pulumi.ErrorHookArgs) error {
		if len(args.Errors) == 0 || !strings.Contains(args.Errors[0], "EntityAlreadyExists") {
			return nil
		}
		parent, err := urn()
		if err != nil {
			return err
		}
		return c.Log.Error(explain(args, parent), &pulumi.LogArgs{Resource: component})
	})
	if err != nil {
		return nil, err
	}
	return pulumi.ResourceHooks(&pulumi.ResourceHookBinding{OnError: []*pulumi.ErrorHook{hook}}), nil
}

// A named is a kind of IAM object whose name can be given.
type named struct {
	// kind is what IAM calls it, and input the component's input.
	kind, input string
	// lookUp returns the ARN of the one with a name.
	lookUp func(ctx *pulumi.Context, name string, opts ...pulumi.InvokeOption) (arn string, err error)
}

// explainTaken is [construction.explainExisting] for children with names that are given. IAM takes names for the same
// that differ only by case, so that a change of case looks as if somebody else had the name.
func (c *construction) explainTaken(
	component pulumi.ComponentResource, children map[string]named,
) (pulumi.ResourceOption, error) {
	return c.explainExisting(component, func(args *pulumi.ErrorHookArgs, _ pulumi.URN) string {
		child, wanted := children[string(args.Type)], args.NewInputs["name"]
		if child.lookUp == nil || !c.in.Given(child.input) {
			return "the object of this name was left over by an update that was cut off, or somebody else made it; see " +
				leftOver
		}
		if wanted.IsString() {
			arn, err := child.lookUp(c.Context, wanted.StringValue(), pulumi.Parent(component), c.AWSVersion())
			name := arn[strings.LastIndex(arn, "/")+1:]
			if err == nil && name != wanted.StringValue() && strings.EqualFold(name, wanted.StringValue()) {
				return fmt.Sprintf("%s: the account has the %s %q, and IAM does not tell names apart by case; to change the "+
					"case only, change to a third name first", child.input, child.kind, name)
			}
		}
		return fmt.Sprintf("%s: the account has a %s of this name already; choose another name. If it is one of this stack, "+
			"change to a third name first; if an update that was cut off left it over, see %s", child.input, child.kind,
			leftOver)
	})
}

// leftOver is where the guide says what to do about objects that Pulumi does not know.
const leftOver = repository + "/blob/main/docs/failures.md#what-is-left-over"
