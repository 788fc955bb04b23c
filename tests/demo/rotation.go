//go:build unix

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// accessKey is the example whose demo shows a rotation. It names the user and the secret.
const (
	accessKey  = "access-key"
	userName   = "cicd-bot"
	secretName = "cicd/cicd-bot"
)

// In AWS a new key takes 5 to 10 seconds to work, and an update waits 10 seconds for it. In the demo both are shorter.
const (
	newKeyTakes = time.Second
	iamWait     = 2 * time.Second
)

// byHand is, by language, the example's file, its line with rotateEvery, a line that asks for a rotation, and one that
// revokes the keys.
var byHand = map[string]struct{ file, line, generation, revoked string }{
	"typescript": {"index.ts", `    rotateEvery: "60d",`, `    generation: 2,`, `    revoked: true,`},
	"python":     {"__main__.py", `    rotate_every="60d",`, `    generation=2,`, `    revoked=True,`},
	"go": {
		"main.go", `			RotateEvery:    pulumi.String("60d"),`, `			Generation: pulumi.Int(2),`,
		`			Revoked: pulumi.Bool(true),`,
	},
	"yaml": {"Pulumi.yaml", `      rotateEvery: 60d`, `      generation: 2`, `      revoked: true`},
}

// addLine adds a line to a copy of the example, and returns it as the demo shows it.
func addLine(dir, language, line string) (string, error) {
	edit := byHand[language]
	file := filepath.Join(dir, edit.file)
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	before, after, found := strings.Cut(string(text), edit.line+"\n")
	if !found {
		return "", fmt.Errorf("%s has no line %q", edit.file, edit.line)
	}
	changed := before + edit.line + "\n" + line + "\n" + after
	return strings.Trim(line, "\t ,"), os.WriteFile(file, []byte(changed), 0o600)
}

// showRotation rotates the example's key while a client uses the key without pause, with the account's policies
// enforced. Each call has to succeed.
func showRotation(ctx context.Context, l *lab.Lab, cli cli, language string) error {
	line, err := addLine(cli.dir, language, byHand[language].generation)
	if err != nil {
		return err
	}
	fmt.Printf("\nThe program says %q now, so that the next update rotates the key. During that update, a client\n"+
		"calls AWS STS without pause, with the key that the secret %s holds. The account enforces its\n"+
		"policies. It refuses a new key for %s, where AWS takes 5 to 10 s.\n", line, secretName, newKeyTakes)
	before, err := userKeys(ctx, l)
	if err != nil {
		return err
	}
	admin, err := createAdministrator(ctx, l)
	if err != nil {
		return err
	}
	l.NewKeysTake(newKeyTakes)
	if err := l.Enforce(ctx, true); err != nil {
		return err
	}

	most := countKeys(l, admin.config)
	polling, stop := context.WithCancel(ctx)
	polled := make(chan polls, 1)
	go func() { polled <- poll(polling, l, admin.config) }()
	err = cli.with("AWS_ACCESS_KEY_ID="+admin.id, "AWS_SECRET_ACCESS_KEY="+admin.secret).run(ctx, "up", "--yes")
	stop()
	p := <-polled
	l.Inject(nil)
	if err := errors.Join(err, l.Enforce(ctx, false), admin.remove(ctx)); err != nil {
		return err
	}

	after, err := userKeys(ctx, l)
	if err != nil {
		return err
	}
	fmt.Print("\nThe rotation, as that client saw it:\n\n")
	row, end := newTable(os.Stdout)
	row("calls of AWS STS", strconv.Itoa(p.calls))
	row("  that failed", strconv.Itoa(p.failed))
	row("  with the keys", p.used...)
	row("keys before", before...)
	row("keys after", after...)
	row("keys at most", strconv.FormatInt(most.Load(), 10))
	if err := end(); err != nil {
		return err
	}
	switch {
	case p.failed > 0:
		return fmt.Errorf("there was a time without a key that works: %w", p.failure)
	case len(p.used) != 2 || most.Load() != 2:
		return errors.New("the client did not see the rotation")
	}
	return nil
}

