package provider

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"google.golang.org/grpc/status"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rotation"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/store"
)

// cliVersions are the versions of the Pulumi CLI that can rotate: those before know no replacement triggers and
// would take a rotation for done without making a key.
const cliVersions = ">=3.220.0"

// accessKeys are the outputs of a robot that concern its access keys. All are null without any.
type accessKeys struct {
	id, secret, encryptedSecret, previousID pulumi.StringPtrOutput
	generation                              pulumi.IntPtrOutput
	rotatedAt, rotateAfter                  pulumi.StringPtrOutput
	secretArn                               pulumi.StringPtrOutput
	parameterNames                          pulumi.StringArrayOutput
}

// noAccessKeys are the outputs of a robot without access keys: the same nulls for all of them.
var noAccessKeys = sync.OnceValue(func() accessKeys {
	none := optional(pulumi.String("").ToStringOutput())
	return accessKeys{
		id: none, secret: none, encryptedSecret: none, previousID: none,
		generation: pulumi.Int(0).ToIntOutput().ApplyT(func(int) *int { return nil }).(pulumi.IntPtrOutput),
		rotatedAt:  none, rotateAfter: none, secretArn: none,
		parameterNames: none.ApplyT(func(*string) []string { return nil }).(pulumi.StringArrayOutput),
	}
})

// keyring registers the access keys of one user.
type keyring struct {
	ctx   *pulumi.Context
	name  string
	args  *AccessKeyArgs
	owner pulumi.Resource
	user  *awsiam.User
	// previousStays says that a rotation leaves the previous key as it is.
	previousStays bool
	// listed are the keys that the user had before this update, as []rotation.UserKey. It is not known in a
	// preview in which the user is yet to be made.
	listed pulumi.Output
	noted  *accessKeyRotation
}

// checkCLI reports whether the Pulumi CLI can rotate access keys.
func checkCLI(ctx *pulumi.Context) error {
	if err := ctx.RequirePulumiVersion(cliVersions); err != nil {
		return fmt.Errorf("access keys need the Pulumi CLI %s: %w", cliVersions, err)
	}
	return nil
}

// newAccessKeys registers the access keys of a user, and what keeps them. The journal comes first, so that the
// engine has noted a rotation before it makes the key.
func newAccessKeys(
	ctx *pulumi.Context, name string, args *AccessKeyArgs, owner pulumi.Resource, user *awsiam.User,
) (*accessKeys, error) {
	k := &keyring{ctx: ctx, name: name, args: args, owner: owner, user: user, noted: &accessKeyRotation{}}
	given := newInputs(ctx).values.Get(accessKeyInput)
	if given.IsMap() {
		previous := given.AsMap().Get("previous")
		k.previousStays = previous.IsNull() || (previous.IsString() && previous.AsString() == previousActive)
	}
	// The unique ID is known once the user exists.
	k.listed = pulumi.All(user.Name, user.UniqueId).ApplyT(guarded(func(v []any) ([]rotation.UserKey, error) {
		return k.list(as[string](v[0]))
	}))
	err := ctx.RegisterResource(accessKeyRotationToken, name, pulumi.Map{
		"generation":  args.Generation,
		"rotateEvery": args.RotateEvery,
		"previous":    args.Previous,
		"pgpKey":      args.PGPKey,
		"userId":      user.UniqueId,
		"userKeys": k.listed.ApplyT(guarded(func(listed any) ([]string, error) {
			keys := []string{}
			for _, key := range as[[]rotation.UserKey](listed) {
				keys = append(keys, key.ID)
			}
			return keys, nil
		})),
	}, k.noted, pulumi.Parent(owner))
	if err != nil {
		return nil, fmt.Errorf("register the rotation of the access keys: %w", err)
	}

	// Which keys there are depends on the journal, all of which is known in a preview too.
	made := pulumi.All(owner.URN(), k.noted.Generation, k.noted.Before,
		k.noted.PreviousGeneration, k.noted.PreviousBefore, k.noted.PreviousKept,
	).ApplyT(guarded(func(v []any) (*accessKeys, error) {
		j := rotation.Journal{Current: rotation.Key{Generation: as[int](v[1]), Before: as[[]string](v[2])}}
		if generation := as[int](v[3]); generation != 0 {
			j.Previous = &rotation.Key{Generation: generation, Before: as[[]string](v[4])}
			j.PreviousKept = as[bool](v[5])
		}
		return k.register(as[pulumi.URN](v[0]), j)
	}))
	text := func(of func(*accessKeys) pulumi.StringPtrOutput) pulumi.StringPtrOutput {
		return made.ApplyT(func(m any) pulumi.StringPtrOutput { return of(as[*accessKeys](m)) }).(pulumi.StringPtrOutput)
	}
	return &accessKeys{
		id:              text(func(m *accessKeys) pulumi.StringPtrOutput { return m.id }),
		secret:          text(func(m *accessKeys) pulumi.StringPtrOutput { return m.secret }),
		encryptedSecret: text(func(m *accessKeys) pulumi.StringPtrOutput { return m.encryptedSecret }),
		previousID:      text(func(m *accessKeys) pulumi.StringPtrOutput { return m.previousID }),
		generation:      k.noted.Generation.ToIntPtrOutput(),
		rotatedAt:       k.noted.RotatedAt.ToStringPtrOutput(),
		rotateAfter:     k.rotateAfter(),
		secretArn:       text(func(m *accessKeys) pulumi.StringPtrOutput { return m.secretArn }),
		parameterNames: made.ApplyT(func(m any) pulumi.StringArrayOutput {
			return as[*accessKeys](m).parameterNames
		}).(pulumi.StringArrayOutput),
	}, nil
}

