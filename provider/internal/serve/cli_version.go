package serve

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// RequireCLI returns an error unless the version of the Pulumi CLI is in a range. It asks the engine again only after
// an error: every construct that asks connects to the engine first.
func (d *Deployment) RequireCLI(ctx *pulumi.Context, versions string) error {
	if _, fits := d.session.cliVersions.Load(versions); fits {
		return nil
	}
	if err := ctx.RequirePulumiVersion(versions); err != nil {
		return err
	}
	d.session.cliVersions.Store(versions, nil)
	return nil
}
