package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// accessKey is aws_iam_access_key: only the status changes in place. AWS tells the secret in its answer to the
// creation and never again, so an imported key has none.
var accessKey = &resourceType{
	token: "aws:iam/accessKey:AccessKey",
	doc:   "An access key of an IAM user.",
	props: map[string]prop{
		"user": {kind: kindString, doc: "The user's name; replaces.", required: true, forceNew: true},
		"pgpKey": {
			kind: kindString, doc: "A PGP public key in base64, to which the secret is encrypted; replaces.",
			forceNew: true, optional: true, check: refuseKeybase,
		},
		"status": {
			kind: kindString, doc: "Whether the key is Active or Inactive; changed in place.",
			dflt: property.New(string(types.StatusTypeActive)), optional: true,
			pattern: regexp.MustCompile(`^(Active|Inactive)$`), hint: `must be "Active" or "Inactive"`,
		},
		"createDate":     {kind: kindString, doc: "When the key was created.", output: true},
		"keyFingerprint": {kind: kindString, doc: "The fingerprint of the PGP key.", output: true},
		"secret": {
			kind: kindString, doc: "The secret access key, where there is no pgpKey.", output: true, secret: true,
		},
		"encryptedSecret": {kind: kindString, doc: "The secret access key, encrypted, in base64.", output: true},
	},
	answered: true,
	create: func(ctx context.Context, c *awsClients, in values) (string, error) {
		user := aws.String(str(in["user"]))
		out, err := c.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: user})
		if err != nil {
			return "", fmt.Errorf("creating IAM Access Key (%s): %w", *user, err)
		}
		key := out.AccessKey
		id := aws.ToString(key.AccessKeyId)
		in["createDate"] = property.New(aws.ToTime(key.CreateDate).Format(time.RFC3339))
		// Terraform finds out only now whether the PGP key is one.
		if err := addSecret(in, aws.ToString(key.SecretAccessKey)); err != nil {
			return id, fmt.Errorf("creating IAM Access Key (%s): %w", *user, err)
		}
		if str(in["status"]) == string(types.StatusTypeInactive) {
			_, err := c.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{
				UserName: user, AccessKeyId: key.AccessKeyId, Status: types.StatusTypeInactive,
			})
			if err != nil {
				return id, fmt.Errorf("deactivating IAM Access Key (%s): %w", id, err)
			}
		}
		return id, nil
	},
	importID: func(ctx context.Context, c *awsClients, named string) (string, values, error) {
		out, err := c.iam.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: aws.String(named)})
		if err != nil {
			return "", nil, fmt.Errorf("fetching IAM Access Key (%s) username via GetAccessKeyLastUsed: %w", named, err)
		}
		return named, values{"user": property.New(aws.ToString(out.UserName))}, nil
	},
	read: func(ctx context.Context, c *awsClients, id string, prior values) (values, error) {
		keys, err := accessKeysOf(ctx, c.iam, str(prior["user"]))
		if isNoSuchEntity(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading IAM Access Key (%s): %w", id, err)
		}
		for _, key := range keys {
			if aws.ToString(key.AccessKeyId) == id {
				read := maps.Clone(prior)
				read["user"] = property.New(aws.ToString(key.UserName))
				read["status"] = property.New(string(key.Status))
				read["createDate"] = property.New(aws.ToTime(key.CreateDate).Format(time.RFC3339))
				return read, nil
			}
		}
		return nil, nil
	},
	update: func(ctx context.Context, c *awsClients, id string, _, in values, changed map[string]bool) (string, error) {
		if !changed["status"] {
			return id, nil
		}
		_, err := c.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{
			UserName: aws.String(str(in["user"])), AccessKeyId: aws.String(id), Status: types.StatusType(str(in["status"])),
		})
		if err != nil {
			return id, fmt.Errorf("updating IAM Access Key (%s): %w", id, err)
		}
		return id, nil
	},
	delete: func(ctx context.Context, c *awsClients, id string, state values) error {
		// A user who was renamed is none by the name in the state, so the key stays, in the official plugin too.
		_, err := c.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{
			UserName: aws.String(str(state["user"])), AccessKeyId: aws.String(id),
		})
		if err != nil && !isNoSuchEntity(err) {
			return fmt.Errorf("deleting IAM Access Key (%s): %w", id, err)
		}
		return nil
	},
}

// refuseKeybase refuses the official plugin's other form of a PGP key, which it downloads.
func refuseKeybase(pgpKey property.Value) error {
	if strings.HasPrefix(str(pgpKey), "keybase:") {
		return errors.New("keys of keybase.io are not implemented by this stand-in for the aws plugin")
	}
	return nil
}

// accessKeysOf are all access keys of a user.
func accessKeysOf(ctx context.Context, c *iam.Client, user string) ([]types.AccessKeyMetadata, error) {
	pages := iam.NewListAccessKeysPaginator(c, &iam.ListAccessKeysInput{UserName: aws.String(user)})
	var keys []types.AccessKeyMetadata
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		keys = append(keys, page.AccessKeyMetadata...)
	}
	return keys, nil
}

// addSecret adds the secret to a new key, or with a PGP key its encrypted form only.
func addSecret(in values, secret string) error {
	pgpKey := str(in["pgpKey"])
	if pgpKey == "" {
		in["secret"] = property.New(secret)
		return nil
	}
	recipient, err := readPGPKey(pgpKey)
	if err != nil {
		return fmt.Errorf("encrypting IAM Access Key Secret: %w", err)
	}
	in["keyFingerprint"] = property.New(fmt.Sprintf("%x", recipient.PrimaryKey.Fingerprint))
	encrypted, err := encryptTo(recipient, secret)
	if err != nil {
		return fmt.Errorf("encrypting IAM Access Key Secret: %w", err)
	}
	in["encryptedSecret"] = property.New(encrypted)
	return nil
}

// readPGPKey reads a public key as "gpg --export | base64" writes it. Armor is none of Terraform's forms.
func readPGPKey(encoded string) (*openpgp.Entity, error) {
	binary, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("decoding given PGP key: %w", err)
	}
	key, err := openpgp.ReadEntity(packet.NewReader(bytes.NewReader(binary)))
	if err != nil {
		return nil, fmt.Errorf("parsing given PGP key: %w", err)
	}
	return key, nil
}

func encryptTo(recipient *openpgp.Entity, text string) (string, error) {
	var message bytes.Buffer
	w, err := openpgp.Encrypt(&message, []*openpgp.Entity{recipient}, nil, nil, nil)
	if err != nil {
		return "", err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(message.Bytes()), nil
}