// list asks AWS for the keys of the user.
func (k *keyring) list(user string) ([]rotation.UserKey, error) {
	answer, err := awsiam.GetAccessKeys(k.ctx, &awsiam.GetAccessKeysArgs{User: user}, pulumi.Parent(k.owner))
	if err != nil {
		return nil, fmt.Errorf("list the access keys of the user %q: %s", user, status.Convert(err).Message())
	}
	var keys []rotation.UserKey
	for _, key := range answer.AccessKeys {
		created, err := time.Parse(time.RFC3339, key.CreateDate)
		if err != nil {
			return nil, fmt.Errorf("read when the access key %s was made: %w", key.AccessKeyId, err)
		}
		keys = append(keys, rotation.UserKey{ID: key.AccessKeyId, Created: created})
	}
	return keys, nil
}

// register registers the keys that the journal names, and the stores of the current one. The key before the
// current one comes last: it is not switched off before its successor is there and in every store. Where it stays
// as it was, it comes first: a previous key that the engine does not know is told before anything is deleted.
func (k *keyring) register(owner pulumi.URN, j rotation.Journal) (*accessKeys, error) {
	ofCurrent, ofPrevious := k.statuses()
	made := noAccessKeys()
	m := &made
	previous := func(after ...pulumi.Resource) (*awsiam.AccessKey, error) {
		key, err := k.registerKey(owner, *j.Previous, ofPrevious, k.noted.PreviousPGPKey,
			func(user string) error { return k.refusePrevious(user, j) },
			pulumi.DependsOn(after),
			// The next rotation takes its place, however much the robot is protected.
			pulumi.Protect(false))
		if err != nil {
			return nil, fmt.Errorf("register the previous access key: %w", err)
		}
		m.previousID = optional(key.id)
		return key.AccessKey, nil
	}
	var before []pulumi.Resource
	previousFirst := j.PreviousKept && k.previousStays
	if previousFirst {
		key, err := previous()
		if err != nil {
			return nil, err
		}
		before = append(before, key)
	}
	current, err := k.registerKey(owner, j.Current, ofCurrent, k.noted.PGPKey,
		func(user string) error { return k.checkRoom(user, j) }, pulumi.DependsOn(before))
	if err != nil {
		return nil, fmt.Errorf("register the current access key: %w", err)
	}
	m.id = optional(current.id)
	m.secret = optional(as[pulumi.StringOutput](pulumi.ToSecret(current.secret)))
	m.encryptedSecret = optional(current.encryptedSecret)
	stores, err := k.registerStores(current, m)
	if err != nil {
		return nil, err
	}
	if j.PreviousKept && !previousFirst {
		if _, err := previous(append(stores, current.AccessKey)...); err != nil {
			return nil, err
		}
	}
	k.warnOfUnmanaged(j, m)
	return m, nil
}

