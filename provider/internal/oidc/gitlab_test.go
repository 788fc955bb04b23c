package oidc

import "testing"

var gitlabToken = claims{
	"iss": "https://gitlab.com", "aud": "https://gitlab.com", "sub": "project_path:acme/shop:ref_type:branch:ref:main",
	"project_id": "2", "namespace_id": "1", "ref_protected": "true", "user_login": "ada",
}

func TestGitlabDecides(t *testing.T) {
	t.Parallel()
	const own = "https://gitlab.acme.example"
	sub := func(s string) claims { return gitlabToken.with(claims{"sub": s}) }
	main := fields{"project": "acme/shop", "branch": "main"}
	release := fields{"project": "acme/web/shop", "branch": "release/*"}
	tag := fields{"project": "acme/shop", "tag": "v*"}
	group := fields{"project": "acme/*", "branch": "main"}
	ids := main.with(fields{"projectId": "2", "namespaceId": 1.0, "protectedRef": true})
	custom := fields{"projectId": "2", "branch": "main"}
	decides(t, "gitlab", map[string]decision{
		"the branch":                       {main, gitlabToken, true},
		"another branch":                   {main, sub("project_path:acme/shop:ref_type:branch:ref:main2"), false},
		"a tag of that name":               {main, sub("project_path:acme/shop:ref_type:tag:ref:main"), false},
		"another project":                  {main, sub("project_path:acme/shop2:ref_type:branch:ref:main"), false},
		"below the project":                {main, sub("project_path:acme/shop/x:ref_type:branch:ref:main"), false},
		"a fork":                           {main, sub("project_path:eve/shop:ref_type:branch:ref:main"), false},
		"acme-evil":                        {main, sub("project_path:acme-evil/shop:ref_type:branch:ref:main"), false},
		"another case":                     {main, sub("project_path:Acme/shop:ref_type:branch:ref:main"), false},
		"another audience":                 {main, gitlabToken.with(claims{"aud": "gitlab.com"}), false},
		"another instance":                 {main, gitlabToken.with(claims{"iss": own}), false},
		"the name after another branch":    {main, sub("project_path:acme/shop:ref_type:branch:ref:x:ref_type:branch:ref:main"), false},
		"a merge request's source branch":  {main, sub("project_path:acme/shop:ref_type:branch:ref:feature"), false},
		"release: one":                     {release, sub("project_path:acme/web/shop:ref_type:branch:ref:release/1/x"), true},
		"release: repeated in the branch":  {release, sub("project_path:acme/web/shop:ref_type:branch:ref:x/release/1"), false},
		"release: another project":         {release, sub("project_path:acme/shop:ref_type:branch:ref:release/1"), false},
		"tag: one":                         {tag, sub("project_path:acme/shop:ref_type:tag:ref:v1"), true},
		"tag: a branch of that name":       {tag, sub("project_path:acme/shop:ref_type:branch:ref:v1"), false},
		"group: a project":                 {group, gitlabToken, true},
		"group: further down":              {group, sub("project_path:acme/web/shop:ref_type:branch:ref:main"), true},
		"group: acme-evil":                 {group, sub("project_path:acme-evil/shop:ref_type:branch:ref:main"), false},
		"group: another branch":            {group, sub("project_path:acme/shop:ref_type:branch:ref:x/main"), false},
		"IDs: they":                        {ids, gitlabToken, true},
		"IDs: another project":             {ids, gitlabToken.with(claims{"project_id": "3"}), false},
		"IDs: another group":               {ids, gitlabToken.with(claims{"namespace_id": "3"}), false},
		"IDs: a branch anybody may change": {ids, gitlabToken.with(claims{"ref_protected": "false"}), false},
		"not asked: any branch":            {main.with(fields{"protectedRef": false}), gitlabToken.with(claims{"ref_protected": "false"}), true},
		"project_id: it":                   {custom, sub("project_id:2:ref_type:branch:ref:main"), true},
		"project_id: another":              {custom, sub("project_id:22:ref_type:branch:ref:main"), false},
		"project_id: the path":             {custom, gitlabToken, false},
		"self-managed: it":                 {main.with(fields{"issuer": own, "audience": "a"}), gitlabToken.with(claims{"iss": own, "aud": "a"}), true},
		"self-managed: project_id":         {custom.with(fields{"issuer": own, "audience": "a"}), claims{"iss": own, "aud": "a", "sub": "project_id:2:ref_type:branch:ref:main"}, true},
		"self-managed: gitlab.com":         {main.with(fields{"issuer": own, "audience": "https://gitlab.com"}), gitlabToken, false},
	})
}

func TestGitlabRefuses(t *testing.T) {
	t.Parallel()
	main := fields{"project": "acme/shop", "branch": "main"}
	own := main.with(fields{"issuer": "https://gitlab.acme.example", "audience": "a"})
	refuses(t, "gitlab", refusals{
		"no branch":          {fields{"project": "acme/shop"}, "gitlab: must have exactly one of branch, tag, and has none"},
		"both":               {main.with(fields{"tag": "v1"}), "and has branch and tag"},
		"no project":         {fields{"branch": "main"}, "gitlab.projectId: is required where project is not given"},
		"no group":           {main.with(fields{"project": "shop"}), "gitlab.project: must be the path of a project"},
		"a URL":              {main.with(fields{"project": "https://gitlab.com/acme/shop"}), `(did you mean "acme/shop"?)`},
		"any group":          {main.with(fields{"project": "*/shop"}), "gitlab.project: must be the path"},
		"part of a group":    {main.with(fields{"project": "acme*"}), "gitlab.project: must be the path"},
		"part of a name":     {main.with(fields{"project": "acme/sh*"}), "gitlab.project: must be the path"},
		"a group with an ID": {main.with(fields{"project": "acme/*", "projectId": "1"}), "gitlab.projectId: must not be given with a project of GROUP/*"},
		"a branch in full":   {main.with(fields{"branch": "refs/heads/main"}), `(did you mean "main"?)`},
		"no audience":        {own.with(fields{"audience": nil}), "gitlab.audience: is required for a self-managed GitLab"},
		"self-managed, ID":   {own.with(fields{"projectId": "1"}), "gitlab.projectId: must not be given for a self-managed GitLab"},
		"self-managed, the rest": {own.with(fields{"protectedRef": true, "namespaceId": "1"}),
			"gitlab.protectedRef: must not be given for a self-managed GitLab, of whose tokens AWS compares only subject and audience\ngitlab.namespaceId: "},
	})
}
