package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

var resourceTypes = []*resourceType{
	user, userPolicy, accessKey, group, groupMembership, groupPolicy, role, rolePolicy, rolePolicyAttachment,
	openIDConnectProvider, secret, secretVersion, parameter,
}

var functionTypes = []functionType{
	getAccessKeys, getCallerIdentity, getDefaultTags, getGroup, getOpenIDConnectProvider, getPartition, getRole, getUser,
}

// configured is what Configure left behind: clients, or the reason why there are none yet.
type configured struct {
	clients     *awsClients
	missing     error
	defaultTags property.Value
	region      string
}

// newProvider is one provider of its own: it shares no configuration with another.
func newProvider() p.Provider {
	var current atomic.Pointer[configured]
	current.Store(&configured{missing: errors.New("the aws provider is not configured")})
	clients := func() (*awsClients, error) {
		c := current.Load()
		return c.clients, c.missing
	}
	return p.Provider{
		GetSchema: func(context.Context, p.GetSchemaRequest) (p.GetSchemaResponse, error) {
			spec, err := schemaJSON()
			return p.GetSchemaResponse{Schema: spec}, err
		},
		Cancel: func(context.Context) error { return nil },
		CheckConfig: func(_ context.Context, req p.CheckRequest) (p.CheckResponse, error) {
			_, failures := parseConfig(req.Inputs)
			inputs := req.Inputs
			for _, key := range configSecrets {
				if v, ok := inputs.GetOk(key); ok {
					inputs = inputs.Set(key, v.WithSecret(true))
				}
			}
			return p.CheckResponse{Inputs: inputs, Failures: failures}, nil
		},
		// No change of configuration replaces the provider, for that would replace all its resources.
		DiffConfig: func(_ context.Context, req p.DiffRequest) (p.DiffResponse, error) {
			old, now := plainMap(req.OldInputs), plainMap(req.Inputs)
			if old.Len() == 0 {
				old = plainMap(req.State)
			}
			detailed := map[string]p.PropertyDiff{}
			for key := range configKeys {
				if !old.Get(key).Equals(now.Get(key)) {
					detailed[key] = p.PropertyDiff{Kind: p.Update, InputDiff: true}
				}
			}
			return p.DiffResponse{HasChanges: len(detailed) > 0, DetailedDiff: detailed}, nil
		},
		Configure: func(ctx context.Context, req p.ConfigureRequest) error {
			s, failures := parseConfig(req.Args)
			if len(failures) > 0 {
				reasons := make([]string, 0, len(failures))
				for _, f := range failures {
					reasons = append(reasons, f.Property+": "+f.Reason)
				}
				return fmt.Errorf("invalid configuration of the aws provider: %s", strings.Join(reasons, "; "))
			}
			next := &configured{defaultTags: s.defaultTags, region: s.region}
			if len(s.unknown) > 0 {
				// Only a preview configures with unknowns, and it can do without calls for what is new.
				next.missing = fmt.Errorf("the aws provider's configuration is not known yet: %s", strings.Join(s.unknown, ", "))
			} else {
				c, err := connect(ctx, s)
				if err != nil {
					return fmt.Errorf("configuring the aws provider: %w", err)
				}
				next.clients, next.region = c, c.region
			}
			current.Store(next)
			return nil
		},
		Invoke: func(ctx context.Context, req p.InvokeRequest) (p.InvokeResponse, error) {
			for _, f := range functionTypes {
				if f.token != string(req.Token) {
					continue
				}
				args, failures := f.check(req.Args)
				if len(failures) > 0 {
					return p.InvokeResponse{Failures: failures}, nil
				}
				c, err := clients()
				if err != nil {
					return p.InvokeResponse{}, fmt.Errorf("calling %s: %w", f.token, err)
				}
				answer, err := f.call(ctx, c, args)
				return p.InvokeResponse{Return: property.NewMap(answer)}, err
			}
			return p.InvokeResponse{}, fmt.Errorf(
				"the function %s is not implemented by this stand-in for the aws plugin", req.Token)
		},
		Check: func(ctx context.Context, req p.CheckRequest) (p.CheckResponse, error) {
			r, err := typeOf(req.Urn)
			if err != nil {
				return p.CheckResponse{}, err
			}
			return r.check(ctx, req, current.Load()), nil
		},
		Diff: func(_ context.Context, req p.DiffRequest) (p.DiffResponse, error) {
			r, err := typeOf(req.Urn)
			if err != nil {
				return p.DiffResponse{}, err
			}
			return r.diff(req), nil
		},
		Create: func(ctx context.Context, req p.CreateRequest) (p.CreateResponse, error) {
			r, c, err := typeAndClients(req.Urn, req.DryRun, clients)
			if err != nil {
				return p.CreateResponse{}, err
			}
			return r.doCreate(ctx, c, req)
		},
		Read: func(ctx context.Context, req p.ReadRequest) (p.ReadResponse, error) {
			r, c, err := typeAndClients(req.Urn, false, clients)
			if err != nil {
				return p.ReadResponse{}, err
			}
			return r.doRead(ctx, c, req)
		},
		Update: func(ctx context.Context, req p.UpdateRequest) (p.UpdateResponse, error) {
			r, c, err := typeAndClients(req.Urn, req.DryRun, clients)
			if err != nil {
				return p.UpdateResponse{}, err
			}
			return r.doUpdate(ctx, c, req)
		},
		Delete: func(ctx context.Context, req p.DeleteRequest) error {
			r, c, err := typeAndClients(req.Urn, false, clients)
			if err != nil {
				return err
			}
			return r.doDelete(ctx, c, req)
		},
	}
}

func typeOf(u urn.URN) (*resourceType, error) {
	for _, r := range resourceTypes {
		if r.token == string(u.Type()) {
			return r, nil
		}
	}
	return nil, fmt.Errorf("the resource %s is not implemented by this stand-in for the aws plugin", u.Type())
}

func typeAndClients(u urn.URN, dryRun bool, clients func() (*awsClients, error)) (*resourceType, *awsClients, error) {
	r, err := typeOf(u)
	if err != nil {
		return nil, nil, err
	}
	c, err := clients()
	if err != nil && !dryRun {
		return nil, nil, fmt.Errorf("%s: %w", r.token, err)
	}
	return r, c, nil
}
