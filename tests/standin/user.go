package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// user is aws_iam_user: everything changes in place.
var user = &resourceType{
	token: "aws:iam/user:User",
	doc:   "An IAM user.",
	props: map[string]prop{
		"name": {
			kind: kindString, doc: "The user's name; renamed in place.",
			autoname: true, pattern: iamName, hint: iamNameHint,
		},
		"path": {kind: kindString, doc: "The user's path; moved in place.", dflt: property.New("/"), optional: true},
		"permissionsBoundary": {
			kind: kindString, doc: "The ARN of the policy that bounds the user's permissions; changed in place.", optional: true,
		},
		"forceDestroy": {
			kind: kindBool, doc: "Whether deleting the user deletes its credentials and policies too.",
			dflt: property.New(false), optional: true,
		},
		"tags":     {kind: kindStringMap, doc: "The user's tags; changed in place.", optional: true},
		"tagsAll":  {kind: kindStringMap, doc: "The user's tags with the provider's default tags.", output: true},
		"arn":      {kind: kindString, doc: "The user's ARN.", output: true},
		"uniqueId": {kind: kindString, doc: "The user's unique id.", output: true},
	},
	create: func(ctx context.Context, c *awsClients, in values) (string, error) {
		name := str(in["name"])
		request := &iam.CreateUserInput{
			UserName: aws.String(name), Path: aws.String(str(in["path"])), Tags: apiTags(strMap(in["tagsAll"]), iamTag),
		}
		if boundary := str(in["permissionsBoundary"]); boundary != "" {
			request.PermissionsBoundary = aws.String(boundary)
		}
		out, err := c.iam.CreateUser(ctx, request)
		if err != nil {
			return "", fmt.Errorf("creating IAM user (%s): %w", name, err)
		}
		return aws.ToString(out.User.UserName), nil
	},
	read: func(ctx context.Context, c *awsClients, id string, prior values) (values, error) {
		out, err := c.iam.GetUser(ctx, &iam.GetUserInput{UserName: aws.String(id)})
		if isNoSuchEntity(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading IAM user (%s): %w", id, err)
		}
		read := values{
			"name":         property.New(aws.ToString(out.User.UserName)),
			"path":         property.New(aws.ToString(out.User.Path)),
			"arn":          property.New(aws.ToString(out.User.Arn)),
			"uniqueId":     property.New(aws.ToString(out.User.UserId)),
			"forceDestroy": property.New(boolean(prior["forceDestroy"])),
		}
		if b := out.User.PermissionsBoundary; b != nil && aws.ToString(b.PermissionsBoundaryArn) != "" {
			read["permissionsBoundary"] = property.New(aws.ToString(b.PermissionsBoundaryArn))
		}
		setTags(read, prior, tagMap(out.User.Tags, iamTagParts))
		return read, nil
	},
	update: func(ctx context.Context, c *awsClients, id string, old, in values, changed map[string]bool) (string, error) {
		if remove, set := tagChanges(old["tagsAll"], in["tagsAll"]); changed["tagsAll"] {
			if len(remove) > 0 {
				if _, err := c.iam.UntagUser(ctx, &iam.UntagUserInput{UserName: aws.String(id), TagKeys: remove}); err != nil {
					return "", fmt.Errorf("untagging IAM user (%s): %w", id, err)
				}
			}
			if len(set) > 0 {
				_, err := c.iam.TagUser(ctx, &iam.TagUserInput{UserName: aws.String(id), Tags: apiTags(set, iamTag)})
				if err != nil {
					return "", fmt.Errorf("tagging IAM user (%s): %w", id, err)
				}
			}
		}
		if changed["name"] || changed["path"] {
			_, err := c.iam.UpdateUser(ctx, &iam.UpdateUserInput{
				UserName:    aws.String(str(old["name"])),
				NewUserName: aws.String(str(in["name"])),
				NewPath:     aws.String(str(in["path"])),
			})
			if err != nil {
				return "", fmt.Errorf("updating IAM user (%s): %w", id, err)
			}
			id = str(in["name"])
		}
		if changed["permissionsBoundary"] {
			if boundary := str(in["permissionsBoundary"]); boundary != "" {
				_, err := c.iam.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{
					UserName: aws.String(id), PermissionsBoundary: aws.String(boundary),
				})
				if err != nil {
					return id, fmt.Errorf("setting IAM user (%s) permissions boundary: %w", id, err)
				}
			} else {
				_, err := c.iam.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{
					UserName: aws.String(id),
				})
				if err != nil {
					return id, fmt.Errorf("deleting IAM user (%s) permissions boundary: %w", id, err)
				}
			}
		}
		return id, nil
	},
	delete: func(ctx context.Context, c *awsClients, id string, state values) error {
		// Terraform removes the user from its groups always, and not only with forceDestroy.
		if err := leaveGroups(ctx, c, id); err != nil && !isNoSuchEntity(err) {
			return fmt.Errorf("removing IAM user (%s) group memberships: %w", id, err)
		}
		if boolean(state["forceDestroy"]) {
			for _, remove := range forceDestroySteps {
				if err := remove.do(ctx, c.iam, id); err != nil && !isNoSuchEntity(err) {
					return fmt.Errorf("removing IAM user (%s) %s: %w", id, remove.what, err)
				}
			}
		}
		_, err := c.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String(id)})
		if err != nil && !isNoSuchEntity(err) {
			return fmt.Errorf("deleting IAM user (%s): %w", id, err)
		}
		return nil
	},
	// Terraform keeps the old ARN in the plan of a rename, so a preview shows it too.
}

