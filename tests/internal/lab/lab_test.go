package lab

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

func start(t *testing.T, options ...Option) *Lab {
	t.Helper()
	l, err := New(t.Context(), t.TempDir(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// ok says that a call succeeds.
func ok(t *testing.T) func(any, error) {
	return func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// fails says that a call ends with an error of the given code, that says the given.
func fails(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		t.Errorf("the call ends with %v, and not with %s: %s", err, code, message)
	}
}

func contents(t *testing.T, l *Lab) *Contents {
	t.Helper()
	account, err := l.Contents(t.Context())
	ok(t)(account, err)
	return account
}

func createUser(t *testing.T, c *iam.Client, name string) {
	t.Helper()
	ok(t)(c.CreateUser(t.Context(), &iam.CreateUserInput{
		UserName: &name, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	}))
}

func createKey(t *testing.T, c *iam.Client, user string) *types.AccessKey {
	t.Helper()
	made, err := c.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &user})
	ok(t)(made, err)
	return made.AccessKey
}

func TestAccessKeys(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), t.Context()
	c := iam.NewFromConfig(l.Config())
	createUser(t, c, "u")
	first, second := createKey(t, c, "u"), createKey(t, c, "u")
	_, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("u")})
	fails(t, err, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
	ok(t)(c.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{
		UserName: aws.String("u"), AccessKeyId: first.AccessKeyId, Status: types.StatusTypeInactive,
	}))

	u := contents(t, l).Users[0]
	want := []AccessKey{{*first.AccessKeyId, "Inactive", u.Keys[0].Created}, {*second.AccessKeyId, "Active", u.Keys[1].Created}}
	if !slices.Equal(u.Keys, want) || u.Keys[0].Created.IsZero() || !slices.Equal(u.AccessKeys, []string{want[0].ID, want[1].ID}) {
		t.Errorf("the keys are %+v, %v", u.Keys, u.AccessKeys)
	}

	// Only the key that is switched on does anything.
	call := func(key *types.AccessKey) error {
		_, err := sts.NewFromConfig(l.ConfigFor(*key.AccessKeyId, *key.SecretAccessKey, "")).
			GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		return err
	}
	ok(t)(nil, l.Enforce(ctx, true))
	fails(t, call(first), "InvalidClientTokenId", "security token")
	_, err = ssm.NewFromConfig(l.ConfigFor(*first.AccessKeyId, *first.SecretAccessKey, "")).
		GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("p")})
	fails(t, err, "UnrecognizedClientException", "security token")
	if err := call(second); err != nil {
		t.Error(err)
	}
	ok(t)(nil, l.Enforce(ctx, false))

	_, err = c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String("u")})
	fails(t, err, "DeleteConflict", "must delete access keys first")
	for _, key := range []*types.AccessKey{first, second} {
		ok(t)(c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{
			UserName: aws.String("u"), AccessKeyId: key.AccessKeyId,
		}))
	}
	ok(t)(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String("u")}))
}

// TestRenamedUser has a user keep the access keys under another name, and lose them there.
func TestRenamedUser(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), t.Context()
	c := iam.NewFromConfig(l.Config())
	createUser(t, c, "u")
	key := createKey(t, c, "u")
	for _, name := range [][2]string{{"u", "v"}, {"v", "w"}} {
		ok(t)(c.UpdateUser(ctx, &iam.UpdateUserInput{UserName: &name[0], NewUserName: &name[1]}))
	}
	listed, err := c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: aws.String("w")})
	ok(t)(listed, err)
	if len(listed.AccessKeyMetadata) != 1 || *listed.AccessKeyMetadata[0].UserName != "w" {
		t.Errorf("the keys are %+v", listed.AccessKeyMetadata)
	}
	used, err := c.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: key.AccessKeyId})
	ok(t)(used, err)
	if aws.ToString(used.UserName) != "w" {
		t.Errorf("the key belongs to %s", aws.ToString(used.UserName))
	}
	_, err = c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: aws.String("u"), AccessKeyId: key.AccessKeyId})
	fails(t, err, "NoSuchEntity", "")
	ok(t)(c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: aws.String("w"), AccessKeyId: key.AccessKeyId}))
	if u := contents(t, l).Users; len(u) != 1 || u[0].Name != "w" || len(u[0].Keys) != 0 || !maps.Equal(u[0].Tags, map[string]string{"a": "b"}) {
		t.Errorf("there are %+v", u)
	}
}

