package provider

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"google.golang.org/grpc/status"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/input"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rotation"
)

// The status of an access key, as AWS names it.
const (
	statusActive   = "Active"
	statusInactive = "Inactive"
)

func awsStatus(active bool) string {
	if active {
		return statusActive
	}
	return statusInactive
}

// iamWait returns how long AWS may take until a change of an access key is seen everywhere. A new key takes 5 to 10
// seconds to work; an emulator needs no time.
func iamWait() time.Duration {
	if wait, err := time.ParseDuration(os.Getenv("CICD_IAM_WAIT")); err == nil && wait >= 0 {
		return wait
	}
	return 10 * time.Second
}

// accessKeyBuilder registers the children of one [AccessKey].
type accessKeyBuilder struct {
	*construction
	child     pulumi.ResourceOption
	component *AccessKey
	journal   journalResource
	userName  pulumi.StringOutput
	// secret has the fields of the input secretsManager, or is nil.
	secret *input.Inputs
	// listed are the keys that the user had before this update, as a keyList.
	listed pulumi.Output
	// before and previousBefore return the IDs of the keys that were listed when the current and the previous generation
	// were planned. Only hooks call them, because they are unknown in a preview.
	before, previousBefore func() ([]string, error)
	// hasSecret and hasParameters report which stores there are, secretSlot and ssmSlot are their slots, and
	// retiringSecret is the name of the secret in the other slot.
	hasSecret, hasParameters bool
	secretSlot, ssmSlot      int
	retiringSecret           string
	// revocation is how far the revocation of session tokens has got.
	revocation rotation.Phase
	// created reports whether this update creates the current key.
	created atomic.Bool
}

// keyList is AWS's list of a user's keys, which is not known in a preview in which the user does not exist yet.
type keyList struct {
	keys  []rotation.UserKey
	known bool
}

// accessKeys are the registered keys, and where the current one is stored.
type accessKeys struct {
	current        *registeredKey
	previousID     pulumi.StringOutput
	secretArn      pulumi.StringOutput
	parameterNames pulumi.StringArrayOutput
}

// build registers the journal and, once it is known, the keys and their stores, as *accessKeys. The journal comes
// first, so that the engine has recorded a rotation before it creates the key.
func (b *accessKeyBuilder) build() (pulumi.Output, error) {
	b.listed = apply(b.userName, b.listInitially)
	var secretName pulumi.Input
	if b.secret != nil {
		secretName = b.secret.Text("name")
	}
	options := []pulumi.ResourceOption{b.child, pulumi.Version(Version), pulumi.PluginDownloadURL(downloadURL)}
	err := b.RegisterResource(journalToken, b.name, pulumi.Map{
		"userName":    b.userName,
		"generation":  b.in.Integer("generation"),
		"rotateEvery": b.in.Text("rotateEvery"),
		"previous":    b.in.Text("previous"),
		"handOver":    b.in.Text("handOver"),
		revokedInput:  b.in.Boolean(revokedInput),
		"pgpKey":      b.in.Text("pgpKey"),
		"userKeys": apply(b.listed, func(list keyList) ([][]string, error) {
			if !list.known {
				return nil, nil
			}
			keys := [][]string{}
			for _, key := range list.keys {
				keys = append(keys, []string{key.ID, key.Created.Format(time.RFC3339), awsStatus(key.Active)})
			}
			return keys, nil
		}),
		"secretName": secretName,
		"ssmPath":    b.in.Text("ssmPath"),
		"preview":    pulumi.Bool(b.DryRun()),
	}, &b.journal, options...)
	if err != nil {
		return nil, fmt.Errorf("register the journal of the access key: %w", err)
	}
	b.before = await[[]string](b.Context.Context(), b.journal.Before)
	b.previousBefore = await[[]string](b.Context.Context(), b.journal.PreviousBefore)
	j := &b.journal
	known := pulumi.All(b.component.URN(), j.Generation, j.First, j.PreviousGeneration, j.Previous, j.SecretSlot,
		j.RetiringSecret, j.SSMSlot, j.Revocation, j.HasSecret, j.HasParameters)
	return apply(known, func(v []any) (*accessKeys, error) {
		var (
			urn               pulumi.URN
			journal           rotation.Journal
			previous, revoked string
		)
		err := errors.Join(castTo(&urn, v[0]), castTo(&journal.Generation, v[1]), castTo(&journal.First, v[2]),
			castTo(&journal.Previous, v[3]), castTo(&previous, v[4]), castTo(&b.secretSlot, v[5]),
			castTo(&b.retiringSecret, v[6]), castTo(&b.ssmSlot, v[7]), castTo(&revoked, v[8]), castTo(&b.hasSecret, v[9]),
			castTo(&b.hasParameters, v[10]))
		if err != nil {
			return nil, err
		}
		journal.PreviousStatus = rotation.Status(previous)
		b.revocation = rotation.Phase(revoked)
		return b.registerKeys(urn, journal)
	}), nil
}