// statuses returns the status of the current key, and of the one before it.
func (k *keyring) statuses() (current, previous pulumi.StringPtrOutput) {
	status := func(ofPrevious bool) pulumi.StringPtrOutput {
		return pulumi.All(k.args.Previous, k.args.Revoked).ApplyT(guarded(func(v []any) (*string, error) {
			revoked := valueOrZero[bool](v[1])
			if revoked || ofPrevious && valueOrZero[string](v[0]) == previousInactive {
				return pulumi.StringRef(statusInactive), nil
			}
			return pulumi.StringRef(statusActive), nil
		})).(pulumi.StringPtrOutput)
	}
	return status(false), status(true)
}

// A registeredKey is a key, and what is used of it.
type registeredKey struct {
	*awsiam.AccessKey
	id, secret, encryptedSecret pulumi.StringOutput
}

// newRegisteredKey takes from a key what is used of it, and fails if the key is not registered: the Pulumi SDK v3.259.0
// says no error where it could not register the hooks of a resource, but gives an empty resource. The key that there is
// would be deleted, and nothing put in the stores. An SDK that said the error would make this needless.
func newRegisteredKey(key *awsiam.AccessKey) *registeredKey {
	of := func(value pulumi.StringOutput) pulumi.StringOutput {
		return pulumi.All(key.URN(), value).ApplyT(guarded(func(v []any) (string, error) {
			if as[pulumi.URN](v[0]) == "" {
				return "", errors.New("the access key could not be registered")
			}
			return as[string](v[1]), nil
		})).(pulumi.StringOutput)
	}
	return &registeredKey{key, of(key.ID().ToStringOutput()), of(key.Secret), of(key.EncryptedSecret)}
}

// registerKey registers one key in its slot. Before the engine makes the key, allowed is asked, with the name of
// the user.
func (k *keyring) registerKey(
	owner pulumi.URN, key rotation.Key, status pulumi.StringPtrInput, pgpKey pulumi.StringOutput,
	allowed func(user string) error, opts ...pulumi.ResourceOption,
) (*registeredKey, error) {
	slot := fmt.Sprintf("%s-%d", k.name, key.Slot())
	// The engine knows hooks by names that are unique in the stack.
	hook, err := registerHook(k.ctx, fmt.Sprintf("make room for the access key %s of %s", slot, owner),
		func(args *pulumi.ResourceHookArgs) error {
			return allowed(resource.FromResourcePropertyValue(args.NewInputs["user"]).AsString())
		})
	if err != nil {
		return nil, err
	}
	made, err := awsiam.NewAccessKey(k.ctx, slot, &awsiam.AccessKeyArgs{
		User:   k.user.Name,
		Status: status,
		PgpKey: optional(pgpKey),
	}, append(opts,
		pulumi.Parent(k.owner),
		pulumi.ReplacementTrigger(pulumi.Int(key.Generation)),
		// AWS gives a user two keys at most: the one in the slot makes room first.
		pulumi.DeleteBeforeReplace(true),
		pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeCreate: []*pulumi.ResourceHook{hook}}),
	)...)
	if err != nil {
		return nil, err
	}
	return newRegisteredKey(made), nil
}

