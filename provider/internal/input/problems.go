package input

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
	perrors "github.com/pulumi/pulumi/sdk/v3/go/pulumi/errors"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// Bounds of an error's text: how many problems it lists, and how many characters it shows of a value or a path.
const (
	maxProblems = 50
	maxShown    = 100
)

// problem is one broken rule.
type problem struct{ path, value, rule string }

// Report adds a problem with the value at a location. A secret is not shown, and neither is the key of a secret map.
func (in *Inputs) Report(at Location, v property.Value, err error) {
	if at.secret {
		at.path = at.path[:1]
	}
	in.report(at, v, err)
}

// report adds a problem with the value at a location whose path has no secret. A secret value is not shown.
func (in *Inputs) report(at Location, v property.Value, err error) {
	broken := problem{path: at.path.String(), value: show(v), rule: err.Error()}
	if at.secret {
		broken.value = "[secret]"
		var violation *rule.Violation
		if errors.As(err, &violation) {
			broken.rule = violation.Rule
		}
	}
	in.problems = append(in.problems, broken)
}

// ReportInput adds a problem with an input.
func (in *Inputs) ReportInput(name string, err error) {
	v := in.values.Get(name)
	in.Report(Location{At(name).path, v.Secret()}, v, err)
}

// ReportWhole adds a problem with an input or a part of one that has no single value to show.
func (in *Inputs) ReportWhole(at Location, err error) {
	in.problems = append(in.problems, problem{path: at.path.String(), rule: err.Error()})
}

// Err returns one error that lists every problem, or nil.
func (in *Inputs) Err() error {
	if len(in.problems) == 0 {
		return nil
	}
	// The details of this error stay empty: the engine prints the value that it sent for each of them, secrets too.
	return perrors.NewInputPropertiesError(in.Problems())
}

// Problems returns the list of all problems, of which there is at least one.
func (in *Inputs) Problems() string {
	var text strings.Builder
	if len(in.problems) == 1 {
		text.WriteString("invalid input:")
	} else {
		fmt.Fprintf(&text, "%d invalid inputs:", len(in.problems))
	}
	for i, broken := range in.problems {
		if i == maxProblems {
			fmt.Fprintf(&text, "\n  and %d more", len(in.problems)-maxProblems)
			break
		}
		text.WriteString("\n  - " + shorten(broken.path))
		if broken.value != "" {
			text.WriteString(" = " + broken.value)
		}
		text.WriteString(": " + broken.rule)
	}
	return text.String()
}

// show returns a value as it stands in an error: shortened, and a container by its kind only, because what it holds may
// be secret.
func show(v property.Value) string {
	switch {
	case v.IsString():
		return fmt.Sprintf("%q", shorten(v.AsString()))
	case v.IsBool():
		return fmt.Sprint(v.AsBool())
	case v.IsNumber():
		return fmt.Sprint(v.AsNumber())
	default:
		return Kind(v)
	}
}

func shorten(s string) string {
	if utf8.RuneCountInString(s) > maxShown {
		return string([]rune(s)[:maxShown]) + "..."
	}
	return s
}

// Kind returns the type of a value in the words of errors.
func Kind(v property.Value) string {
	switch {
	case v.IsNull():
		return "null"
	case v.IsComputed():
		return "unknown"
	case v.IsBool():
		return "a boolean"
	case v.IsNumber():
		return "a number"
	case v.IsString():
		return "a string"
	case v.IsArray():
		return "a list"
	case v.IsMap():
		return "a map"
	case v.IsAsset():
		return "an asset"
	case v.IsArchive():
		return "an archive"
	default:
		return "a resource"
	}
}
