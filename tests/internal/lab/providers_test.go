package lab

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

const (
	ciURL = "https://ci.example/oidc"
	ciARN = "arn:aws:iam::123456789012:oidc-provider/ci.example/oidc"
)

// createProvider makes an OpenID Connect provider.
func createProvider(t *testing.T, c *iam.Client, url string, audiences ...string) {
	t.Helper()
	ok(t)(c.CreateOpenIDConnectProvider(t.Context(), &iam.CreateOpenIDConnectProviderInput{
		Url: &url, ClientIDList: audiences, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	}))
}

func TestProviders(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), t.Context()
	c, arn := iam.NewFromConfig(l.Config()), aws.String(ciARN)
	createProvider(t, c, ciURL, "x", "y & z")
	only := func(audiences, thumbprints []string) {
		t.Helper()
		got := contents(t, l).Providers
		if len(got) != 1 || got[0].ARN != ciARN || got[0].Issuer != "ci.example/oidc" || !slices.Equal(got[0].Audiences, audiences) ||
			!slices.Equal(got[0].Thumbprints, thumbprints) || !maps.Equal(got[0].Tags, map[string]string{"a": "b"}) {
			t.Errorf("there are %+v", got)
		}
	}
	only([]string{"x", "y & z"}, []string{foundThumbprint})
	add := func(arn *string, audience string) error {
		_, err := c.AddClientIDToOpenIDConnectProvider(ctx, &iam.AddClientIDToOpenIDConnectProviderInput{
			OpenIDConnectProviderArn: arn, ClientID: &audience,
		})
		return err
	}
	for range 2 {
		ok(t)(nil, add(arn, "v"))
		ok(t)(c.RemoveClientIDFromOpenIDConnectProvider(ctx, &iam.RemoveClientIDFromOpenIDConnectProviderInput{
			OpenIDConnectProviderArn: arn, ClientID: aws.String("x"),
		}))
	}
	given := []string{strings.Repeat("a1", 20), strings.Repeat("b2", 20)}
	ok(t)(c.UpdateOpenIDConnectProviderThumbprint(ctx, &iam.UpdateOpenIDConnectProviderThumbprintInput{
		OpenIDConnectProviderArn: arn, ThumbprintList: given,
	}))
	only([]string{"v", "y & z"}, given)

	for url, want := range map[string][2]string{
		ciURL:                       {"EntityAlreadyExists", "Provider with url " + ciURL + " already exists."},
		"http://ci.example":         {"ValidationError", "Invalid Open ID Connect Provider URL"},
		"https://ci.example:8443":   {"ValidationError", "Invalid Open ID Connect Provider URL"},
		"https://ci.example?tenant": {"ValidationError", "Invalid Open ID Connect Provider URL"},
	} {
		_, err := c.CreateOpenIDConnectProvider(ctx, &iam.CreateOpenIDConnectProviderInput{Url: &url})
		fails(t, err, want[0], want[1])
	}
	// To IAM these are others.
	createProvider(t, c, ciURL+"/")
	createProvider(t, c, "https://CI.example/oidc")

	for i := range audiencesAtMost - 2 {
		ok(t)(nil, add(arn, fmt.Sprint(i)))
	}
	fails(t, add(arn, "one more"), "LimitExceeded", "ClientIdsPerOpenIdConnectProvider: 100")
	remove := func() error {
		_, err := c.DeleteOpenIDConnectProvider(ctx, &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
		return err
	}
	ok(t)(nil, remove())
	fails(t, remove(), "NoSuchEntity", ciARN)
	fails(t, add(arn, "v"), "NoSuchEntity", ciARN)
	createProvider(t, c, ciURL, "x")
	ok(t)(nil, l.Reset(ctx))
	createProvider(t, c, ciURL, "x")
	only([]string{"x"}, []string{foundThumbprint})
}
