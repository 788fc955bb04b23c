package iam

import (
	"strings"
	"testing"
)

// TestParseEntity checks what an ARN tells of a user, group or role.
func TestParseEntity(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Entity{
		"arn:aws:iam::123456789012:user/Bot":          {Kind: "user", Path: "/", Name: "Bot"},
		"arn:aws-cn:iam::123456789012:user/ci/cd/bot": {Kind: "user", Path: "/ci/cd/", Name: "bot"},
		"":                                     {},
		"arn:aws:iam::123456789012:root":       {},
		"arn:aws:iam::123456789012:user/":      {},
		"arn:aws:sts::123456789012:user/bot":   {},
		"arn:aws:s3:::bucket/bot":              {},
		"arn:aws:iam:us-east-1:1234:user/bot":  {},
		"iam::123456789012:user/bot and so on": {},
	} {
		got, err := ParseEntity("user", s)
		if (err == nil) != (want.Name != "") || got.Kind != want.Kind || got.Path != want.Path || got.Name != want.Name {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	}
}

// TestAdopted checks which inputs fit what exists, and what is said of those that do not.
func TestAdopted(t *testing.T) {
	t.Parallel()
	e := Entity{Kind: "group", Path: "/cicd/", Name: "robots", Members: []string{"zoe", "bot", "ann"}}
	many := Entity{Kind: "group", Members: strings.Split("abcdefghijklmn", "")}
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"the name":         {e.CheckAdoptedName("robots"), ""},
		"another case":     {e.CheckAdoptedName("Robots"), `must be "robots", the name of the group that is adopted`},
		"the path":         {e.CheckAdoptedPath("/cicd/"), ""},
		"another path":     {e.CheckAdoptedPath("/"), `must be "/cicd/", the path of the group that is adopted`},
		"no path":          {Entity{Path: "/"}.CheckAdoptedPath(""), ""},
		"no path, another": {e.CheckAdoptedPath(""), `must be "/cicd/"`},
		"a path's case":    {e.CheckAdoptedPath("/CICD/"), `must be "/cicd/"`},
		"other members":    {e.CheckAdoptedMembers("BOT"), `and has "ann" and "zoe", whom this update would take out`},
		"only others":      {e.CheckAdoptedMembers("robot"), `and has "ann", "bot" and "zoe", whom`},
		"many members":     {many.CheckAdoptedMembers("a"), `"b", "c", "d", "e", "f" and 8 more, whom`},
		"the robot alone":  {Entity{Members: []string{"bot"}}.CheckAdoptedMembers("bot"), ""},
		"an empty group":   {Entity{}.CheckAdoptedMembers("bot"), ""},
		"one other member": {Entity{Members: []string{"bot", "x"}}.CheckAdoptedMembers("bot"), `and has "x", whom`},
	} {
		if (tt.err == nil) != (tt.want == "") || tt.err != nil && !strings.Contains(tt.err.Error(), tt.want) {
			t.Errorf("%s: %v", name, tt.err)
		}
	}
}
