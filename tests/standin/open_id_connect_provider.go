package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

const issuerScheme = "https://"

// openIDConnectProvider is aws_iam_openid_connect_provider: only the URL replaces. IAM answers the URL without its
// scheme, and so do the outputs.
var openIDConnectProvider = &resourceType{
	token: "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
	doc:   "An OpenID Connect provider that the account trusts.",
	props: map[string]prop{
		"url": {
			kind: kindIssuer, doc: "The URL of the provider, which its tokens name as their issuer; replaces.",
			required: true, forceNew: true, check: checkIssuer,
		},
		"clientIdLists": {
			kind: kindStrings, doc: "The audiences that tokens may be for; changed in place.",
			required: true, check: checkLengths(1, 255),
		},
		"thumbprintLists": {
			kind: kindList, doc: "The thumbprints of the provider's certificate authorities; changed in place.",
			computed: true, check: checkLengths(40, 40),
		},
		"tags":    {kind: kindStringMap, doc: "The provider's tags; changed in place.", optional: true},
		"tagsAll": {kind: kindStringMap, doc: "The provider's tags with the AWS provider's default tags.", output: true},
		"arn":     {kind: kindString, doc: "The provider's ARN.", output: true},
	},
	create: func(ctx context.Context, c *awsClients, in values) (string, error) {
		out, err := c.iam.CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{
			Url: aws.String(str(in["url"])), ClientIDList: sorted(strs(in["clientIdLists"])),
			ThumbprintList: strs(in["thumbprintLists"]), Tags: apiTags(strMap(in["tagsAll"]), iamTag),
		})
		if err != nil {
			return "", fmt.Errorf("creating IAM OIDC Provider: %w", err)
		}
		return aws.ToString(out.OpenIDConnectProviderArn), nil
	},
	read: func(ctx context.Context, c *awsClients, id string, prior values) (values, error) {
		out, err := c.iam.GetOpenIDConnectProvider(ctx, &iam.GetOpenIDConnectProviderInput{
			OpenIDConnectProviderArn: aws.String(id),
		})
		if isNoSuchEntity(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading IAM OIDC Provider (%s): %w", id, err)
		}
		read := values{
			"arn":             property.New(id),
			"url":             property.New(aws.ToString(out.Url)),
			"clientIdLists":   stringArray(sorted(out.ClientIDList)),
			"thumbprintLists": stringArray(out.ThumbprintList),
		}
		setTags(read, prior, tagMap(out.Tags, iamTagParts))
		return read, nil
	},
	update: updateOpenIDConnectProvider,
	delete: func(ctx context.Context, c *awsClients, id string, _ values) error {
		_, err := c.iam.DeleteOpenIDConnectProvider(ctx, &iam.DeleteOpenIDConnectProviderInput{
			OpenIDConnectProviderArn: aws.String(id),
		})
		if err != nil && !isNoSuchEntity(err) {
			return fmt.Errorf("deleting IAM OIDC Provider (%s): %w", id, err)
		}
		return nil
	},
}

// updateOpenIDConnectProvider adds audiences before it removes others. Thumbprints are never taken away altogether,
// which IAM refuses.
func updateOpenIDConnectProvider(
	ctx context.Context, c *awsClients, id string, old, in values, changed map[string]bool,
) (string, error) {
	arn := aws.String(id)
	if remove, set := tagChanges(old["tagsAll"], in["tagsAll"]); changed["tagsAll"] {
		if len(remove) > 0 {
			_, err := c.iam.UntagOpenIDConnectProvider(ctx, &iam.UntagOpenIDConnectProviderInput{
				OpenIDConnectProviderArn: arn, TagKeys: remove,
			})
			if err != nil {
				return id, fmt.Errorf("untagging IAM OIDC Provider (%s): %w", id, err)
			}
		}
		if len(set) > 0 {
			_, err := c.iam.TagOpenIDConnectProvider(ctx, &iam.TagOpenIDConnectProviderInput{
				OpenIDConnectProviderArn: arn, Tags: apiTags(set, iamTag),
			})
			if err != nil {
				return id, fmt.Errorf("tagging IAM OIDC Provider (%s): %w", id, err)
			}
		}
	}
	if thumbprints := strs(in["thumbprintLists"]); changed["thumbprintLists"] && len(thumbprints) > 0 {
		_, err := c.iam.UpdateOpenIDConnectProviderThumbprint(ctx, &iam.UpdateOpenIDConnectProviderThumbprintInput{
			OpenIDConnectProviderArn: arn, ThumbprintList: thumbprints,
		})
		if err != nil {
			return id, fmt.Errorf("updating IAM OIDC Provider (%s) thumbprint: %w", id, err)
		}
	}
	before, after := strs(old["clientIdLists"]), strs(in["clientIdLists"])
	for _, audience := range difference(after, before) {
		_, err := c.iam.AddClientIDToOpenIDConnectProvider(ctx, &iam.AddClientIDToOpenIDConnectProviderInput{
			OpenIDConnectProviderArn: arn, ClientID: aws.String(audience),
		})
		if err != nil {
			return id, fmt.Errorf("adding IAM OIDC Provider (%s) client ID (%s): %w", id, audience, err)
		}
	}
	for _, audience := range difference(before, after) {
		_, err := c.iam.RemoveClientIDFromOpenIDConnectProvider(ctx, &iam.RemoveClientIDFromOpenIDConnectProviderInput{
			OpenIDConnectProviderArn: arn, ClientID: aws.String(audience),
		})
		if err != nil {
			return id, fmt.Errorf("removing IAM OIDC Provider (%s) client ID (%s): %w", id, audience, err)
		}
	}
	return id, nil
}

func checkIssuer(v property.Value) error {
	u, err := url.Parse(str(v))
	switch {
	case err != nil:
		return errors.New("has to be a valid URL")
	case u.Scheme != "https":
		return errors.New("has to use HTTPS scheme (i.e. begin with https://)")
	case len(u.Query()) > 0:
		return errors.New("cannot contain query parameters per the OIDC standard")
	}
	return nil
}

func checkLengths(least, most int) func(property.Value) error {
	return func(v property.Value) error {
		for _, s := range strs(v) {
			if len(s) < least || len(s) > most {
				return fmt.Errorf("expected length of each element to be in the range (%d - %d)", least, most)
			}
		}
		return nil
	}
}
