package provider

import (
	"fmt"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/input"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/oidc"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/serve"
)

const (
	oidcProviderToken = Name + ":index:OidcProvider"

	intoOidcProvider = "an OpenID Connect provider"
)

// OidcProviderArgs are the inputs of an [OidcProvider], for the schema.
type OidcProviderArgs struct {
	Issuer      pulumi.StringInput      `pulumi:"issuer"`
	Audiences   pulumi.StringArrayInput `pulumi:"audiences,optional"`
	Thumbprints pulumi.StringArrayInput `pulumi:"thumbprints,optional"`
	Tags        pulumi.StringMapInput   `pulumi:"tags,optional"`
	Adopt       pulumi.BoolPtrInput     `pulumi:"adopt,optional"`
}

// OidcProvider is an account's trust in the tokens of one issuer. Its fields are its outputs.
type OidcProvider struct {
	pulumi.ResourceState

	ProviderArn pulumi.StringOutput      `pulumi:"providerArn"`
	Issuer      pulumi.StringOutput      `pulumi:"issuer"`
	Audiences   pulumi.StringArrayOutput `pulumi:"audiences"`
}

// oidcProviderRules has a rule for each input. The identity is empty until it is known.
func oidcProviderRules(aws serve.Identity) input.Rules {
	return input.Rules{
		"issuer": input.Text(oidc.CheckIssuer),
		"audiences": input.AtMost(oidc.MaxAudiences, intoOidcProvider, input.NonEmpty(oidc.CheckAudience,
			"a provider without audiences takes no token; leave it out for the issuer's default")),
		"thumbprints": input.AtMost(oidc.MaxThumbprints, intoOidcProvider, input.List(oidc.CheckThumbprint)),
		"tags":        input.OrNull(input.Tags(nil, aws.DefaultTags)),
		adoptInput:    input.OrNull(input.Boolean),
	}
}

// checkOidcProvider checks the inputs.
func checkOidcProvider(in *input.Inputs, _ string) {
	in.Require("issuer", "name the URL that the tokens have as iss")
	in.Check(oidcProviderRules(serve.Identity{}))
	checkAdoption(in, "issuer")
	if issuer := in.Get("issuer"); in.Err() == nil && issuer.IsString() && !in.Given("audiences") {
		if _, err := oidc.DefaultAudience(issuer.AsString(), ""); err != nil {
			in.ReportWhole(input.At("audiences"), err)
		}
	}
}

// newOidcProvider registers an OpenID Connect provider with its child.
func newOidcProvider(c *construction) (pulumi.ComponentResource, error) {
	aws, err := c.identify(oidcProviderRules, "tags")
	if err != nil {
		return nil, err
	}
	audiences, err := oidcAudiences(c, aws.Account)
	if err != nil {
		return nil, err
	}
	namedProvider := namedProviderOf(aws.Account)
	adopted, err := c.adopt(aws, namedProvider)
	if err != nil {
		return nil, err
	}
	component := &OidcProvider{}
	child, err := c.register(component)
	if err != nil {
		return nil, err
	}
	explained, err := c.explainExisting(component, namedProvider.typ, c.name, explainExistingProvider)
	if err != nil {
		return nil, err
	}
	issuer := input.AsText(c.in.Get("issuer"))
	provider, err := awsiam.NewOpenIdConnectProvider(c.Context, c.name, &awsiam.OpenIdConnectProviderArgs{
		Url:             issuer,
		ClientIdLists:   audiences,
		ThumbprintLists: c.in.TextList("thumbprints"),
		Tags:            c.in.TextMap("tags", nil),
	}, child, explained, adopted.option(component, namedProvider), c.hideCopies(map[string][]string{
		"tags": {"tagsAll"}, "issuer": {"arn"},
	}))
	if err != nil {
		return nil, fmt.Errorf("register the OpenID Connect provider: %w", err)
	}
	component.ProviderArn = whenRegistered(provider, provider.Arn)
	// These are the inputs, known in a preview, so that a role's trust policy is. What is made of them comes after the
	// provider.
	component.Issuer = after[pulumi.StringOutput, string](issuer, provider)
	component.Audiences = after[pulumi.StringArrayOutput, []string](audiences.ToStringArrayOutput(), provider)
	return component, nil
}

// oidcAudiences returns the audiences that are given, or else the one of the issuer's tokens, which is unknown until
// the issuer and the account's partition are known.
func oidcAudiences(c *construction, account *iam.Account) (pulumi.StringArrayInput, error) {
	if c.in.Given("audiences") {
		return c.in.TextList("audiences"), nil
	}
	audience, known := "", account != nil && c.in.Known("issuer")
	if known {
		var err error
		if audience, err = oidc.DefaultAudience(c.in.String("issuer"), account.Partition); err != nil {
			return nil, err
		}
	}
	return pulumi.StringArray{c.in.Derived(audience, known, "issuer")}, nil
}

// namedProviderOf is the provider of an issuer, whose ARN the account tells. It is only looked up for a known account.
func namedProviderOf(account *iam.Account) named {
	kind := "OpenID Connect provider"
	typ := tokens.Type("aws:iam/openIdConnectProvider:OpenIdConnectProvider")
	return named{kind: kind, typ: typ, input: "issuer", byARN: true, lookUp: func(
		ctx *pulumi.Context, issuer string, opts ...pulumi.InvokeOption,
	) (iam.Entity, error) {
		arn := account.OIDCProviderARN(issuer)
		_, err := awsiam.LookupOpenIdConnectProvider(ctx, &awsiam.LookupOpenIdConnectProviderArgs{Arn: &arn}, opts...)
		return iam.Entity{Kind: kind, Name: issuer, ARN: arn}, err
	}}
}

// explainExistingProvider returns what to do if the account has a provider for the issuer already.
func explainExistingProvider(*pulumi.ErrorHookArgs) string {
	return "issuer: the account has an OpenID Connect provider for this issuer already, and can have only one; leave " +
		"this resource out, which is right where others use the provider too, since roles need only its issuer; or take " +
		"the provider over with " + adoptInput + ": true, see " + adoptGuide
}

// after returns an output with the same value that depends on a resource too. The URN is known in a preview.
func after[O pulumi.Output, T any](output O, on pulumi.Resource) O {
	return input.As[O](apply(pulumi.All(output, on.URN()), func(v []any) (T, error) { return cast[T](v[0]) }))
}