// userKeys returns the user's access keys, as the table has them.
func userKeys(ctx context.Context, l *lab.Lab) ([]string, error) {
	account, err := l.Contents(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(account.Users, func(u lab.User) bool { return u.Name == userName })
	if i < 0 {
		return nil, fmt.Errorf("the account has no user %s", userName)
	}
	return describeKeys(account.Users[i]), nil
}

// countKeys has the user's keys counted after each call that makes or deletes one, and returns the highest number.
func countKeys(l *lab.Lab, admin aws.Config) *atomic.Int64 {
	var most atomic.Int64
	l.Inject(func(w http.ResponseWriter, call lab.Call, serve func(http.ResponseWriter)) {
		serve(w)
		if call.Action != "CreateAccessKey" && call.Action != "DeleteAccessKey" {
			return
		}
		keys, err := iam.NewFromConfig(admin).ListAccessKeys(context.Background(),
			&iam.ListAccessKeysInput{UserName: aws.String(userName)})
		if err == nil {
			most.Store(max(most.Load(), int64(len(keys.AccessKeyMetadata))))
		}
	})
	return &most
}

// polls are calls of AWS STS: how many there were, how many of them failed, the first failure, and the IDs of the keys
// that they were made with.
type polls struct {
	calls, failed int
	failure       error
	used          []string
}

// poll reads the secret and calls AWS STS with the key that it holds, again and again, until the context ends.
func poll(ctx context.Context, l *lab.Lab, admin aws.Config) (p polls) {
	const attempts = 1 // What fails is not to be tried again.
	admin.RetryMaxAttempts = attempts
	var client *sts.Client
	call := func() error {
		id, secret, err := storedKey(ctx, admin)
		if err != nil {
			return err
		}
		if !slices.Contains(p.used, id) {
			config := l.ConfigFor(id, secret, "")
			config.RetryMaxAttempts = attempts
			p.used, client = append(p.used, id), sts.NewFromConfig(config)
		}
		_, err = client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		return err
	}
	for {
		err := call()
		if ctx.Err() != nil {
			return p
		}
		p.calls++
		if err != nil {
			p.failed++
			p.failure = cmp.Or(p.failure, err)
		}
	}
}

// storedKey returns the key that the secret holds.
func storedKey(ctx context.Context, admin aws.Config) (id, secret string, err error) {
	held, err := secretsmanager.NewFromConfig(admin).GetSecretValue(ctx,
		&secretsmanager.GetSecretValueInput{SecretId: aws.String(secretName)})
	if err != nil {
		return "", "", err
	}
	var key struct {
		ID     string `json:"AWS_ACCESS_KEY_ID"`
		Secret string `json:"AWS_SECRET_ACCESS_KEY"`
	}
	err = json.Unmarshal([]byte(aws.ToString(held.SecretString)), &key)
	return key.ID, key.Secret, err
}

// An administrator may do everything in an account whose policies are enforced.
type administrator struct {
	id, secret string
	config     aws.Config
	remove     func(ctx context.Context) error
}

// createAdministrator makes an administrator.
func createAdministrator(ctx context.Context, l *lab.Lab) (*administrator, error) {
	client, name := iam.NewFromConfig(l.Config()), aws.String("administrator")
	_, userErr := client.CreateUser(ctx, &iam.CreateUserInput{UserName: name})
	_, policyErr := client.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
		UserName: name, PolicyName: name, PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`),
	})
	made, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	if err := errors.Join(userErr, policyErr, err); err != nil {
		return nil, err
	}
	id, secret := made.AccessKey.AccessKeyId, made.AccessKey.SecretAccessKey
	// This key is new as well.
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(newKeyTakes):
	}
	return &administrator{*id, *secret, l.ConfigFor(*id, *secret, ""), func(ctx context.Context) error {
		_, keyErr := client.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: id})
		_, policyErr := client.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: name, PolicyName: name})
		_, err := client.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name})
		return errors.Join(keyErr, policyErr, err)
	}}, nil
}
