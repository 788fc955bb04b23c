package lab

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// Contents are what the APIs say of an account: all that the package's components can make in one.
type Contents struct {
	Users      []User
	Groups     []Group
	Roles      []Role      `json:",omitempty"`
	Providers  []Provider  `json:",omitempty"`
	Secrets    []Secret    `json:",omitempty"`
	Parameters []Parameter `json:",omitempty"`
}

// A User is an IAM user.
type User struct {
	Name, Path, ARN, ID string
	Boundary            string `json:",omitempty"`
	Tags                map[string]string
	// Groups are the names of the groups it is in.
	Groups []string `json:",omitempty"`
	// Policies are the names of policies of the user itself, which there should be none of.
	Policies []string `json:",omitempty"`
	// AccessKeys are the ids of its access keys.
	AccessKeys []string `json:",omitempty"`
	// Keys are its access keys, from the oldest to the youngest.
	Keys []AccessKey `json:",omitempty"`
}

// An AccessKey is an access key of a user.
type AccessKey struct {
	ID string
	// Status is Active or Inactive.
	Status string
	// Created is when it was made, which no two accounts have in common.
	Created time.Time `json:"-"`
}

// A Group is an IAM group.
type Group struct {
	Name, Path, ARN, ID string
	// Policies are the documents of its inline policies by name, as [Canonical] writes them: AWS plugins reorder them.
	Policies map[string]string
	// Attached are the ARNs of its managed policies.
	Attached []string `json:",omitempty"`
}

// Contents reads the account back through the APIs. What it tells is never behind, but access keys are as old as IAM
// says.
func (l *Lab) Contents(ctx context.Context) (*Contents, error) {
	reader := l.ConfigFor(readerKeyID, secretAccessKey, "")
	client := iam.NewFromConfig(reader)
	account := &Contents{}
	if err := readIdentities(ctx, client, l.front, account); err != nil {
		return nil, err
	}
	var err error
	if account.Roles, err = readRoles(ctx, client); err != nil {
		return nil, err
	}
	if account.Providers, err = readProviders(ctx, client); err != nil {
		return nil, err
	}
	// moto takes a second for the first call of SSM, which is for nothing where nobody has used it.
	if l.front.used("secretsmanager") {
		if account.Secrets, err = readSecrets(ctx, secretsmanager.NewFromConfig(reader)); err != nil {
			return nil, err
		}
	}
	if l.front.used("ssm") {
		if account.Parameters, err = readParameters(ctx, ssm.NewFromConfig(reader)); err != nil {
			return nil, err
		}
	}
	return account, nil
}

