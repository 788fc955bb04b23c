package serve

import (
	"errors"
	"fmt"
	"sync"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"google.golang.org/grpc/status"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

// providerKey identifies an AWS provider in a deployment: the address of the resource monitor, and the provider's
// reference, which is empty for the default one.
type providerKey struct{ monitor, provider string }

// An Identity is what an AWS provider tells of itself.
type Identity struct {
	// Account is nil in a preview in which the provider's own configuration is unknown.
	Account *iam.Account
	// Caller is the ARN of whoever calls with the provider's credentials.
	Caller string
	// DefaultTags are the tags that the provider puts on every resource.
	DefaultTags map[string]string
}

// identities are the answers of AWS providers.
type identities struct {
	mu      sync.Mutex
	lookups map[providerKey]func() (Identity, error)
}

// errFailedElsewhere is returned to constructs that waited for a look-up that failed; only the construct that made it
// gets the cause.
var errFailedElsewhere = errors.New(
	"cancelled: the AWS account could not be looked up for another resource with the same provider; see the other errors")

// get returns the identity of a provider. The first caller looks it up; the others wait for its result.
func (i *identities) get(key providerKey, lookUp func() (Identity, error)) (Identity, error) {
	i.mu.Lock()
	once, exists := i.lookups[key]
	if !exists {
		once = sync.OnceValues(lookUp)
		if i.lookups == nil {
			i.lookups = map[providerKey]func() (Identity, error){}
		}
		i.lookups[key] = once
	}
	i.mu.Unlock()
	identity, err := once()
	if err != nil && exists {
		return Identity{}, errFailedElsewhere
	}
	return identity, err
}

// Identity returns the identity of the AWS provider among a component's options, or of the default one. It is looked up
// before the component is registered, so that a problem with the account is told while nothing exists.
func (d *Deployment) Identity(ctx *pulumi.Context, options pulumi.ResourceOption) (Identity, error) {
	invoke, err := d.AWSProvider(options)
	if err != nil {
		return Identity{}, err
	}
	return d.session.identities.get(d.aws, func() (Identity, error) { return lookUpIdentity(ctx, invoke...) })
}

// AWSProvider returns the options that have a look-up use the AWS provider among a component's options, or the default
// one of the version that is set.
func (d *Deployment) AWSProvider(options pulumi.ResourceOption) (invoke []pulumi.InvokeOption, err error) {
	given, err := pulumi.NewResourceOptions(options)
	if err != nil {
		return nil, fmt.Errorf("read the resource options: %w", err)
	}
	invoke = []pulumi.InvokeOption{d.AWSVersion()}
	for _, provider := range given.Providers {
		// The engine gives the providers of the caller and of its parents, one for each package.
		if _, isAWS := provider.(*aws.Provider); isAWS {
			invoke = append(invoke, pulumi.Provider(provider))
		}
	}
	return invoke, nil
}

func lookUpIdentity(ctx *pulumi.Context, invoke ...pulumi.InvokeOption) (Identity, error) {
	caller, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{}, invoke...)
	if err != nil {
		// The engine's message without the words of the protocol around it.
		return Identity{}, fmt.Errorf("look up the AWS account: %s", status.Convert(err).Message())
	}
	if caller.Arn == "" && ctx.DryRun() {
		return Identity{}, nil
	}
	account, err := iam.ParseCallerARN(caller.Arn)
	if err != nil {
		return Identity{}, fmt.Errorf("look up the AWS account: the caller's ARN %q %w", caller.Arn, err)
	}
	// This asks the provider, and not AWS.
	defaults, err := aws.GetDefaultTags(ctx, &aws.GetDefaultTagsArgs{}, invoke...)
	if err != nil {
		return Identity{}, fmt.Errorf("look up the AWS provider's default tags: %s", status.Convert(err).Message())
	}
	return Identity{&account, caller.Arn, defaults.Tags}, nil
}