// registerKeys registers the keys that the journal names, and the stores of the current one. A previous key that stays
// active comes first: if the engine does not know it, that is found before anything is deleted. One that is switched
// off comes last, when its successor works and is in every store. While the component is revoked, both keys and the
// policy of the session tokens come first and do not wait for each other, so that a failure of one keeps nothing else
// from being revoked.
func (b *accessKeyBuilder) registerKeys(component pulumi.URN, j rotation.Journal) (*accessKeys, error) {
	keys := &accessKeys{previousID: pulumi.String("").ToStringOutput()}
	previousID := func() (string, error) { return "", nil }
	registerPrevious := func(opts ...pulumi.ResourceOption) (*awsiam.AccessKey, error) {
		key, err := b.registerKey(component, j.Previous, b.status(j.PreviousStatus), b.journal.PreviousPGPKey,
			func(user string) error { return b.refusePrevious(user, j) }, opts...)
		if err != nil {
			return nil, fmt.Errorf("register the previous access key: %w", err)
		}
		keys.previousID = key.ID().ToStringOutput()
		return key, nil
	}
	// The first key of a user may take a slot in which the last user's key lives. AWS counts keys per user, so it
	// needs no room there.
	options := []pulumi.ResourceOption{pulumi.DeleteBeforeReplace(j.Generation != j.First)}
	revoked := b.revocation == rotation.Revoked
	switch {
	case revoked && j.Previous != 0:
		if _, err := registerPrevious(); err != nil {
			return nil, err
		}
	case j.PreviousStatus == rotation.Active:
		previous, err := registerPrevious()
		if err != nil {
			return nil, err
		}
		previousID = await[string](b.Context.Context(), keys.previousID)
		options = append(options, pulumi.DependsOn([]pulumi.Resource{previous}))
	}
	current, err := b.registerKey(component, j.Generation, b.status(rotation.Active), b.journal.PGPKey,
		func(user string) error {
			b.created.Store(true)
			return b.checkRoom(user, j, previousID)
		}, options...)
	if err != nil {
		return nil, fmt.Errorf("register the current access key: %w", err)
	}
	keys.current = b.newRegisteredKey(current)
	tokens, err := b.registerTokenPolicy(component)
	if err != nil {
		return nil, err
	}
	stores, err := b.registerStores(keys, tokens)
	if err != nil {
		return nil, err
	}
	if j.PreviousStatus == rotation.Inactive && !revoked {
		// The ID is known once the current key works.
		works := apply(keys.current.id, func(string) ([]pulumi.Resource, error) { return []pulumi.Resource{current}, nil })
		if _, err := registerPrevious(pulumi.DependsOn(stores),
			pulumi.DependsOnInputs(input.As[pulumi.ResourceArrayOutput](works))); err != nil {
			return nil, err
		}
	}
	b.warnOfUnmanaged(j, keys)
	return keys, nil
}

// status returns the status of a key for AWS: every key is switched off while the component is revoked.
func (b *accessKeyBuilder) status(s rotation.Status) pulumi.StringPtrInput {
	revoked := b.in.Known(revokedInput) && b.in.Bool(revokedInput)
	known := b.in.Known(revokedInput) || s == rotation.Inactive
	return b.in.Derived(awsStatus(s == rotation.Active && !revoked), known, revokedInput)
}