// readIdentities reads the users and the groups.
func readIdentities(ctx context.Context, client *iam.Client, f *front, account *Contents) error {
	users, err := client.ListUsers(ctx, &iam.ListUsersInput{})
	if err != nil {
		return fmt.Errorf("list the users: %w", err)
	}
	for _, u := range users.Users {
		user, err := readUser(ctx, client, f, aws.ToString(u.UserName))
		if err != nil {
			return err
		}
		account.Users = append(account.Users, user)
	}
	groups, err := client.ListGroups(ctx, &iam.ListGroupsInput{})
	if err != nil {
		return fmt.Errorf("list the groups: %w", err)
	}
	for _, g := range groups.Groups {
		group := Group{
			Name: aws.ToString(g.GroupName), Path: aws.ToString(g.Path), ARN: aws.ToString(g.Arn), ID: aws.ToString(g.GroupId),
			Policies: map[string]string{},
		}
		if err := readPolicies(ctx, client, &group); err != nil {
			return err
		}
		account.Groups = append(account.Groups, group)
	}
	slices.SortFunc(account.Users, func(a, b User) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(account.Groups, func(a, b Group) int { return cmp.Compare(a.Name, b.Name) })
	return nil
}

func readUser(ctx context.Context, client *iam.Client, f *front, name string) (User, error) {
	got, err := client.GetUser(ctx, &iam.GetUserInput{UserName: &name})
	if err != nil {
		return User{}, fmt.Errorf("get the user %s: %w", name, err)
	}
	user := User{
		Name: name, Path: aws.ToString(got.User.Path), ARN: aws.ToString(got.User.Arn), ID: aws.ToString(got.User.UserId),
		Boundary: f.boundary(name), Tags: map[string]string{},
	}
	for _, tag := range got.User.Tags {
		user.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	groups, err := client.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: &name})
	if err != nil {
		return User{}, fmt.Errorf("list the groups of %s: %w", name, err)
	}
	for _, group := range groups.Groups {
		user.Groups = append(user.Groups, aws.ToString(group.GroupName))
	}
	policies, err := client.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: &name})
	if err != nil {
		return User{}, fmt.Errorf("list the policies of %s: %w", name, err)
	}
	user.Policies = policies.PolicyNames
	attached, err := client.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: &name})
	if err != nil {
		return User{}, fmt.Errorf("list the attached policies of %s: %w", name, err)
	}
	for _, policy := range attached.AttachedPolicies {
		user.Policies = append(user.Policies, aws.ToString(policy.PolicyArn))
	}
	keys, err := client.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &name})
	if err != nil {
		return User{}, fmt.Errorf("list the access keys of %s: %w", name, err)
	}
	for _, key := range keys.AccessKeyMetadata {
		user.AccessKeys = append(user.AccessKeys, aws.ToString(key.AccessKeyId))
		user.Keys = append(user.Keys, AccessKey{
			ID: aws.ToString(key.AccessKeyId), Status: string(key.Status), Created: aws.ToTime(key.CreateDate),
		})
	}
	slices.SortStableFunc(user.Keys, func(a, b AccessKey) int { return a.Created.Compare(b.Created) })
	return user, nil
}

func readPolicies(ctx context.Context, client *iam.Client, group *Group) error {
	inline, err := client.ListGroupPolicies(ctx, &iam.ListGroupPoliciesInput{GroupName: &group.Name})
	if err != nil {
		return fmt.Errorf("list the policies of %s: %w", group.Name, err)
	}
	for _, name := range inline.PolicyNames {
		policy, err := client.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: &group.Name, PolicyName: &name})
		if err != nil {
			return fmt.Errorf("get the policy %s of %s: %w", name, group.Name, err)
		}
		if group.Policies[name], err = readDocument(policy.PolicyDocument); err != nil {
			return fmt.Errorf("read the policy %s of %s: %w", name, group.Name, err)
		}
	}
	attached, err := client.ListAttachedGroupPolicies(ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: &group.Name})
	if err != nil {
		return fmt.Errorf("list the attached policies of %s: %w", group.Name, err)
	}
	for _, policy := range attached.AttachedPolicies {
		group.Attached = append(group.Attached, aws.ToString(policy.PolicyArn))
	}
	return nil
}

// readDocument returns a policy document of an answer, as [Canonical] writes it. IAM answers in URL encoding.
func readDocument(encoded *string) (string, error) {
	document, err := url.QueryUnescape(aws.ToString(encoded))
	if err != nil {
		return "", err
	}
	return Canonical(document)
}

// Canonical returns a policy document as IAM understands it, in one spelling: to IAM a list of one element is the
// element, the order of lists does not matter, and an empty Sid is none.
func Canonical(document string) (string, error) {
	var v any
	if err := json.Unmarshal([]byte(document), &v); err != nil {
		return "", fmt.Errorf("read the policy document %q: %w", document, err)
	}
	text, err := json.MarshalIndent(canonicalValue(v), "", "  ")
	return string(text), err
}

func canonicalValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, element := range v {
			if v[key] = canonicalValue(element); key == "Sid" && element == "" {
				delete(v, key)
			}
		}
	case []any:
		for i := range v {
			v[i] = canonicalValue(v[i])
		}
		slices.SortFunc(v, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		if len(v) == 1 {
			return v[0]
		}
	}
	return v
}
