package provider

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/input"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rotation"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

const revokedInput = "revoked"

// refuseSelf refuses to revoke the keys of the user who runs the update: it would cut itself off halfway.
func refuseSelf(c *construction) error {
	user := c.in.String("userName")
	if !c.in.Bool(revokedInput) || user == "" {
		return nil
	}
	identity, err := c.Identity(c.Context, c.options)
	if err != nil {
		return err
	}
	if iam.CallerUser(identity.Caller) == user {
		c.in.ReportInput(revokedInput, rule.Broken("must not be set with credentials of the very user whose keys it "+
			"switches off, %q: use those of an administrator", user))
	}
	return c.in.Err()
}

// tokenPolicyName returns the name of the policy that revokes a user's session tokens. Two components may share a user.
func tokenPolicyName(component pulumi.URN) string {
	hash := sha256.Sum256([]byte(component))
	return fmt.Sprintf("cicd-revoke-tokens-%x", hash[:4])
}

// registerTokenPolicy registers the policy that revokes the user's session tokens, if there is one.
func (b *accessKeyBuilder) registerTokenPolicy(component pulumi.URN) (*awsiam.UserPolicy, error) {
	var policy pulumi.StringOutput
	switch unknown := !b.in.Known(revokedInput); {
	case unknown && b.DryRun():
		policy = b.in.Derived("", false, revokedInput)
	case b.revocation == rotation.Revoked:
		text, err := iam.RevokeTokensPolicy()
		if err != nil {
			return nil, err
		}
		policy = b.in.Derived(text, true, revokedInput)
	case b.revocation == rotation.Ended:
		policy = applyText(b.journal.RevokedBefore, func(before string) (string, error) {
			t, err := time.Parse(time.RFC3339, before)
			if err != nil {
				return "", fmt.Errorf("read before when session tokens are revoked: %w", err)
			}
			return iam.RevokeIssuedBeforePolicy(t)
		})
	default:
		return nil, nil //nolint:nilnil // There is none.
	}
	const typ = "aws:iam/userPolicy:UserPolicy"
	explained, err := b.explainErrors(b.component, typ, b.name, func(args *pulumi.ErrorHookArgs) string {
		document, _ := textOf(args.NewInputs["policy"])
		if args.FailedOperation == "delete" || document == "" {
			return ""
		}
		user, name := userOf(args), tokenPolicyName(component)
		return fmt.Sprintf("the session tokens of the user %q are not revoked as they should be. Run the update again; or "+
			"revoke them by hand:\n  aws iam put-user-policy --user-name %s --policy-name %s --policy-document '%s'", user, user,
			name, document)
	})
	if err != nil {
		return nil, err
	}
	made, err := awsiam.NewUserPolicy(b.Context, b.name, &awsiam.UserPolicyArgs{
		Name:   pulumi.String(tokenPolicyName(component)),
		User:   b.userName,
		Policy: policy,
	}, b.child, unprotected, createFirst, explained)
	if err != nil {
		return nil, fmt.Errorf("register the policy that revokes session tokens: %w", err)
	}
	return made, nil
}

// explainSwitch returns the option that tells how to switch a key off by hand if the update cannot.
func (b *accessKeyBuilder) explainSwitch(slot string) (pulumi.ResourceOption, error) {
	if b.revocation != rotation.Revoked {
		return pulumi.Composite(), nil
	}
	return b.explainErrors(b.component, "aws:iam/accessKey:AccessKey", slot, func(args *pulumi.ErrorHookArgs) string {
		if args.FailedOperation != "update" {
			return ""
		}
		return fmt.Sprintf("the access key %s may still be active. Run the update again; or switch it off by hand:\n  %s",
			args.ID, switchOffCommand(userOf(args), string(args.ID)))
	})
}

func switchOffCommand(user, id string) string {
	return fmt.Sprintf("aws iam update-access-key --user-name %s --access-key-id %s --status %s", user, id, statusInactive)
}

// userOf returns the user of a failed resource, or what stands for a name that is secret.
func userOf(args *pulumi.ErrorHookArgs) string {
	if user, plain := textOf(args.NewInputs["user"]); plain {
		return user
	}
	return "USER"
}

// textOf returns a string that is not secret.
func textOf(v resource.PropertyValue) (text string, plain bool) {
	if !v.IsString() {
		return "", false
	}
	return v.StringValue(), true
}

// checkedGeneration returns the generation, which fails if AWS still lists one of the keys as active in an update that
// revokes them. The AWS provider reads a key back as soon as it has switched it, and may then record the status from
// before: the next switch changes nothing, unless the update refreshes.
func (b *accessKeyBuilder) checkedGeneration(keys *accessKeys) pulumi.IntOutput {
	if b.DryRun() || b.revocation != rotation.Revoked {
		return b.journal.Generation
	}
	all := pulumi.All(b.userName, keys.current.id, keys.previousID, b.journal.Generation)
	return input.As[pulumi.IntOutput](apply(all, func(v []any) (int, error) {
		var (
			user, current, previous string
			generation              int
		)
		err := errors.Join(castTo(&user, v[0]), castTo(&current, v[1]), castTo(&previous, v[2]), castTo(&generation, v[3]))
		if err != nil {
			return 0, err
		}
		isOn := func(k rotation.UserKey) bool { return k.Active && (k.ID == current || k.ID == previous) }
		return generation, b.retry(func() error {
			listed, err := b.list(user)
			if err != nil {
				return err
			}
			if on := slices.IndexFunc(listed, isOn); on >= 0 {
				return &activeError{user, listed[on].ID}
			}
			return nil
		}, func(err error) bool {
			var active *activeError
			return errors.As(err, &active)
		})
	}))
}

// activeError reports that a key is still active that is revoked.
type activeError struct{ user, id string }

func (e *activeError) Error() string {
	return fmt.Sprintf("%s: AWS still lists the access key %s as active. Run \"pulumi up --refresh\", or switch it off "+
		"by hand:\n  %s", revokedInput, e.id, switchOffCommand(e.user, e.id))
}
