package provider

import (
	"errors"
	"fmt"
	"sync"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"google.golang.org/grpc/status"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

// callerIdentity asks AWS for the account and partition of the caller of a component with the options opts,
// through the AWS provider among them or else the default one. It runs before the component is registered, so
// that what is wrong with the account is said while nothing exists. The identity is nil in a preview in which
// the provider's own configuration is not known yet. AWS is asked once for each provider.
func callerIdentity(ctx *pulumi.Context, opts ...pulumi.ResourceOption) (*iam.Identity, error) {
	given, err := pulumi.NewResourceOptions(opts...)
	if err != nil {
		return nil, fmt.Errorf("read the resource options: %w", err)
	}
	var invoke []pulumi.InvokeOption
	for _, provider := range given.Providers {
		// The engine gives the providers of the caller and of its parents, one for each package.
		if _, isAWS := provider.(*aws.Provider); isAWS {
			invoke = append(invoke, pulumi.Provider(provider))
		}
	}
	s := settingOf(ctx)
	return s.session.identities.of(s.deployment, func() (*iam.Identity, error) { return askIdentity(ctx, invoke...) })
}

// deployment is a deployment, by the address of its resource monitor, and an AWS provider in it, by its reference,
// which is empty for the default one.
type deployment struct{ monitor, provider string }

// identities are the answers of AWS.
type identities struct {
	mu    sync.Mutex
	asked map[deployment]func() (*iam.Identity, error)
}

// errNotLookedUp is what those are told who waited in vain for another one to ask: the error itself is told once.
var errNotLookedUp = errors.New(
	"cancelled: the AWS account could not be looked up for another resource with the same provider; see the other errors")

// of returns the identity of the caller with a provider. Whoever wants to know it first asks, and all others wait.
func (i *identities) of(d deployment, ask func() (*iam.Identity, error)) (*iam.Identity, error) {
	i.mu.Lock()
	once, asked := i.asked[d]
	if !asked {
		once = sync.OnceValues(ask)
		if i.asked == nil {
			i.asked = map[deployment]func() (*iam.Identity, error){}
		}
		i.asked[d] = once
	}
	i.mu.Unlock()
	identity, err := once()
	if err != nil && asked {
		return nil, errNotLookedUp
	}
	return identity, err
}

func askIdentity(ctx *pulumi.Context, invoke ...pulumi.InvokeOption) (*iam.Identity, error) {
	caller, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{}, invoke...)
	if err != nil {
		// The engine's message without the words of the protocol around it.
		return nil, fmt.Errorf("look up the AWS account: %s", status.Convert(err).Message())
	}
	if caller.Arn == "" && ctx.DryRun() {
		return nil, nil //nolint:nilnil // See above: not known yet is no error.
	}
	identity, err := iam.ParseCallerARN(caller.Arn)
	if err != nil {
		return nil, fmt.Errorf("look up the AWS account: the caller's ARN %q %w", caller.Arn, err)
	}
	return &identity, nil
}
