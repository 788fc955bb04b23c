//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// keyless is the example whose demo has CI jobs sign in. It names the role and the issuer.
const (
	keyless   = "keyless"
	jobRole   = "arn:aws:iam::" + lab.Account + ":role/cicd/production"
	jobIssuer = "https://token.actions.githubusercontent.com"
)

// The jobs deploy this program, which makes this parameter.
const (
	jobProgram   = "job"
	jobParameter = "/shop/release"
)

// refusal is what AWS says of a job that the role does not trust.
const refusal = "Not authorized to perform sts:AssumeRoleWithWebIdentity"

// A job is a CI job of GitHub Actions that names the environment production.
type job struct{ owner, ownerID, name, repositoryID string }

// subject is the claim sub of the job's token.
func (j job) subject() string {
	return fmt.Sprintf("repo:%s@%s/%s@%s:environment:production", j.owner, j.ownerID, j.name, j.repositoryID)
}

// showKeyless has two CI jobs deploy a program under the role for production, with their tokens alone: the one that the
// role trusts, and one of another repository, which is refused.
func showKeyless(ctx context.Context, l *lab.Lab, admin cli) error {
	issuer, err := lab.IssuerOf(jobIssuer)
	if err != nil {
		return err
	}
	l.PublishKeys(issuer)
	if err := l.Enforce(ctx, true); err != nil {
		return err
	}
	fmt.Print("\nTwo CI jobs deploy a program now. Each has the ARN of the role for production, a file with a token,\n" +
		"and no key. The demo signs the tokens in the place of GitHub. The account verifies them, and\n" +
		"enforces its policies.\n")
	trusted, other := job{"acme", "4021", "shop", "170033"}, job{"acme-evil", "6660", "shop", "660066"}
	if _, err := trusted.deploy(ctx, l, admin, issuer, "1.2"); err != nil {
		return err
	}
	says, err := other.deploy(ctx, l, admin, issuer, "6.6")
	if err == nil || !strings.Contains(says, refusal) {
		return errors.Join(errors.New("the job of another repository is not refused"), err)
	}
	if err := l.Enforce(ctx, false); err != nil {
		return err
	}
	account, err := l.Contents(ctx)
	if err != nil {
		return err
	}
	if p := account.Parameters; len(p) != 1 || p[0].Name != jobParameter || p[0].Value != "1.2" {
		return errors.New("the job that the role trusts has not deployed")
	}
	fmt.Print("\nWhat came of it:\n\n")
	row, end := newTable(os.Stdout)
	row("the job of acme/shop", "signed in, and deployed "+jobParameter)
	row("the job of acme-evil/shop", "AccessDenied: "+refusal)
	row("  because", "the role does not trust the subject "+other.subject())
	row("the value of "+jobParameter, account.Parameters[0].Value)
	if err := end(); err != nil {
		return err
	}
	admin.dir = filepath.Join(l.Dir, "programs", jobProgram)
	return admin.quiet(ctx, "destroy", "--yes", "--skip-preview")
}

// deploy runs an update as the job does, with a token of the issuer and no other credentials, and returns what it says.
// The program makes a parameter with a value.
func (j job) deploy(
	ctx context.Context, l *lab.Lab, admin cli, issuer *lab.Issuer, value string,
) (says string, err error) {
	dir, err := l.WriteProgram(jobProgram, map[string]lab.Resource{
		"release": {Type: "aws:ssm:Parameter", Properties: map[string]any{
			"name": jobParameter, "type": "String", "value": value,
		}},
	})
	if err != nil {
		return "", err
	}
	admin.dir = dir
	if err := admin.quiet(ctx, "stack", "select", "dev", "--create"); err != nil {
		return "", err
	}
	claims := map[string]any{
		"aud": "sts.amazonaws.com", "sub": j.subject(), "repository_id": j.repositoryID, "repository_owner_id": j.ownerID,
	}
	token, err := issuer.Token(claims)
	if err != nil {
		return "", err
	}
	env, err := l.JobEnv(jobRole, token)
	if err != nil {
		return "", err
	}
	fmt.Printf("\nThe job of %s/%s has a token with these claims:\n\n", j.owner, j.name)
	row, end := newTable(os.Stdout)
	row("iss", issuer.URL)
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		row(name, fmt.Sprint(claims[name]))
	}
	if err := end(); err != nil {
		return "", err
	}
	var out bytes.Buffer
	args := []string{"up", "--yes", "--skip-preview"}
	fmt.Printf("\n$ pulumi %s\n", strings.Join(args, " "))
	err = newCLI(env, dir, l.Dir).command(ctx, io.MultiWriter(os.Stdout, &out), args)
	return out.String(), err
}
