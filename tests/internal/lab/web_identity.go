package lab

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// signIn is how STS answers AssumeRoleWithWebIdentity. moto believes every token, and needs no role either.
type signIn struct {
	XMLName struct{} `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleWithWebIdentityResponse"`
	Result  struct {
		Credentials struct {
			AccessKeyID     string `xml:"AccessKeyId"`
			SecretAccessKey string
			SessionToken    string
			Expiration      string
		}
		AssumedRoleUser struct {
			AssumedRoleID string `xml:"AssumedRoleId"`
			Arn           string
		}
		SubjectFromWebIdentityToken, Audience, Provider string
	} `xml:"AssumeRoleWithWebIdentityResult"`
}

// refusal is an error that STS answers.
type refusal struct {
	status        int
	code, message string
}

// Error returns the code and the message.
func (r *refusal) Error() string { return r.code + ": " + r.message }

func invalidToken(format string, a ...any) error {
	return &refusal{http.StatusBadRequest, "InvalidIdentityToken", fmt.Sprintf(format, a...)}
}

var errNotAuthorized = &refusal{
	http.StatusForbidden, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity",
}

// serveWebIdentity signs a job in with its token, or says why not. Where policies are enforced, moto cannot take the
// call, which is not signed, so that the front asks it for the role's session instead. It has moto to itself.
func (f *front) serveWebIdentity(w http.ResponseWriter, r *http.Request, params url.Values) {
	answer, err := f.signIn(r, params)
	var text []byte
	if err == nil {
		text, err = xml.Marshal(answer)
	}
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		writeError(w, "sts", refused.status, refused.code, refused.message)
		return
	}
	if err != nil {
		writeError(w, "sts", http.StatusInternalServerError, "InternalFailure", err.Error())
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = w.Write(text) //nolint:gosec // No browser reads it.
}

var sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

func (f *front) signIn(r *http.Request, params url.Values) (*signIn, error) {
	seconds, err := strconv.Atoi(params.Get("DurationSeconds"))
	if !params.Has("DurationSeconds") {
		seconds, err = 3600, nil
	}
	if err != nil || seconds < 900 || seconds > 43200 || !sessionName.MatchString(params.Get("RoleSessionName")) {
		return nil, &refusal{http.StatusBadRequest, "ValidationError", "A parameter is not within its limits."}
	}
	token, err := f.verify(params.Get("WebIdentityToken"))
	if err != nil {
		return nil, err
	}
	ctx := context.WithoutCancel(r.Context())
	defer f.lift(ctx)()
	role, err := f.trustingRole(ctx, params.Get("RoleArn"), trustQuestion{
		principals: map[string][]string{"Federated": {token.provider}}, keys: token.conditionKeys(r, params),
	}, token.hasTags)
	if err != nil {
		return nil, err
	}
	if seconds > role.maxSeconds {
		return nil, &refusal{
			http.StatusBadRequest, "ValidationError",
			"The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
		}
	}
	session, err := f.sts.AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: &role.arn, RoleSessionName: aws.String(params.Get("RoleSessionName")),
		DurationSeconds: aws.Int32(int32(seconds)), //nolint:gosec // It is at most 43200.
	})
	if err != nil {
		return nil, err
	}
	f.noteSession(aws.ToString(session.Credentials.AccessKeyId), role.arn)
	answer := &signIn{}
	answer.Result.Credentials.AccessKeyID = aws.ToString(session.Credentials.AccessKeyId)
	answer.Result.Credentials.SecretAccessKey = aws.ToString(session.Credentials.SecretAccessKey)
	answer.Result.Credentials.SessionToken = aws.ToString(session.Credentials.SessionToken)
	answer.Result.Credentials.Expiration = aws.ToTime(session.Credentials.Expiration).Format(time.RFC3339)
	answer.Result.AssumedRoleUser.AssumedRoleID = aws.ToString(session.AssumedRoleUser.AssumedRoleId)
	answer.Result.AssumedRoleUser.Arn = aws.ToString(session.AssumedRoleUser.Arn)
	answer.Result.SubjectFromWebIdentityToken, answer.Result.Audience = token.subject, token.audience
	answer.Result.Provider = token.provider
	return answer, nil
}

// verifiedToken is a token that an issuer has signed which the account has a provider for.
type verifiedToken struct {
	// provider is the provider's ARN.
	provider, issuer, subject, audience string
	claims                              map[string]any
	hasTags                             bool
}

// algorithms are those that STS takes. Source: STS API Reference, AssumeRoleWithWebIdentity.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.ES512,
}

// leeway is how long after its expiry STS takes a token. Source: IAM User Guide, "Create an OpenID Connect (OIDC)
// identity provider in IAM".
const leeway = 5 * time.Minute

