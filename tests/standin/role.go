package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// role is aws_iam_role without the inputs inlinePolicies and managedPolicyArns: name and path replace.
var role = &resourceType{
	token: "aws:iam/role:Role",
	doc:   "An IAM role.",
	props: map[string]prop{
		"name": {
			kind: kindString, doc: "The role's name; replaces.",
			autoname: true, forceNew: true,
			pattern: regexp.MustCompile(`^[\w+=,.@-]{1,64}$`),
			hint:    "must have at most 64 characters of alphanumerics and +=,.@-_",
		},
		"path": {
			kind: kindString, doc: "The role's path; replaces.", dflt: property.New("/"), forceNew: true, optional: true,
			check: atMost(512),
		},
		"assumeRolePolicy": {
			kind: kindPolicy, doc: "The trust policy; changed in place.", required: true, normal: normalizePolicy,
		},
		"description": {
			kind: kindString, doc: "The role's description; changed in place.", optional: true,
			check: atMost(1000), pattern: regexp.MustCompile("^[^“‘]*$"), hint: "must not contain “ or ‘",
		},
		"maxSessionDuration": {
			kind: kindInt, doc: "The longest session, in seconds; changed in place.",
			dflt: property.New(3600.0), optional: true, check: checkSessionDuration,
		},
		"permissionsBoundary": {
			kind: kindString, doc: "The ARN of the policy that bounds the role's permissions; changed in place.", optional: true,
			check: checkARN,
		},
		"forceDetachPolicies": {
			kind: kindBool, doc: "Whether deleting the role deletes and detaches its policies too.",
			dflt: property.New(false), optional: true,
		},
		"tags":       {kind: kindStringMap, doc: "The role's tags; changed in place.", optional: true},
		"tagsAll":    {kind: kindStringMap, doc: "The role's tags with the provider's default tags.", output: true},
		"arn":        {kind: kindString, doc: "The role's ARN.", output: true},
		"createDate": {kind: kindString, doc: "When the role was created.", output: true},
		"uniqueId":   {kind: kindString, doc: "The role's unique id.", output: true},
		// Terraform reads both, whoever put them there.
		"inlinePolicies":    {kind: kindObjects, doc: "Its inline policies.", output: true, optional: true},
		"managedPolicyArns": {kind: kindStrings, doc: "The ARNs of its managed policies.", output: true, optional: true},
	},
	unserved: []string{"inlinePolicies", "managedPolicyArns", "namePrefix"},
	create: func(ctx context.Context, c *awsClients, in values) (string, error) {
		name := str(in["name"])
		trust, err := normalizePolicy(str(in["assumeRolePolicy"]))
		if err != nil {
			return "", fmt.Errorf("creating IAM role (%s): %w", name, err)
		}
		request := &iam.CreateRoleInput{
			RoleName:                 aws.String(name),
			Path:                     aws.String(str(in["path"])),
			AssumeRolePolicyDocument: aws.String(trust),
			Tags:                     apiTags(strMap(in["tagsAll"]), iamTag),
		}
		if description := str(in["description"]); description != "" {
			request.Description = aws.String(description)
		}
		if seconds := in["maxSessionDuration"]; !isEmpty(seconds) {
			request.MaxSessionDuration = aws.Int32(int32(seconds.AsNumber()))
		}
		if boundary := str(in["permissionsBoundary"]); boundary != "" {
			request.PermissionsBoundary = aws.String(boundary)
		}
		out, err := c.iam.CreateRole(ctx, request)
		if err != nil {
			return "", fmt.Errorf("creating IAM role (%s): %w", name, err)
		}
		return aws.ToString(out.Role.RoleName), nil
	},
	read: func(ctx context.Context, c *awsClients, id string, prior values) (values, error) {
		out, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(id)})
		if isNoSuchEntity(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading IAM role (%s): %w", id, err)
		}
		r := out.Role
		trust, err := storedPolicy(str(prior["assumeRolePolicy"]), aws.ToString(r.AssumeRolePolicyDocument), normalizePolicy)
		if err != nil {
			return nil, fmt.Errorf("reading IAM role (%s): %w", id, err)
		}
		read := values{
			"name":                property.New(aws.ToString(r.RoleName)),
			"path":                property.New(aws.ToString(r.Path)),
			"assumeRolePolicy":    property.New(trust),
			"maxSessionDuration":  property.New(float64(aws.ToInt32(r.MaxSessionDuration))),
			"forceDetachPolicies": property.New(boolean(prior["forceDetachPolicies"])),
			"arn":                 property.New(aws.ToString(r.Arn)),
			"createDate":          property.New(aws.ToTime(r.CreateDate).Format(time.RFC3339)),
			"uniqueId":            property.New(aws.ToString(r.RoleId)),
		}
		if description := aws.ToString(r.Description); description != "" {
			read["description"] = property.New(description)
		}
		if b := r.PermissionsBoundary; b != nil && aws.ToString(b.PermissionsBoundaryArn) != "" {
			read["permissionsBoundary"] = property.New(aws.ToString(b.PermissionsBoundaryArn))
		}
		setTags(read, prior, tagMap(r.Tags, iamTagParts))
		if read["inlinePolicies"], err = inlinePolicies(ctx, c.iam, id); err != nil {
			return nil, fmt.Errorf("reading inline policies for IAM role %s, error: %w", id, err)
		}
		attached, err := c.iam.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String(id)})
		if err != nil {
			return nil, fmt.Errorf("reading IAM Policies attached to Role (%s): %w", id, err)
		}
		var arns []property.Value
		for _, policy := range attached.AttachedPolicies {
			arns = append(arns, property.New(aws.ToString(policy.PolicyArn)))
		}
		read["managedPolicyArns"] = property.New(arns)
		return read, nil
	},
	update: updateRole,
	delete: func(ctx context.Context, c *awsClients, id string, state values) error {
		if err := leaveInstanceProfiles(ctx, c.iam, id); err != nil && !isNoSuchEntity(err) {
			return fmt.Errorf("removing IAM role (%s) from its instance profiles: %w", id, err)
		}
		if boolean(state["forceDetachPolicies"]) {
			if err := dropRolePolicies(ctx, c.iam, id); err != nil && !isNoSuchEntity(err) {
				return fmt.Errorf("removing IAM role (%s) policies: %w", id, err)
			}
		}
		_, err := c.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String(id)})
		if err != nil && !isNoSuchEntity(err) {
			return fmt.Errorf("deleting IAM role (%s): %w", id, err)
		}
		return nil
	},
}