// clock has a lab's front go by a clock that stands still until it is moved.
func clock(l *Lab) (move func(time.Duration)) {
	var mu sync.Mutex
	now := time.Now()
	l.front.mu.Lock()
	defer l.front.mu.Unlock()
	l.front.now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	return func(by time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(by)
	}
}

func listKeys(t *testing.T, c *iam.Client, user string) []types.AccessKeyMetadata {
	t.Helper()
	listed, err := c.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: &user})
	ok(t)(listed, err)
	return listed.AccessKeyMetadata
}

func TestAgeKeys(t *testing.T) {
	t.Parallel()
	l := start(t)
	c := iam.NewFromConfig(l.Config())
	createUser(t, c, "u")
	first := createKey(t, c, "u")
	l.AgeKeys(90 * 24 * time.Hour)
	second := createKey(t, c, "u")
	l.AgeKeys(time.Hour)
	keys := listKeys(t, c, "u")
	if len(keys) != 2 || *keys[0].AccessKeyId != *first.AccessKeyId || *keys[0].UserName != "u" ||
		first.CreateDate.Sub(*keys[0].CreateDate) != 90*24*time.Hour+time.Hour ||
		second.CreateDate.Sub(*keys[1].CreateDate) != time.Hour {
		t.Errorf("%s and %s are listed as %+v", first.CreateDate, second.CreateDate, keys)
	}
	for i, key := range contents(t, l).Users[0].Keys {
		if !key.Created.Equal(*keys[i].CreateDate) {
			t.Errorf("the account tells %s of the key of %s", key.Created, keys[i].CreateDate)
		}
	}
}

// TestLagKeys follows a list that is a minute behind, over a key that is switched off and deleted, and one that takes
// its place.
func TestLagKeys(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), t.Context()
	c, move := iam.NewFromConfig(l.Config()), clock(l)
	u := aws.String("u")
	createUser(t, c, "u")
	first := createKey(t, c, "u")
	move(time.Minute)
	ok(t)(c.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{
		UserName: u, AccessKeyId: first.AccessKeyId, Status: types.StatusTypeInactive,
	}))
	move(time.Minute)
	ok(t)(c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: u, AccessKeyId: first.AccessKeyId}))
	second := createKey(t, c, "u")
	list := func(lag time.Duration, want ...string) {
		t.Helper()
		l.LagKeys(lag)
		var got []string
		for _, key := range listKeys(t, c, "u") {
			got = append(got, *key.AccessKeyId+" "+string(key.Status))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s ago the keys were %v, and not %v", lag, got, want)
		}
	}
	list(0, *second.AccessKeyId+" Active")
	list(time.Second, *first.AccessKeyId+" Inactive")
	list(90*time.Second, *first.AccessKeyId+" Active")
	list(time.Hour)
	// What does not list is not behind.
	if keys := contents(t, l).Users[0].Keys; len(keys) != 1 || keys[0].ID != *second.AccessKeyId {
		t.Errorf("the account has %+v", keys)
	}
	_, err := c.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: second.AccessKeyId})
	ok(t)(nil, err)
	l.LagKeys(time.Minute)
	move(time.Minute)
	list(time.Minute, *second.AccessKeyId+" Active")

	// Another user of the name never had the keys.
	ok(t)(c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: u, AccessKeyId: second.AccessKeyId}))
	ok(t)(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: u}))
	_, err = c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: u})
	fails(t, err, "NoSuchEntity", "")
	createUser(t, c, "u")
	list(time.Minute)
}

func TestNewKeysTake(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), t.Context()
	c, move := iam.NewFromConfig(l.Config()), clock(l)
	createUser(t, c, "u")
	key := createKey(t, c, "u")
	call := func() error {
		_, err := sts.NewFromConfig(l.ConfigFor(*key.AccessKeyId, *key.SecretAccessKey, "")).
			GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		return err
	}
	l.NewKeysTake(10 * time.Second)
	ok(t)(nil, call()) // Nobody is refused anything.
	ok(t)(nil, l.Enforce(ctx, true))
	fails(t, call(), "InvalidClientTokenId", "security token")
	move(9 * time.Second)
	fails(t, call(), "InvalidClientTokenId", "security token")
	l.NewKeysTake(0)
	ok(t)(nil, call())
	l.NewKeysTake(10 * time.Second)
	move(time.Second)
	ok(t)(nil, call())
}

