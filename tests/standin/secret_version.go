package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// The staging labels that AWS moves by itself.
const (
	stageCurrent  = "AWSCURRENT"
	stagePrevious = "AWSPREVIOUS"
)

// secretVersion is aws_secretsmanager_secret_version for text: only its staging labels change in place. AWS deletes
// versions that have no label, some day, and never lets a secret be without a current version.
var secretVersion = &resourceType{
	token: "aws:secretsmanager/secretVersion:SecretVersion",
	doc:   "A value of a secret of Secrets Manager.",
	props: map[string]prop{
		"secretId": {kind: kindString, doc: "The secret's ARN or name; replaces.", required: true, forceNew: true},
		"secretString": {
			kind: kindString, doc: "The value; replaces.", forceNew: true, secret: true, optional: true,
		},
		"versionStages": {kind: kindStrings, doc: "The staging labels; changed in place.", computed: true},
		"versionId":     {kind: kindString, doc: "The id of the version.", output: true},
		"arn":           {kind: kindString, doc: "The secret's ARN.", output: true},
	},
	unserved: []string{"secretBinary", "secretStringWo", "secretStringWoVersion"},
	create: func(ctx context.Context, c *awsClients, in values) (string, error) {
		secret := str(in["secretId"])
		request := &secretsmanager.PutSecretValueInput{
			SecretId: aws.String(secret), ClientRequestToken: aws.String(requestToken()),
			VersionStages: sorted(strs(in["versionStages"])),
		}
		if value := str(in["secretString"]); value != "" {
			request.SecretString = aws.String(value)
		}
		out, err := c.secretsManager.PutSecretValue(ctx, request)
		if err != nil {
			return "", fmt.Errorf("putting Secrets Manager Secret (%s) value: %w", secret, err)
		}
		return secret + "|" + aws.ToString(out.VersionId), nil
	},
	read: func(ctx context.Context, c *awsClients, id string, prior values) (values, error) {
		out, err := findSecretVersion(ctx, c, id)
		if out == nil || err != nil {
			return nil, err
		}
		secret, _, err := parseSecretVersionID(id)
		if err != nil {
			return nil, err
		}
		read := values{
			"secretId":      property.New(secret),
			"versionId":     property.New(aws.ToString(out.VersionId)),
			"versionStages": stringArray(sorted(out.VersionStages)),
			"arn":           property.New(aws.ToString(out.ARN)),
		}
		if sameSet(out.VersionStages, strs(prior["versionStages"])) {
			read["versionStages"] = stringArray(strs(prior["versionStages"]))
		}
		if out.SecretString != nil {
			read["secretString"] = property.New(*out.SecretString)
		}
		return read, nil
	},
	update: func(ctx context.Context, c *awsClients, id string, old, in values, changed map[string]bool) (string, error) {
		if !changed["versionStages"] {
			return id, nil
		}
		return id, moveStages(ctx, c, id, strs(old["versionStages"]), strs(in["versionStages"]))
	},
	delete: func(ctx context.Context, c *awsClients, id string, state values) error {
		for _, stage := range sorted(strs(state["versionStages"])) {
			// A version that is current stays so, until there is another.
			if stage == stageCurrent {
				continue
			}
			err := removeStage(ctx, c, id, stage)
			if isSecretGone(err) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("deleting Secrets Manager Secret Version (%s) stage (%s): %w", id, stage, err)
			}
		}
		left, err := findSecretVersion(ctx, c, id)
		if left == nil || err != nil {
			return err
		}
		// These are the labels that Terraform puts up with; it waits two minutes for others to go.
		labels := left.VersionStages
		if len(labels) == 0 || (len(labels) == 1 && (labels[0] == stageCurrent || labels[0] == stagePrevious)) {
			return nil
		}
		return fmt.Errorf("waiting for Secrets Manager Secret Version (%s) delete: it has labels left", id)
	},
}

// findSecretVersion is a version with its value, and nil for one that is gone with its secret or without.
func findSecretVersion(ctx context.Context, c *awsClients, id string) (*secretsmanager.GetSecretValueOutput, error) {
	secret, version, err := parseSecretVersionID(id)
	if err != nil {
		return nil, err
	}
	out, err := c.secretsManager.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: aws.String(secret), VersionId: aws.String(version),
	})
	if isSecretGone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading Secrets Manager Secret Version (%s): %w", id, err)
	}
	return out, nil
}

// isSecretGone says whether a call ended so because the secret or the version is gone or on the way.
func isSecretGone(err error) bool {
	var invalid *types.InvalidRequestException
	if !errors.As(err, &invalid) {
		return isNoSuchSecret(err)
	}
	return strings.Contains(invalid.ErrorMessage(), "because it was deleted") ||
		strings.Contains(invalid.ErrorMessage(), "because it was marked for deletion")
}

// moveStages gives a version new labels and takes old ones from it. The current version's label is moved from the
// version that has it, and is never taken away.
func moveStages(ctx context.Context, c *awsClients, id string, old, now []string) error {
	secret, version, err := parseSecretVersionID(id)
	if err != nil {
		return err
	}
	add := difference(now, old)
	for _, stage := range add {
		request := &secretsmanager.UpdateSecretVersionStageInput{
			SecretId: aws.String(secret), VersionStage: aws.String(stage), MoveToVersionId: aws.String(version),
		}
		if stage == stageCurrent {
			if request.RemoveFromVersionId, err = currentVersion(ctx, c, secret); err != nil {
				return fmt.Errorf("listing Secrets Manager Secret (%s) version IDs: %w", secret, err)
			}
		}
		if _, err := c.secretsManager.UpdateSecretVersionStage(ctx, request); err != nil {
			return fmt.Errorf("adding Secrets Manager Secret Version (%s) stage (%s): %w", id, stage, err)
		}
	}
	for _, stage := range difference(old, now) {
		// With the label of the current version AWS moves that of the previous one.
		if stage == stageCurrent || (stage == stagePrevious && slices.Contains(add, stageCurrent)) {
			continue
		}
		if err := removeStage(ctx, c, id, stage); err != nil {
			return fmt.Errorf("deleting Secrets Manager Secret Version (%s) stage (%s): %w", id, stage, err)
		}
	}
	return nil
}

func removeStage(ctx context.Context, c *awsClients, id, stage string) error {
	secret, version, err := parseSecretVersionID(id)
	if err != nil {
		return err
	}
	_, err = c.secretsManager.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: aws.String(secret), VersionStage: aws.String(stage), RemoveFromVersionId: aws.String(version),
	})
	return err
}

// currentVersion is the id of the version that is current.
func currentVersion(ctx context.Context, c *awsClients, secret string) (*string, error) {
	pages := secretsmanager.NewListSecretVersionIdsPaginator(c.secretsManager, &secretsmanager.ListSecretVersionIdsInput{
		SecretId: aws.String(secret),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, version := range page.Versions {
			if slices.Contains(version.VersionStages, stageCurrent) {
				return version.VersionId, nil
			}
		}
	}
	return aws.String(""), nil
}

func parseSecretVersionID(id string) (secret, version string, err error) {
	secret, version, _ = strings.Cut(id, "|")
	if secret == "" || version == "" {
		return "", "", fmt.Errorf("unexpected format of ID (%s), expected SecretID|VersionID", id)
	}
	return secret, version, nil
}
