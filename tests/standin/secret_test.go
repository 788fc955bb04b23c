package main

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func TestSecretDiff(t *testing.T) {
	state := values{
		"name": s("s"), "recoveryWindowInDays": property.New(30.0), "tagsAll": tags(),
		"forceOverwriteReplicaSecret": property.New(false), "arn": s("a"), "policy": s(""), "id": s("a"),
	}
	in := values{
		"name": s("s"), "recoveryWindowInDays": property.New(30.0), "forceOverwriteReplicaSecret": property.New(false),
		"tagsAll": tags(), "__defaults": list("forceOverwriteReplicaSecret", "name", "recoveryWindowInDays"),
	}
	named := with(in, values{"__defaults": list("forceOverwriteReplicaSecret", "recoveryWindowInDays")})
	runDiffs(t, secret.token, []diffCase{
		{name: "same", state: state, in: in},
		{name: "policy of another", state: with(state, values{"policy": s("{}")}), in: in},
		{name: "description", state: state, in: with(in, values{"description": s("d")}), update: []string{"description"}},
		{name: "key", state: state, in: with(in, values{"kmsKeyId": s("k")}), update: []string{"kmsKeyId"}},
		{name: "no key", state: with(state, values{"kmsKeyId": s("k")}), in: in, update: []string{"kmsKeyId"}},
		{
			name: "no window", state: state, in: with(in, values{"recoveryWindowInDays": property.New(0.0)}),
			update: []string{"recoveryWindowInDays"},
		},
		{
			name: "no window, chosen name", state: state, in: with(named, values{"recoveryWindowInDays": property.New(0.0)}),
			update: []string{"recoveryWindowInDays"},
		},
		{
			name: "tags", state: state, in: with(in, values{"tags": tags("a", "b"), "tagsAll": tags("a", "b")}),
			update: []string{"tags", "tagsAll"},
		},
		{name: "name", state: state, in: with(named, values{"name": s("t")}), replace: []string{"name"}, deleteBefore: true},
	})
}

func TestSecretLifecycle(t *testing.T) {
	h := live(t, moto(t), map[string]property.Value{
		"defaultTags": property.New(map[string]property.Value{"tags": tags("owner", "platform")}),
	})
	m := h.create(secret.token, values{"name": s("ci/robot"), "tags": tags("a", "b"), "kmsKeyId": s("alias/one")})
	expect(t, m.in, values{"recoveryWindowInDays": property.New(30.0), "forceOverwriteReplicaSecret": property.New(false)})
	expect(t, m.output, values{
		"name": s("ci/robot"), "arn": s(m.id), "id": s(m.id), "tags": tags("a", "b"), "tagsAll": tags("a", "b", "owner", "platform"),
		"kmsKeyId": s("alias/one"), "description": {}, "policy": s(""), "recoveryWindowInDays": property.New(30.0),
	})
	if !strings.HasPrefix(m.id, "arn:aws:secretsmanager:us-east-1:123456789012:secret:ci/robot-") {
		t.Errorf("the id is %s", m.id)
	}
	h.refresh(m, false)

	changed := values{"name": s("ci/robot"), "tags": tags("c", "d"), "kmsKeyId": s("alias/two"), "description": s("d")}
	preview, err := h.Update(t.Context(), p.UpdateRequest{
		ID: m.id, Urn: urnOf(m.token), State: m.output, DryRun: true, Inputs: h.check(m.token, m.in, changed),
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, preview.Properties, values{"arn": s(m.id), "kmsKeyId": s("alias/two")})
	h.refresh(m, false)
	m = h.update(m, changed)
	expect(t, m.output, values{"tags": tags("c", "d"), "kmsKeyId": s("alias/two"), "description": s("d")})
	h.refresh(m, false)

	c := h.clients().secretsManager
	if _, err := c.UpdateSecret(t.Context(), &secretsmanager.UpdateSecretInput{SecretId: aws.String(m.id), Description: aws.String("e")}); err != nil {
		t.Fatal(err)
	}
	expect(t, h.refresh(m, true).Properties, values{"description": s("e"), "kmsKeyId": s("alias/two")})

	read := h.importID(secret.token, m.id)
	expect(t, read.Inputs, values{"name": s("ci/robot"), "description": s("e"), "recoveryWindowInDays": {}})

	_, err = h.Create(t.Context(), p.CreateRequest{Urn: urnOf(m.token), Properties: m.in})
	if err == nil || !strings.Contains(err.Error(), "creating Secrets Manager Secret (ci/robot)") {
		t.Errorf("creating a secret that exists: %v", err)
	}

	// A key that the program gives up is AWS's to keep, so that the difference stays.
	checked := h.check(m.token, m.in, values{"name": s("ci/robot"), "tags": tags("c", "d"), "description": s("d")})
	kept, err := h.Update(t.Context(), p.UpdateRequest{ID: m.id, Urn: urnOf(m.token), State: m.output, Inputs: checked})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, kept.Properties, values{"kmsKeyId": s("alias/two")})

	m = h.update(m, with(changed, values{"recoveryWindowInDays": property.New(0.0)}))
	h.remove(m)
}

func TestSecretRecoveryWindow(t *testing.T) {
	h := live(t, moto(t), nil)
	for in, want := range map[float64]time.Duration{7: 7, 30: 30} {
		m := h.create(secret.token, values{"recoveryWindowInDays": property.New(in)})
		if name := str(m.output.Get("name")); !strings.HasPrefix(name, "logical-") || len(name) != len("logical-")+7 {
			t.Errorf("the generated name is %s", name)
		}
		if err := h.Delete(t.Context(), p.DeleteRequest{ID: m.id, Urn: urnOf(m.token), Properties: m.output}); err != nil {
			t.Fatal(err)
		}
		out, err := h.clients().secretsManager.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String(m.id)})
		if err != nil || out.DeletedDate == nil {
			t.Fatalf("after the delete: %v %v", out, err)
		}
		if days := (time.Until(*out.DeletedDate) + time.Hour) / (24 * time.Hour); days != want {
			t.Errorf("the secret is deleted in %d days, not in %d", days, want)
		}
		if gone := h.refresh(m, true); gone.ID != "" {
			t.Error("a secret that is to be deleted is still there")
		}
	}

	// Without a window it is gone at once. A change of the window makes no call, for which there are no clients here.
	m := h.create(secret.token, values{"name": s("short")})
	in := h.check(m.token, m.in, values{"name": s("short"), "recoveryWindowInDays": property.New(0.0)})
	if id, err := secret.update(t.Context(), nil, m.id, m.output.AsMap(), in.AsMap(), map[string]bool{"recoveryWindowInDays": true}); err != nil || id != m.id {
		t.Errorf("the update of the window: %s %v", id, err)
	}
	m = h.update(m, values{"name": s("short"), "recoveryWindowInDays": property.New(0.0)})
	h.remove(m)
	_, err := h.clients().secretsManager.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String(m.id)})
	if !isNoSuchSecret(err) {
		t.Errorf("after a delete without a window: %v", err)
	}

	m = h.create(secret.token, values{"recoveryWindowInDays": property.New(7.0)})
	// An import brings no window, and Terraform takes that for none.
	read := h.importID(secret.token, m.id)
	h.remove(made{m.token, m.id, m.in, read.Properties})
}
