// Package pgp holds the rule of the public keys that AWS access keys are encrypted to. It is pure: it knows
// nothing of Pulumi and calls nothing.
package pgp

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

const form = "must be an OpenPGP public key in base64 without armor, as from gpg --export KEY | base64 -w 0, " +
	"or keybase: and the name of a Keybase user"

var keybaseRE = regexp.MustCompile(`^keybase:[A-Za-z0-9_]+$`)

// CheckKey reports whether s is a public key that a secret can be encrypted to: an OpenPGP key in base64, or a
// Keybase user whose key the AWS provider downloads. It matters to know that beforehand, because the AWS provider
// encrypts after AWS has made the access key.
func CheckKey(s string) error {
	if keybaseRE.MatchString(s) {
		return nil
	}
	if strings.HasPrefix(s, "-----BEGIN") {
		return &iam.Violation{Rule: form + ": this one has its armor"}
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return &iam.Violation{Rule: form}
	}
	entity, err := openpgp.ReadEntity(packet.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return &iam.Violation{Rule: form}
	}
	if entity.PrivateKey != nil {
		return &iam.Violation{Rule: form + ": this one is a private key"}
	}
	if _, ok := entity.EncryptionKey(time.Now()); !ok {
		return &iam.Violation{Rule: "must be an OpenPGP public key that has not expired and that can encrypt"}
	}
	return nil
}
