package docs

import (
	"encoding/json"
	"fmt"
	"image/png"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/encoding"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

// values are an object in a program.
type values = harness.Values

const (
	// repository is where the repository is to be, and rawFiles where GitHub serves its files from.
	repository = "https://github.com/pulumi-cicd/pulumi-cicd"
	rawFiles   = "https://raw.githubusercontent.com/pulumi-cicd/pulumi-cicd/main/"
)

// registryPages are the pages that the Pulumi registry takes from the repository.
var registryPages = []string{"docs/_index.md", "docs/installation-configuration.md"}

// chooserLanguages are the languages of the registry's tabs, in the order in which it shows them.
const chooserLanguages = "typescript,python,go,csharp,yaml"

// trackedFiles returns the names of the files that are, or are about to be, in the repository.
func trackedFiles(t *testing.T, patterns ...string) (names []string) {
	t.Helper()
	args := append([]string{"ls-files", "--cached", "--others", "--exclude-standard", "--"}, patterns...)
	for _, name := range strings.Fields(harness.Succeed(t, harness.Repo(t), nil, "git", args...)) {
		if _, err := os.Stat(filepath.Join(harness.Repo(t), filepath.FromSlash(name))); err == nil {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		t.Fatalf("there are no files %v", patterns)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// readYAML returns what a text in YAML says.
func readYAML(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	harness.Check(t, encoding.YAML.Unmarshal([]byte(text), &v))
	return v
}

// TestDocsFrontMatter says that the registry's pages begin as it wants them to.
func TestDocsFrontMatter(t *testing.T) {
	t.Parallel()
	root := harness.Repo(t)
	var spec schema.PackageSpec
	harness.Check(t, json.Unmarshal([]byte(harness.Read(t, root, "schema.json")), &spec))
	titles := map[string]bool{}
	for _, page := range registryPages {
		text, ok := strings.CutPrefix(harness.Read(t, root, page), "---\n")
		front, body, ended := strings.Cut(text, "\n---\n")
		if !ok || !ended || strings.TrimSpace(body) == "" {
			t.Errorf("%s has no front matter, or no text", page)
			continue
		}
		matter := readYAML(t, front)
		title, _ := matter["title"].(string)
		if !strings.HasPrefix(title, spec.DisplayName) || titles[title] || len(title) > 60 {
			t.Errorf("%s has the title %q: it has to begin with %q, to have 60 characters at most, and to be its own",
				page, title, spec.DisplayName)
		}
		titles[title] = true
		if description, _ := matter["meta_desc"].(string); len(description) < 50 || len(description) > 160 {
			t.Errorf("%s has a meta_desc of %d characters, and not of 50 to 160", page, len(description))
		}
		if matter["layout"] != "package" || len(matter) != 3 {
			t.Errorf("%s has the front matter %v", page, matter)
		}
		if strings.Contains("\n"+withoutBlocks(body), "\n# ") {
			t.Errorf("%s has a heading of the first level, which its title is", page)
		}
	}
}

// TestDocsPrograms says that the registry's front page shows the example in each language, to the letter, in its tab.
func TestDocsPrograms(t *testing.T) {
	t.Parallel()
	tabs := chooser(t, "docs/_index.md")
	for language, program := range programs {
		blocks := harness.CodeBlocks(tabs[language])
		want := readProgram(t, harness.Repo(t), "examples", "robot-account-"+language, program.file)
		if len(blocks) != 1 || blocks[0].Language != language || blocks[0].Text != want {
			t.Errorf("the tab %s of docs/_index.md does not hold examples/robot-account-%s/%s:\n%s",
				language, language, program.file, tabs[language])
		}
	}
}

// TestDocsExamples says that the description of a component shows each of its examples in every language, to the letter
// and in the registry's order, in a section of its own: from it the registry and the SDKs have theirs.
func TestDocsExamples(t *testing.T) {
	t.Parallel()
	root := harness.Repo(t)
	shown := map[string]string{}
	descriptions, err := filepath.Glob(filepath.Join(root, "provider", "*.md"))
	harness.Check(t, err)
	for _, description := range descriptions {
		sections := strings.Split(harness.Read(t, description), "{{% example %}}\n")
		for _, section := range sections[1:] {
			section, after, ended := strings.Cut(section, "{{% /example %}}\n")
			if !ended || !strings.HasPrefix(section, "### ") || strings.Contains(after, "```") {
				t.Errorf("%s has a section that is no example: %s", description, section)
			}
			var languages []string
			all := ""
			for _, block := range harness.CodeBlocks(section) {
				languages = append(languages, block.Language)
				all += block.Text
			}
			if strings.Join(languages, ",") != chooserLanguages {
				t.Errorf("%s has an example in %v", description, languages)
			}
			shown[all] = description
		}
	}
	folders, err := filepath.Glob(filepath.Join(root, "examples", "*-yaml"))
	harness.Check(t, err)
	if len(folders) != len(shown) {
		t.Errorf("there are %d examples, and %d are shown", len(folders), len(shown))
	}
	for _, folder := range folders {
		all := ""
		for language := range strings.SplitSeq(chooserLanguages, ",") {
			all += readProgram(t, strings.TrimSuffix(folder, "yaml")+language, programs[language].file)
		}
		if shown[all] == "" {
			t.Errorf("no description of a component shows the example %s", folder)
		}
	}
}

// TestDocsIndex checks that README and the index of the documentation link to each of its pages, but for the one that the
// registry begins with.
func TestDocsIndex(t *testing.T) {
	t.Parallel()
	root := harness.Repo(t)
	for index, prefix := range map[string]string{"README.md": "docs/", "docs/README.md": ""} {
		text := harness.Read(t, root, index)
		for _, page := range trackedFiles(t, "docs/*.md") {
			name := path.Base(page)
			if page != index && name != "_index.md" && !regexp.MustCompile(`\]\(`+prefix+regexp.QuoteMeta(name)+`[)#]`).MatchString(text) {
				t.Errorf("%s does not link to %s", index, page)
			}
		}
	}
}

// TestDocsReference checks that the reference has a list of the inputs and one of the outputs of each resource, with all
// of them. [TestSDKGeneration] of the package release checks that it is up to date.
func TestDocsReference(t *testing.T) {
	t.Parallel()
	var spec schema.PackageSpec
	harness.Check(t, json.Unmarshal([]byte(harness.Read(t, harness.Repo(t), "schema.json")), &spec))
	want, got := map[string][]string{}, map[string][]string{}
	for token, r := range spec.Resources {
		name := token[strings.LastIndex(token, ":")+1:]
		want["Inputs of "+name] = slices.Sorted(maps.Keys(r.InputProperties))
		want["Outputs of "+name] = slices.Sorted(maps.Keys(r.Properties))
	}
	nameRE := regexp.MustCompile("(?m)^- \\*\\*`([A-Za-z]+)`\\*\\* \\(.+\\): .")
	for _, section := range strings.Split(harness.Read(t, harness.Repo(t), "docs", "reference.md"), "\n### ") {
		title, list, _ := strings.Cut(section, "\n")
		if want[title] == nil {
			continue
		}
		list, _, _ = strings.Cut(list, "\n## ")
		for _, name := range nameRE.FindAllStringSubmatch(list, -1) {
			got[title] = append(got[title], name[1])
		}
		slices.Sort(got[title])
	}
	harness.Same(t, "the lists of the reference", got, want)
}

// TestDocsKeyless says of the page on signing in without keys that its table has each CI system, and of its pipelines what
// can be said without the services that run them: they can be read, assume a role, and hold no key.
func TestDocsKeyless(t *testing.T) {
	t.Parallel()
	var spec schema.PackageSpec
	harness.Check(t, json.Unmarshal([]byte(harness.Read(t, harness.Repo(t), "schema.json")), &spec))
	page := harness.Read(t, harness.Repo(t), "docs", "keyless.md")
	_, table, _ := strings.Cut(page, "## Which way for which system\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var keys []string
	for _, row := range regexp.MustCompile("(?m)^\\|[^|]+\\| `([A-Za-z]+)` \\|").FindAllStringSubmatch(table, -1) {
		keys = append(keys, row[1])
	}
	slices.Sort(keys)
	harness.Same(t, "the systems in the table", keys,
		slices.Sorted(maps.Keys(spec.Types[spec.Name+":index:TrustedJob"].Properties)))

	pipelines := 0
	for _, block := range harness.CodeBlocks(page) {
		if block.Language == "yaml" {
			readYAML(t, block.Text)
		}
		if block.Language != "yaml" && block.Language != "text" {
			continue
		}
		pipelines++
		// That of Azure DevOps has the role in its service connection.
		if !strings.Contains(block.Text, "arn:aws:iam::123456789012:role/cicd/") && !strings.Contains(block.Text, "aws-production") {
			t.Errorf("keyless.md:%d: the pipeline assumes no role", block.Line)
		}
		// The credentials that Pulumi ESC hands on are those of a session.
		if strings.Contains(block.Text, "SECRET_ACCESS_KEY") && !strings.Contains(block.Text, "AWS_SESSION_TOKEN") {
			t.Errorf("keyless.md:%d: the pipeline has an access key", block.Line)
		}
	}
	if pipelines != 9 {
		t.Errorf("there are %d pipelines", pipelines)
	}
}

// TestDocsPipelines says of the pipelines in the guide what can be said without the services that run them: they can be
// read, run an update by schedule, are not cancelled halfway, and hold no key of AWS.
func TestDocsPipelines(t *testing.T) {
	t.Parallel()
	pipelines := map[string]string{}
	for _, block := range harness.CodeBlocks(harness.Read(t, harness.Repo(t), "docs", "rotation.md")) {
		if block.Language != "yaml" {
			continue
		}
		readYAML(t, block.Text)
		for service, mark := range map[string]string{
			"GitHub": "runs-on:", "GitLab": "id_tokens:", "CircleCI": "orbs:",
		} {
			if strings.Contains(block.Text, mark) {
				pipelines[service] += block.Text
			}
		}
	}
	for service, marks := range map[string][]string{
		"GitHub":   {"schedule:\n", "cron: ", "cancel-in-progress: false\n", "id-token: write\n", "command: up\n"},
		"GitLab":   {`$CI_PIPELINE_SOURCE == "schedule"`, "interruptible: false\n", "resource_group:", "pulumi up --yes"},
		"CircleCI": {"scheduled_pipeline", "CIRCLE_OIDC_TOKEN_V2", "pulumi/update:\n"},
	} {
		for _, mark := range marks {
			if !strings.Contains(pipelines[service], mark) {
				t.Errorf("the pipeline for %s does not say %q:\n%s", service, mark, pipelines[service])
			}
		}
		if strings.Contains(pipelines[service], "AWS_SECRET_ACCESS_KEY") {
			t.Errorf("the pipeline for %s has an access key", service)
		}
	}
	// It is a good workflow, but for what it is there for: it runs by schedule, and with a token of Pulumi's.
	for _, problem := range workflowProblems(t, pipelines["GitHub"]) {
		if !slices.Contains([]string{
			"it uses a stored secret", "up can write, and checks out the repository", // What it can write is its own identity.
		}, problem) {
			t.Errorf("the pipeline for GitHub: %s", problem)
		}
	}
}

// TestDocsDelivery runs what the page on delivery has a job do with the one value: GitHub's masks of both parts come
// before anything else, and both variables are set. It checks that the table has each system, with its source.
func TestDocsDelivery(t *testing.T) {
	t.Parallel()
	page := harness.Read(t, harness.Repo(t), "docs", "delivery.md")
	if !strings.HasPrefix(page, "# Delivering access keys\n\n**If your CI system has OpenID Connect, deliver no key**") {
		t.Error("the page does not begin with the best way")
	}
	// A secret may have a slash and a plus, and here also what a shell would take for its own.
	const id, secret = "AKIAIOSFODNN7EXAMPLE", `wJalr/XUtnFEMI+K7'$(x)"\`
	pair, err := json.Marshal(map[string]string{"AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret})
	harness.Check(t, err)
	dir := t.TempDir()
	env := []string{"ROBOT_KEY=" + string(pair), "GITHUB_ENV=" + filepath.Join(dir, "env")}
	var takesApart, sets int
	for _, block := range harness.CodeBlocks(page) {
		switch {
		case strings.Contains(block.Text, "runs-on:"):
			for _, problem := range workflowProblems(t, block.Text) {
				if problem != "it uses a stored secret" { // It is there for that.
					t.Errorf("delivery.md:%d: %s", block.Line, problem)
				}
			}
			job := readYAML(t, block.Text)["jobs"].(map[string]any)["deploy"].(map[string]any)
			step := job["steps"].([]any)[0].(map[string]any)
			harness.Same(t, "the variables of the step", step["env"], map[string]any{"ROBOT_KEY": "${{ secrets.ROBOT_KEY }}"})
			out := harness.Succeed(t, dir, env, "bash", "-euo", "pipefail", "-c", step["run"].(string))
			if out != "::add-mask::"+id+"\n::add-mask::"+secret+"\n" {
				t.Errorf("delivery.md:%d: the step prints %q", block.Line, out)
			}
			set := harness.Read(t, dir, "env")
			if set != "AWS_ACCESS_KEY_ID="+id+"\nAWS_SECRET_ACCESS_KEY="+secret+"\n" {
				t.Errorf("delivery.md:%d: the step sets %q", block.Line, set)
			}
			takesApart++
		case strings.HasPrefix(block.Text, `eval "$(printf %s "$ROBOT_KEY" |`):
			const show = `printf '%s %s' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY"`
			for _, shell := range []string{"bash", "sh"} {
				if out := harness.Succeed(t, dir, env, shell, "-euc", block.Text+show); out != id+" "+secret {
					t.Errorf("delivery.md:%d: %s sets %q", block.Line, shell, out)
				}
			}
			sets++
		}
	}
	if takesApart != 1 || sets != 1 {
		t.Errorf("there are %d workflows and %d lines for other systems", takesApart, sets)
	}
	_, table, _ := strings.Cut(page, "\n## Each CI system\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var systems []string
	for _, row := range regexp.MustCompile(`(?m)^\| ([A-Z][^|]+) \|.*\| ([^|]+) \|$`).FindAllStringSubmatch(table, -1) {
		systems = append(systems, row[1])
		if !strings.Contains(row[2], "](https://") {
			t.Errorf("the row of %s has no source: %s", row[1], row[2])
		}
	}
	harness.Same(t, "the systems in the table", systems, []string{
		"GitHub Actions", "GitLab CI/CD", "Bitbucket Pipelines", "CircleCI", "Azure DevOps", "Buildkite", "Jenkins", "TeamCity",
	})
}

// TestDocsPermissions takes a robot with an access key through its life, and checks that the page lists every action that
// was called for, once, in the lists for robots, for keys and for revoking.
func TestDocsPermissions(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{}
	lists, _, _ := strings.Cut(harness.Read(t, harness.Repo(t), "docs", "permissions.md"), "\n## Roles\n")
	for _, block := range harness.CodeBlocks(lists) {
		var policy struct {
			Statement []struct{ Action any }
		}
		if block.Language != "json" {
			continue
		}
		harness.Check(t, json.Unmarshal([]byte(block.Text), &policy))
		for _, statement := range policy.Statement {
			actions, isList := statement.Action.([]any)
			if !isList {
				actions = []any{statement.Action}
			}
			for _, action := range actions {
				name := action.(string)
				if listed[name] {
					t.Errorf("the page lists %s twice", name)
				}
				listed[name] = true
			}
		}
	}
	l := harness.NewLab(t)
	s := harness.NewKeyStack(t, l)
	stores := func(key values) values {
		key["secretsManager"] = values{"name": "cicd/bot", "kmsKeyId": "alias/cicd"}
		key["ssmPath"] = "/cicd/bot"
		return key
	}
	for _, key := range []values{
		nil, {}, stores(values{}), stores(values{"generation": 2, "previous": "inactive"}),
		{"generation": 2, "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"},
		{"generation": 2, "secretsManager": values{"name": "cicd/other"}, "ssmPath": "/cicd/other"},
		stores(values{"generation": 3, "revoked": true}), stores(values{"generation": 3, "previous": "deleted"}),
	} {
		s.Give(key)
		s.MustPreview()
		s.MustUp()
	}
	s.Unchanged()
	_, err := s.Destroy(t.Context())
	harness.Check(t, err)
	services := map[string]bool{}
	for _, call := range l.Calls() {
		found := call.Action == "GetCallerIdentity" // Which needs no permission.
		for _, service := range []string{"iam", "secretsmanager", "ssm"} {
			if listed[service+":"+call.Action] {
				found, services[service] = true, true
			}
		}
		if !found {
			t.Errorf("the page does not list %s", call.Action)
		}
	}
	if len(services) != 3 {
		t.Errorf("only %v were called", services)
	}
}

// TestDocsInstallation says that the installation names each SDK as the schema does.
func TestDocsInstallation(t *testing.T) {
	t.Parallel()
	var spec schema.PackageSpec
	harness.Check(t, json.Unmarshal([]byte(harness.Read(t, harness.Repo(t), "schema.json")), &spec))
	setting := func(language, key string) string {
		var settings map[string]any
		harness.Check(t, json.Unmarshal(spec.Language[language], &settings))
		if names, ok := settings[key].(map[string]any); ok {
			return names[spec.Name].(string)
		}
		return settings[key].(string)
	}
	want := map[string]string{
		"typescript": "npm install " + setting("nodejs", "packageName"),
		// Python's package managers write a hyphen for each underscore.
		"python": "pip install " + strings.ReplaceAll(setting("python", "packageName"), "_", "-"),
		"go":     "go get " + setting("go", "importBasePath"),
		"csharp": "dotnet add package " + setting("csharp", "rootNamespace") + "." + setting("csharp", "namespaces"),
		"yaml":   "pulumi plugin install resource " + spec.Name + " --server " + spec.PluginDownloadURL,
	}
	tabs := chooser(t, "docs/installation-configuration.md")
	text := harness.Read(t, harness.Repo(t), "docs/installation-configuration.md")
	for language, command := range want {
		blocks := harness.CodeBlocks(tabs[language])
		if len(blocks) != 1 || blocks[0].Text != command+"\n" {
			t.Errorf("the tab %s does not say %q:\n%s", language, command, tabs[language])
		}
		name := command[strings.LastIndexByte(command, ' ')+1:]
		if language != "yaml" && !strings.Contains(text, ": `"+name+"`\n") {
			t.Errorf("the list of SDKs does not name %s", name)
		}
	}
}

// chooser returns the texts of the registry's tabs for languages in a page, which has them once.
func chooser(t *testing.T, page string) map[string]string {
	t.Helper()
	text := harness.Read(t, harness.Repo(t), page)
	_, rest, ok := strings.Cut(text, `{{< chooser language "`+chooserLanguages+"\" >}}\n")
	inside, rest, ended := strings.Cut(rest, "{{< /chooser >}}\n")
	if !ok || !ended || strings.Count(text, "{{< chooser") != 1 || strings.Contains(rest, "{{%") {
		t.Fatalf("%s does not have one chooser for the languages %s", page, chooserLanguages)
	}
	tabs, order := map[string]string{}, []string(nil)
	for {
		before, after, found := strings.Cut(inside, "{{% choosable language ")
		if strings.TrimSpace(before) != "" {
			t.Errorf("%s has text between the tabs: %s", page, before)
		}
		if !found {
			break
		}
		language, after, _ := strings.Cut(after, " %}}\n")
		tab, after, ended := strings.Cut(after, "{{% /choosable %}}\n")
		if !ended {
			t.Fatalf("%s does not end the tab %s", page, language)
		}
		tabs[language], order, inside = tab, append(order, language), after
	}
	if strings.Join(order, ",") != chooserLanguages {
		t.Errorf("%s has the tabs %v", page, order)
	}
	return tabs
}

// TestDocsMetadata says that the schema has what the registry shows, and where it points.
func TestDocsMetadata(t *testing.T) {
	t.Parallel()
	root := harness.Repo(t)
	var spec schema.PackageSpec
	harness.Check(t, json.Unmarshal([]byte(harness.Read(t, root, "schema.json")), &spec))
	harness.Same(t, "the metadata", map[string]string{
		"homepage": spec.Homepage, "repository": spec.Repository, "pluginDownloadURL": spec.PluginDownloadURL,
		"license": spec.License, "publisher": spec.Publisher,
	}, map[string]string{
		"homepage": repository, "repository": repository,
		"pluginDownloadURL": "github://api.github.com/pulumi-cicd/pulumi-cicd",
		"license":           "Apache-2.0", "publisher": "pulumi-cicd",
	})
	if spec.DisplayName == "" || len(spec.Description) < 30 || strings.Contains(spec.Description, "\n") {
		t.Errorf("the package has the display name %q and the description %q", spec.DisplayName, spec.Description)
	}
	// The registry takes the package's name from the repository's.
	if path.Base(spec.Repository) != "pulumi-"+spec.Name {
		t.Errorf("the repository of the package %s is %s", spec.Name, spec.Repository)
	}
	// Of these the registry knows: it refuses other categories.
	categories := []string{"cloud", "database", "infrastructure", "monitoring", "network", "utility", "vcs"}
	var found []string
	for _, keyword := range spec.Keywords {
		if category, ok := strings.CutPrefix(keyword, "category/"); ok {
			found = append(found, category)
		}
	}
	if len(found) != 1 || !slices.Contains(categories, found[0]) || !slices.Contains(spec.Keywords, "kind/component") {
		t.Errorf("the package has the keywords %q", spec.Keywords)
	}

	logo, ok := strings.CutPrefix(spec.LogoURL, rawFiles)
	if !ok {
		t.Fatalf("the logo is at %s", spec.LogoURL)
	}
	file, err := os.Open(filepath.Join(root, filepath.FromSlash(logo)))
	harness.Check(t, err)
	defer file.Close()
	if config, err := png.DecodeConfig(file); err != nil || config.Width < 100 || config.Height < 100 {
		t.Errorf("the logo is %d by %d: %v", config.Width, config.Height, err)
	}
	if !slices.Contains(trackedFiles(t, "docs"), logo) {
		t.Errorf("%s is not in the repository", logo)
	}
	if !strings.Contains(harness.Read(t, root, "LICENSE"), "Apache License\n") {
		t.Errorf("LICENSE is another one")
	}
}

// withoutBlocks returns Markdown without its fenced blocks.
func withoutBlocks(markdown string) string {
	var text strings.Builder
	inside := false
	for line := range strings.Lines(markdown) {
		switch fence := strings.HasPrefix(strings.TrimSpace(line), "```"); {
		case fence:
			inside = !inside
		case !inside:
			text.WriteString(line)
		}
	}
	return text.String()
}

// TestDocsSections says that the changelog has a section for the version of the sources, and the latest one first.
func TestDocsSections(t *testing.T) {
	t.Parallel()
	root := harness.Repo(t)
	match := regexp.MustCompile(`(?m)^var Version = "(.*)"$`).FindStringSubmatch(harness.Read(t, root, "provider", "provider.go"))
	if match == nil {
		t.Fatal("provider.go says no version")
	}
	headings := regexp.MustCompile(`(?m)^## .*$`).FindAllString(harness.Read(t, root, "CHANGELOG.md"), -1)
	headingRE := regexp.MustCompile(`^## \[` + regexp.QuoteMeta(match[1]) + `\] - (unreleased|\d{4}-\d\d-\d\d)$`)
	if len(headings) == 0 || !headingRE.MatchString(headings[0]) {
		t.Errorf("the version is %s, and the changelog begins with %q", match[1], headings)
	}
}

// leftOut are the Go modules that no robot updates, and why.
var leftOut = map[string]string{
	"sdk/go/cicd":                    "generated from the provider's go.mod by \"make sdk\"",
	"examples/access-key-github-go":  programsReason,
	"examples/access-key-gitlab-go":  programsReason,
	"examples/access-key-go":         programsReason,
	"examples/deployment-role-go":    programsReason,
	"examples/keyless-go":            programsReason,
	"examples/robot-account-go":      programsReason,
	"tests/programs/inputs-go":       programsReason,
	"tests/programs/many-go":         programsReason,
	"tests/programs/many-by-hand-go": "is compared with a program that has the versions of the plugin",
}

const programsReason = "asks for an SDK that is not published, and for the oldest versions that will do"

// TestDocsDependabot says that every Go module is kept up to date, or left out for a reason, and the packages that the
// tools are made of.
func TestDocsDependabot(t *testing.T) {
	t.Parallel()
	got := map[string][]string{}
	updates, _ := readYAML(t, harness.Read(t, harness.Repo(t), ".github", "dependabot.yml"))["updates"].([]any)
	for _, update := range updates {
		u := update.(map[string]any)
		ecosystem := u["package-ecosystem"].(string)
		if folder, ok := u["directory"].(string); ok {
			got[ecosystem] = append(got[ecosystem], folder)
		}
		folders, _ := u["directories"].([]any)
		for _, folder := range folders {
			got[ecosystem] = append(got[ecosystem], folder.(string))
		}
	}
	want := map[string][]string{"github-actions": {"/"}, "npm": {"/tools/node"}, "uv": {"/tools/python"}}
	for _, file := range trackedFiles(t, "go.mod", "*/go.mod") {
		if _, ok := leftOut[path.Dir(file)]; !ok {
			want["gomod"] = append(want["gomod"], path.Join("/", path.Dir(file)))
		}
	}
	slices.Sort(got["gomod"])
	slices.Sort(want["gomod"])
	harness.Same(t, "what is updated", got, want)
	for folder := range leftOut {
		if _, err := os.Stat(filepath.Join(harness.Repo(t), folder, "go.mod")); err != nil {
			t.Errorf("what is left out is not there: %v", err)
		}
	}
}

// TestMakeHelp checks that "make help" lists what there is to make, each in a line.
func TestMakeHelp(t *testing.T) {
	t.Parallel()
	root := harness.Repo(t)
	var listed []string
	for line := range strings.Lines(harness.Succeed(t, root, nil, "make", "--no-print-directory", "help")) {
		listed = append(listed, strings.Fields(line)[0])
	}
	_, phony, _ := strings.Cut(harness.Read(t, root, "Makefile"), "\n.PHONY: ")
	phony, _, _ = strings.Cut(phony, "\n")
	harness.Same(t, "what make help lists", listed, strings.Fields(phony))
}

// TestDocsWorkflows checks of each workflow what neither actionlint nor zizmor does, which "make lint" runs.
func TestDocsWorkflows(t *testing.T) {
	t.Parallel()
	for _, file := range trackedFiles(t, ".github/workflows") {
		for _, problem := range workflowProblems(t, harness.Read(t, harness.Repo(t), file)) {
			t.Errorf("%s: %s", file, problem)
		}
	}
}

// unnamedRE finds an action whose hash comes without its version, which people can read and robots update.
var unnamedRE = regexp.MustCompile(`(?m)@[0-9a-f]{40}(?: *$| +# *(?:v\d+(?:\.\d+)?)? *$)`)

// workflowProblems says which jobs can run for hours, use a stored secret, or can write and run what they checked out.
func workflowProblems(t *testing.T, text string) (problems []string) {
	t.Helper()
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for _, action := range unnamedRE.FindAllString(text, -1) {
		add("%s is without its version", action)
	}
	// GitHub's own token is the only one there is.
	if strings.Contains(text, "secrets.") || strings.Contains(text, "secrets:") {
		add("it uses a stored secret")
	}
	workflow := readYAML(t, text)
	on, _ := workflow["on"].(map[string]any)
	jobs, _ := workflow["jobs"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(jobs)) {
		job := jobs[name].(map[string]any)
		if _, ok := job["timeout-minutes"].(int); !ok && job["uses"] == nil {
			add("%s has no timeout", name)
		}
		permissions, _ := job["permissions"].(map[string]any)
		writes := false
		for scope, access := range permissions {
			// What writes security events files findings, and can do nothing else.
			writes = writes || access != "read" && scope != "security-events"
		}
		if writes && on["pull_request"] != nil {
			add("%s can write, and runs for pull requests", name)
		}
		steps, _ := job["steps"].([]any)
		for _, s := range steps {
			action, _ := s.(map[string]any)["uses"].(string)
			if writes && strings.HasPrefix(action, "actions/checkout@") {
				add("%s can write, and checks out the repository", name)
			}
		}
	}
	return problems
}

// TestDocsWorkflowProblems says that the test of the workflows finds what is wrong with one.
func TestDocsWorkflowProblems(t *testing.T) {
	t.Parallel()
	const good = `on:
  push:
permissions: {}
jobs:
  job:
    timeout-minutes: 5
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@0123456789012345678901234567890123456789 # v1.2.3
        with:
          persist-credentials: false
      - run: echo "$NAME"
        env:
          NAME: ${{ github.ref_name }}
`
	if problems := workflowProblems(t, good); len(problems) > 0 {
		t.Fatalf("a good workflow has the problems %q", problems)
	}
	for _, c := range []struct{ old, with, want string }{
		{" # v1.2.3", "", "without its version"},
		{" # v1.2.3", " # v1", "without its version"},
		{"    timeout-minutes: 5\n", "", "no timeout"},
		{"contents: read", "contents: write", "checks out"},
		{"contents: read", "id-token: write", "checks out"},
		{"  push:\n", "  pull_request:\n", ""},
		{"contents: read", "security-events: write", ""},
		{"github.ref_name", "secrets.TOKEN", "stored secret"},
	} {
		problems := workflowProblems(t, strings.Replace(good, c.old, c.with, 1))
		found := slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, c.want) })
		if (c.want == "") != (len(problems) == 0) || c.want != "" && !found {
			t.Errorf("with %q for %q, a workflow has the problems %q", c.with, c.old, problems)
		}
	}
}

// programs tells by language which code blocks of the documentation are whole programs, and where those are that
// the tests run.
var programs = map[string]struct{ mark, file string }{
	"typescript": {`from "@pulumi-cicd/cicd"`, "index.ts"},
	"python":     {"import pulumi_cicd", "__main__.py"},
	"go":         {"package main", "main.go"},
	"csharp":     {"Deployment.RunAsync", "Program.cs"},
	"yaml":       {"runtime: yaml", "Pulumi.yaml"},
}

// readProgram returns the program in a file of an example. In YAML, that is not what makes the example a template.
func readProgram(t *testing.T, path ...string) string {
	t.Helper()
	program, _, found := strings.Cut(harness.Read(t, path...), "\n\ntemplate:\n")
	if found {
		program += "\n"
	}
	return program
}

// TestDocumentedPrograms says that every whole program in the documentation is an example, to the letter: what is
// shown is what is tested.
func TestDocumentedPrograms(t *testing.T) {
	t.Parallel()
	root := harness.Repo(t)
	examples := map[string]map[string]bool{}
	for language, program := range programs {
		examples[language] = map[string]bool{}
		files, err := filepath.Glob(filepath.Join(root, "examples", "*-"+language, program.file))
		harness.Check(t, err)
		for _, file := range files {
			examples[language][readProgram(t, file)] = true
		}
		if len(files) == 0 {
			t.Errorf("there is no example in %s", language)
		}
	}
	descriptions, err := filepath.Glob(filepath.Join(root, "provider", "*.md"))
	harness.Check(t, err)
	documents := slices.Clone(descriptions)
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		harness.Check(t, err)
		documents = append(documents, files...)
	}
	for _, document := range documents {
		shown := map[string]bool{}
		for _, block := range harness.CodeBlocks(harness.Read(t, document)) {
			program, known := programs[block.Language]
			if !known || !strings.Contains(block.Text, program.mark) {
				continue
			}
			shown[block.Language] = true
			if !examples[block.Language][block.Text] {
				t.Errorf("%s:%d: the program in %s is no file examples/*-%s/%s",
					document, block.Line, block.Language, block.Language, program.file)
			}
		}
		if slices.Contains(descriptions, document) {
			harness.Same(t, "the languages in "+document, slices.Sorted(maps.Keys(shown)), slices.Sorted(maps.Keys(programs)))
		}
	}
}
