package lab

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// A Provider is an OpenID Connect provider that the account trusts.
type Provider struct {
	ARN string
	// Issuer is its URL, which IAM tells without https://.
	Issuer string
	// Audiences are what tokens may be for, sorted.
	Audiences   []string
	Thumbprints []string
	Tags        map[string]string
}

// provider is what the front knows of an OpenID Connect provider, by the calls that it has seen.
type provider struct {
	issuer                 string // With https://, as tokens have it.
	audiences, thumbprints []string
}

// foundThumbprint is what IAM finds where none is given. It takes it from the issuer's own certificate.
var foundThumbprint = strings.Repeat("9e", 20)

var (
	oneProviderARN    = regexp.MustCompile(`<OpenIDConnectProviderArn>([^<]+)</OpenIDConnectProviderArn>`)
	listedAudiences   = regexp.MustCompile(`(?s)<ClientIDList/>|<ClientIDList>.*</ClientIDList>`)
	listedThumbprints = regexp.MustCompile(`(?s)<ThumbprintList/>|<ThumbprintList>.*</ThumbprintList>`)
)

const audiencesAtMost = 100

// serveProvider answers the calls about OpenID Connect providers that moto does not know, and those to which IAM says
// no and moto something else.
func (f *front) serveProvider(w http.ResponseWriter, call Call) bool {
	arn, audience := call.Params.Get("OpenIDConnectProviderArn"), call.Params.Get("ClientID")
	refuse := func(status int, code, message string) bool {
		writeError(w, "iam", status, code, message)
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	known := f.providers[arn]
	switch call.Action {
	case "CreateOpenIDConnectProvider":
		issuer := call.Params.Get("Url")
		u, err := url.Parse(issuer)
		if err != nil || u.Scheme != "https" || u.Port() != "" || u.RawQuery != "" {
			return refuse(http.StatusBadRequest, "ValidationError", "Invalid Open ID Connect Provider URL")
		}
		if _, p := f.providerOf(issuer); p != nil {
			return refuse(http.StatusConflict, "EntityAlreadyExists", "Provider with url "+issuer+" already exists.")
		}
		return false
	case "AddClientIDToOpenIDConnectProvider", "RemoveClientIDFromOpenIDConnectProvider", "DeleteOpenIDConnectProvider":
		if known == nil {
			return refuse(http.StatusNotFound, "NoSuchEntity", "OpenIDConnect Provider not found for arn "+arn)
		}
	}
	switch call.Action {
	case "AddClientIDToOpenIDConnectProvider":
		if slices.Contains(known.audiences, audience) {
			break
		}
		if len(known.audiences) == audiencesAtMost {
			return refuse(http.StatusConflict, "LimitExceeded",
				fmt.Sprint("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: ", audiencesAtMost))
		}
		known.audiences = append(known.audiences, audience)
	case "RemoveClientIDFromOpenIDConnectProvider":
		known.audiences = slices.DeleteFunc(known.audiences, func(a string) bool { return a == audience })
	default:
		return false
	}
	writeEmpty(w, call.Action)
	return true
}

// providerOf is the provider of an issuer, or nil. The caller holds the lock.
func (f *front) providerOf(issuer string) (arn string, p *provider) {
	for arn, p := range f.providers {
		if p.issuer == issuer {
			return arn, p
		}
	}
	return "", nil
}

// followProviders follows OpenID Connect providers through moto's answers, and puts into them what moto does not know.
func (f *front) followProviders(resp *http.Response) error {
	call, _ := resp.Request.Context().Value(callKey{}).(Call)
	if resp.StatusCode != http.StatusOK || !strings.HasSuffix(strings.TrimSuffix(call.Action, "Thumbprint"), "Provider") {
		return nil
	}
	arn, thumbprints := call.Params.Get("OpenIDConnectProviderArn"), members(call.Params, "ThumbprintList")
	f.mu.Lock()
	defer f.mu.Unlock()
	known := f.providers[arn]
	switch call.Action {
	case "CreateOpenIDConnectProvider":
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		if made := oneProviderARN.FindSubmatch(body); made != nil {
			if len(thumbprints) == 0 {
				thumbprints = []string{foundThumbprint}
			}
			f.providers[string(made[1])] = &provider{call.Params.Get("Url"), members(call.Params, "ClientIDList"), thumbprints}
		}
		return replaceBody(resp, body)
	case "UpdateOpenIDConnectProviderThumbprint":
		if known != nil {
			known.thumbprints = thumbprints
		}
	case "DeleteOpenIDConnectProvider":
		delete(f.providers, arn)
	case "GetOpenIDConnectProvider":
		if known == nil {
			return nil
		}
		err := replaceAll(resp, listedAudiences, "<ClientIDList>"+memberXML(known.audiences)+"</ClientIDList>")
		if err != nil {
			return err
		}
		return replaceAll(resp, listedThumbprints, "<ThumbprintList>"+memberXML(known.thumbprints)+"</ThumbprintList>")
	}
	return nil
}

// members returns a list among the parameters of a call.
func members(params url.Values, name string) (list []string) {
	for i := 1; ; i++ {
		key := fmt.Sprintf("%s.member.%d", name, i)
		if !params.Has(key) {
			return list
		}
		list = append(list, params.Get(key))
	}
}

func readProviders(ctx context.Context, client *iam.Client) ([]Provider, error) {
	listed, err := client.ListOpenIDConnectProviders(ctx, &iam.ListOpenIDConnectProvidersInput{})
	if err != nil {
		return nil, fmt.Errorf("list the OpenID Connect providers: %w", err)
	}
	var providers []Provider
	for _, entry := range listed.OpenIDConnectProviderList {
		got, err := client.GetOpenIDConnectProvider(ctx, &iam.GetOpenIDConnectProviderInput{
			OpenIDConnectProviderArn: entry.Arn,
		})
		if err != nil {
			return nil, fmt.Errorf("get the OpenID Connect provider %s: %w", aws.ToString(entry.Arn), err)
		}
		p := Provider{
			ARN: aws.ToString(entry.Arn), Issuer: aws.ToString(got.Url), Thumbprints: got.ThumbprintList,
			Audiences: slices.Sorted(slices.Values(got.ClientIDList)), Tags: map[string]string{},
		}
		for _, tag := range got.Tags {
			p.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
		}
		providers = append(providers, p)
	}
	slices.SortFunc(providers, func(a, b Provider) int { return cmp.Compare(a.ARN, b.ARN) })
	return providers, nil
}