// registerKey registers the key of a generation in its slot. The engine calls allowed, with the name of the user,
// before it creates the key.
func (b *accessKeyBuilder) registerKey(
	component pulumi.URN, generation int, status pulumi.StringPtrInput, pgpKey pulumi.StringOutput,
	allowed func(user string) error, opts ...pulumi.ResourceOption,
) (*awsiam.AccessKey, error) {
	slot := fmt.Sprintf("%s-%d", b.name, rotation.Slot(generation))
	// The engine knows hooks by names that are unique in the stack.
	explained, err := b.explainSwitch(slot)
	if err != nil {
		return nil, err
	}
	hook, err := b.RegisterHook(b.Context, fmt.Sprintf("make room for the access key %s of %s", slot, component),
		func(args *pulumi.ResourceHookArgs) error {
			return allowed(resource.FromResourcePropertyValue(args.NewInputs["user"]).AsString())
		})
	if err != nil {
		return nil, err
	}
	return awsiam.NewAccessKey(b.Context, slot, &awsiam.AccessKeyArgs{
		User:   b.userName,
		Status: status,
		PgpKey: input.As[pulumi.StringPtrOutput](apply(pgpKey, func(key string) (*string, error) {
			if key == "" {
				return nil, nil
			}
			return &key, nil
		})),
	}, append([]pulumi.ResourceOption{
		b.child,
		explained,
		pulumi.ReplacementTrigger(pulumi.Int(generation)),
		// AWS allows two keys per user: the one in the slot makes room first.
		pulumi.DeleteBeforeReplace(true),
		// Nothing may stop a rotation, or the withdrawal of a key.
		pulumi.Protect(false),
		pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeCreate: []*pulumi.ResourceHook{hook}}),
	}, opts...)...)
}

// A registeredKey is the current key, with what is used of it.
type registeredKey struct {
	*awsiam.AccessKey
	id, secret, encryptedSecret pulumi.StringOutput
}

// newRegisteredKey returns the current key. Its ID and secret become known once the key works everywhere: whoever gets
// them may use them at once.
func (b *accessKeyBuilder) newRegisteredKey(key *awsiam.AccessKey) *registeredKey {
	// The AWS provider leaves out the output that it does not fill in. In a preview, that would be unknown.
	choose := func(plain, encrypted pulumi.StringOutput) pulumi.StringOutput {
		return input.As[pulumi.StringOutput](apply(b.journal.PGPKey, func(pgpKey string) (pulumi.StringOutput, error) {
			if pgpKey == "" {
				return plain, nil
			}
			return encrypted, nil
		}))
	}
	material := choose(key.Secret, key.EncryptedSecret)
	ready := pulumi.Unsecret(apply(pulumi.All(key.URN(), key.ID(), material, key.CreateDate), func(v []any) (bool, error) {
		urn, err := cast[pulumi.URN](v[0])
		if err == nil {
			err = checkRegistered(urn)
		}
		if err != nil {
			return false, err
		}
		switch {
		case v[2] == "":
			return false, fmt.Errorf("the access key %v in the stack's state has no secret: it was imported, and AWS tells a "+
				"secret only once, when the key is created. Remove the key from the state, delete it in AWS when nobody uses it, "+
				"and run the update again, which creates another one:\n  pulumi state delete '%s'", v[1], urn)
		case b.DryRun():
			return true, nil
		}
		return true, b.awaitKey(v[3])
	}))
	of := func(value pulumi.StringOutput) pulumi.StringOutput {
		return applyText(pulumi.All(ready, value), func(v []any) (string, error) { return cast[string](v[1]) })
	}
	none := pulumi.String("").ToStringOutput()
	return &registeredKey{
		key, of(key.ID().ToStringOutput()), of(secretText(choose(key.Secret, none))),
		of(choose(none, key.EncryptedSecret)),
	}
}

// awaitKey waits until AWS knows the current key everywhere, whichever update created it.
func (b *accessKeyBuilder) awaitKey(createDate any) error {
	wait := iamWait()
	if !b.created.Load() {
		date, err := cast[string](createDate)
		if err != nil {
			return err
		}
		if wait, err = restOfWait(date, wait, time.Now()); err != nil {
			return err
		}
	}
	select {
	case <-time.After(wait):
		return nil
	case <-b.Context.Context().Done():
		return b.Context.Context().Err()
	}
}

// restOfWait returns what is left of a wait that began when a key was created. A date in the future comes from a wrong
// clock.
func restOfWait(createDate string, wait time.Duration, now time.Time) (time.Duration, error) {
	created, err := parseCreateDate(createDate)
	if err != nil {
		return 0, err
	}
	return min(wait, created.Add(wait).Sub(now)), nil
}

// parseCreateDate reads the date that AWS gave a key.
func parseCreateDate(s string) (time.Time, error) {
	created, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("read when the access key was created: %w", err)
	}
	return created, nil
}