func leaveGroups(ctx context.Context, c *awsClients, user string) error {
	pages := iam.NewListGroupsForUserPaginator(c.iam, &iam.ListGroupsForUserInput{UserName: aws.String(user)})
	var groups []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, g := range page.Groups {
			groups = append(groups, aws.ToString(g.GroupName))
		}
	}
	for _, g := range groups {
		if err := removeUsers(ctx, c, g, []string{user}); err != nil {
			return err
		}
	}
	return nil
}

// forceDestroySteps are what forceDestroy removes, in Terraform's order. Terraform lists service-specific
// credentials as well; moto 5.2.1 does not implement that call and nothing served here creates any, so it is
// left out.
var forceDestroySteps = []struct {
	what string
	do   func(ctx context.Context, c *iam.Client, user string) error
}{
	{"policies", func(ctx context.Context, c *iam.Client, user string) error {
		out, err := c.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: aws.String(user)})
		if err != nil {
			return err
		}
		return each(out.PolicyNames, func(name string) error {
			_, err := c.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{
				UserName: aws.String(user), PolicyName: aws.String(name),
			})
			return err
		})
	}},
	{"attached policies", func(ctx context.Context, c *iam.Client, user string) error {
		out, err := c.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: aws.String(user)})
		if err != nil {
			return err
		}
		return each(out.AttachedPolicies, func(policy types.AttachedPolicy) error {
			_, err := c.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{
				UserName: aws.String(user), PolicyArn: policy.PolicyArn,
			})
			return err
		})
	}},
	{"access keys", func(ctx context.Context, c *iam.Client, user string) error {
		keys, err := accessKeysOf(ctx, c, user)
		if err != nil {
			return err
		}
		return each(keys, func(key types.AccessKeyMetadata) error {
			_, err := c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: aws.String(user), AccessKeyId: key.AccessKeyId})
			return err
		})
	}},
	{"SSH keys", func(ctx context.Context, c *iam.Client, user string) error {
		out, err := c.ListSSHPublicKeys(ctx, &iam.ListSSHPublicKeysInput{UserName: aws.String(user)})
		if err != nil {
			return err
		}
		return each(out.SSHPublicKeys, func(key types.SSHPublicKeyMetadata) error {
			_, err := c.DeleteSSHPublicKey(ctx, &iam.DeleteSSHPublicKeyInput{
				UserName: aws.String(user), SSHPublicKeyId: key.SSHPublicKeyId,
			})
			return err
		})
	}},
	{"virtual MFA devices", func(ctx context.Context, c *iam.Client, user string) error {
		pages := iam.NewListVirtualMFADevicesPaginator(c, &iam.ListVirtualMFADevicesInput{
			AssignmentStatus: types.AssignmentStatusTypeAssigned,
		})
		var mine []*string
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, device := range page.VirtualMFADevices {
				// The account's root has a device without a user's name.
				if device.User != nil && aws.ToString(device.User.UserName) == user {
					mine = append(mine, device.SerialNumber)
				}
			}
		}
		return each(mine, func(serial *string) error {
			_, err := c.DeactivateMFADevice(ctx, &iam.DeactivateMFADeviceInput{UserName: aws.String(user), SerialNumber: serial})
			if err != nil {
				return err
			}
			_, err = c.DeleteVirtualMFADevice(ctx, &iam.DeleteVirtualMFADeviceInput{SerialNumber: serial})
			return err
		})
	}},
	{"MFA devices", func(ctx context.Context, c *iam.Client, user string) error {
		out, err := c.ListMFADevices(ctx, &iam.ListMFADevicesInput{UserName: aws.String(user)})
		if err != nil {
			return err
		}
		return each(out.MFADevices, func(device types.MFADevice) error {
			_, err := c.DeactivateMFADevice(ctx, &iam.DeactivateMFADeviceInput{
				UserName: aws.String(user), SerialNumber: device.SerialNumber,
			})
			return err
		})
	}},
	{"login profile", func(ctx context.Context, c *iam.Client, user string) error {
		_, err := c.DeleteLoginProfile(ctx, &iam.DeleteLoginProfileInput{UserName: aws.String(user)})
		return err
	}},
	{"signing certificates", func(ctx context.Context, c *iam.Client, user string) error {
		out, err := c.ListSigningCertificates(ctx, &iam.ListSigningCertificatesInput{UserName: aws.String(user)})
		if err != nil {
			return err
		}
		return each(out.Certificates, func(certificate types.SigningCertificate) error {
			_, err := c.DeleteSigningCertificate(ctx, &iam.DeleteSigningCertificateInput{
				UserName: aws.String(user), CertificateId: certificate.CertificateId,
			})
			return err
		})
	}},
}

func each[T any](all []T, do func(T) error) error {
	for _, e := range all {
		if err := do(e); err != nil {
			return err
		}
	}
	return nil
}