// verify believes a token, or says what STS says. Of a signature that does not fit, only the
// code of STS's error is known.
func (f *front) verify(token string) (*verifiedToken, error) {
	notJWT := invalidToken("The ID Token provided is not a valid JWT. " +
		"(You may see this error if you sent an Access Token)")
	signed, err := jwt.ParseSigned(token, algorithms)
	if err != nil {
		return nil, notJWT
	}
	var claimed jwt.Claims
	if err := signed.UnsafeClaimsWithoutVerification(&claimed); err != nil {
		return nil, notJWT
	}
	f.mu.Lock()
	arn, known := f.providerOf(claimed.Issuer)
	keys, now := f.published[claimed.Issuer], f.now()
	var audiences []string
	if known != nil {
		audiences = slices.Clone(known.audiences)
	}
	f.mu.Unlock()
	if known == nil {
		return nil, invalidToken("No OpenIDConnect provider found in your account for %s", claimed.Issuer)
	}
	verified := &verifiedToken{provider: arn, issuer: strings.TrimPrefix(claimed.Issuer, "https://")}
	if keys == nil {
		// There are two spaces in it.
		return nil, invalidToken("Couldn't retrieve verification key from your identity provider,  " +
			"please reference AssumeRoleWithWebIdentity documentation for requirements")
	}
	err = signed.Claims(keys, &claimed, &verified.claims)
	if err != nil || claimed.Expiry == nil || claimed.Subject == "" {
		return nil, notJWT
	}
	if expiry := claimed.Expiry.Time(); now.After(expiry.Add(leeway)) {
		return nil, &refusal{http.StatusBadRequest, "ExpiredTokenException", fmt.Sprintf("Token expired: current date/time "+
			"%d must be before the expiration date/time %d", now.Unix(), expiry.Unix())}
	}
	verified.subject = claimed.Subject
	_, verified.hasTags = verified.claims["https://aws.amazon.com/tags"]
	if azp, ok := verified.claims["azp"].(string); ok {
		verified.audience = azp
	} else if len(claimed.Audience) == 1 { // Nothing tells what STS takes of several.
		verified.audience = claimed.Audience[0]
	}
	if !slices.Contains(audiences, verified.audience) {
		return nil, invalidToken("Incorrect token audience")
	}
	return verified, nil
}

// claimKeys are the claims that AWS makes condition keys of, by issuer, beside the subject and the audience.
// Source: Service Authorization Reference, "Condition keys for AWS Security Token Service".
var claimKeys = []struct {
	issuer *regexp.Regexp
	claims []string
}{
	{
		regexp.MustCompile(`^token\.actions\.githubusercontent\.com(/[^/]+)?$|^token\.actions\.[^./]+\.ghe\.com(/[^/]+)?$`),
		[]string{
			"actor", "actor_id", "enterprise_id", "environment", "job_workflow_ref", "ref", "repository", "repository_id",
			"repository_owner_id", "workflow",
		},
	},
	{
		regexp.MustCompile(`^gitlab\.com$`),
		[]string{
			"namespace_id", "pipeline_source", "project_id", "ref_protected", "runner_environment", "user_access_level",
			"user_email", "user_id", "user_login",
		},
	},
	{
		regexp.MustCompile(`^agent\.buildkite\.com$`),
		[]string{
			"build_branch", "cluster_id", "cluster_name", "organization_id", "organization_slug", "pipeline_id",
			"pipeline_slug",
		},
	},
	{regexp.MustCompile(`^oidc\.circleci\.com/org/[^/]+$`), []string{"oidc.circleci.com/project-id"}},
}

// conditionKeys are what a role's trust policy may ask of a call with the token.
func (t *verifiedToken) conditionKeys(r *http.Request, params url.Values) map[string]string {
	keys := map[string]string{
		t.issuer + ":sub": t.subject, t.issuer + ":aud": t.audience,
		"aws:FederatedProvider": t.provider, "aws:SourceIp": sourceIP(r),
		"sts:RoleSessionName": params.Get("RoleSessionName"),
	}
	if aud, ok := t.claims["aud"].(string); ok && t.claims["azp"] != nil {
		keys[t.issuer+":oaud"] = aud
	}
	for _, known := range claimKeys {
		if !known.issuer.MatchString(t.issuer) {
			continue
		}
		for _, claim := range known.claims {
			if value, there := t.claims[claim]; there {
				keys[t.issuer+":"+claim] = fmt.Sprint(value)
			}
		}
	}
	return keys
}

// trustingRole is a role that lets a caller with a token in.
type trustingRole struct {
	arn        string
	maxSeconds int
}

// trustingRole returns a role if its trust policy lets the caller in, and with tags if the token has some.
func (f *front) trustingRole(ctx context.Context, arn string, q trustQuestion, tagged bool) (*trustingRole, error) {
	name := path.Base(arn)
	got, err := f.client.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil || aws.ToString(got.Role.Arn) != arn {
		return nil, errNotAuthorized
	}
	trust, err := url.QueryUnescape(aws.ToString(got.Role.AssumeRolePolicyDocument))
	if err != nil {
		return nil, errNotAuthorized
	}
	actions := []string{"sts:AssumeRoleWithWebIdentity"}
	if tagged {
		actions = append(actions, "sts:TagSession")
	}
	for _, q.action = range actions {
		if !trusts(trust, q) {
			return nil, errNotAuthorized
		}
	}
	return &trustingRole{arn, int(aws.ToInt32(got.Role.MaxSessionDuration))}, nil
}
