package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// An Issuer signs tokens for the jobs of a CI system, which they sign in to AWS with.
type Issuer struct {
	// URL is the issuer in its tokens.
	URL string

	keys map[jose.SignatureAlgorithm]jose.JSONWebKey
}

// issuers are those of the process, by their URLs: keys take a moment to make.
var issuers struct {
	sync.Mutex
	byURL map[string]*Issuer
}

// IssuerOf returns the issuer of a URL, always the same one.
func IssuerOf(url string) (*Issuer, error) {
	issuers.Lock()
	defer issuers.Unlock()
	if known := issuers.byURL[url]; known != nil {
		return known, nil
	}
	made, err := ForgerOf(url)
	if err != nil {
		return nil, err
	}
	if issuers.byURL == nil {
		issuers.byURL = map[string]*Issuer{}
	}
	issuers.byURL[url] = made
	return made, nil
}

// ForgerOf returns somebody who signs in the name of an issuer, with the same key IDs and other keys.
func ForgerOf(url string) (*Issuer, error) {
	one, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return &Issuer{URL: url, keys: map[jose.SignatureAlgorithm]jose.JSONWebKey{
		jose.RS256: {Key: one, KeyID: "1", Algorithm: string(jose.RS256), Use: "sig"},
		jose.ES256: {Key: other, KeyID: "2", Algorithm: string(jose.ES256), Use: "sig"},
	}}, nil
}

// published are the keys that the issuer publishes for others to verify its tokens by.
func (i *Issuer) published() *jose.JSONWebKeySet {
	set := &jose.JSONWebKeySet{}
	for _, key := range i.keys {
		set.Keys = append(set.Keys, key.Public())
	}
	return set
}

// Token returns a token with claims, signed by RS256 as most CI systems do. Unless the claims say something else, it is
// the issuer's, and is good for five minutes. A claim that is nil is left out.
func (i *Issuer) Token(claims map[string]any) (string, error) { return i.TokenBy(jose.RS256, claims) }

// TokenBy returns what [Issuer.Token] does, signed by RS256 or ES256.
func (i *Issuer) TokenBy(algorithm jose.SignatureAlgorithm, claims map[string]any) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: i.keys[algorithm]}, nil)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	now := time.Now()
	all := map[string]any{"iss": i.URL, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, claim any) bool { return claim == nil })
	return jwt.Signed(signer).Claims(all).Serialize()
}

// PublishKeys has STS find the keys of issuers at their URLs. Where there are none, it believes no token.
func (l *Lab) PublishKeys(issuers ...*Issuer) {
	l.front.mu.Lock()
	defer l.front.mu.Unlock()
	for _, issuer := range issuers {
		l.front.published[issuer.URL] = issuer.published()
	}
}

// JobEnv is the environment of a CI job that signs in with a token: that of [Lab.Env], with the ARN of the role that
// the job assumes and the file that its token is in, and no other credentials.
func (l *Lab) JobEnv(roleARN, token string) (map[string]string, error) {
	file, err := os.CreateTemp(l.Dir, "token")
	if err != nil {
		return nil, fmt.Errorf("write a job's token: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("write a job's token: %w", err)
	}
	if err := os.WriteFile(file.Name(), []byte(token), 0o600); err != nil {
		return nil, fmt.Errorf("write a job's token: %w", err)
	}
	env := l.Env()
	// Empty, they also hide those of the machine.
	env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = "", ""
	env["AWS_ROLE_ARN"], env["AWS_WEB_IDENTITY_TOKEN_FILE"] = roleARN, filepath.ToSlash(file.Name())
	return env, nil
}
