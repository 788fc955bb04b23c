// Package provider is the Pulumi package cicd: components that give continuous integration and delivery
// systems the AWS credentials they need, and no more.
package provider

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

// components are what the plugin constructs, by their types.
var components = map[string]component{
	robotAccountToken:   {check: checkRobotAccount, construct: construct(newRobotAccount)},
	accessKeyToken:      {check: checkAccessKey, construct: construct(newAccessKey), hasOwnChildren: true},
	deploymentRoleToken: {check: checkDeploymentRole, construct: construct(newDeploymentRole)},
}
