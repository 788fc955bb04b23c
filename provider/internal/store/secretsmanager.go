// Package store holds the rules of the AWS services that keep secrets, Secrets Manager and Systems Manager
// Parameter Store: which names they take, and how a pair of access keys is written. It is pure: it knows nothing
// of Pulumi and calls nothing.
package store

import (
	"regexp"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

var (
	secretNameRE = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]+$`)
	// suffixRE is how Secrets Manager ends the ARN of a secret, after its name.
	suffixRE = regexp.MustCompile(`-[A-Za-z0-9]{6}$`)
)

// CheckSecretName reports whether s can be the name of a secret: 1 to 512 characters, not ended by a hyphen and
// six letters or digits, which Secrets Manager would take for the end of an ARN.
// Source: AWS Secrets Manager API Reference, "CreateSecret".
func CheckSecretName(s string) error {
	switch {
	case len(s) > 512 || !secretNameRE.MatchString(s):
		return rule.Broken("must be 1 to 512 of the characters A-Z a-z 0-9 / _ + = . @ -")
	case suffixRE.MatchString(s):
		return rule.Broken("must not end with a hyphen and six letters or digits, as the ARN of a secret does")
	}
	return nil
}

// CheckKMSKeyID reports whether s can name a key of the AWS Key Management Service: its ID, its ARN or an alias,
// of 1 to 2,048 characters without spaces.
// Source: AWS Secrets Manager API Reference, "CreateSecret".
func CheckKMSKeyID(s string) error {
	if len(s) > 2048 || !kmsKeyRE.MatchString(s) {
		return rule.Broken("must be the ID or ARN of a KMS key, or an alias such as alias/cicd")
	}
	return nil
}

var kmsKeyRE = regexp.MustCompile(`^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:` +
	`(key/[A-Za-z0-9-]+|alias/[A-Za-z0-9/_-]+)` +
	`|alias/[A-Za-z0-9/_-]+|[A-Za-z0-9-]+)$`)

// RecoveryWindow is how long, in days, a secret can be restored that is deleted while its key lives on.
// Source: AWS Secrets Manager API Reference, "DeleteSecret", whose default it is.
const RecoveryWindow = 30
