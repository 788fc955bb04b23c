// Package provider is the Pulumi package cicd: components that give continuous integration and delivery
// systems the AWS credentials they need, and no more.
package provider

import (
	"fmt"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// The names under which the package is published. Each of them is set here and nowhere else; what lies in
// sdk/ and schema.json is generated from them.
const (
	// Name is the name of the Pulumi package, and the end of the plugin's: pulumi-resource-cicd.
	Name        = "cicd"
	publisher   = "pulumi-cicd"
	displayName = "CI/CD Credentials"
	license     = "Apache-2.0"

	repository   = "https://github.com/pulumi-cicd/pulumi-cicd"
	downloadURL  = "github://api.github.com/pulumi-cicd/pulumi-cicd"
	logoURL      = "https://raw.githubusercontent.com/pulumi-cicd/pulumi-cicd/main/docs/logo.png"
	nodePackage  = "@pulumi-cicd/cicd"
	pyPackage    = "pulumi_cicd"
	goImportPath = "github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	// The NuGet package is the namespace, a dot and the package's name: PulumiCicd.Cicd.
	dotnetNamespace = "PulumiCicd"
	dotnetName      = "Cicd"
)

// Version is the semantic version of the plugin, without a leading v. The linker sets it in a release; the
// value here serves builds from source, where Pulumi passes no linker flags.
var Version = "0.1.0"

// New returns the provider.
func New() (p.Provider, error) { return newProvider(time.Now) }

// newProvider returns the provider with a clock.
func newProvider(now func() time.Time) (p.Provider, error) {
	provider, err := infer.NewProviderBuilder().
		WithLanguageMap(languages()). // First: it replaces what the others add.
		WithDisplayName(displayName).
		WithDescription("AWS credentials for CI/CD systems: robot accounts that may assume roles, and nothing else.").
		WithKeywords("pulumi", "aws", "iam", "ci", "cd", "credentials", "category/infrastructure", "kind/component").
		WithHomepage(repository).
		WithRepository(repository).
		WithPublisher(publisher).
		WithLogoURL(logoURL).
		WithLicense(license).
		WithPluginDownloadURL(downloadURL).
		WithGoImportPath(goImportPath). // After the repository, whose scheme would end up in the path.
		WithComponents(infer.ComponentF(closable(newRobotAccount)), infer.ComponentF(closable(newDeploymentRole))).
		Build()
	if err != nil {
		return p.Provider{}, fmt.Errorf("build provider: %w", err)
	}
	provider = withAccessKeyRotation(provider, now)
	return withInputs(withSchemaCorrections(provider), map[tokens.Type]func(*inputs, string) error{
		robotAccountToken:   checkRobotAccount,
		deploymentRoleToken: checkDeploymentRole,
	}), nil
}
