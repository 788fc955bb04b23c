//go:build schema

package provider

import (
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Annotate describes the type in the schema.
func (args *AccessKeyArgs) Annotate(a infer.Annotator) {
	a.SetToken("index", "AccessKey")
	a.Describe(args, "Which access keys a robot account has, and where they are kept.")
	a.Describe(&args.Generation, "The generation of the current key, an integer from 1. By default 1. Raise it by one to "+
		"rotate by hand: the new key is made first, in the place of the key before the previous one, which AWS's limit of "+
		"two keys leaves no room for. It is an error to lower it, or to raise it beyond the next generation. Once "+
		"`rotateEvery` has rotated, `accessKeyGeneration` is ahead of it, and any higher number up to the next generation "+
		"rotates. (Source: IAM User Guide, \"Manage access keys for IAM users\".)")
	a.Describe(&args.RotateEvery, "How old the current key becomes, in days of 24 hours, from `1d` to `3650d`, such as "+
		"`90d`. An update that finds it that old rotates it, and its preview says so; nothing happens without an update. "+
		"By default keys are rotated by hand only. A change keeps the current key, unless it is older than that. "+
		"(Source: CIS Amazon Web Services Foundations Benchmark, \"Ensure access keys are rotated every 90 days or less\".)")
	a.Describe(&args.Previous, "What the key before the current one is: `active`, it goes on working for the hand-over; "+
		"`inactive`, it is switched off and can be switched on again; or `deleted`, it is gone for good. By default "+
		"`active`. It is switched off or deleted after its successor is made and kept in every store. A change is in place.")
	a.Describe(&args.Revoked, "Whether every key of the robot is switched off, in an emergency. By default `false`. A "+
		"key that is made meanwhile is switched off too. Set to `false` again, it switches the keys on, except what "+
		"`previous` switches off. A change is in place.")
	a.Describe(&args.PGPKey, "An OpenPGP public key in base64 without armor, as from `gpg --export KEY | base64 -w 0`, "+
		"or `keybase:` and the name of a Keybase user. The secret is then encrypted to it before it enters Pulumi's "+
		"state, and the output `encryptedSecretAccessKey` holds it instead of `secretAccessKey`. By default none. It "+
		"excludes `secretsManager` and `ssmPath`. A change rotates: the key before keeps its own.")
	a.Describe(&args.SecretsManager, "An AWS Secrets Manager secret that holds the current key. By default none.")
	a.Describe(&args.SSMPath, "The path, such as `/cicd/robot`, of two AWS Systems Manager parameters of type "+
		"`SecureString` that hold the current key: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`. Names of "+
		"`A-Z a-z 0-9 _ . -`, each after a slash, at most 14 of them and 900 characters, not beginning with `/aws` or "+
		"`/ssm`. By default none. A rotation writes one after the other, so that a reader in between gets an ID and a "+
		"secret that do not match. A change of the path makes new parameters before it deletes the old ones. "+
		"(Source: AWS Systems Manager API Reference, \"PutParameter\".)")
}

// Annotate describes the type in the schema.
func (args *SecretsManagerArgs) Annotate(a infer.Annotator) {
	a.SetToken("index", "AccessKeySecret")
	a.Describe(args, "An AWS Secrets Manager secret that holds the current access key of a robot account, as the "+
		"JSON text `{\"AWS_ACCESS_KEY_ID\": \"...\", \"AWS_SECRET_ACCESS_KEY\": \"...\"}`, both of which change at once. It "+
		"is deleted without a recovery window, since its keys are deleted as well.")
	a.Describe(&args.Name, "The name of the secret: 1 to 512 characters of `A-Z a-z 0-9 / _ + = . @ -`, not ended by a "+
		"hyphen and six letters or digits. A change makes a new secret before it deletes the old one. "+
		"(Source: AWS Secrets Manager API Reference, \"CreateSecret\".)")
	a.Describe(&args.KMSKeyID, "The ID or ARN of the AWS KMS key that the secret is encrypted with, or an alias such as "+
		"`alias/cicd`. By default `aws/secretsmanager`, AWS's own key of the account, which no other account can use. "+
		"A change is in place.")
}
