package input

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/oidc"
)

// Jobs is the rule of a list of CI jobs, which it reads for [Inputs.Jobs].
func Jobs(in *Inputs, at Location, v property.Value) {
	if !v.IsArray() {
		in.reportKind(at, v, "a list of objects")
		return
	}
	if v.AsArray().Len() == 0 {
		in.Report(at, v, errors.New("must have at least one element: leave it out to trust no CI job"))
	}
	jobs := make([]*oidc.Job, v.AsArray().Len())
	for i, element := range v.AsArray().All {
		in.check(at.Element(i), inherit(v, element), func(in *Inputs, at Location, v property.Value) {
			jobs[i] = in.job(at, v)
		})
	}
	in.jobs[at.path.String()] = jobs
}

// Jobs returns the CI jobs that the rule [Jobs] has read from an input, with nil for each that is unknown as a whole.
// It returns nil if the input is not given or unknown.
func (in *Inputs) Jobs(name string) []*oidc.Job { return in.jobs[name] }

// job reads a CI job, and reports what is wrong with it. The job is nil if it is wrong as a whole.
func (in *Inputs) job(at Location, v property.Value) *oidc.Job {
	object, isObject := jobPart(v).(map[string]any)
	if !isObject {
		in.Report(at, v, fmt.Errorf("must be an object with the key of a CI system, and is %s", Kind(v)))
		return nil
	}
	job, problems := oidc.Read(object)
	for _, p := range problems {
		in.reportJob(at, v, p)
	}
	return job
}

// reportJob adds a problem with the job at a location. Unlike those of other secret objects, its keys are shown, which
// are names of the schema.
func (in *Inputs) reportJob(at Location, v property.Value, p oidc.Problem) {
	for i, key := range p.Path {
		if isLast := i == len(p.Path)-1; isLast && p.Stray && at.secret {
			in.report(at, v, errors.New("has a key that is not in the schema"))
			return
		}
		v, at = part(v, key), at.Element(key)
		at.secret = at.secret || v.Secret()
	}
	if p.Whole {
		in.ReportWhole(at, p.Err)
	} else {
		in.report(at, v, p.Err)
	}
}

// part returns the part of a value under a key or at an index, or null if there is none.
func part(v property.Value, key any) property.Value {
	name, isName := key.(string)
	index, isIndex := key.(int)
	switch {
	case isName && v.IsMap():
		return v.AsMap().Get(name)
	case isIndex && v.IsArray() && index < v.AsArray().Len():
		return v.AsArray().Get(index)
	}
	return property.Value{}
}

// jobPart returns a part of a job in the types of [oidc.Read].
func jobPart(v property.Value) any {
	switch {
	case v.IsComputed():
		return iam.Unknown{}
	case isLost(v), v.IsNull() && v.Secret():
		return oidc.Lost{}
	case v.IsNull():
		return nil
	case v.IsString():
		return v.AsString()
	case v.IsBool():
		return v.AsBool()
	case v.IsNumber():
		return v.AsNumber()
	case v.IsArray():
		list := make([]any, v.AsArray().Len())
		for i, element := range v.AsArray().All {
			list[i] = jobPart(element)
		}
		return list
	case v.IsMap():
		object := make(map[string]any, v.AsMap().Len())
		for key, value := range v.AsMap().All {
			object[key] = jobPart(inherit(v, value))
		}
		return object
	}
	return v // A job has no part of any other type.
}
