package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/pgp"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rotation"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/store"
)

// AccessKeyArgs say which access keys a robot has, and where they are kept.
type AccessKeyArgs struct {
	Generation     pulumi.IntPtrInput    `pulumi:"generation,optional"`
	RotateEvery    pulumi.StringPtrInput `pulumi:"rotateEvery,optional"`
	Previous       pulumi.StringPtrInput `pulumi:"previous,optional"`
	Revoked        pulumi.BoolPtrInput   `pulumi:"revoked,optional"`
	PGPKey         pulumi.StringPtrInput `pulumi:"pgpKey,optional"`
	SecretsManager *SecretsManagerArgs   `pulumi:"secretsManager,optional"`
	SSMPath        pulumi.StringPtrInput `pulumi:"ssmPath,optional"`
}

// SecretsManagerArgs name the secret that holds a robot's current access key.
type SecretsManagerArgs struct {
	Name     pulumi.StringInput    `pulumi:"name"`
	KMSKeyID pulumi.StringPtrInput `pulumi:"kmsKeyId,optional"`
}

// What the key before the current one is.
const (
	previousActive   = "active"
	previousInactive = "inactive"
	previousDeleted  = "deleted"
)

// The status of an access key, as AWS names it.
const (
	statusActive   = "Active"
	statusInactive = "Inactive"
)

// accessKeyInput is the name of the input.
const accessKeyInput = "accessKey"

// accessKeyRules has a rule for each field of [AccessKeyArgs].
var accessKeyRules = rules{
	"generation":  integer(checkGeneration),
	"rotateEvery": text(rotation.CheckInterval),
	"previous":    text(checkPrevious),
	"revoked":     boolean,
	"pgpKey":      text(pgp.CheckKey),
	"secretsManager": object(rules{
		"name":     text(store.CheckSecretName),
		"kmsKeyId": text(store.CheckKMSKeyID),
	}, "name"),
	"ssmPath": text(store.CheckParameterPath),
}

// accessKeyRule is the rule of [AccessKeyArgs].
func accessKeyRule(in *inputs, at location, v property.Value) {
	object(accessKeyRules)(in, at, v)
	if v.IsMap() {
		in.refuseUnknownObject(at.element("secretsManager"), v.AsMap().Get("secretsManager"))
	}
	if !v.IsMap() || v.AsMap().Get("pgpKey").IsNull() {
		return
	}
	for _, needsSecret := range []string{"secretsManager", "ssmPath"} {
		if !v.AsMap().Get(needsSecret).IsNull() {
			in.reportWhole(at.element(needsSecret).path.String(),
				errors.New("must not be given together with pgpKey, with which nobody but the holder of the private key "+
					"learns the secret"))
		}
	}
}

func checkGeneration(n int) error {
	const most = 1_000_000
	if n < 1 || n > most {
		return &iam.Violation{Rule: fmt.Sprintf("must be from 1 to %d", most)}
	}
	return nil
}

func checkPrevious(s string) error {
	values := []string{previousActive, previousInactive, previousDeleted}
	if !slices.Contains(values, s) {
		return &iam.Violation{Rule: "must be one of " + strings.Join(values, ", ")}
	}
	return nil
}
