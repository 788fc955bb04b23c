package main

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// version is the release that is stood in for. It is set by -ldflags "-X main.version=...".
var version = "6.83.4"

// regionKey is the input that resources have since version 7.
const regionKey = "region"

// regional are the resources among those served that have it. IAM's have none.
var regional = []*resourceType{secret, secretVersion, parameter}

// adopt makes this a stand-in for a release of version 6 or 7. All that differs between them, of what is served, is
// here: the inputs region and, in the configuration, assumeRoles. Sources: the SDKs, and the official package's guide
// to its version 7.
func adopt(release string) error {
	v, err := semver.Parse(release)
	if err != nil || (v.Major != 6 && v.Major != 7) {
		return fmt.Errorf("there is no stand-in for the aws plugin %q", release)
	}
	version = release
	since7 := v.Major == 7
	for _, r := range regional {
		delete(r.props, regionKey)
		if since7 {
			r.props[regionKey] = prop{
				kind: kindString, doc: "The region of the provider.", computed: true,
				// A state that version 6 wrote has none.
				replacesIf: func(old, _ property.Value) bool { return !isEmpty(old) },
			}
		}
	}
	tier := parameter.props["tier"]
	tier.optional = !since7
	parameter.props["tier"] = tier
	delete(configKeys, "assumeRoles")
	if since7 {
		configKeys["assumeRoles"] = configKey{kindObjects, setAssumeRoles}
	}
	return nil
}

// fillRegion gives a resource the provider's region, as the official plugin's Check does: one of a state that version 6
// wrote, and that is not refreshed, is updated for it.
func (r *resourceType) fillRegion(in values, region string, fail failFunc) {
	given, isGiven := in[regionKey]
	switch _, has := r.props[regionKey]; {
	case !has || region == "":
	case !isGiven:
		in[regionKey] = property.New(region)
	case !given.HasComputed() && str(given) != region:
		fail(regionKey, "another region than the provider's is not implemented by this stand-in for the aws plugin")
	}
}

// assumedRole is one of the roles that are assumed one after the other.
type assumedRole struct{ arn, session string }

func setAssumeRoles(s *settings, v property.Value, fail failFunc) {
	for i, e := range v.AsArray().All {
		var role assumedRole
		for field, text := range e.AsMap().AllStable {
			path := fmt.Sprintf("assumeRoles[%d].%s", i, field)
			switch {
			case isInternal(field) || text.IsNull():
			case field != "roleArn" && field != "sessionName":
				fail(path, "%q is not implemented by this stand-in for the aws plugin", field)
			case !text.IsString():
				fail(path, "expected a string, got %s", typeName(text))
			case field == "roleArn":
				role.arn = text.AsString()
			default:
				role.session = text.AsString()
			}
		}
		s.assumeRoles = append(s.assumeRoles, role)
	}
}

// assume returns a configuration with the credentials of the last of some roles.
func assume(cfg aws.Config, roles []assumedRole, endpoint string) aws.Config {
	for _, role := range roles {
		client := sts.NewFromConfig(cfg, func(o *sts.Options) { setEndpoint(&o.BaseEndpoint, endpoint) })
		cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(client, role.arn,
			func(o *stscreds.AssumeRoleOptions) {
				if role.session != "" {
					o.RoleSessionName = role.session
				}
			}))
	}
	return cfg
}
