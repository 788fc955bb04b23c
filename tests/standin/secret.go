package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

var (
	secretName     = regexp.MustCompile(`^[\w/+=.@-]{1,512}$`)
	secretNameHint = "must have at most 512 characters of alphanumerics and /_+=.@-"
)

// secret is aws_secretsmanager_secret without its policy and replicas: only its name replaces. Terraform tries for two
// minutes to create a secret whose name belongs to one that is to be deleted; this gives up at once.
var secret = &resourceType{
	token: "aws:secretsmanager/secret:Secret",
	doc:   "A secret of Secrets Manager, without its value.",
	props: map[string]prop{
		"name": {
			kind: kindString, doc: "The secret's name; replaces.",
			autoname: true, forceNew: true,
			pattern: secretName, hint: secretNameHint,
		},
		"description": {kind: kindString, doc: "The secret's description; changed in place.", optional: true},
		"kmsKeyId": {
			kind: kindString, doc: "The key that the value is encrypted with; changed in place.", optional: true,
		},
		"recoveryWindowInDays": {
			kind: kindInt, doc: "How long a deleted secret can be restored: 7 to 30 days, or 0 for not at all.",
			dflt: property.New(30.0), optional: true, check: checkRecoveryWindow,
		},
		"forceOverwriteReplicaSecret": {
			kind: kindBool, doc: "Whether replicas replace secrets of their name.", dflt: property.New(false), optional: true,
		},
		"tags":    {kind: kindStringMap, doc: "The secret's tags; changed in place.", optional: true},
		"tagsAll": {kind: kindStringMap, doc: "The secret's tags with the provider's default tags.", output: true},
		"arn":     {kind: kindString, doc: "The secret's ARN.", output: true},
		"policy":  {kind: kindString, doc: "The secret's resource policy.", output: true},
	},
	unserved: []string{"namePrefix", "policy", "replicas", "type"},
	create: func(ctx context.Context, c *awsClients, in values) (string, error) {
		name := str(in["name"])
		request := &secretsmanager.CreateSecretInput{
			Name:                        aws.String(name),
			ClientRequestToken:          aws.String(requestToken()),
			Description:                 aws.String(str(in["description"])),
			ForceOverwriteReplicaSecret: boolean(in["forceOverwriteReplicaSecret"]),
			Tags:                        apiTags(strMap(in["tagsAll"]), secretTag),
		}
		if key := str(in["kmsKeyId"]); key != "" {
			request.KmsKeyId = aws.String(key)
		}
		out, err := c.secretsManager.CreateSecret(ctx, request)
		if err != nil {
			return "", fmt.Errorf("creating Secrets Manager Secret (%s): %w", name, err)
		}
		return aws.ToString(out.ARN), nil
	},
	read: func(ctx context.Context, c *awsClients, id string, prior values) (values, error) {
		out, err := findSecret(ctx, c, id)
		if out == nil || err != nil {
			return nil, err
		}
		policy, err := c.secretsManager.GetResourcePolicy(ctx, &secretsmanager.GetResourcePolicyInput{
			SecretId: aws.String(id),
		})
		if err != nil {
			return nil, fmt.Errorf("reading Secrets Manager Secret (%s) policy: %w", id, err)
		}
		read := values{
			"name":                        property.New(aws.ToString(out.Name)),
			"recoveryWindowInDays":        prior["recoveryWindowInDays"],
			"forceOverwriteReplicaSecret": property.New(boolean(prior["forceOverwriteReplicaSecret"])),
			"arn":                         property.New(aws.ToString(out.ARN)),
			"policy":                      property.New(aws.ToString(policy.ResourcePolicy)),
		}
		setTexts(read, map[string]*string{"description": out.Description, "kmsKeyId": out.KmsKeyId})
		setTags(read, prior, tagMap(out.Tags, secretTagParts))
		return read, nil
	},
	update: updateSecret,
	delete: func(ctx context.Context, c *awsClients, id string, state values) error {
		request := &secretsmanager.DeleteSecretInput{SecretId: aws.String(id)}
		// An imported secret has no window in its state, which Terraform takes for 0.
		if days := integer(state["recoveryWindowInDays"]); days == 0 {
			request.ForceDeleteWithoutRecovery = aws.Bool(true)
		} else {
			request.RecoveryWindowInDays = aws.Int64(days)
		}
		_, err := c.secretsManager.DeleteSecret(ctx, request)
		if isNoSuchSecret(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("deleting Secrets Manager Secret (%s): %w", id, err)
		}
		left, err := findSecret(ctx, c, id)
		if err == nil && left != nil {
			err = fmt.Errorf("waiting for Secrets Manager Secret (%s) delete: it is still there", id)
		}
		return err
	},
}

// updateSecret tells AWS the description with any other change. A key that the program gives up stays, as Terraform
// cannot ask for none.
func updateSecret(
	ctx context.Context, c *awsClients, id string, old, in values, changed map[string]bool,
) (string, error) {
	if remove, set := tagChanges(old["tagsAll"], in["tagsAll"]); changed["tagsAll"] {
		if len(remove) > 0 {
			_, err := c.secretsManager.UntagResource(ctx, &secretsmanager.UntagResourceInput{
				SecretId: aws.String(id), TagKeys: remove,
			})
			if err != nil {
				return id, fmt.Errorf("untagging Secrets Manager Secret (%s): %w", id, err)
			}
		}
		if len(set) > 0 {
			_, err := c.secretsManager.TagResource(ctx, &secretsmanager.TagResourceInput{
				SecretId: aws.String(id), Tags: apiTags(set, secretTag),
			})
			if err != nil {
				return id, fmt.Errorf("tagging Secrets Manager Secret (%s): %w", id, err)
			}
		}
	}
	if changed["description"] || changed["kmsKeyId"] {
		request := &secretsmanager.UpdateSecretInput{
			SecretId:           aws.String(id),
			ClientRequestToken: aws.String(requestToken()),
			Description:        aws.String(str(in["description"])),
		}
		if key := str(in["kmsKeyId"]); key != "" {
			request.KmsKeyId = aws.String(key)
		}
		if _, err := c.secretsManager.UpdateSecret(ctx, request); err != nil {
			return id, fmt.Errorf("updating Secrets Manager Secret (%s): %w", id, err)
		}
	}
	return id, nil
}

// findSecret is what AWS says of a secret, and nil for one that is gone or on the way.
func findSecret(ctx context.Context, c *awsClients, id string) (*secretsmanager.DescribeSecretOutput, error) {
	out, err := c.secretsManager.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(id)})
	if isNoSuchSecret(err) || (err == nil && out.DeletedDate != nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading Secrets Manager Secret (%s): %w", id, err)
	}
	return out, nil
}

func checkRecoveryWindow(days property.Value) error {
	if n := integer(days); n != 0 && (n < 7 || n > 30) {
		return errors.New("must be 0, or between 7 and 30")
	}
	return nil
}

func isNoSuchSecret(err error) bool {
	var notFound *types.ResourceNotFoundException
	return errors.As(err, &notFound)
}

// requestToken is Terraform's token for a call, by which AWS knows one that is made again.
func requestToken() string { return uniqueName("terraform-") }

func secretTag(key, value *string) types.Tag { return types.Tag{Key: key, Value: value} }

func secretTagParts(t types.Tag) (key, value *string) { return t.Key, t.Value }
