package provider

import (
	"context"
	"fmt"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/serve"
)

// The names under which the package is published. Each of them is set here and nowhere else: schema.json and sdk/ are
// generated from them.
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

// Version is the semantic version of the plugin, without a leading v. The linker sets it in a release; the value here
// serves builds from source, where Pulumi passes no linker flags.
var Version = "0.1.0"

// New returns the provider: its schema and metadata, as pulumi-go-provider infers them from the Go types, and the
// resource that remembers access keys. [Serve] serves it, and the components beside it.
func New(now func() time.Time) (p.Provider, error) {
	provider, err := infer.NewProviderBuilder().
		WithLanguageMap(languages()). // First: it replaces what the others add.
		WithDisplayName(displayName).
		WithDescription("AWS credentials for CI/CD systems: roles for jobs that sign in with OpenID Connect, and for "+
			"systems without it, robot accounts that may assume roles and nothing else, with access keys that rotate.").
		WithKeywords("pulumi", "aws", "iam", "ci", "cd", "credentials", "category/infrastructure", "kind/component").
		WithHomepage(repository).
		WithRepository(repository).
		WithPublisher(publisher).
		WithLogoURL(logoURL).
		WithLicense(license).
		WithPluginDownloadURL(downloadURL).
		WithGoImportPath(goImportPath). // After the repository, whose scheme would end up in the path.
		WithConfig(infer.Config(&Configuration{})).
		WithComponents(
			infer.ComponentF(infer.ComponentFn[RobotAccountArgs, *RobotAccount](nil)),
			infer.ComponentF(infer.ComponentFn[AccessKeyArgs, *AccessKey](nil)),
			infer.ComponentF(infer.ComponentFn[DeploymentRoleArgs, *DeploymentRole](nil)),
			infer.ComponentF(infer.ComponentFn[OidcProviderArgs, *OidcProvider](nil)),
		).
		Build()
	if err != nil {
		return p.Provider{}, fmt.Errorf("build the provider: %w", err)
	}
	provider.GetSchema = corrected(provider.GetSchema)
	return (&journalProvider{now}).serveWith(configured(provider)), nil
}

// components are what the plugin constructs, by their types.
var components = map[tokens.Type]component{
	robotAccountToken:   {check: checkRobotAccount, construct: newRobotAccount},
	accessKeyToken:      {check: checkAccessKey, construct: newAccessKey, ownChildren: true},
	deploymentRoleToken: {check: checkDeploymentRole, construct: newDeploymentRole},
	oidcProviderToken:   {check: checkOidcProvider, construct: newOidcProvider},
}

// served returns the plugin with some components.
func served(components map[tokens.Type]component, now func() time.Time) (serve.Package, error) {
	provider, err := New(now)
	pkg := serve.Package{
		Name: Name, Version: Version, Provider: provider, Components: map[tokens.Type]serve.Component{},
	}
	for token, c := range components {
		pkg.Components[token] = c.prepare
	}
	return pkg, err
}

// Serve runs the plugin: it prints the port that it listens on, and returns when the engine that started it ends or ctx
// is cancelled.
func Serve(ctx context.Context) error {
	pkg, err := served(components, time.Now)
	if err != nil {
		return err
	}
	return serve.Run(ctx, pkg)
}