func TestLagNewUsers(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), t.Context()
	c, move := iam.NewFromConfig(l.Config()), clock(l)
	l.LagNewUsers(5 * time.Second)
	createUser(t, c, "u")
	createKey(t, c, "u")
	ask := func(name string) []error {
		_, got := c.GetUser(ctx, &iam.GetUserInput{UserName: &name})
		_, listed := c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &name})
		return []error{got, listed}
	}
	for _, err := range ask("u") {
		fails(t, err, "NoSuchEntity", "The user with name u cannot be found.")
	}
	if users := contents(t, l).Users; len(users) != 1 || len(users[0].Keys) != 1 {
		t.Errorf("the account has %+v", users)
	}
	move(4 * time.Second)
	ok(t)(c.UpdateUser(ctx, &iam.UpdateUserInput{UserName: aws.String("u"), NewUserName: aws.String("v")}))
	for _, err := range ask("v") {
		fails(t, err, "NoSuchEntity", "The user with name v cannot be found.")
	}
	move(time.Second)
	if err := errors.Join(ask("v")...); err != nil {
		t.Error(err)
	}
	createUser(t, c, "w")
	l.LagNewUsers(0)
	if err := errors.Join(ask("w")...); err != nil {
		t.Error(err)
	}
}

func TestDeletionsRefused(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), t.Context()
	c := iam.NewFromConfig(l.Config())
	createUser(t, c, "u")
	u, g, p := aws.String("u"), aws.String("g"), aws.String("p")
	ok(t)(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: g}))
	ok(t)(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: g, UserName: u}))
	ok(t)(c.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: u, Password: aws.String("Passw0rd!x")}))
	ok(t)(c.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: g, PolicyName: p, PolicyDocument: aws.String(document)}))
	deleteUser := func() error {
		_, err := c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: u})
		return err
	}
	deleteGroup := func() error {
		_, err := c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: g})
		return err
	}
	fails(t, deleteUser(), "DeleteConflict", "must remove users from group first")
	fails(t, deleteGroup(), "DeleteConflict", "must remove users from group first")
	ok(t)(c.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: g, UserName: u}))
	fails(t, deleteUser(), "DeleteConflict", "must delete login profile first")
	fails(t, deleteGroup(), "DeleteConflict", "must delete policies first")
	ok(t)(c.DeleteLoginProfile(ctx, &iam.DeleteLoginProfileInput{UserName: u}))
	ok(t)(c.DeleteGroupPolicy(ctx, &iam.DeleteGroupPolicyInput{GroupName: g, PolicyName: p}))
	if err := errors.Join(deleteUser(), deleteGroup()); err != nil {
		t.Error(err)
	}
	fails(t, deleteUser(), "NoSuchEntity", "")
}

const (
	document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"*"}]}`
	boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
)

func TestRoles(t *testing.T) {
	t.Parallel()
	l, ctx := start(t, ManagedPolicies), t.Context()
	c := iam.NewFromConfig(l.Config())
	name := aws.String("r")
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}`
	ok(t)(c.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: name, Path: aws.String("/cicd/"), Description: aws.String("d"), AssumeRolePolicyDocument: aws.String(trust),
		PermissionsBoundary: aws.String(boundary), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	}))
	// The description stays.
	ok(t)(c.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: name, MaxSessionDuration: aws.Int32(7200)}))
	ok(t)(c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: name, PolicyName: aws.String("p"), PolicyDocument: aws.String(document),
	}))
	for _, arn := range []string{"arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/IAMReadOnlyAccess"} {
		ok(t)(c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: &arn}))
	}
	roles := contents(t, l).Roles
	if len(roles) != 1 {
		t.Fatalf("there are %+v", roles)
	}
	r := roles[0]
	wantTrust, err := Canonical(trust)
	ok(t)(wantTrust, err)
	wantPolicy, err := Canonical(document)
	ok(t)(wantPolicy, err)
	if r.Name != "r" || r.Path != "/cicd/" || r.ARN != "arn:aws:iam::123456789012:role/cicd/r" || r.ID == "" || r.Trust != wantTrust ||
		r.Description != "d" || r.MaxSessionDuration != 7200 || r.Boundary != boundary ||
		!maps.Equal(r.Tags, map[string]string{"a": "b"}) || !maps.Equal(r.Policies, map[string]string{"p": wantPolicy}) ||
		!slices.Equal(r.Attached, []string{"arn:aws:iam::aws:policy/IAMReadOnlyAccess", "arn:aws:iam::aws:policy/ReadOnlyAccess"}) {
		t.Errorf("the role is %+v", r)
	}
	_, err = c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
	fails(t, err, "DeleteConflict", "")

	ok(t)(c.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: name, Description: aws.String("e")}))
	if r = contents(t, l).Roles[0]; r.Description != "e" || r.MaxSessionDuration != 7200 {
		t.Errorf("the role is %+v", r)
	}
}

