package provider

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/input"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func unmarshal(t *testing.T, s *structpb.Struct) resource.PropertyMap {
	t.Helper()
	m, err := plugin.UnmarshalProperties(s, plugin.MarshalOptions{
		KeepUnknowns: true, KeepSecrets: true, KeepResources: true, KeepOutputValues: true,
	})
	check(t, err)
	return m
}

// everyFieldHasARule says that the rules are of the fields of the arguments, and of no others.
func everyFieldHasARule[Args any](t *testing.T, rules input.Rules) {
	t.Helper()
	args := reflect.TypeFor[Args]()
	for i := range args.NumField() {
		name, _, _ := strings.Cut(args.Field(i).Tag.Get("pulumi"), ",")
		if rules[name] == nil {
			t.Errorf("%s has no rule", name)
		}
	}
	if args.NumField() != len(rules) {
		t.Errorf("%d fields, and %d rules", args.NumField(), len(rules))
	}
}