func atMost(characters int) func(property.Value) error {
	return func(v property.Value) error {
		if len(str(v)) > characters {
			return fmt.Errorf("must have at most %d characters", characters)
		}
		return nil
	}
}

func checkSessionDuration(seconds property.Value) error {
	if n := integer(seconds); n < 3600 || n > 43200 {
		return errors.New("must be between 3600 and 43200")
	}
	return nil
}

// updateRole makes one call per changed input.
func updateRole(
	ctx context.Context, c *awsClients, id string, old, in values, changed map[string]bool,
) (string, error) {
	name := aws.String(id)
	fail := func(what string, err error) (string, error) {
		return id, fmt.Errorf("updating IAM role (%s) %s: %w", id, what, err)
	}
	if remove, set := tagChanges(old["tagsAll"], in["tagsAll"]); changed["tagsAll"] {
		if len(remove) > 0 {
			if _, err := c.iam.UntagRole(ctx, &iam.UntagRoleInput{RoleName: name, TagKeys: remove}); err != nil {
				return fail("tags", err)
			}
		}
		if len(set) > 0 {
			if _, err := c.iam.TagRole(ctx, &iam.TagRoleInput{RoleName: name, Tags: apiTags(set, iamTag)}); err != nil {
				return fail("tags", err)
			}
		}
	}
	if changed["assumeRolePolicy"] {
		trust, err := normalizePolicy(str(in["assumeRolePolicy"]))
		if err != nil {
			return fail("assume role policy", err)
		}
		_, err = c.iam.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{
			RoleName: name, PolicyDocument: aws.String(trust),
		})
		if err != nil {
			return fail("assume role policy", err)
		}
	}
	if changed["description"] {
		_, err := c.iam.UpdateRoleDescription(ctx, &iam.UpdateRoleDescriptionInput{
			RoleName: name, Description: aws.String(str(in["description"])),
		})
		if err != nil {
			return fail("description", err)
		}
	}
	if changed["maxSessionDuration"] && !isEmpty(in["maxSessionDuration"]) {
		_, err := c.iam.UpdateRole(ctx, &iam.UpdateRoleInput{
			RoleName: name, MaxSessionDuration: aws.Int32(int32(in["maxSessionDuration"].AsNumber())),
		})
		if err != nil {
			return fail("max session duration", err)
		}
	}
	if changed["permissionsBoundary"] {
		if boundary := str(in["permissionsBoundary"]); boundary != "" {
			_, err := c.iam.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{
				RoleName: name, PermissionsBoundary: aws.String(boundary),
			})
			if err != nil {
				return fail("permissions boundary", err)
			}
		} else if _, err := c.iam.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{
			RoleName: name,
		}); err != nil {
			return fail("permissions boundary", err)
		}
	}
	return id, nil
}

// inlinePolicies are the names and documents of a role's inline policies.
func inlinePolicies(ctx context.Context, c *iam.Client, role string) (property.Value, error) {
	var policies []property.Value
	names, err := c.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: aws.String(role)})
	if err != nil {
		return property.Value{}, err
	}
	for _, name := range names.PolicyNames {
		policy, err := c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String(name)})
		if err != nil {
			return property.Value{}, err
		}
		document, err := url.QueryUnescape(aws.ToString(policy.PolicyDocument))
		if err != nil {
			return property.Value{}, err
		}
		policies = append(policies, stringMap(map[string]string{"name": name, "policy": document}))
	}
	return property.New(policies), nil
}

func leaveInstanceProfiles(ctx context.Context, c *iam.Client, role string) error {
	out, err := c.ListInstanceProfilesForRole(ctx, &iam.ListInstanceProfilesForRoleInput{RoleName: aws.String(role)})
	if err != nil {
		return err
	}
	return each(out.InstanceProfiles, func(profile types.InstanceProfile) error {
		_, err := c.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{
			RoleName: aws.String(role), InstanceProfileName: profile.InstanceProfileName,
		})
		return err
	})
}

func dropRolePolicies(ctx context.Context, c *iam.Client, role string) error {
	attached, err := c.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String(role)})
	if err != nil {
		return err
	}
	err = each(attached.AttachedPolicies, func(policy types.AttachedPolicy) error {
		_, err := c.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: aws.String(role), PolicyArn: policy.PolicyArn})
		return err
	})
	if err != nil {
		return err
	}
	inline, err := c.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: aws.String(role)})
	if err != nil {
		return err
	}
	return each(inline.PolicyNames, func(name string) error {
		_, err := c.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{
			RoleName: aws.String(role), PolicyName: aws.String(name),
		})
		return err
	})
}
