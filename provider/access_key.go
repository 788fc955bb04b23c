package provider

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/pgp"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rotation"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/store"
)

const (
	accessKeyToken = Name + ":index:AccessKey"

	secretsManagerInput = "secretsManager"

	// cliVersions are the versions of the Pulumi CLI that can rotate. Older ones know no replacement triggers and would
	// take a rotation for done without creating a key.
	cliVersions = ">=3.220.0"

	// maxGeneration bounds generations. A higher one is a typing error.
	maxGeneration = 1_000_000
)

// AccessKey is the access key of an IAM user, with its rotation and the places that hold it.
type AccessKey struct {
	pulumi.ResourceState

	AccessKeyID              pulumi.StringOutput      `pulumi:"accessKeyId"`
	SecretAccessKey          pulumi.StringOutput      `pulumi:"secretAccessKey"`
	EncryptedSecretAccessKey pulumi.StringOutput      `pulumi:"encryptedSecretAccessKey"`
	PreviousAccessKeyID      pulumi.StringOutput      `pulumi:"previousAccessKeyId"`
	Generation               pulumi.IntOutput         `pulumi:"generation"`
	RotatedAt                pulumi.StringOutput      `pulumi:"rotatedAt"`
	RotateAfter              pulumi.StringOutput      `pulumi:"rotateAfter"`
	SecretArn                pulumi.StringOutput      `pulumi:"secretArn"`
	SSMParameterNames        pulumi.StringArrayOutput `pulumi:"ssmParameterNames"`
}

// AccessKeyArgs are the inputs of an [AccessKey].
type AccessKeyArgs struct {
	UserName       pulumi.StringInput    `pulumi:"userName"`
	Generation     pulumi.IntPtrInput    `pulumi:"generation,optional"`
	RotateEvery    pulumi.StringPtrInput `pulumi:"rotateEvery,optional"`
	Previous       pulumi.StringPtrInput `pulumi:"previous,optional"`
	HandOver       pulumi.StringPtrInput `pulumi:"handOver,optional"`
	Revoked        pulumi.BoolPtrInput   `pulumi:"revoked,optional"`
	PGPKey         pulumi.StringPtrInput `pulumi:"pgpKey,optional"`
	SecretsManager *SecretsManagerArgs   `pulumi:"secretsManager,optional"`
	SSMPath        pulumi.StringPtrInput `pulumi:"ssmPath,optional"`
}

// SecretsManagerArgs name the secret that holds the current access key.
type SecretsManagerArgs struct {
	Name     pulumi.StringInput    `pulumi:"name"`
	KMSKeyID pulumi.StringPtrInput `pulumi:"kmsKeyId,optional"`
}

// accessKeyRules has a rule for each field of [AccessKeyArgs].
var accessKeyRules = rules{
	"userName":    text(iam.CheckUserName),
	"generation":  integer(checkGeneration),
	"rotateEvery": text(rotation.CheckInterval),
	"previous":    text(checkPrevious),
	"handOver":    text(rotation.CheckInterval),
	"revoked":     boolean,
	"pgpKey":      text(pgp.CheckKey),
	secretsManagerInput: object(rules{
		"name":     text(store.CheckSecretName),
		"kmsKeyId": text(store.CheckKMSKeyID),
	}, "name"),
	"ssmPath": text(store.CheckParameterPath),
}

func checkGeneration(n int) error {
	if n < 1 || n > maxGeneration {
		return &iam.Violation{Rule: fmt.Sprintf("must be from 1 to %d", maxGeneration)}
	}
	return nil
}

func checkPrevious(s string) error {
	var words []string
	for _, status := range rotation.Statuses() {
		if s == string(status) {
			return nil
		}
		words = append(words, string(status))
	}
	return &iam.Violation{Rule: "must be one of " + strings.Join(words, ", ")}
}

