package lab

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// A Lab is an AWS account of its own, and a folder for Pulumi's state and programs.
type Lab struct {
	// Dir is the folder.
	Dir string
	// Region is the region that the environment names. It says in which partition the account is read back.
	Region string

	// IAMWait is how long AWS may take until a change of an access key is seen everywhere. It is 0 at first, as moto
	// needs no time.
	IAMWait time.Duration
	// PulumiHome is the folder of Pulumi's plugins, or empty for the one with the AWS plugin of most tests only.
	PulumiHome string

	moto  *moto
	front *front
}

const defaultRegion = "us-east-1"

// Account is the number of a lab's account, unless it is given another.
const Account = "123456789012"

// An Option is what a lab has on demand only, as a setting of moto.
type Option string

// ManagedPolicies are AWS's own policies, such as ReadOnlyAccess, which moto takes a second to load.
const ManagedPolicies Option = "MOTO_IAM_LOAD_MANAGED_POLICIES=true"

// New starts a lab in a folder, with the account [Account].
func New(ctx context.Context, dir string, options ...Option) (*Lab, error) {
	return NewAccount(ctx, dir, Account, options...)
}

// NewAccount starts a lab in a folder, with an account of the given number.
func NewAccount(ctx context.Context, dir, account string, options ...Option) (*Lab, error) {
	m, err := startMoto(ctx, account, options)
	if err != nil {
		return nil, err
	}
	f, err := startFront(m)
	if err != nil {
		m.close()
		return nil, err
	}
	l := &Lab{Dir: dir, Region: defaultRegion, moto: m, front: f}
	for _, folder := range []string{"state", "programs"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			l.Close()
			return nil, err
		}
	}
	return l, nil
}

// Close ends the lab's processes.
func (l *Lab) Close() {
	l.front.close()
	l.moto.close()
}

// Endpoint is the URL of all the account's services.
func (l *Lab) Endpoint() string { return l.front.url.String() }

// Calls returns the API calls since the last time that it was asked.
func (l *Lab) Calls() []Call { return l.front.taken() }

// Writes returns the actions among the API calls since the last time that change something, in order.
func (l *Lab) Writes() []string {
	var actions []string
	for _, call := range l.Calls() {
		if call.IsWrite() {
			actions = append(actions, call.Action)
		}
	}
	return actions
}

// Enforce has every later call authenticated, and authorised against the policies in the account; or, with
// false, none.
func (l *Lab) Enforce(ctx context.Context, on bool) error {
	// A call under way may have lifted the enforcement, and enforces again when it is done.
	if err := l.front.passing.Acquire(ctx, alone); err != nil {
		return err
	}
	defer l.front.passing.Release(alone)
	l.front.setEnforcing(on)
	return l.moto.control(ctx, "reset-auth", authCount(on))
}

// authCount is how many calls moto is to take from anybody, with policies enforced or not.
func authCount(enforced bool) string {
	if enforced {
		return "0"
	}
	return "inf"
}

// Reset empties the account, and forgets its calls.
func (l *Lab) Reset(ctx context.Context) error {
	l.front.forget()
	return l.moto.control(ctx, "reset", "")
}

// Env is the environment for the Pulumi CLI and all that it starts: the state is in the lab's folder, and the
// only AWS to be reached is the lab's account. What the user has configured for AWS is out of reach.
func (l *Lab) Env() map[string]string {
	// Without metadata: a CLI that is killed leaves empty files of it, with which the next one cannot read the state.
	state := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(l.Dir, "state")), RawQuery: "metadata=skip"}
	env := map[string]string{
		"PULUMI_BACKEND_URL": state.String(),
		// At each step, a file backend writes the state, and a copy of it.
		"PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",

		"PULUMI_CONFIG_PASSPHRASE":    "lab",
		"VAULT_SERVER_URL":            l.Endpoint(),
		"PULUMI_SKIP_UPDATE_CHECK":    "true",
		"CICD_IAM_WAIT":               l.IAMWait.String(),
		"AWS_ENDPOINT_URL":            l.Endpoint(),
		"AWS_ACCESS_KEY_ID":           accessKeyID,
		"AWS_SECRET_ACCESS_KEY":       secretAccessKey,
		"AWS_SESSION_TOKEN":           "",
		"AWS_REGION":                  l.Region,
		"AWS_DEFAULT_REGION":          l.Region,
		"AWS_PROFILE":                 "",
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_EC2_METADATA_DISABLED":   "true",
		"NO_PROXY":                    "127.0.0.1,localhost",
		"no_proxy":                    "127.0.0.1,localhost",
	}
	if l.PulumiHome != "" {
		env["PULUMI_HOME"] = l.PulumiHome
	}
	for _, service := range []string{"IAM", "SECRETS_MANAGER", "SSM", "STS"} {
		env["AWS_ENDPOINT_URL_"+service] = l.Endpoint()
	}
	return env
}

// The credentials of the lab's administrator: moto takes any, as long as it does not enforce policies.
const (
	accessKeyID     = "test"
	secretAccessKey = "test"
	// readerKeyID is who reads the account back: to them IAM is never behind.
	readerKeyID = "reader"
)

// Config is the configuration of AWS clients for the lab's administrator.
func (l *Lab) Config() aws.Config { return l.ConfigFor(accessKeyID, secretAccessKey, "") }

// ConfigFor is the configuration of AWS clients for somebody with other credentials.
func (l *Lab) ConfigFor(id, secret, token string) aws.Config {
	return config(l.front.url, l.Region, id, secret, token)
}

func config(endpoint *url.URL, region, id, secret, token string) aws.Config {
	return aws.Config{
		Region:       region,
		BaseEndpoint: aws.String(endpoint.String()),
		Credentials:  credentials.NewStaticCredentialsProvider(id, secret, token),
	}
}
