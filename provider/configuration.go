package provider

import (
	"context"
	"errors"

	"github.com/blang/semver"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/serve"
)

// Configuration is the package's configuration: of a stack, or of an explicit provider of the package.
type Configuration struct {
	AWSVersion *string `pulumi:"awsVersion,optional"`
}

// Annotate describes the settings.
func (c *Configuration) Annotate(a infer.Annotator) {
	a.Describe(&c.AWSVersion, "The version of the AWS provider that creates the resources, such as `7.40.0`, where the "+
		"program gives no AWS provider. It must be a version 6 or 7. By default, that of the program's own AWS package, "+
		"or the newest that is installed if the program has none. A change replaces nothing.")
}

// configured returns a provider that checks the configuration. It leaves alone what it does not know: in a project of
// the package's name, these are the program's own settings.
//
// It has no DiffConfig. That of pulumi-go-provider v1.5.0 has the engine replace the provider when a setting changes
// (issue 409), and with it the journals of access keys, which would rotate them.
func configured(provider p.Provider) p.Provider {
	provider.CheckConfig = func(_ context.Context, req p.CheckRequest) (p.CheckResponse, error) {
		resp := p.CheckResponse{Inputs: req.Inputs}
		version := req.Inputs.Get(serve.AWSVersionSetting)
		if version.IsNull() || version.IsComputed() {
			return resp, nil
		}
		err := errors.New(badAWSVersion)
		if version.IsString() {
			err = checkAWSVersion(version.AsString())
		}
		if err != nil {
			resp.Failures = []p.CheckFailure{{Property: serve.AWSVersionSetting, Reason: err.Error()}}
		}
		return resp, nil
	}
	provider.DiffConfig = nil
	return provider
}

const badAWSVersion = "must be a version 6 or 7 of the AWS provider, as three numbers, such as 7.40.0"

// checkAWSVersion checks that a text is a version of the AWS provider that the package knows.
func checkAWSVersion(text string) error {
	version, err := semver.Parse(text)
	if err != nil || (version.Major != 6 && version.Major != 7) {
		return errors.New(badAWSVersion)
	}
	return nil
}
