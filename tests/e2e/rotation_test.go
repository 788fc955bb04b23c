package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// TestNeverWithoutAKey rotates while somebody calls AWS without pause, with the key that the secret holds and with
// policies enforced: every call succeeds. The user never has more than two keys.
func TestNeverWithoutAKey(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := newKeyStack(t, l)
	key := s.administrator()
	harness.Check(t, l.Enforce(t.Context(), true))
	admin := l.ConfigFor(*key.AccessKeyId, *key.SecretAccessKey, "")

	inputs := func(generation int, previous string) values {
		return values{"generation": generation, "previous": previous, "secretsManager": values{"name": "cicd/bot"}}
	}
	s.Next(inputs(1, "inactive"))

	var most atomic.Int64
	l.Inject(func(w http.ResponseWriter, call lab.Call, serve func(http.ResponseWriter)) {
		serve(w)
		if call.Action != "CreateAccessKey" && call.Action != "DeleteAccessKey" {
			return
		}
		keys, err := iam.NewFromConfig(admin).ListAccessKeys(context.Background(),
			&iam.ListAccessKeysInput{UserName: aws.String("cicd-bot")})
		if err != nil {
			t.Errorf("list the keys: %v", err)
			return
		}
		most.Store(max(most.Load(), int64(len(keys.AccessKeyMetadata))))
	})

	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	calls := 0
	wg.Go(func() {
		secrets := secretsmanager.NewFromConfig(admin)
		read := func() (pair pair) {
			held, err := secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("cicd/bot")})
			if err == nil {
				err = json.Unmarshal([]byte(*held.SecretString), &pair)
			}
			if err != nil {
				t.Errorf("read the secret: %v", err)
			}
			return pair
		}
		for ctx.Err() == nil {
			held := read()
			_, err := sts.NewFromConfig(l.ConfigFor(held.ID, held.Secret, "")).
				GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			// Between reading the secret and using the key, a rotation may have replaced both.
			if err != nil && read() == held {
				t.Errorf("the current key %s fails: %v", held.ID, err)
			}
			calls++
		}
	})
	for i, previous := range []string{"inactive", "active", "deleted", "deleted", "inactive"} {
		s.Next(inputs(i+2, previous))
	}
	stop()
	wg.Wait()
	if calls < 20 || most.Load() != 2 {
		t.Errorf("there were %d calls with the current key, and %d keys at most", calls, most.Load())
	}
	l.Inject(nil)
	s.Next(nil)
	harness.Check(t, l.Enforce(t.Context(), false))
}

// pair is an access key as the stores hold it.
type pair struct {
	ID     string `json:"AWS_ACCESS_KEY_ID"`
	Secret string `json:"AWS_SECRET_ACCESS_KEY"`
}

// administrator makes an IAM user who may do everything, for an account whose policies are enforced, and has the stack
// use the user's key.
func (s *keyStack) administrator() *types.AccessKey {
	s.T.Helper()
	client, name := iam.NewFromConfig(s.Lab.Config()), aws.String("administrator")
	_, err := client.CreateUser(s.T.Context(), &iam.CreateUserInput{UserName: name})
	harness.Check(s.T, err)
	_, err = client.PutUserPolicy(s.T.Context(), &iam.PutUserPolicyInput{
		UserName: name, PolicyName: name, PolicyDocument: aws.String(everything),
	})
	harness.Check(s.T, err)
	made, err := client.CreateAccessKey(s.T.Context(), &iam.CreateAccessKeyInput{UserName: name})
	harness.Check(s.T, err)
	harness.Check(s.T, s.Workspace().SetEnvVars(map[string]string{
		"AWS_ACCESS_KEY_ID": *made.AccessKey.AccessKeyId, "AWS_SECRET_ACCESS_KEY": *made.AccessKey.SecretAccessKey,
	}))
	return made.AccessKey
}
