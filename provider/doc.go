// Package provider is the Pulumi package cicd: components that give continuous integration and delivery systems the AWS
// credentials they need, and no more.
//
// # Map
//
//	provider.go                 names, version, and New: the one place where every component is listed
//	configuration.go            the package's settings
//	construction.go             from a Construct request to a component
//	robot_account.go            RobotAccount: inputs, outputs, rules, children
//	deployment_role.go          DeploymentRole, likewise
//	oidc_provider.go            OidcProvider, likewise
//	access_key.go               AccessKey, likewise; its children are in access_key_resources.go and access_key_stores.go
//	access_key_journal.go       the resource that remembers a user's keys in the stack's state
//	access_key_revocation.go    revoked: denying session tokens, and who may not set it
//	adopt.go                    adopt: looking up, checking and importing what exists
//	named.go                    users, groups and roles whose names are given: look-ups, and ARNs in previews
//	existing.go                 what to do after an error, such as that AWS has an object of the same name already
//	*_schema.go, *.md           what the schema says of each of them, in five languages
//	schema.go                   what pulumi-go-provider infers, corrected
//	trusted_job_schema.go       the types of the jobs that a role trusts, from internal/oidc
//	outputs.go                  applying functions to outputs without losing panics and types
//	workaround_*.go             one file for each bug of a library, with the test that fails once the bug is gone
//	internal/serve              connections, cancelling, panics, hooks, and the caller's AWS account
//	internal/input              rules over property values, the one error that lists every problem, and passing values on
//	internal/iam                what IAM allows, and how policies are written
//	internal/oidc               what a job of a CI system is, and what its token has; one file for each system
//	internal/rotation           when a key is replaced, and which of a user's keys belong to the stack
//	internal/store, pgp, clock  secrets and parameters, OpenPGP keys, and AWS's clock
//	internal/rule               what a broken rule says
//
// Packages depend on those below them: provider on serve and input, these on the pure packages, and those on rule and
// clock. The pure packages know nothing of Pulumi, call nothing and read no clock.
//
// # The way of a request
//
// The engine calls Construct. serve counts the construct, and component.prepare unmarshals its inputs into property
// values, their only form. The component's check function applies a table of rules to them, without the AWS account; if
// anything is wrong, one error lists all of it and nothing exists yet. serve waits for a place and has the Pulumi SDK
// set up a context (serve/workaround_connections.go). A component with a policy then looks up the AWS account, checks
// what depends on it, reads the inputs of the policy into a type of iam, and writes it. AccessKey looks up the account
// only when it is revoked. With adopt, the component then looks up what it takes over. Last, it registers itself and
// its children: an input is passed on as it came, secret, unknown or depending on others.
//
// Everything else, schema, configuration and the journal's methods, is served by pulumi-go-provider.
//
// # The life of a key
//
// An update registers the journal first, with AWS's list of the user's keys. Its Check sees the journal that the engine
// recorded last and decides, in rotation.Journal.Next, whether the key is replaced. The engine records the answer. Only
// then the keys are registered: generation g in the slot g mod 2, where it replaces the key of generation g-2, which is
// deleted first because AWS allows two keys. A previous key that stays active is registered before the current one; one
// that is switched off, after the current one works and is in every store; one that is deleted is not registered, and
// the engine deletes it at the end.
//
// While the component is revoked, both keys and the policy of the user's session tokens are registered first, and wait
// for nothing; the stores stay as the journal has them. The journal also remembers which keys there were then, and
// later the time before which tokens stay revoked (rotation.Revocation).
//
// An update that is killed leaves one of these:
//
//   - the journal and no key: the next update creates the key, because its generation is not the one in the slot
//     (Journal.Next says what becomes of the other slot, isUnfinished when that one is gone too)
//   - a key that the engine did not record: a hook finds it in AWS's list before the next creation, and the error names
//     it with the command that deletes it (Journal.Blocking)
//   - a recorded key: the next update goes on with the stores
//   - a previous key that should have ended: the next update ends it; if that update rotates again, the key stays
//     active until the one after (Journal.Held). A warning names a key that should be gone (Step.Leftover)
package provider
