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
