package serve

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// AWSVersionSetting is the name of the package's setting for the version of the AWS provider.
const AWSVersionSetting = "awsVersion"

// AWSVersion returns the option of children and look-ups with the version of the AWS provider that they ask for: the
// one that is set, or none. The engine ignores it where they have an explicit provider.
//
// By default they name no version, and not that of the SDK that this plugin is built with, so that they get the default
// provider of the program's own resources. The engine takes, for a resource that names no version:
//
//   - the newest of the AWS packages that the language host finds in the program: in node_modules, in the virtual
//     environment, in go.mod, or in the options of a YAML program's resources
//   - if the host finds no package at all, as in an inline program of the Automation API, the newest of the AWS
//     providers in the stack's state
//   - else the newest AWS plugin that is installed, or the latest release if none is
//
// With a fixed version, every program with another one would get a second provider, with its own download, process and
// log-in, and version 6 would refuse what only version 7 knows of the stack's configuration, such as aws:assumeRoles. A
// setting alone would be a line of configuration in most programs. The price is that a program without an AWS package
// has the version of the machine that it runs on, as a YAML program has without cicd; such a program can set one.
//
// Sources: Pulumi 3.259.0, normalizeProviderRequest in pkg/resource/deploy/default_providers.go, and
// computeDefaultProviderPackages and installPlugins in pkg/engine; TestAWS7 in tests/e2e shows it.
func (d *Deployment) AWSVersion() pulumi.ResourceOrInvokeOption { return pulumi.Version(d.awsVersion) }
