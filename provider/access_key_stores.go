package provider

import (
	"errors"
	"fmt"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/input"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rotation"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/store"
)

// registerStores registers the stores of the current key, and adds their names to keys. While the component is revoked,
// they come after the revocation of the session tokens, and stay as they are but for a new key.
func (b *accessKeyBuilder) registerStores(keys *accessKeys, tokens *awsiam.UserPolicy) ([]pulumi.Resource, error) {
	asIs := pulumi.Composite()
	if b.revocation == rotation.Revoked && tokens != nil {
		asIs = pulumi.Composite(pulumi.DependsOn([]pulumi.Resource{tokens}),
			pulumi.IgnoreChanges([]string{"description", "kmsKeyId"}))
	}
	keys.secretArn = pulumi.String("").ToStringOutput()
	keys.parameterNames = pulumi.StringArray{}.ToStringArrayOutput()
	var stores []pulumi.Resource
	if err := b.registerRetiringSecret(); err != nil {
		return nil, err
	}
	if b.hasSecret {
		value, err := b.registerSecret(keys, asIs)
		if err != nil {
			return nil, err
		}
		stores = append(stores, value)
	}
	if b.hasParameters {
		parameters, err := b.registerParameters(keys, asIs)
		if err != nil {
			return nil, err
		}
		stores = append(stores, parameters...)
	}
	return stores, nil
}

// registerSecret registers the secret in Secrets Manager, and returns its value.
func (b *accessKeyBuilder) registerSecret(keys *accessKeys, asIs pulumi.ResourceOption) (pulumi.Resource, error) {
	name := b.storeResource(b.secretSlot)
	var kmsKeyID pulumi.StringPtrInput
	if b.secret != nil {
		kmsKeyID = b.secret.Text("kmsKeyId")
	}
	secret, err := secretsmanager.NewSecret(b.Context, name, &secretsmanager.SecretArgs{
		Name:        b.journal.SecretName,
		KmsKeyId:    kmsKeyID,
		Description: pulumi.Sprintf("The access key of the IAM user %s.", b.userName),
		// It is deleted from here only together with its keys, so nothing is lost with it.
		RecoveryWindowInDays: pulumi.Int(0),
	}, b.child, unprotected, asIs)
	if err != nil {
		return nil, fmt.Errorf("register the secret: %w", err)
	}
	keys.secretArn = secret.Arn
	pair := applyText(pulumi.All(keys.current.id, keys.current.secret), func(v []any) (string, error) {
		var id, secret string
		if err := errors.Join(castTo(&id, v[0]), castTo(&secret, v[1])); err != nil {
			return "", err
		}
		return store.PairJSON(id, secret)
	})
	value, err := secretsmanager.NewSecretVersion(b.Context, name, &secretsmanager.SecretVersionArgs{
		SecretId:     secret.ID(),
		SecretString: secretText(pair),
	}, b.child,
		// A rotation replaces the value. AWS keeps it until there is another one, so deleting it first takes nothing
		// away, and leaves no old value in the state of an update that fails halfway, for the next one to stumble over.
		unprotected, pulumi.DeleteBeforeReplace(true))
	if err != nil {
		return nil, fmt.Errorf("register the value of the secret: %w", err)
	}
	return value, nil
}

// storeResource returns the name of the resource of a store in a slot.
func (b *accessKeyBuilder) storeResource(slot int) string {
	return b.name + []string{"-2", ""}[slot]
}

// registerRetiringSecret gives a recovery window to the secret that the next update deletes.
func (b *accessKeyBuilder) registerRetiringSecret() error {
	if b.retiringSecret == "" {
		return nil
	}
	_, err := secretsmanager.NewSecret(b.Context, b.storeResource(1-b.secretSlot), &secretsmanager.SecretArgs{
		Name:                 pulumi.String(b.retiringSecret),
		RecoveryWindowInDays: pulumi.Int(store.RecoveryWindow),
	}, b.child, unprotected,
		pulumi.IgnoreChanges([]string{"description", "kmsKeyId"}))
	if err != nil {
		return fmt.Errorf("register the secret that is to be deleted: %w", err)
	}
	return nil
}

// registerParameters registers the two parameters of Systems Manager.
func (b *accessKeyBuilder) registerParameters(
	keys *accessKeys, asIs pulumi.ResourceOption,
) ([]pulumi.Resource, error) {
	keys.parameterNames = input.As[pulumi.StringArrayOutput](apply(b.journal.SSMPath, func(path string) ([]string, error) {
		id, secret := store.ParameterNames(path)
		return []string{id, secret}, nil
	}))
	var parameters []pulumi.Resource
	for i, part := range []struct {
		suffix string
		value  pulumi.StringOutput
	}{
		{"-id", keys.current.id},
		{"-secret", keys.current.secret},
	} {
		parameter, err := ssm.NewParameter(b.Context, b.storeResource(b.ssmSlot)+part.suffix, &ssm.ParameterArgs{
			Name:        keys.parameterNames.Index(pulumi.Int(i)),
			Type:        pulumi.String("SecureString"),
			Value:       secretText(part.value),
			Description: pulumi.Sprintf("A part of the access key of the IAM user %s.", b.userName),
		}, b.child, unprotected, asIs)
		if err != nil {
			return nil, fmt.Errorf("register a parameter: %w", err)
		}
		parameters = append(parameters, parameter)
	}
	return parameters, nil
}