func TestStores(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), t.Context()
	if account := contents(t, l); account.Secrets != nil || account.Parameters != nil {
		t.Errorf("the empty account has %+v", account)
	}
	secrets, parameters := secretsmanager.NewFromConfig(l.Config()), ssm.NewFromConfig(l.Config())
	for _, name := range []string{"gone", "empty", "kept"} {
		ok(t)(secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &name}))
	}
	ok(t)(secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: aws.String("kept"), SecretString: aws.String("value"),
	}))
	ok(t)(secrets.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{
		SecretId: aws.String("gone"), RecoveryWindowInDays: aws.Int64(7),
	}))
	ok(t)(parameters.PutParameter(ctx, &ssm.PutParameterInput{
		Name: aws.String("/a/b"), Value: aws.String("value"), Type: ssmtypes.ParameterTypeSecureString,
		Tags: []ssmtypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	}))

	account := contents(t, l)
	var told []string
	for _, s := range account.Secrets {
		told = append(told, s.Name+"="+s.Value)
		if s.Deleted != (s.Name == "gone") {
			t.Errorf("the secret is %+v", s)
		}
	}
	if !slices.Equal(told, []string{"empty=", "gone=", "kept=value"}) {
		t.Errorf("the secrets are %v", told)
	}
	if p := account.Parameters; len(p) != 1 || p[0].Name != "/a/b" || p[0].Value != "value" || p[0].Type != "SecureString" ||
		p[0].Version != 1 || p[0].KMSKey != "alias/aws/ssm" || !maps.Equal(p[0].Tags, map[string]string{"a": "b"}) {
		t.Errorf("the parameters are %+v", p)
	}

	_, err := secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("gone")})
	fails(t, err, "InvalidRequestException", "because it was marked for deletion")
	_, err = secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("gone")})
	fails(t, err, "InvalidRequestException", "already scheduled for deletion")
	_, err = secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("kept")})
	fails(t, err, "ResourceExistsException", "")
}

func TestCalls(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), t.Context()
	createUser(t, iam.NewFromConfig(l.Config()), "u")
	secrets := secretsmanager.NewFromConfig(l.Config())
	ok(t)(secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("s")}))
	ok(t)(secrets.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{
		SecretId: aws.String("s"), ForceDeleteWithoutRecovery: aws.Bool(true),
	}))
	_, err := secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("s")})
	fails(t, err, "ResourceNotFoundException", "")
	calls := l.Calls()
	var actions []string
	for _, call := range calls {
		actions = append(actions, call.Action)
	}
	if !slices.Equal(actions, []string{"CreateUser", "CreateSecret", "DeleteSecret", "GetSecretValue"}) {
		t.Fatalf("the calls are %v", actions)
	}
	if p := calls[2].Params; p.Get("SecretId") != "s" || p.Get("ForceDeleteWithoutRecovery") != "true" || calls[3].Status < 400 {
		t.Errorf("the calls are %+v", calls)
	}
	ok(t)(l.Contents(context.WithoutCancel(ctx)))
	if writes := l.Writes(); len(writes) != 0 {
		t.Errorf("reading the account back writes: %v", writes)
	}
}
