package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// getOpenIDConnectProvider is aws_iam_openid_connect_provider as a data source.
var getOpenIDConnectProvider = functionType{
	token: "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider",
	doc:   "An OpenID Connect provider that the account trusts, by its ARN or its URL.",
	args: map[string]argument{
		"arn": {doc: "The provider's ARN."},
		"url": {doc: "The provider's URL."},
	},
	unserved: []string{"tags"},
	outputs: map[string]result{
		"arn":             {doc: "The provider's ARN."},
		"clientIdLists":   {doc: "The audiences that tokens may be for.", kind: kindList},
		"id":              {doc: "The provider's ARN."},
		"tags":            {doc: "The provider's tags.", kind: kindStringMap},
		"thumbprintLists": {doc: "The thumbprints of the provider's certificate authorities.", kind: kindList},
		"url":             {doc: "The provider's URL without https://."},
	},
	call: func(ctx context.Context, c *awsClients, args values) (values, error) {
		arn, url := str(args["arn"]), str(args["url"])
		if (arn == "") == (url == "") {
			return nil, errors.New(`"url": one of "arn,url" must be specified`)
		}
		if url != "" {
			if err := checkIssuer(args["url"]); err != nil {
				return nil, fmt.Errorf(`"url" %w`, err)
			}
			found, err := findIssuer(ctx, c.iam, url)
			if err != nil {
				return nil, fmt.Errorf("reading IAM OIDC Provider (%s): %w", url, err)
			}
			arn = found
		}
		out, err := c.iam.GetOpenIDConnectProvider(ctx, &iam.GetOpenIDConnectProviderInput{
			OpenIDConnectProviderArn: aws.String(arn),
		})
		if isNoSuchEntity(err) {
			err = errNotFound
		}
		if err != nil {
			return nil, fmt.Errorf("reading IAM OIDC Provider: %w", err)
		}
		return values{
			"arn": property.New(arn), "id": property.New(arn), "url": property.New(aws.ToString(out.Url)),
			"clientIdLists": stringArray(out.ClientIDList), "thumbprintLists": stringArray(out.ThumbprintList),
			"tags": stringMap(tagMap(out.Tags, iamTagParts)),
		}, nil
	},
}

// findIssuer returns the ARN of the provider with a URL. ARNs end in it.
func findIssuer(ctx context.Context, c *iam.Client, url string) (arn string, err error) {
	out, err := c.ListOpenIDConnectProviders(ctx, &iam.ListOpenIDConnectProvidersInput{})
	if err != nil {
		return "", err
	}
	for _, provider := range out.OpenIDConnectProviderList {
		if _, issuer, _ := strings.Cut(aws.ToString(provider.Arn), "/"); issuer == strings.TrimPrefix(url, issuerScheme) {
			return aws.ToString(provider.Arn), nil
		}
	}
	return "", errNotFound
}