// registerStores registers what holds the current key, and adds the outputs to m.
func (k *keyring) registerStores(current *registeredKey, m *accessKeys) ([]pulumi.Resource, error) {
	var stores []pulumi.Resource
	child := pulumi.Parent(k.owner)
	if k.args.SecretsManager != nil {
		secret, err := secretsmanager.NewSecret(k.ctx, k.name, &secretsmanager.SecretArgs{
			Name:        k.args.SecretsManager.Name,
			KmsKeyId:    k.args.SecretsManager.KMSKeyID,
			Description: pulumi.Sprintf("The access key of the IAM user %s.", k.user.Name),
			// Nothing is lost with it: its keys are deleted as well.
			RecoveryWindowInDays: pulumi.Int(0),
		}, child)
		if err != nil {
			return nil, fmt.Errorf("register the secret: %w", err)
		}
		version, err := secretsmanager.NewSecretVersion(k.ctx, k.name, &secretsmanager.SecretVersionArgs{
			SecretId: secret.ID(),
			SecretString: as[pulumi.StringOutput](pulumi.ToSecret(pulumi.All(current.id, current.secret).ApplyT(
				guarded(func(v []any) (string, error) {
					return store.PairJSON(as[string](v[0]), as[string](v[1]))
				})))),
		}, child,
			// A rotation replaces it, however much the robot is protected. AWS keeps the current value until there
			// is another one, so that deleting it first takes nothing away, and leaves no old value in the state of
			// an update that fails halfway, for the next one to stumble over.
			pulumi.Protect(false), pulumi.DeleteBeforeReplace(true))
		if err != nil {
			return nil, fmt.Errorf("register the value of the secret: %w", err)
		}
		m.secretArn = secret.Arn.ToStringPtrOutput()
		stores = append(stores, version)
	}
	if k.args.SSMPath != nil {
		names := k.args.SSMPath.ToStringPtrOutput().ApplyT(guarded(func(path *string) ([]string, error) {
			id, secret := store.ParameterNames(*path)
			return []string{id, secret}, nil
		})).(pulumi.StringArrayOutput)
		for i, part := range []struct {
			suffix string
			value  pulumi.StringInput
		}{
			{"-id", current.id},
			{"-secret", current.secret},
		} {
			parameter, err := ssm.NewParameter(k.ctx, k.name+part.suffix, &ssm.ParameterArgs{
				Name:        names.Index(pulumi.Int(i)),
				Type:        pulumi.String("SecureString"),
				Value:       as[pulumi.StringOutput](pulumi.ToSecret(part.value)),
				Description: pulumi.Sprintf("A part of the access key of the IAM user %s.", k.user.Name),
			}, child)
			if err != nil {
				return nil, fmt.Errorf("register a parameter: %w", err)
			}
			stores = append(stores, parameter)
		}
		m.parameterNames = names
	}
	return stores, nil
}

// rotateAfter returns when the current key becomes due, or null if it never does.
func (k *keyring) rotateAfter() pulumi.StringPtrOutput {
	return pulumi.All(k.noted.RotatedAt, k.args.RotateEvery).ApplyT(guarded(func(v []any) (*string, error) {
		every := valueOrZero[string](v[1])
		if every == "" {
			return nil, nil
		}
		interval, err := rotation.ParseInterval(every)
		if err != nil {
			return nil, err
		}
		rotatedAt, err := time.Parse(time.RFC3339, as[string](v[0]))
		if err != nil {
			return nil, err
		}
		return pulumi.StringRef(rotatedAt.Add(interval).Format(time.RFC3339)), nil
	})).(pulumi.StringPtrOutput)
}

// checkRoom reports whether the current key can be made: the user has no key that the engine never recorded,
// and room for one more. AWS would refuse a third key without naming the others.
func (k *keyring) checkRoom(user string, j rotation.Journal) error {
	// A key that was just deleted may go on to be listed for some seconds.
	const attempts, pause = 10, time.Second
	for attempt := 1; ; attempt++ {
		keys, err := k.list(user)
		if err != nil {
			return err
		}
		if unrecorded := j.Unrecorded(keys); len(unrecorded) > 0 {
			return unrecordedError(user, unrecorded)
		}
		inTheWay := j.InTheWay(keys)
		if len(inTheWay) == 0 {
			if j.Previous == nil && len(keys) > 0 {
				k.warn(user, j.Unmanaged(keys, "", ""))
			}
			return nil
		}
		if attempt == attempts {
			return fmt.Errorf("the user %[1]q has no room for another access key, since AWS allows %[2]d: %[3]s is not "+
				"this stack's. Delete it when nobody uses it any more, and run the update again:\n%[4]s",
				user, rotation.Slots, strings.Join(inTheWay, " or "), deleteCommands(user, inTheWay[:1]))
		}
		select {
		case <-k.ctx.Context().Done():
			return k.ctx.Context().Err()
		case <-time.After(pause):
		}
	}
}

