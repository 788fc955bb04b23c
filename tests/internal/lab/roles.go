package lab

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// A Role is an IAM role.
type Role struct {
	Name, Path, ARN, ID string
	// Trust is the policy that says who may assume it, as [Canonical] writes it.
	Trust       string
	Description string `json:",omitempty"`
	// MaxSessionDuration is in seconds.
	MaxSessionDuration int32
	Boundary           string `json:",omitempty"`
	Tags               map[string]string
	// Policies are the documents of its inline policies by name, as [Canonical] writes them.
	Policies map[string]string
	// Attached are the ARNs of its managed policies, sorted.
	Attached []string `json:",omitempty"`
}

func readRoles(ctx context.Context, client *iam.Client) ([]Role, error) {
	var roles []Role
	pages := iam.NewListRolesPaginator(client, &iam.ListRolesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the roles: %w", err)
		}
		for _, r := range page.Roles {
			role, err := readRole(ctx, client, aws.ToString(r.RoleName))
			if err != nil {
				return nil, fmt.Errorf("read the role %s: %w", aws.ToString(r.RoleName), err)
			}
			roles = append(roles, role)
		}
	}
	slices.SortFunc(roles, func(a, b Role) int { return cmp.Compare(a.Name, b.Name) })
	return roles, nil
}

func readRole(ctx context.Context, client *iam.Client, name string) (Role, error) {
	got, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return Role{}, err
	}
	r := got.Role
	role := Role{
		Name: name, Path: aws.ToString(r.Path), ARN: aws.ToString(r.Arn), ID: aws.ToString(r.RoleId),
		Description: aws.ToString(r.Description), MaxSessionDuration: aws.ToInt32(r.MaxSessionDuration),
		Tags: map[string]string{}, Policies: map[string]string{},
	}
	if role.Trust, err = readDocument(r.AssumeRolePolicyDocument); err != nil {
		return Role{}, err
	}
	if r.PermissionsBoundary != nil {
		role.Boundary = aws.ToString(r.PermissionsBoundary.PermissionsBoundaryArn)
	}
	for _, tag := range r.Tags {
		role.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	inline, err := client.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &name})
	if err != nil {
		return Role{}, err
	}
	for _, policy := range inline.PolicyNames {
		got, err := client.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: &policy})
		if err != nil {
			return Role{}, err
		}
		if role.Policies[policy], err = readDocument(got.PolicyDocument); err != nil {
			return Role{}, fmt.Errorf("the policy %s: %w", policy, err)
		}
	}
	attached, err := client.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &name})
	if err != nil {
		return Role{}, err
	}
	for _, policy := range attached.AttachedPolicies {
		role.Attached = append(role.Attached, aws.ToString(policy.PolicyArn))
	}
	slices.Sort(role.Attached)
	return role, nil
}
