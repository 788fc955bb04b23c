package pgp

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

func TestCheckKey(t *testing.T) {
	t.Parallel()
	write := func(entity *openpgp.Entity, err error, private bool) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var raw bytes.Buffer
		if private {
			err = entity.SerializePrivate(&raw, nil)
		} else {
			err = entity.Serialize(&raw)
		}
		if err != nil {
			t.Fatal(err)
		}
		return raw.Bytes()
	}
	entity, err := openpgp.NewEntity("CI", "", "ci@example.com", nil)
	public := write(entity, err, false)
	past := &packet.Config{
		Time:            func() time.Time { return time.Now().Add(-48 * time.Hour) },
		KeyLifetimeSecs: 3600,
	}
	old, err := openpgp.NewEntity("CI", "", "ci@example.com", past)
	expired := write(old, err, false)
	var armored bytes.Buffer
	w, err := armor.Encode(&armored, openpgp.PublicKeyType, nil)
	if err == nil {
		_, err = w.Write(public)
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}

	base64Of := base64.StdEncoding.EncodeToString
	for _, s := range []string{base64Of(public), "keybase:somebody"} {
		if err := CheckUsable(s, time.Now()); err != nil {
			t.Errorf("%.20s...: %v", s, err)
		}
	}
	for name, tt := range map[string]struct{ key, want string }{
		"empty":     {"", "must be an OpenPGP public key in base64"},
		"no base64": {"not base64!", "must be an OpenPGP public key in base64"},
		"longest":   {strings.Repeat("A", maxKey), "must be an OpenPGP public key in base64"},
		"no key":    {base64Of([]byte("no key")), "must be an OpenPGP public key in base64"},
		"cut off":   {base64Of(public[:len(public)/3]), "must be an OpenPGP public key in base64"},
		"armored":   {armored.String(), "this one has its armor"},
		"private":   {base64Of(write(entity, nil, true)), "this one is a private key"},
		"keybase":   {"keybase:", "must be an OpenPGP public key"},
	} {
		if err := CheckKey(tt.key); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err := CheckUsable(tt.key, time.Now()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A public key that has expired is one, and cannot be used any more.
	if err := CheckKey(base64Of(expired)); err != nil {
		t.Errorf("expired: %v", err)
	}
	if err := CheckUsable(base64Of(expired), time.Now()); err == nil || !strings.Contains(err.Error(), "that has not expired") {
		t.Errorf("expired: %v", err)
	}
}
