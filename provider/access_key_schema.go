package provider

import (
	_ "embed" // For the description.

	"github.com/pulumi/pulumi-go-provider/infer"
)

//go:embed access_key.md
var accessKeyDescription string

// Annotate describes the component and its outputs in the schema.
func (k *AccessKey) Annotate(a infer.Annotator) {
	a.SetToken("index", "AccessKey")
	a.Describe(k, accessKeyDescription)
	a.Describe(&k.AccessKeyID, "The ID of the current access key, such as `AKIAIOSFODNN7EXAMPLE`. It becomes known once "+
		"the key works everywhere, some seconds after AWS has created it.")
	a.Describe(&k.SecretAccessKey, "The secret of the current access key: a Pulumi secret, encrypted in the state. Empty "+
		"with `pgpKey`.")
	a.Describe(&k.EncryptedSecretAccessKey, "The secret of the current access key, encrypted to `pgpKey` and in base64: "+
		"`base64 -d | gpg -d` decrypts it. Empty without `pgpKey`.")
	a.Describe(&k.PreviousAccessKeyID, "The ID of the access key before the current one. Empty if there is none.")
	a.Describe(&k.Generation, "The generation of the current access key, an integer from 1. It grows by one with each "+
		"rotation, and by two when a rotation follows one that was killed before AWS created its key.")
	a.Describe(&k.RotatedAt, "When AWS created the current access key, in RFC 3339.")
	a.Describe(&k.RotateAfter, "When the current access key becomes due, in RFC 3339: the first update after that "+
		"rotates it. Empty without `rotateEvery`.")
	a.Describe(&k.SecretArn, "The ARN of the Secrets Manager secret. Empty without `secretsManager`.")
	a.Describe(&k.SSMParameterNames, "The names of the two SSM parameters, that of the ID first. Empty without `ssmPath`.")
}