// checkAccessKey checks what is known of the inputs of an access key.
func checkAccessKey(in *inputs, _ string) error {
	in.refuseUnknown(accessKeyRules)
	if !in.given("userName") {
		in.reportWhole("userName", errors.New("is required: name the IAM user who gets the key"))
	}
	in.refuseUnknownObject(location{path: resource.PropertyPath{secretsManagerInput}}, in.values.Get(secretsManagerInput))
	in.apply(accessKeyRules)
	if previous := in.values.Get("previous"); in.given("handOver") && !previous.IsComputed() {
		if status := rotation.Status(stringOf(previous)); !in.given("previous") || status == rotation.Active {
			in.reportWhole("handOver", fmt.Errorf("has no effect while previous is %q; set previous to %q or %q, which is "+
				"what the previous key becomes after the hand-over", rotation.Active, rotation.Inactive, rotation.Deleted))
		}
	}
	if in.given("pgpKey") {
		for _, needsSecret := range []string{secretsManagerInput, "ssmPath"} {
			if in.given(needsSecret) {
				in.reportWhole(needsSecret, errors.New("must not be given together with pgpKey: only the holder of the "+
					"private key can read the secret, so nothing can be stored"))
			}
		}
	}
	return in.err()
}

// newAccessKey registers an access key, whose inputs have passed [checkAccessKey], with its children.
func newAccessKey(
	ctx *pulumi.Context, name string, args AccessKeyArgs, opts ...pulumi.ResourceOption,
) (*AccessKey, error) {
	if err := ctx.RequirePulumiVersion(cliVersions); err != nil {
		return nil, fmt.Errorf("access keys need the Pulumi CLI %s: %w", cliVersions, err)
	}
	component := &AccessKey{}
	if err := ctx.RegisterComponentResource(accessKeyToken, name, component, opts...); err != nil {
		return nil, fmt.Errorf("register the access key: %w", err)
	}
	b := &accessKeyBuilder{ctx: ctx, name: name, args: args, component: component}
	keys, err := b.build()
	if err != nil {
		return nil, err
	}
	text := func(of func(*accessKeys) pulumi.StringOutput) pulumi.StringOutput {
		return apply(keys, func(k *accessKeys) (pulumi.StringOutput, error) { return of(k), nil }).(pulumi.StringOutput)
	}
	component.AccessKeyID = text(func(k *accessKeys) pulumi.StringOutput { return k.current.id })
	component.SecretAccessKey = text(func(k *accessKeys) pulumi.StringOutput { return k.current.secret })
	component.EncryptedSecretAccessKey = text(func(k *accessKeys) pulumi.StringOutput { return k.current.encryptedSecret })
	component.PreviousAccessKeyID = text(func(k *accessKeys) pulumi.StringOutput { return k.previousID })
	component.Generation = b.journal.Generation
	component.RotatedAt = text(func(k *accessKeys) pulumi.StringOutput { return k.current.CreateDate })
	component.RotateAfter = rotateAfter(component.RotatedAt, args.RotateEvery)
	component.SecretArn = text(func(k *accessKeys) pulumi.StringOutput { return k.secretArn })
	component.SSMParameterNames = apply(keys, func(k *accessKeys) (pulumi.StringArrayOutput, error) {
		return k.parameterNames, nil
	}).(pulumi.StringArrayOutput)
	return component, nil
}

// rotateAfter returns when the current key becomes due, or an empty string if it never does.
func rotateAfter(rotatedAt pulumi.StringOutput, every pulumi.StringPtrInput) pulumi.StringOutput {
	return apply(pulumi.All(rotatedAt, every), func(v []any) (string, error) {
		interval := valueOrZero[string](v[1])
		if interval == "" {
			return "", nil
		}
		age, err := rotation.ParseInterval(interval)
		if err != nil {
			return "", err
		}
		began, err := cast[string](v[0])
		if err != nil {
			return "", err
		}
		at, err := time.Parse(time.RFC3339, began)
		if err != nil {
			return "", fmt.Errorf("read when the access key was created: %w", err)
		}
		return at.Add(age).UTC().Format(time.RFC3339), nil
	}).(pulumi.StringOutput)
}
