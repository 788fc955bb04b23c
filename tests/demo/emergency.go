//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// leakedRole is the name of a role that the robot may assume.
const leakedRole = "deploy"

// A thief has a leaked key, and what was made of it.
type thief struct{ key, token, session aws.Config }

// showEmergency revokes a key that has leaked, and shows what the key can do before and after, and what a session token
// and a session of a role can do that were made of it.
func showEmergency(ctx context.Context, l *lab.Lab, cli cli, language string) error {
	remove, err := createRole(ctx, l)
	if err != nil {
		return err
	}
	thief, err := steal(ctx, l)
	if err != nil {
		return err
	}
	before, err := thief.tries(ctx, l)
	if err != nil {
		return err
	}
	line, err := addLine(cli.dir, language, byHand[language].revoked)
	if err != nil {
		return err
	}
	fmt.Printf("\nThe key that the secret %s holds has leaked. Somebody has made a session token of it, and a\n"+
		"session of the role %s, which the demo has made for that. The program says %q now. What each can\n"+
		"do is decided by the policies in the account, with the evaluator that the tests have of IAM's\n"+
		"documentation: moto itself does not know such conditions.\n", secretName, leakedRole, line)
	if err := cli.run(ctx, "up", "--yes", "--refresh", "--continue-on-error"); err != nil {
		return err
	}
	after, err := thief.tries(ctx, l)
	if err != nil {
		return err
	}
	fmt.Print("\nThe revocation, as the thief saw it:\n\n")
	row, end := newTable(os.Stdout)
	for i, what := range []string{"the key", "a session token of it", "a session of the role"} {
		row(what+", before", before[i])
		row("  after", after[i])
	}
	if err := end(); err != nil {
		return err
	}
	fmt.Print("\nThe session lives on until it expires: revokeSessionsBefore of a DeploymentRole ends it.\n" +
		"docs/emergency.md has all the steps.\n")
	if fmt.Sprint(before, after) != fmt.Sprint([]string{works, works, works}, []string{
		"InvalidClientTokenId", "AccessDenied", works,
	}) {
		return errors.New("that is not what a revocation does")
	}
	return remove(ctx)
}

// works is what a credential does that is not refused.
const works = "works"

// createRole makes a role that the robot may assume, and that may list users.
func createRole(ctx context.Context, l *lab.Lab) (remove func(ctx context.Context) error, err error) {
	client, name := iam.NewFromConfig(l.Config()), aws.String(leakedRole)
	_, roleErr := client.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: name, Path: aws.String("/cicd/"), AssumeRolePolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",` +
				`"Principal":{"AWS":"arn:aws:iam::` + lab.Account + `:root"}}]}`),
	})
	_, policyErr := client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: name, PolicyName: name, PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}]}`),
	})
	return func(ctx context.Context) error {
		_, policyErr := client.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: name})
		_, roleErr := client.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
		return errors.Join(policyErr, roleErr)
	}, errors.Join(roleErr, policyErr)
}

// steal reads the key from the secret, and makes a session token and a session of it.
func steal(ctx context.Context, l *lab.Lab) (*thief, error) {
	id, secret, err := storedKey(ctx, l.Config())
	if err != nil {
		return nil, err
	}
	stolen := &thief{key: l.ConfigFor(id, secret, "")}
	config := func(c *types.Credentials) aws.Config {
		return l.ConfigFor(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	}
	token, err := sts.NewFromConfig(stolen.key).GetSessionToken(ctx, &sts.GetSessionTokenInput{})
	if err != nil {
		return nil, err
	}
	session, err := assume(ctx, stolen.key)
	if err != nil {
		return nil, err
	}
	stolen.token, stolen.session = config(token.Credentials), config(session.Credentials)
	return stolen, nil
}

func assume(ctx context.Context, config aws.Config) (*sts.AssumeRoleOutput, error) {
	return sts.NewFromConfig(config).AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn:         aws.String("arn:aws:iam::" + lab.Account + ":role/cicd/" + leakedRole),
		RoleSessionName: aws.String("thief"),
	})
}

// tries has the key and the token assume the role, and the session list users, with policies enforced, and returns how
// each ends.
func (s *thief) tries(ctx context.Context, l *lab.Lab) (ends []string, err error) {
	if err := l.Enforce(ctx, true); err != nil {
		return nil, err
	}
	_, keyErr := assume(ctx, s.key)
	_, tokenErr := assume(ctx, s.token)
	_, sessionErr := iam.NewFromConfig(s.session).ListUsers(ctx, &iam.ListUsersInput{})
	for _, err := range []error{keyErr, tokenErr, sessionErr} {
		end := works
		if err != nil {
			end = err.Error()
		}
		for _, code := range []string{"InvalidClientTokenId", "AccessDenied"} {
			if strings.Contains(end, code) {
				end = code
			}
		}
		ends = append(ends, end)
	}
	return ends, l.Enforce(ctx, false)
}
