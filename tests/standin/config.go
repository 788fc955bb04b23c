package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// awsClients are what one configured provider talks with. It is not changed after Configure.
type awsClients struct {
	iam            *iam.Client
	sts            *sts.Client
	secretsManager *secretsmanager.Client
	ssm            *ssm.Client
	partition      partition
	defaultTags    property.Value
	region         string
}

// configKey is one configuration key: its kind, and how a value of that kind gets into the settings.
type configKey struct {
	kind kind
	set  func(s *settings, v property.Value, fail failFunc)
}

// failFunc notes what is wrong with a part of the configuration, which it never quotes: that can be a secret.
type failFunc func(path, format string, a ...any)

// configKeys are the official configuration keys that are implemented.
var configKeys = map[string]configKey{
	"region":                    text(func(s *settings) *string { return &s.region }),
	"accessKey":                 text(func(s *settings) *string { return &s.accessKey }),
	"secretKey":                 text(func(s *settings) *string { return &s.secretKey }),
	"token":                     text(func(s *settings) *string { return &s.token }),
	"profile":                   text(func(s *settings) *string { return &s.profile }),
	"skipCredentialsValidation": flag(func(s *settings) *bool { return &s.skipCredentialsValidation }),
	"skipMetadataApiCheck":      flag(func(s *settings) *bool { return &s.skipMetadataAPICheck }),
	"skipRegionValidation":      flag(func(s *settings) *bool { return &s.skipRegionValidation }),
	"skipRequestingAccountId":   flag(func(s *settings) *bool { return &s.skipRequestingAccountID }),
	"maxRetries": {kindInt, func(s *settings, v property.Value, fail failFunc) {
		if s.maxRetries = int(v.AsNumber()); s.maxRetries < 0 {
			fail("maxRetries", "must not be negative")
		}
	}},
	"endpoints":   {kindObjects, setEndpoints},
	"defaultTags": {kindObject, setDefaultTags},
}

// text is a key whose value is one string of the settings.
func text(field func(*settings) *string) configKey {
	return configKey{kindString, func(s *settings, v property.Value, _ failFunc) { *field(s) = str(v) }}
}

// flag is a key whose value is one boolean of the settings.
func flag(field func(*settings) *bool) configKey {
	return configKey{kindBool, func(s *settings, v property.Value, _ failFunc) { *field(s) = boolean(v) }}
}

// configSecrets are the keys whose values the official SDKs mark as secret.
var configSecrets = []string{"accessKey", "secretKey", "token"}

// isInternal says whether a key among the inputs is the engine's or the provider framework's own.
func isInternal(key string) bool {
	return strings.HasPrefix(key, "__") || key == "version" || key == "pluginDownloadURL"
}

// endpointServices are the services that are called, hence the only ones with an endpoint to set.
var endpointServices = []string{"iam", "secretsmanager", "ssm", "sts"}

// settings is the configuration after checking.
type settings struct {
	unknown                                            []string // keys that are not known before an update
	region, accessKey, secretKey, token, profile       string
	skipCredentialsValidation, skipRequestingAccountID bool
	skipMetadataAPICheck, skipRegionValidation         bool
	maxRetries                                         int
	endpoints                                          map[string]string
	defaultTags                                        property.Value // a map, null, or computed
	assumeRoles                                        []assumedRole
}

// parseConfig checks a configuration. Its failures name keys and types and never a value.
func parseConfig(args property.Map) (settings, []p.CheckFailure) {
	s := settings{skipMetadataAPICheck: true, skipRegionValidation: true, endpoints: map[string]string{}}
	var failures []p.CheckFailure
	fail := func(key, format string, a ...any) {
		failures = append(failures, p.CheckFailure{Property: key, Reason: fmt.Sprintf(format, a...)})
	}
	for _, key := range sortedKeys(args.AsMap()) {
		if isInternal(key) {
			continue
		}
		known, ok := configKeys[key]
		if !ok {
			fail(key, "the configuration key %q is not implemented by this stand-in for the aws plugin; it has %s",
				key, strings.Join(sortedKeys(configKeys), ", "))
			continue
		}
		v := plain(args.Get(key))
		if v.HasComputed() {
			s.unknown = append(s.unknown, key)
			if key == "defaultTags" {
				s.defaultTags = property.New(property.Computed)
			}
			continue
		}
		if v.IsNull() || (v.IsString() && v.AsString() == "") {
			continue
		}
		v, err := decodeConfig(known.kind, v)
		if err != nil {
			fail(key, "%v", err)
			continue
		}
		known.set(&s, v, fail)
	}
	if (s.accessKey == "") != (s.secretKey == "") && !slices.Contains(s.unknown, "accessKey") &&
		!slices.Contains(s.unknown, "secretKey") {
		fail("secretKey", "accessKey and secretKey must be set together")
	}
	return s, failures
}

// setEndpoints takes the endpoints from a list of objects, each with some.
func setEndpoints(s *settings, v property.Value, fail failFunc) {
	for i, e := range v.AsArray().All {
		for service, url := range e.AsMap().AllStable {
			path := fmt.Sprintf("endpoints[%d].%s", i, service)
			switch {
			case url.IsNull() || isInternal(service):
			case !slices.Contains(endpointServices, service):
				fail(path, "the endpoint of %q is not implemented by this stand-in for the aws plugin; it calls %s",
					service, strings.Join(endpointServices, ", "))
			case !url.IsString():
				fail(path, "expected a string, got %s", typeName(url))
			default:
				s.endpoints[service] = url.AsString()
			}
		}
	}
}

