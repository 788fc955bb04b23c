package provider

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/input"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/pgp"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rotation"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/store"
)

const (
	accessKeyToken = Name + ":index:AccessKey"

	secretsManagerInput = "secretsManager"

	// cliVersions are the versions of the Pulumi CLI that can rotate, and adopt what exists. Older ones know no
	// replacement triggers and would take a rotation for done without creating a key.
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

// AccessKeyArgs are the inputs of an [AccessKey], for the schema.
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

// accessKeyRules has a rule for each input.
var accessKeyRules = input.Rules{
	"userName":    input.Text(iam.CheckUserName),
	"generation":  input.Integer(checkGeneration),
	"rotateEvery": interval,
	"previous":    input.OneOf(rotation.Statuses()...),
	"handOver":    interval,
	revokedInput:  input.Boolean,
	"pgpKey":      input.Text(pgp.CheckKey),
	secretsManagerInput: input.Object(input.Rules{
		"name":     input.Text(store.CheckSecretName),
		"kmsKeyId": input.Text(store.CheckKMSKeyID),
	}, "name"),
	"ssmPath": input.Text(store.CheckParameterPath),
}

// interval is the rule of an interval. YAML and people take one for a number.
func interval(in *input.Inputs, at input.Location, v property.Value) {
	if v.IsNumber() {
		days := strconv.FormatFloat(v.AsNumber(), 'f', -1, 64) + "d"
		if rotation.CheckInterval(days) == nil {
			in.Report(at, v, rule.Broken("must be a string, and is a number").WithHint("%s", rule.DidYouMean(days)))
			return
		}
	}
	input.Text(rotation.CheckInterval)(in, at, v)
}

func checkGeneration(n int) error {
	if n < 1 || n > maxGeneration {
		return rule.Broken("must be from 1 to %d", maxGeneration)
	}
	return nil
}

// checkAccessKey checks the inputs.
func checkAccessKey(in *input.Inputs, _ string) {
	in.Require("userName", "name the IAM user who gets the key")
	in.RejectComputedObject(secretsManagerInput)
	in.Check(accessKeyRules)
	if previous := in.Get("previous"); in.Given("handOver") && !previous.IsComputed() {
		if !in.Given("previous") || in.String("previous") == string(rotation.Active) {
			in.ReportWhole(input.At("handOver"), fmt.Errorf("has no effect while previous is %q; set previous to %q or %q, "+
				"which is what the previous key becomes after the hand-over", rotation.Active, rotation.Inactive, rotation.Deleted))
		}
	}
	// What is not given, unknown or wrong cannot be parsed.
	every, everyErr := rotation.ParseInterval(in.String("rotateEvery"))
	handOver, handOverErr := rotation.ParseInterval(in.String("handOver"))
	if everyErr == nil && handOverErr == nil && handOver >= every {
		in.ReportWhole(input.At("handOver"), errors.New("must be shorter than rotateEvery: otherwise the next rotation "+
			"comes before the hand-over ends"))
	}
	if in.Given("pgpKey") {
		for _, needsSecret := range []string{secretsManagerInput, "ssmPath"} {
			if in.Given(needsSecret) {
				in.ReportWhole(input.At(needsSecret), errors.New("must not be given together with pgpKey: only the holder of the "+
					"private key can read the secret, so nothing can be stored"))
			}
		}
	}
}

// newAccessKey registers an access key with its children.
func newAccessKey(c *construction) (pulumi.ComponentResource, error) {
	if err := c.RequireCLI(c.Context, cliVersions); err != nil {
		return nil, fmt.Errorf("access keys need the Pulumi CLI %s: %w", cliVersions, err)
	}
	if err := refuseSelf(c); err != nil {
		return nil, err
	}
	component := &AccessKey{}
	child, err := c.register(component)
	if err != nil {
		return nil, err
	}
	b := &accessKeyBuilder{
		construction: c, child: child, component: component, userName: input.AsText(c.in.Get("userName")),
		secret: c.in.Object(secretsManagerInput),
	}
	keys, err := b.build()
	if err != nil {
		return nil, err
	}
	text := func(of func(*accessKeys) pulumi.StringOutput) pulumi.StringOutput {
		return input.As[pulumi.StringOutput](apply(keys, func(k *accessKeys) (pulumi.StringOutput, error) {
			return of(k), nil
		}))
	}
	component.AccessKeyID = text(func(k *accessKeys) pulumi.StringOutput { return k.current.id })
	component.SecretAccessKey = text(func(k *accessKeys) pulumi.StringOutput { return k.current.secret })
	component.EncryptedSecretAccessKey = text(func(k *accessKeys) pulumi.StringOutput { return k.current.encryptedSecret })
	component.PreviousAccessKeyID = text(func(k *accessKeys) pulumi.StringOutput { return k.previousID })
	component.Generation = input.As[pulumi.IntOutput](apply(keys, func(k *accessKeys) (pulumi.IntOutput, error) {
		return b.checkedGeneration(k), nil
	}))
	component.RotatedAt = text(func(k *accessKeys) pulumi.StringOutput { return k.current.CreateDate })
	component.RotateAfter = b.rotateAfter()
	component.SecretArn = text(func(k *accessKeys) pulumi.StringOutput { return k.secretArn })
	component.SSMParameterNames = input.As[pulumi.StringArrayOutput](apply(keys,
		func(k *accessKeys) (pulumi.StringArrayOutput, error) { return k.parameterNames, nil }))
	return component, nil
}

// rotateAfter returns when the current key becomes due, or an empty string if it never does.
func (b *accessKeyBuilder) rotateAfter() pulumi.StringOutput {
	if !b.in.Given("rotateEvery") {
		return pulumi.String("").ToStringOutput()
	}
	every := input.AsText(b.in.Get("rotateEvery"))
	return applyText(pulumi.All(b.component.RotatedAt, every), func(v []any) (string, error) {
		var rotatedAt, interval string
		if err := errors.Join(castTo(&rotatedAt, v[0]), castTo(&interval, v[1])); err != nil {
			return "", err
		}
		age, err := rotation.ParseInterval(interval)
		if err != nil {
			return "", err
		}
		began, err := parseCreateDate(rotatedAt)
		if err != nil {
			return "", err
		}
		return began.Add(age).UTC().Format(time.RFC3339), nil
	})
}