// list asks AWS for the keys of the user.
func (b *accessKeyBuilder) list(user string) ([]rotation.UserKey, error) {
	answer, err := awsiam.GetAccessKeys(b.Context, &awsiam.GetAccessKeysArgs{User: user}, pulumi.Parent(b.component),
		b.AWSVersion())
	if err != nil {
		message := status.Convert(err).Message()
		if isNotFound(message) {
			return nil, errNoUser
		}
		return nil, fmt.Errorf("list the access keys of the user %q: %s", user, message)
	}
	keys := []rotation.UserKey{}
	for _, key := range answer.AccessKeys {
		created, err := time.Parse(time.RFC3339, key.CreateDate)
		if err != nil {
			return nil, fmt.Errorf("read when the access key %s was created: %w", key.AccessKeyId, err)
		}
		keys = append(keys, rotation.UserKey{ID: key.AccessKeyId, Created: created, Active: key.Status == statusActive})
	}
	return keys, nil
}

var errNoUser = errors.New("the user does not exist")

// isNotFound reports whether an error of the AWS provider says that what it looked up in IAM does not exist.
func isNotFound(message string) bool {
	return strings.Contains(message, "couldn't find resource") || strings.Contains(message, "NoSuchEntity")
}

// listInitially lists the keys at the start of an update. A new user may take some seconds to be found.
func (b *accessKeyBuilder) listInitially(user string) (keyList, error) {
	var keys []rotation.UserKey
	err := b.retry(func() (err error) {
		keys, err = b.list(user)
		return err
	}, func(err error) bool { return errors.Is(err, errNoUser) && !b.DryRun() })
	switch {
	case errors.Is(err, errNoUser) && b.DryRun():
		return keyList{}, nil // The update may create the user.
	case errors.Is(err, errNoUser):
		return keyList{}, fmt.Errorf("the IAM user %q does not exist: check userName. If a user of this stack was "+
			"deleted outside of Pulumi, \"pulumi up --refresh\" creates it again", user)
	}
	return keyList{keys, err == nil}, err
}

// retry calls f until it succeeds or its error is not to be retried, for as long as AWS may take to show a change.
func (b *accessKeyBuilder) retry(f func() error, retryable func(error) bool) error {
	const pause = time.Second
	for deadline := time.Now().Add(iamWait()); ; {
		err := f()
		if err == nil || !retryable(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-b.Context.Context().Done():
			return b.Context.Context().Err()
		case <-time.After(min(pause, iamWait())):
		}
	}
}

// checkRoom reports whether the current key can be created: AWS allows one more, and none was created that the engine
// did not record. AWS would refuse a third key without naming the others.
func (b *accessKeyBuilder) checkRoom(user string, j rotation.Journal, previousID func() (string, error)) error {
	previous, err := previousID()
	if err != nil {
		return err
	}
	if j.Before, err = b.before(); err != nil {
		return err
	}
	// A key that was just deleted may still be listed.
	return b.retry(func() error {
		keys, err := b.list(user)
		if err != nil {
			return err
		}
		if blocking, unrecorded := j.Blocking(keys, previous); len(blocking) > 0 {
			return &blockedError{user, blocking, unrecorded, j.Generation == j.First}
		}
		return nil
	}, func(err error) bool {
		var blocked *blockedError
		return errors.As(err, &blocked) || errors.Is(err, errNoUser)
	})
}

// blockedError reports that the current key cannot be created because of other keys.
type blockedError struct {
	user       string
	keys       []rotation.UserKey
	unrecorded bool
	// isFirst says that the stack has no key of the user yet.
	isFirst bool
}

