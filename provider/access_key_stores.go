package provider

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/input"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/store"
)

// registerStores registers the stores of the current key, and adds their names to keys.
func (b *accessKeyBuilder) registerStores(keys *accessKeys) ([]pulumi.Resource, error) {
	keys.secretArn = pulumi.String("").ToStringOutput()
	keys.parameterNames = pulumi.StringArray{}.ToStringArrayOutput()
	var stores []pulumi.Resource
	if err := b.registerRetiringSecret(); err != nil {
		return nil, err
	}
	if b.secret != nil {
		value, err := b.registerSecret(keys)
		if err != nil {
			return nil, err
		}
		stores = append(stores, value)
	}
	if b.in.Given("ssmPath") {
		parameters, err := b.registerParameters(keys)
		if err != nil {
			return nil, err
		}
		stores = append(stores, parameters...)
	}
	return stores, nil
}

// registerSecret registers the secret in Secrets Manager, and returns its value.
func (b *accessKeyBuilder) registerSecret(keys *accessKeys) (pulumi.Resource, error) {
	name := b.storeResource(b.secretSlot)
	secret, err := secretsmanager.NewSecret(b.Context, name, &secretsmanager.SecretArgs{
		Name:        b.secret.Text("name"),
		KmsKeyId:    b.secret.Text("kmsKeyId"),
		Description: pulumi.Sprintf("The access key of the IAM user %s.", b.userName),
		// It is deleted from here only together with its keys, so nothing is lost with it.
		RecoveryWindowInDays: pulumi.Int(0),
	}, b.child, unprotected)
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
func (b *accessKeyBuilder) registerParameters(keys *accessKeys) ([]pulumi.Resource, error) {
	path := input.AsText(b.in.Get("ssmPath"))
	keys.parameterNames = input.As[pulumi.StringArrayOutput](apply(path, func(path string) ([]string, error) {
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
		}, b.child, unprotected)
		if err != nil {
			return nil, fmt.Errorf("register a parameter: %w", err)
		}
		parameters = append(parameters, parameter)
	}
	return parameters, nil
}
