package input

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
	perrors "github.com/pulumi/pulumi/sdk/v3/go/pulumi/errors"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// Bounds of an error's text: how many problems it lists, and how many characters it shows of a value or a path, and of
// a rule, which may end with a hint that repeats the value.
const (
	maxProblems = 50
	maxShown    = 100
	maxRule     = 500
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
	value := show(v)
	if at.secret {
		value = "[secret]"
		var violation *rule.Violation
		if errors.As(err, &violation) {
			err = violation.WithoutHint()
		}
	}
	in.add(at, value, err)
}

// add lists a problem, or counts it if enough are listed.
func (in *Inputs) add(at Location, value string, err error) {
	if in.isFull() {
		in.more++
		return
	}
	in.problems = append(in.problems, problem{at.String(), value, shorten(err.Error(), maxRule)})
}

// isFull reports whether as many problems are listed as an error shows.
func (in *Inputs) isFull() bool { return len(in.problems) == maxProblems }

// reportKind reports a value of another type than its rule asks for, such as a null of another resource.
func (in *Inputs) reportKind(at Location, v property.Value, want string) {
	if isLost(v) {
		in.Report(at, v, fmt.Errorf("must be %s, and is null in the output that it comes from; give that output a value, "+
			"leave the input out, or exclude this resource too if --exclude skips the one with that output", want))
		return
	}
	in.Report(at, v, fmt.Errorf("must be %s, and is %s", want, Kind(v)))
}

// ReportInput adds a problem with an input.
func (in *Inputs) ReportInput(name string, err error) {
	v := in.values.Get(name)
	in.Report(Location{At(name).path, v.Secret()}, v, err)
}

// ReportWhole adds a problem with an input or a part of one that has no single value to show.
func (in *Inputs) ReportWhole(at Location, err error) {
	in.add(at, "", err)
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
	if count := len(in.problems) + in.more; count == 1 {
		text.WriteString("invalid input:")
	} else {
		fmt.Fprintf(&text, "%d invalid inputs:", count)
	}
	for _, broken := range in.problems {
		text.WriteString("\n  - " + broken.path)
		if broken.value != "" {
			text.WriteString(" = " + broken.value)
		}
		text.WriteString(": " + broken.rule)
	}
	if in.more > 0 {
		fmt.Fprintf(&text, "\n  and %d more", in.more)
	}
	return text.String()
}

// show returns a value as it stands in an error: shortened, and a container by its kind only, because what it holds may
// be secret.
func show(v property.Value) string {
	switch {
	case v.IsString():
		return fmt.Sprintf("%q", shorten(v.AsString(), maxShown))
	case v.IsBool():
		return fmt.Sprint(v.AsBool())
	case v.IsNumber():
		return fmt.Sprint(v.AsNumber())
	default:
		return Kind(v)
	}
}

// shorten returns the first characters of a text, and dots for the others.
func shorten(s string, most int) string {
	if first := cut(s, most); first != s {
		return first + "..."
	}
	return s
}

// cut returns the first characters of a text.
func cut(s string, most int) string {
	count := 0
	for i := range s {
		if count == most {
			return s[:i]
		}
		count++
	}
	return s
}

// String returns the path of a location as it stands in an error: shortened, which needs no more of its keys.
func (at Location) String() string {
	path := slices.Clone(at.path)
	for i, key := range path {
		if text, isText := key.(string); isText {
			path[i] = cut(text, maxShown+1)
		}
	}
	return shorten(path.String(), maxShown)
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
