package provider

import (
	_ "embed" // For the description.

	"github.com/pulumi/pulumi-go-provider/infer"
)

//go:embed oidc_provider.md
var oidcProviderDescription string

// Annotate describes the component and its outputs in the schema.
func (o *OidcProvider) Annotate(a infer.Annotator) {
	a.SetToken("index", "OidcProvider")
	a.Describe(o, oidcProviderDescription)
	a.Describe(&o.ProviderArn, "The ARN of the provider, such as "+
		"`arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com`.")
	a.Describe(&o.Issuer, "The issuer, as it is given. It is known in a preview, and what uses it depends on the "+
		"provider: give it to a `DeploymentRole`'s job as `issuer`.")
	a.Describe(&o.Audiences, "The audiences of the provider, those that are given or else the default one.")
}

// Annotate describes the inputs in the schema.
func (args *OidcProviderArgs) Annotate(a infer.Annotator) {
	a.Describe(&args.Issuer, "The issuer of the tokens, their claim `iss`: a URL of at most 255 characters that "+
		"begins with `https://`, with the host in lower case and without port, query, fragment and trailing slash, such "+
		"as `https://token.actions.githubusercontent.com`. IAM compares it letter by letter. A change replaces the "+
		"provider, the new one before the old one, with another ARN: roles that trust the old one refuse its tokens. "+
		"(Source: IAM API Reference, \"CreateOpenIDConnectProvider\".)")
	a.Describe(&args.Audiences, "The audiences that the provider takes, the tokens' claim `aud`: 1 to 100 of 1 to 255 "+
		"characters. By default the one that the issuer's tokens have: `sts.amazonaws.com` for GitHub and Buildkite "+
		"(`sts.amazonaws.com.cn` in China), `https://gitlab.com` for gitlab.com, the organization's UUID for CircleCI, "+
		"`aws.workload.identity` for HCP Terraform, the host for Spacelift and `api://AzureADTokenExchange` for Azure "+
		"DevOps. Required for every other issuer: Bitbucket, Pulumi Cloud and what is self-managed. A role's job must "+
		"have one of them. A change updates the provider in place. (Sources: IAM API Reference, "+
		"\"AddClientIDToOpenIDConnectProvider\"; IAM User Guide, \"IAM and AWS STS quotas\".)")
	a.Describe(&args.Thumbprints, "The SHA-1 thumbprints of the certificates of the issuer's private certificate "+
		"authority: at most 5, each of 40 hexadecimal digits. AWS needs them only where it does not know the authority, "+
		"as for a self-managed GitLab. By default AWS fetches one itself. A change updates the provider in place; if the "+
		"input is left out again, the thumbprints stay. (Source: IAM User Guide, \"Obtain the thumbprint for an OpenID "+
		"Connect identity provider\".)")
	a.Describe(&args.Tags, "The tags of the provider. At most 50; keys of 1 to 128 and values of up to 256 letters, "+
		"digits, spaces and `_ . : / = + - @`; no key twice in different case, and none that begins with `aws:`. By "+
		"default none. A change updates the provider in place. (Source: IAM User Guide, \"Tags for AWS Identity and "+
		"Access Management resources\".)")
	a.Describe(&args.Adopt, "Whether the account has a provider for the issuer already, which is taken over instead of "+
		"made. "+
		"`issuer` must be known in a preview. Audiences that the provider has and the inputs do not are removed. "+
		adoptDescription)
}
