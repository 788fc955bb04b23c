package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secretstypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// A Secret is a secret of Secrets Manager.
type Secret struct {
	Name, ARN   string
	Description string `json:",omitempty"`
	KMSKey      string `json:",omitempty"`
	Tags        map[string]string
	// Value is the current value, and empty where there is none, as in a secret that is to be deleted.
	Value string
	// Stages are the staging labels of its versions by the versions' ids.
	Stages map[string][]string `json:"-"`
	// Deleted says that it is to be deleted, once the time for second thoughts is over.
	Deleted bool `json:",omitempty"`
}

func readSecrets(ctx context.Context, client *secretsmanager.Client) ([]Secret, error) {
	var secrets []Secret
	pages := secretsmanager.NewListSecretsPaginator(client, &secretsmanager.ListSecretsInput{
		IncludePlannedDeletion: aws.Bool(true),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the secrets: %w", err)
		}
		for _, s := range page.SecretList {
			secret := Secret{
				Name: aws.ToString(s.Name), ARN: aws.ToString(s.ARN), Description: aws.ToString(s.Description),
				KMSKey: aws.ToString(s.KmsKeyId), Tags: map[string]string{}, Stages: s.SecretVersionsToStages,
				Deleted: s.DeletedDate != nil,
			}
			for _, tag := range s.Tags {
				secret.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
			}
			if !secret.Deleted {
				if secret.Value, err = readValue(ctx, client, secret.ARN); err != nil {
					return nil, fmt.Errorf("get the value of %s: %w", secret.Name, err)
				}
			}
			secrets = append(secrets, secret)
		}
	}
	slices.SortFunc(secrets, func(a, b Secret) int { return cmp.Compare(a.Name, b.Name) })
	return secrets, nil
}

func readValue(ctx context.Context, client *secretsmanager.Client, arn string) (string, error) {
	// Without the label, which AWS takes for meant, moto takes the version that was put last.
	value, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: &arn, VersionStage: aws.String("AWSCURRENT"),
	})
	var none *secretstypes.ResourceNotFoundException
	if errors.As(err, &none) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(value.SecretString), nil
}

// A Parameter is a parameter of Systems Manager.
type Parameter struct {
	Name        string
	Type        string // String, StringList or SecureString.
	Value       string // In the clear.
	Description string `json:",omitempty"`
	KMSKey      string `json:",omitempty"`
	Tags        map[string]string
	Version     int64
}

func readParameters(ctx context.Context, client *ssm.Client) ([]Parameter, error) {
	var parameters []Parameter
	pages := ssm.NewDescribeParametersPaginator(client, &ssm.DescribeParametersInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("describe the parameters: %w", err)
		}
		for _, p := range page.Parameters {
			got, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: p.Name, WithDecryption: aws.Bool(true)})
			if err != nil {
				return nil, fmt.Errorf("get the parameter %s: %w", aws.ToString(p.Name), err)
			}
			parameter := Parameter{
				Name: aws.ToString(p.Name), Type: string(p.Type), Value: aws.ToString(got.Parameter.Value),
				Description: aws.ToString(p.Description), KMSKey: aws.ToString(p.KeyId), Version: p.Version,
				Tags: map[string]string{},
			}
			tags, err := client.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{
				ResourceType: "Parameter", ResourceId: p.Name,
			})
			if err != nil {
				return nil, fmt.Errorf("list the tags of the parameter %s: %w", parameter.Name, err)
			}
			for _, tag := range tags.TagList {
				parameter.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
			}
			parameters = append(parameters, parameter)
		}
	}
	slices.SortFunc(parameters, func(a, b Parameter) int { return cmp.Compare(a.Name, b.Name) })
	return parameters, nil
}
