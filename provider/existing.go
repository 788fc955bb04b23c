package provider

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// errorHookVersions are the versions of the Pulumi CLI that have error hooks in Go.
const errorHookVersions = ">=3.217.1"

// explainExisting returns an option for the child of a type and name that tells the way on if AWS has an object of the
// same name already.
func (c *construction) explainExisting(
	component pulumi.ComponentResource, typ tokens.Type, name string, explain func(args *pulumi.ErrorHookArgs) string,
) (pulumi.ResourceOption, error) {
	return c.explainErrors(component, typ, name, func(args *pulumi.ErrorHookArgs) string {
		if len(args.Errors) == 0 || !strings.Contains(args.Errors[0], "EntityAlreadyExists") {
			return ""
		}
		return explain(args)
	})
}

// explainErrors returns an option for the child of a type and name that tells the way on after an error, unless there
// is nothing to tell.
// An error hook cannot add to the error of AWS, only replace it, so this one logs a second error on the component. A
// CLI without error hooks shows the error of AWS alone.
func (c *construction) explainErrors(
	component pulumi.ComponentResource, typ tokens.Type, name string, explain func(args *pulumi.ErrorHookArgs) string,
) (pulumi.ResourceOption, error) {
	if c.DryRun() {
		return pulumi.Composite(), nil
	}
	if err := c.RequireCLI(c.Context, errorHookVersions); err != nil {
		return pulumi.Composite(), nil //nolint:nilerr // See above.
	}
	hook, err := c.OnError(c.Context, c.childURN(typ, name), func(args *pulumi.ErrorHookArgs) error {
		if text := explain(args); text != "" {
			return c.Log.Error(text, &pulumi.LogArgs{Resource: component})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return pulumi.ResourceHooks(&pulumi.ResourceHookBinding{OnError: []*pulumi.ErrorHook{hook}}), nil
}

// explainTaken is [construction.explainExisting] for an object whose name may be given. IAM takes names for the same
// that differ only by case, so that a change of case looks as if somebody else had the name.
func (c *construction) explainTaken(
	component pulumi.ComponentResource, object named, name string,
) (pulumi.ResourceOption, error) {
	return c.explainExisting(component, object.typ, name, func(args *pulumi.ErrorHookArgs) string {
		if !c.in.Given(object.input) {
			return "the object of this name was left over by an update that was cut off, or somebody else made it; see " +
				leftOver
		}
		if wanted := args.NewInputs["name"]; wanted.IsString() {
			found, err := object.lookUp(c.Context, wanted.StringValue(), pulumi.Parent(component), c.AWSVersion())
			if err == nil && found.Name != wanted.StringValue() {
				return fmt.Sprintf("%s: the account has the %s %q, and IAM does not tell names apart by case; to change the "+
					"case only, change to a third name first", object.input, object.kind, found.Name)
			}
		}
		return fmt.Sprintf("%s: the account has a %s of this name already; choose another name, or take it over with %s: "+
			"true, see %s. If it is one of this stack, change to a third name first; if an update that was cut off left it "+
			"over, see %s", object.input, object.kind, adoptInput, adoptGuide, leftOver)
	})
}

// leftOver is where the guide says what to do about objects that Pulumi does not know.
const leftOver = repository + "/blob/main/docs/failures.md#what-is-left-over"
