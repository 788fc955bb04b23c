// Package oidc says which jobs of a CI system may assume a role with an OpenID Connect token: what an input may say of
// a job, and the issuer, the audience and the claims that only this job's token has. It is pure: it knows nothing of
// Pulumi and calls nothing.
//
// Each system has a file with a type for its jobs: their fields, what only several fields together can break, and the
// claims. The fields are described once, for the reader of inputs and for the schema.
//
// What the systems' tokens have is from the documentation that each file names, of 2026.
package oidc

import (
	"slices"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

// A System is a CI system whose jobs have tokens.
type System struct {
	// Key is the name of the system in the inputs, such as github.
	Key string
	// Type is the name of the type of its jobs, such as GithubJob.
	Type string
	// Doc describes the type.
	Doc string

	newJob func() job
	// owns reports whether tokens of an issuer are those of this system, as far as its host and path tell.
	owns func(host, path string) bool
	// audience returns the audience that tokens of an issuer have by default, or an error that says what it should be.
	audience func(issuer, partition string) (string, error)
}

// Systems are all systems in the order of the documentation. The last one stands for all others.
var Systems = []*System{
	&github, &gitlab, &circleci, &bitbucket, &buildkite, &hcpTerraform, &pulumiDeployments, &pulumiEsc, &spacelift,
	&azureDevops, &anyOther,
}

// Fields returns the inputs of a job of the system.
func (s *System) Fields() []Field { return s.newJob().fields() }

// Enums returns the types of the fields that take one of a few words.
func Enums() (enums []*Enum) {
	for _, s := range Systems {
		for _, f := range s.Fields() {
			if f.Enum != nil {
				enums = append(enums, f.Enum)
			}
		}
	}
	return enums
}

// systemsOf returns the systems whose tokens an issuer signs: none, one, or the two of Pulumi Cloud.
func systemsOf(issuer string) (owners []*System) {
	host, path := splitIssuer(issuer)
	for _, s := range Systems {
		if s.owns != nil && s.owns(host, path) {
			owners = append(owners, s)
		}
	}
	return owners
}

// A Field is an input of a job.
type Field struct {
	// Name is the name of the input.
	Name string
	// Doc describes it.
	Doc string
	// Required says that a job cannot do without it.
	Required bool
	// Enum has the words that it may be, or is nil.
	Enum *Enum

	// text, flag or list is where its value goes.
	text *string
	flag *bool
	list *[]string
	// wildcards says that its value may be a pattern.
	wildcards bool
	// decimal says that its value is a number of which each digit counts.
	decimal bool
	// check is the rule of its value, or of each element, or nil.
	check func(string) error
}

// A Kind is the type of a field.
type Kind int

// The kinds.
const (
	Text Kind = iota
	Boolean
	TextList
)

// Kind returns the type of the field.
func (f Field) Kind() Kind {
	switch {
	case f.flag != nil:
		return Boolean
	case f.list != nil:
		return TextList
	}
	return Text
}

// An Enum is a type of strings that are one of a few words.
type Enum struct {
	// Type is the name of the type.
	Type string
	// Doc describes it.
	Doc string
	// Values are its values, in the order of the documentation.
	Values []EnumValue
}

// An EnumValue is one of the words of an [Enum].
type EnumValue struct{ Name, Value, Doc string }

// words returns the values as they are in a claim.
func (e *Enum) words() []string {
	words := make([]string, len(e.Values))
	for i, v := range e.Values {
		words[i] = v.Value
	}
	return words
}

// A Job is a job of a CI system, or several by a pattern.
type Job struct {
	// System is the CI system.
	System *System
	// Known says that no field of the job is unknown, so that its claims are known too.
	Known bool

	job job
}

// job is the type of the jobs of one system. Its fields have the names of the inputs.
type job interface {
	fields() []Field
	// check reports what only several fields together can break.
	check(r *reading)
	// identity returns what the job's tokens have. The audience may be left out for the system's.
	identity() iam.WebIdentity
	// warnings returns what is no error, and yet should be known.
	warnings() []string
}

// Identity returns what the tokens of the job have, for a role in a partition. The job is known and has no problems.
func (j *Job) Identity(partition string) (iam.WebIdentity, error) {
	identity := j.job.identity()
	if identity.Audience == "" {
		var err error
		if identity.Audience, err = j.System.audience(identity.Issuer, partition); err != nil {
			return iam.WebIdentity{}, err
		}
	}
	return identity, nil
}

// Identities returns what the tokens of jobs have, of which each is known and has no problems.
func Identities(jobs []*Job, partition string) ([]iam.WebIdentity, error) {
	identities := make([]iam.WebIdentity, len(jobs))
	for i, j := range jobs {
		var err error
		if identities[i], err = j.Identity(partition); err != nil {
			return nil, err
		}
	}
	return identities, nil
}

// A Warning is what is no error, and yet should be known.
type Warning struct {
	// Text is the warning, in words that follow the jobs.
	Text string
	// Jobs are the places of the jobs that it is about.
	Jobs []int
}

// Warnings returns the warnings on the jobs of a role, each once. Jobs that are not known are passed over.
func Warnings(jobs []*Job) (warnings []Warning) {
	for i, j := range jobs {
		if j == nil || !j.Known {
			continue
		}
		for _, text := range j.job.warnings() {
			at := slices.IndexFunc(warnings, func(w Warning) bool { return w.Text == text })
			if at < 0 {
				at, warnings = len(warnings), append(warnings, Warning{Text: text})
			}
			warnings[at].Jobs = append(warnings[at].Jobs, i)
		}
	}
	return warnings
}

// token has the fields that jobs of every system have.
type token struct{ Issuer, Audience string }

func (t *token) tokenFields(issuerDoc, audienceDoc string) []Field {
	return []Field{
		{Name: "issuer", text: &t.Issuer, check: CheckIssuer,
			Doc: "The issuer of the job's tokens, their claim `iss`: a URL that begins with `https://`, without port, query, " +
				"fragment and trailing slash. " + issuerDoc},
		{Name: "audience", text: &t.Audience, check: CheckAudience,
			Doc: "The audience of the job's tokens, their claim `aud`, of 1 to 255 characters. The account's provider for the " +
				"issuer must have it too. " + audienceDoc},
	}
}

func (*token) check(*reading) {}

func (*token) warnings() []string { return nil }

// ref has the fields of jobs that run for a branch or a tag.
type ref struct{ Branch, Tag string }

func (r *ref) refFields(more string) []Field {
	return []Field{
		{Name: "branch", text: &r.Branch, wildcards: true, check: checkBranch,
			Doc: "The branch that the job runs for, such as `main`, without `refs/heads/`, or a pattern such as `release/*`, " +
				"with `*` for any characters, slashes too, and `?` for one." + more},
		{Name: "tag", text: &r.Tag, wildcards: true, check: checkTag,
			Doc: "The tag that the job runs for, such as `v1.0.0`, without `refs/tags/`, or a pattern such as `v*`, with `*` " +
				"for any characters, slashes too, and `?` for one." + more},
	}
}

// refName returns the full name of the branch or tag in Git, or an empty string if neither is given.
func (r *ref) refName() string {
	switch {
	case r.Branch != "":
		return branchPrefix + r.Branch
	case r.Tag != "":
		return tagPrefix + r.Tag
	}
	return ""
}
