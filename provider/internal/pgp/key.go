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

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

const form = "must be an OpenPGP public key in base64 without armor, as from gpg --export KEY | base64 -w 0, " +
	"or keybase: and the name of a Keybase user"

// maxKey bounds the text of a public key, each of whose signatures takes time to verify. Minimal keys have a few
// thousand characters.
const maxKey = 1 << 17

var keybaseRE = regexp.MustCompile(`^keybase:[A-Za-z0-9_]+$`)

// CheckKey reports whether s is a public key: an OpenPGP key in base64, or a Keybase user whose key the AWS provider
// downloads. Whether a secret can be encrypted to it is [CheckUsable]'s to say.
func CheckKey(s string) error {
	_, err := readKey(s)
	return err
}

// CheckUsable reports whether a secret can be encrypted to a public key, as [CheckKey] takes it, at a time. It matters
// to know that beforehand, because the AWS provider encrypts after AWS has created the access key.
func CheckUsable(s string, now time.Time) error {
	entity, err := readKey(s)
	if err != nil || entity == nil {
		return err
	}
	if _, ok := entity.EncryptionKey(now); !ok {
		return rule.Broken("must be an OpenPGP public key that has not expired and that can encrypt")
	}
	return nil
}

// readKey reads a public key. It returns nil for a Keybase user's.
func readKey(s string) (*openpgp.Entity, error) {
	if len(s) > maxKey {
		return nil, rule.Broken("must have at most %d characters; gpg --export-options export-minimal leaves out "+
			"what a key does not need", maxKey)
	}
	if keybaseRE.MatchString(s) {
		return nil, nil //nolint:nilnil // Nothing is known of it here.
	}
	if strings.HasPrefix(s, "-----BEGIN") {
		return nil, rule.Broken(form + "; this one has its armor")
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, rule.Broken(form)
	}
	entity, err := openpgp.ReadEntity(packet.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, rule.Broken(form)
	}
	if entity.PrivateKey != nil {
		return nil, rule.Broken(form + "; this one is a private key")
	}
	return entity, nil
}
