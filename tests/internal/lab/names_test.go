package lab

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// TestNames checks that names that differ only in letter case are one name, in each call, and that it stays as it was
// given first.
func TestNames(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), t.Context()
	c := iam.NewFromConfig(l.Config())
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}`
	name, other, third := aws.String("ci"), aws.String("CI"), aws.String("third")
	for _, entity := range []struct {
		kind           string
		create, rename func(*string) error
		get            func(*string) (*string, error)
		remove         func(*string) error
	}{
		{
			"User", func(n *string) error {
				_, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: n})
				return err
			}, func(n *string) error {
				_, err := c.UpdateUser(ctx, &iam.UpdateUserInput{UserName: other, NewUserName: n})
				return err
			}, func(n *string) (*string, error) {
				got, err := c.GetUser(ctx, &iam.GetUserInput{UserName: n})
				if err != nil {
					return nil, err
				}
				return got.User.UserName, nil
			}, func(n *string) error {
				_, err := c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: n})
				return err
			},
		},
		{
			"Group", func(n *string) error {
				_, err := c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: n})
				return err
			}, func(n *string) error {
				_, err := c.UpdateGroup(ctx, &iam.UpdateGroupInput{GroupName: other, NewGroupName: n})
				return err
			}, func(n *string) (*string, error) {
				got, err := c.GetGroup(ctx, &iam.GetGroupInput{GroupName: n})
				if err != nil {
					return nil, err
				}
				return got.Group.GroupName, nil
			}, func(n *string) error {
				_, err := c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: n})
				return err
			},
		},
		{
			"Role", func(n *string) error {
				_, err := c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: n, AssumeRolePolicyDocument: aws.String(trust)})
				return err
			}, nil, func(n *string) (*string, error) {
				got, err := c.GetRole(ctx, &iam.GetRoleInput{RoleName: n})
				if err != nil {
					return nil, err
				}
				return got.Role.RoleName, nil
			}, func(n *string) error {
				_, err := c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: n})
				return err
			},
		},
	} {
		ok(t)(nil, entity.create(name))
		fails(t, entity.create(name), "EntityAlreadyExists", entity.kind+" with name ci already exists.")
		fails(t, entity.create(other), "EntityAlreadyExists", entity.kind+" with name CI already exists.")
		if got, err := entity.get(other); err != nil || *got != "ci" {
			t.Errorf("%s CI is %v: %v", entity.kind, aws.ToString(got), err)
		}
		left := name
		if entity.rename != nil {
			fails(t, entity.rename(other), "EntityAlreadyExists", entity.kind+" with name CI already exists.")
			ok(t)(nil, entity.rename(name)) // Such as with a new path.
			ok(t)(nil, entity.rename(third))
			left = aws.String("THIRD")
			ok(t)(nil, entity.create(other))
			fails(t, entity.rename(left), "EntityAlreadyExists", entity.kind+" with name THIRD already exists.")
			ok(t)(nil, entity.remove(name))
		}
		ok(t)(nil, entity.remove(left))
		_, err := entity.get(left)
		fails(t, err, "NoSuchEntity", "")
		ok(t)(nil, entity.create(other))
	}
	// What belongs to them goes by the same names.
	ok(t)(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: name, GroupName: name}))
	key := createKey(t, c, "ci")
	if keys := listKeys(t, c, "Ci"); len(keys) != 1 || *keys[0].AccessKeyId != *key.AccessKeyId || *keys[0].UserName != "CI" {
		t.Errorf("the keys are %+v", keys)
	}
	if u := contents(t, l).Users; len(u) != 1 || u[0].Name != "CI" || len(u[0].Groups) != 1 || u[0].Groups[0] != "CI" || len(u[0].Keys) != 1 {
		t.Errorf("the users are %+v", u)
	}
	ok(t)(nil, l.Reset(ctx))
	createUser(t, c, "ci")
}