func setDefaultTags(s *settings, v property.Value, fail failFunc) {
	for field, e := range v.AsMap().AllStable {
		switch {
		case isInternal(field) || e.IsNull():
		case field != "tags":
			fail("defaultTags."+field, "unknown property; defaultTags has tags only")
		default:
			tags, err := kindStringMap.coerce(e)
			if err != nil {
				fail("defaultTags.tags", "%v", err)
				continue
			}
			s.defaultTags = tags
		}
	}
}

// decodeConfig is a configuration value as its kind. The SDKs send everything but strings as JSON text.
func decodeConfig(k kind, v property.Value) (property.Value, error) {
	if k != kindString && v.IsString() {
		var decoded any
		if err := json.Unmarshal([]byte(v.AsString()), &decoded); err != nil {
			return v, fmt.Errorf("expected %s, got a string that is not JSON", k)
		}
		v = unwrapSecrets(resource.FromResourcePropertyValue(resource.NewPropertyValue(decoded)))
	}
	switch k {
	case kindObjects:
		if v.IsMap() {
			v = property.New([]property.Value{v})
		}
		if !v.IsArray() {
			return v, fmt.Errorf("expected %s, got %s", k, typeName(v))
		}
		for _, e := range v.AsArray().All {
			if !e.IsMap() {
				return v, fmt.Errorf("expected %s, got a list with %s", k, typeName(e))
			}
		}
		return v, nil
	case kindObject:
		if !v.IsMap() {
			return v, fmt.Errorf("expected %s, got %s", k, typeName(v))
		}
		return v, nil
	default:
		return k.coerce(v)
	}
}

// unwrapSecrets replaces the secrets that an SDK wrote into JSON text by their values.
func unwrapSecrets(v property.Value) property.Value {
	switch {
	case v.IsArray():
		elements := make([]property.Value, 0, v.AsArray().Len())
		for _, e := range v.AsArray().All {
			elements = append(elements, unwrapSecrets(e))
		}
		return property.New(property.NewArray(elements))
	case v.IsMap():
		m := v.AsMap()
		if str(m.Get(resource.SigKey)) == resource.SecretSig {
			return unwrapSecrets(m.Get("value"))
		}
		out := map[string]property.Value{}
		for k, e := range m.All {
			out[k] = unwrapSecrets(e)
		}
		return property.New(out)
	default:
		return v
	}
}

// connect makes the clients. Like the official plugin it asks STS once who is calling, unless both
// skipCredentialsValidation and skipRequestingAccountId are set.
func connect(ctx context.Context, s settings) (*awsClients, error) {
	metadata := imds.ClientDisabled
	if !s.skipMetadataAPICheck {
		metadata = imds.ClientDefaultEnableState
	}
	options := []func(*config.LoadOptions) error{
		config.WithEC2IMDSClientEnableState(metadata),
	}
	if endpoint := s.endpoints["sts"]; endpoint != "" {
		// A token is exchanged at the same endpoint. The call is not signed, and needs no region.
		options = append(options, config.WithWebIdentityRoleCredentialOptions(func(o *stscreds.WebIdentityRoleOptions) {
			o.Client = sts.New(sts.Options{BaseEndpoint: aws.String(endpoint)})
		}))
	}
	if s.region != "" {
		options = append(options, config.WithRegion(s.region))
	}
	if s.profile != "" {
		options = append(options, config.WithSharedConfigProfile(s.profile))
	}
	if s.accessKey != "" {
		options = append(options, config.WithCredentialsProvider(
			credentials.NewStaticCredentialsProvider(s.accessKey, s.secretKey, s.token)))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("missing region: set aws:region, AWS_REGION or AWS_DEFAULT_REGION, or a profile with one")
	}
	part, known := partitionOf(cfg.Region)
	if !known && !s.skipRegionValidation {
		return nil, fmt.Errorf("invalid AWS region: %q", cfg.Region)
	}
	cfg = assume(cfg, s.assumeRoles, s.endpoints["sts"])
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("no valid credential sources found: %w", err)
	}
	// Terraform gets the credentials, where that takes a call, with no more attempts than the AWS SDK makes.
	cfg.Retryer = retryer(s.maxRetries)
	clients := &awsClients{
		iam: iam.NewFromConfig(cfg, func(o *iam.Options) { setEndpoint(&o.BaseEndpoint, s.endpoints["iam"]) }),
		sts: sts.NewFromConfig(cfg, func(o *sts.Options) { setEndpoint(&o.BaseEndpoint, s.endpoints["sts"]) }),
		secretsManager: secretsmanager.NewFromConfig(cfg, func(o *secretsmanager.Options) {
			setEndpoint(&o.BaseEndpoint, s.endpoints["secretsmanager"])
		}),
		ssm:       ssm.NewFromConfig(cfg, func(o *ssm.Options) { setEndpoint(&o.BaseEndpoint, s.endpoints["ssm"]) }),
		partition: part, defaultTags: s.defaultTags, region: cfg.Region,
	}
	if s.skipCredentialsValidation && s.skipRequestingAccountID {
		return clients, nil
	}
	identity, err := clients.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, fmt.Errorf("validating provider credentials: %w", err)
	}
	if parsed, err := awsarn.Parse(aws.ToString(identity.Arn)); err == nil && !known {
		clients.partition = partitionNamed(parsed.Partition)
	}
	return clients, nil
}

func setEndpoint(target **string, url string) {
	if url != "" {
		*target = aws.String(url)
	}
}