func (e *blockedError) Error() string {
	const unrecorded = "an update was killed after AWS had created it, an older state was restored, or somebody created " +
		"it by hand"
	switch {
	case !e.unrecorded:
		keep := "Keep the one that the output accessKeyId names. Delete another one"
		if e.isFirst {
			keep = "Delete one"
		}
		return fmt.Sprintf("the user %q has no room for another access key, because AWS allows %d: %s. %s when nobody uses "+
			"it, and run the update again:\n%s",
			e.user, rotation.Slots, describeKeys(e.keys), keep, deleteCommands(e.user, e.keys[:1]))
	case len(e.keys) == 1:
		return fmt.Sprintf("the user %q has an access key that is not in the stack's state, %s: %s. Delete it when nobody "+
			"uses it, and run the update again:\n%s", e.user, describeKeys(e.keys), unrecorded, deleteCommands(e.user, e.keys))
	}
	return fmt.Sprintf("the user %q has access keys that are not in the stack's state, %s: %s. One of them may be in "+
		"use, usually the newest: \"aws iam get-access-key-last-used --access-key-id ID\" tells. Keep that one, and one "+
		"that the output accessKeyId names. Delete the other one when nobody uses it, run the update again, hand the new "+
		"key over, and then delete the one that was in use:\n%s",
		e.user, describeKeys(e.keys), unrecorded, deleteCommands(e.user, []rotation.UserKey{{ID: "ID"}}))
}

// refusePrevious keeps the engine from creating a key in the previous slot, whose secret nobody would have. The engine
// tries that if the previous key is not in its state.
func (b *accessKeyBuilder) refusePrevious(user string, j rotation.Journal) (err error) {
	if j.Before, err = b.before(); err != nil {
		return err
	}
	if j.PreviousBefore, err = b.previousBefore(); err != nil {
		return err
	}
	keys, err := b.list(user)
	if err != nil {
		return err
	}
	lost := j.LostPrevious(keys)
	if len(lost) == 0 && len(keys) >= rotation.Slots {
		// None of the keys is one that the journal knows: an older state was restored.
		lost, _ = j.Blocking(keys, "")
	}
	if len(lost) > 0 {
		return &blockedError{user, lost, true, false}
	}
	return fmt.Errorf("the previous access key of the user %q, of generation %d, is not in the stack's state any more, "+
		"and AWS tells a secret only once; set previous to %q and leave out handOver for one update", user, j.Previous,
		rotation.Deleted)
}

// describeKeys returns the IDs of keys and when each was created.
func describeKeys(keys []rotation.UserKey) string {
	texts := make([]string, len(keys))
	for i, key := range keys {
		texts[i] = fmt.Sprintf("%s (created %s)", key.ID, key.Created.UTC().Format(time.RFC3339))
	}
	return strings.Join(texts, " and ")
}

func deleteCommands(user string, keys []rotation.UserKey) string {
	var commands []string
	for _, key := range keys {
		commands = append(commands,
			fmt.Sprintf("  aws iam delete-access-key --user-name %s --access-key-id %s", user, key.ID))
	}
	return strings.Join(commands, "\n")
}

// warnOfUnmanaged names the keys of the user that the component does not manage, because it neither rotates nor revokes
// them. After the current key was created, it also looks for a second one that AWS created with it.
func (b *accessKeyBuilder) warnOfUnmanaged(j rotation.Journal, keys *accessKeys) {
	all := pulumi.All(b.userName, b.listed, keys.current.id, keys.previousID, b.journal.Before)
	apply(all, func(v []any) (_ struct{}, err error) {
		var (
			user, current, previous string
			listed                  keyList
		)
		err = errors.Join(castTo(&user, v[0]), castTo(&listed, v[1]), castTo(&current, v[2]), castTo(&previous, v[3]),
			castTo(&j.Before, v[4]))
		if err != nil {
			return struct{}{}, err
		}
		unmanaged := j.Unmanaged(listed.keys, current, previous)
		if b.created.Load() && !b.DryRun() {
			// What cannot be listed now is found by the next update. This one has done all that it had to.
			if now, err := b.list(user); err == nil {
				unmanaged = append(unmanaged, rotation.CreatedAlongside(listed.keys, now, current)...)
			}
		}
		b.warnOfKeys(user, unmanaged)
		return struct{}{}, nil
	})
}

// warnOfKeys warns of keys of the user that the component does not manage.
func (b *accessKeyBuilder) warnOfKeys(user string, unmanaged []rotation.UserKey) {
	if len(unmanaged) == 0 {
		return
	}
	text := unmanagedText(user, unmanaged)
	if err := b.Log.Warn(text, &pulumi.LogArgs{Resource: b.component}); err != nil {
		fmt.Fprintln(os.Stderr, text)
	}
}

func unmanagedText(user string, keys []rotation.UserKey) string {
	return fmt.Sprintf("the user %q has access keys that this component neither rotates nor revokes: %s. Delete them "+
		"when nobody uses them:\n%s", user, describeKeys(keys), deleteCommands(user, keys))
}
