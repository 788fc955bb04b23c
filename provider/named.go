package provider

import (
	"errors"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

// A named is a kind of IAM object whose name is given to a component.
type named struct {
	// kind is what IAM calls it, typ the type of its resource, and input the component's input.
	kind  string
	typ   tokens.Type
	input string
	// lookUp returns the one with a name.
	lookUp func(ctx *pulumi.Context, name string, opts ...pulumi.InvokeOption) (iam.Entity, error)
	// create is the command that creates one, without its name, if a component has others beside it.
	create string
	// byARN says that Pulumi imports it by its ARN, and not by its name.
	byARN bool
}

var (
	namedUser = named{
		kind: "user", typ: "aws:iam/user:User", input: "userName", lookUp: lookUpUser,
		create: "aws iam create-user --user-name",
	}
	namedGroup = named{
		kind: "group", typ: "aws:iam/group:Group", input: "groupName", lookUp: lookUpGroup,
		create: "aws iam create-group --group-name",
	}
	namedRole = named{kind: "role", typ: "aws:iam/role:Role", input: "roleName", lookUp: lookUpRole}
)

func lookUpUser(ctx *pulumi.Context, name string, opts ...pulumi.InvokeOption) (iam.Entity, error) {
	user, err := awsiam.LookupUser(ctx, &awsiam.LookupUserArgs{UserName: name}, opts...)
	if err != nil {
		return iam.Entity{}, err
	}
	return iam.ParseEntity("user", user.Arn)
}

func lookUpGroup(ctx *pulumi.Context, name string, opts ...pulumi.InvokeOption) (iam.Entity, error) {
	group, err := awsiam.LookupGroup(ctx, &awsiam.LookupGroupArgs{GroupName: name}, opts...)
	if err != nil {
		return iam.Entity{}, err
	}
	entity, err := iam.ParseEntity("group", group.Arn)
	for _, user := range group.Users {
		entity.Members = append(entity.Members, user.UserName)
	}
	return entity, err
}

func lookUpRole(ctx *pulumi.Context, name string, opts ...pulumi.InvokeOption) (iam.Entity, error) {
	role, err := awsiam.LookupRole(ctx, &awsiam.LookupRoleArgs{Name: name}, opts...)
	if err != nil {
		return iam.Entity{}, err
	}
	return iam.ParseEntity("role", role.Arn)
}

// previewedARN returns the ARN of a component's child whose name may be given. In a preview, the AWS provider does not
// tell that of a child which it creates, and tells the old one of a user whose path it changes. There the ARN follows
// from the child's name and path, so that a reviewer sees it in the policies that name it. These are the child's own
// outputs, and not the inputs of the component: a transform may change them, and --target leaves them as they are.
func (c *construction) previewedARN(
	arn, name pulumi.StringOutput, path pulumi.StringPtrOutput, account *iam.Account, object named,
) pulumi.StringOutput {
	if !c.DryRun() || account == nil || !c.in.Given(object.input) {
		return arn
	}
	return applyText(pulumi.All(name, path.Elem()), func(v []any) (string, error) {
		var name, path string
		if err := errors.Join(castTo(&name, v[0]), castTo(&path, v[1])); err != nil {
			return "", err
		}
		return account.EntityARN(object.kind, path, name), nil
	})
}