// refusePrevious does not let the engine make a previous key: nobody would know it. The engine would, if somebody
// had deleted the one there was, or if it never noted the one that AWS had made.
func (k *keyring) refusePrevious(user string, j rotation.Journal) error {
	keys, err := k.list(user)
	if err != nil {
		return err
	}
	if unrecorded := j.OfPrevious(keys); len(unrecorded) > 0 {
		return unrecordedError(user, unrecorded)
	}
	return fmt.Errorf("the previous access key of the user %q is gone from AWS: set accessKey.previous to %q", user,
		previousDeleted)
}

// unrecordedError says that AWS has keys that the engine does not know.
func unrecordedError(user string, keys []string) error {
	return fmt.Errorf("the user %[1]q has an access key that is not in the stack's state, %[2]s: an update was "+
		"ended after AWS had made it and before Pulumi could note it, or somebody made it by hand. Pulumi does not "+
		"know its secret. Delete it, and run the update again:\n%[3]s",
		user, strings.Join(keys, " and "), deleteCommands(user, keys))
}

func deleteCommands(user string, keys []string) string {
	var commands strings.Builder
	for _, key := range keys {
		fmt.Fprintf(&commands, "  aws iam delete-access-key --user-name %s --access-key-id %s\n", user, key)
	}
	return strings.TrimSuffix(commands.String(), "\n")
}

// warnOfUnmanaged names the keys of the user that are not the stack's, since they are neither rotated nor
// revoked. Where the current key has just been made, it looks for another one that was made with it.
func (k *keyring) warnOfUnmanaged(j rotation.Journal, m *accessKeys) {
	pulumi.All(k.user.Name, k.listed, m.id, m.previousID).ApplyT(guarded(func(v []any) (struct{}, error) {
		var ids [2]string
		for i, id := range v[2:] {
			if id, _ := id.(*string); id != nil {
				ids[i] = *id
			}
		}
		user, listed := as[string](v[0]), as[[]rotation.UserKey](v[1])
		isListed := func(key rotation.UserKey) bool { return key.ID == ids[0] }
		if ids[0] == "" || slices.ContainsFunc(listed, isListed) {
			k.warn(user, j.Unmanaged(listed, ids[0], ids[1]))
			return struct{}{}, nil
		}
		// What cannot be listed now is told by the next update. This one has done all that it had to.
		if now, err := k.list(user); err == nil {
			k.warn(user, rotation.Beside(listed, now, ids[0]))
		}
		return struct{}{}, nil
	}))
}

func (k *keyring) warn(user string, unmanaged []string) {
	if len(unmanaged) == 0 {
		return
	}
	text := fmt.Sprintf("the user %q has access keys that this stack does not manage, and so neither rotates nor "+
		"revokes: %s", user, strings.Join(unmanaged, ", "))
	if err := k.ctx.Log.Warn(text, &pulumi.LogArgs{Resource: k.owner}); err != nil {
		fmt.Fprintln(os.Stderr, text)
	}
}

// optional makes an empty text null.
func optional(text pulumi.StringOutput) pulumi.StringPtrOutput {
	return text.ApplyT(guarded(func(s string) (*string, error) {
		if s == "" {
			return nil, nil
		}
		return &s, nil
	})).(pulumi.StringPtrOutput)
}

// as returns a value of the type that it is known to have, which what outputs are applied to does not say.
func as[T any](v any) T {
	t, _ := v.(T)
	return t
}
