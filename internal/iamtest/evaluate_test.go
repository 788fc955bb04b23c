package iamtest

import "testing"

// TestRefusedByAWS checks that each statement is held against what AWS asks of its issuer.
func TestRefusedByAWS(t *testing.T) {
	t.Parallel()
	statement := func(conditions string) string {
		return `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/gitlab.com"},` +
			`"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{` + conditions + `}}}`
	}
	right, wrong := statement(`"gitlab.com:sub":"a"`), statement(`"gitlab.com:aud":"a"`)
	for statements, refused := range map[string]bool{right: false, right + "," + wrong: true} {
		missing := RefusedByAWS(t, `{"Version":"2012-10-17","Statement":[`+statements+`]}`)
		if len(missing) > 0 != refused {
			t.Errorf("%s: %v", statements, missing)
		}
	}
}

// TestAllow checks each element and operator by examples of IAM's documentation: "IAM JSON policy elements", NotAction,
// NotResource and Condition operators.
func TestAllow(t *testing.T) {
	t.Parallel()
	const allow = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	deny := func(elements string) string { return allow + `,{"Effect":"Deny",` + elements + `}` }
	when := func(condition string) string {
		return deny(`"Action":"*","Resource":"*","Condition":{` + condition + `}`)
	}
	base := Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/o"}
	keys := func(kv ...string) Request {
		r := base
		r.Keys = map[string]string{}
		for i := 0; i < len(kv); i += 2 {
			r.Keys[kv[i]] = kv[i+1]
		}
		return r
	}
	const (
		isNull  = `"Null":{"aws:TokenIssueTime":"true"}`
		notNull = `"Null":{"aws:TokenIssueTime":false}`
		notFrom = `"NotIpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8::/32"]}`
		before  = `"DateLessThan":{"aws:TokenIssueTime":"2026-11-26T15:30:00Z"}`
		issued  = "aws:TokenIssueTime"
	)
	for _, tt := range []struct {
		statements string
		request    Request
		want       bool
	}{
		{allow, base, true},
		{`{"Effect":"Allow","Action":"s3:Put*","Resource":"*"}`, base, false},
		{`{"Effect":"Allow","Action":"S3:getobject","Resource":"*"}`, base, true},
		{`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::B/o"}`, base, false},
		{`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`, base, true},
		{`{"Effect":"Allow","NotAction":["iam:*","s3:Get*"],"Resource":"*"}`, base, false},
		{`{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::b/*"}`, base, false},
		{`{"Effect":"Allow","Action":"*","NotResource":["arn:aws:s3:::a/*"]}`, base, true},
		{deny(`"NotAction":"s3:GetObject","Resource":"*"`), base, true},
		{deny(`"NotAction":"s3:GetObjec","Resource":"*"`), base, false},
		{deny(`"Action":"*","NotResource":"arn:aws:s3:::b/*"`), base, true},
		{deny(`"Action":"*","NotResource":"arn:aws:s3:::b"`), base, false},
		{when(isNull), base, false},
		{when(isNull), keys(issued, "2026-11-26T15:30:00Z"), true},
		{when(notNull), base, true},
		{when(notNull), keys(issued, "2026-11-26T15:30:00Z"), false},
		{when(notNull), keys("AWS:tokenissuetime", "2026-11-26T15:30:00Z"), false},
		{when(notFrom), base, false}, // A negated operator holds for a key that is not there.
		{when(notFrom), keys("aws:SourceIp", "203.0.113.9"), true},
		{when(notFrom), keys("aws:SourceIp", "2001:db8::9"), true},
		{when(notFrom), keys("aws:SourceIp", "203.0.114.9"), false},
		{when(before), base, true},
		{when(before), keys(issued, "2026-11-26T15:29:59Z"), false},
		{when(before), keys(issued, "2026-11-26T15:30:00Z"), true},
		{when(before + "," + notFrom), keys(issued, "2026-11-26T15:29:59Z", "aws:SourceIp", "203.0.113.9"), true},
		{when(before + "," + notFrom), keys(issued, "2026-11-26T15:29:59Z", "aws:SourceIp", "203.0.114.9"), false},
		{when(`"Null":{"a":"true","b":"true"}`), keys("a", "x"), true},
	} {
		policies := Policies{Identity: []string{`{"Version":"2012-10-17","Statement":[` + tt.statements + `]}`}}
		if got := Allowed(t, policies, tt.request); got != tt.want {
			t.Errorf("%s decides %v on %+v", tt.statements, got, tt.request)
		}
	}
	for _, wrong := range []string{
		`{"Effect":"Allow","Resource":"*"}`, `{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}`,
		`{"Action":"*","Resource":"*"}`, when(`"Bogus":{"a":"b"}`), when(`"Null":{"a":"b"}`), `{"Bogus":1}`,
	} {
		policies := Policies{Identity: []string{`{"Version":"2012-10-17","Statement":[` + wrong + `]}`}}
		if allowed, err := policies.Allow(base); err == nil {
			t.Errorf("%s decides %v", wrong, allowed)
		}
	}
}