// Annotate describes the inputs in the schema.
func (args *AccessKeyArgs) Annotate(a infer.Annotator) {
	a.Describe(&args.UserName, "The name of the IAM user who gets the key: a `RobotAccount`'s, another resource's or one "+
		"that was created by hand. 1 to 64 characters of `A-Z a-z 0-9 + = , . @ _ -`. Another name creates a key for that "+
		"user first and then deletes the keys of the old one. It is an error if a user was renamed in place. (Source: IAM "+
		"User Guide, \"IAM and AWS STS quotas\".)")
	a.Describe(&args.Generation, "The generation of the current key, an integer from 1 to 1,000,000. By default 1. Raise "+
		"it by one to rotate by hand. It is an error to lower it, to leave it out again, or to raise it beyond the next "+
		"generation. After `rotateEvery` has rotated, the output `generation` is ahead of this input, and any higher number "+
		"up to the next generation rotates. (Source: IAM User Guide, \"Manage access keys for IAM users\".)")
	a.Describe(&args.RotateEvery, "The age at which an update rotates the current key, in days of 24 hours, from `1d` to "+
		"`3650d`, such as `60d`. AWS's creation date of the key tells its age. The preview shows the rotation; nothing "+
		"happens without an update. By default keys are rotated by hand only. A change keeps the current key, unless it is "+
		"older. (Source: CIS Amazon Web Services Foundations Benchmark, \"Ensure access keys are rotated every 90 days or "+
		"less\".)")
	a.Describe(&args.Previous, "What the key before the current one is: `active`, it keeps working; `inactive`, it is "+
		"switched off and can be switched on again; or `deleted`, it is gone for good. By default `active`: then a key "+
		"lives for two intervals. With `handOver`, `inactive` and `deleted` apply when the hand-over is over. Without it, "+
		"they apply in the update that rotates, which cuts off whoever uses the old key: `inactive` before anything that "+
		"depends on this component's outputs, such as a CI system's secret, `deleted` at the end of the update, and not if "+
		"it fails. The update warns of that. To cut off nobody, give `handOver`, or rotate with `active` and change this "+
		"input in a later update. A change is in place.")
	a.Describe(&args.HandOver, "How long the key before the current one stays active after a rotation, in days of 24 "+
		"hours, from `1d` to `3650d`, such as `7d`. The first update after that makes the key what `previous` says, and its "+
		"preview shows it. It must be shorter than `rotateEvery`, and is an error while `previous` is `active`. By default "+
		"`previous` applies in the update that rotates.")
	a.Describe(&args.Revoked, "Whether every key of this component is switched off, and session tokens of the user can "+
		"do nothing, in an emergency. By default `false`. An inline policy of the user, with about 140 of the 2,048 "+
		"characters that AWS allows for all of them, denies the tokens everything. While this is `true`, `rotateEvery` "+
		"does not rotate, a key that is created is switched off too, and stores and `pgpKey` stay as they are unless "+
		"`generation` is raised. Set to `false` again, it switches the keys on, except what `previous` switches off or "+
		"deletes: rotate until a leaked key is gone before that. Tokens that were issued up to 5 minutes after that update "+
		"stay revoked; keep this resource for 36 hours, the longest life of a token. Sessions of roles live on: "+
		"`revokeSessionsBefore` of `DeploymentRole` ends them. It is an error to set it with credentials of the user "+
		"itself. Under `--target`, add "+
		"`--target-dependents`: without it the Pulumi CLI leaves keys and policy as they are. A null of another resource "+
		"is an error. A change is in place. (Source: IAM User Guide, \"Disabling permissions for temporary security "+
		"credentials\".)")
	a.Describe(&args.PGPKey, "An OpenPGP public key in base64 without armor, as from `gpg --export KEY | base64 -w 0`, "+
		"or `keybase:` and the name of a Keybase user. The secret is encrypted to it before it enters Pulumi's state, and "+
		"the output `encryptedSecretAccessKey` holds it instead of `secretAccessKey`. By default none. It excludes "+
		"`secretsManager` and `ssmPath`. A change rotates the key; the previous key keeps its own. At most 131,072 "+
		"characters; a null of another resource is an error. A public key that has "+
		"expired stops only an update that creates a key.")
	a.Describe(&args.SecretsManager, "An AWS Secrets Manager secret that holds the current key. By default none.")
	a.Describe(&args.SSMPath, "The path, such as `/cicd/robot`, of two AWS Systems Manager parameters of type "+
		"`SecureString` that hold the current key: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`. Names of "+
		"`A-Z a-z 0-9 _ . -`, each after a slash, at most 14 of them and 900 characters, not beginning with `/aws` or "+
		"`/ssm`. By default none. A rotation writes one after the other, so a reader in between gets an ID and a secret "+
		"that do not match. Another path creates new parameters before it deletes the old ones. (Source: AWS Systems "+
		"Manager API Reference, \"PutParameter\".)")
}

// Annotate describes the type in the schema.
func (args *SecretsManagerArgs) Annotate(a infer.Annotator) {
	a.SetToken("index", "AccessKeySecret")
	a.Describe(args, "An AWS Secrets Manager secret that holds the current access key, as the JSON text "+
		"`{\"AWS_ACCESS_KEY_ID\": \"...\", \"AWS_SECRET_ACCESS_KEY\": \"...\"}`. Both values change at once.")
	a.Describe(&args.Name, "The name of the secret: 1 to 512 characters of `A-Z a-z 0-9 / _ + = . @ -`, not ended by a "+
		"hyphen and six letters or digits. Another name creates a new secret. The update after that deletes the old one, "+
		"with a recovery window of 30 days; so it does if `secretsManager` is removed. A secret whose keys are deleted with "+
		"it is deleted at once. (Source: AWS Secrets Manager API Reference, \"CreateSecret\".)")
	a.Describe(&args.KMSKeyID, "The ID or ARN of the AWS KMS key that the secret is encrypted with, or an alias such as "+
		"`alias/cicd`. By default `aws/secretsmanager`, AWS's own key of the account, which no other account can use. "+
		"A change is in place.")
}
