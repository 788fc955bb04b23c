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

// identities are AWS's answers to who calls.
type identities struct {
	mu      sync.Mutex
	lookups map[providerKey]func() (*iam.Account, error)
}

// errFailedElsewhere is returned to constructs that waited for a look-up that failed; only the construct that made it
// gets the cause.
var errFailedElsewhere = errors.New(
	"cancelled: the AWS account could not be looked up for another resource with the same provider; see the other errors")

// get returns the account of a provider. The first caller looks it up; the others wait for its result.
func (i *identities) get(key providerKey, lookUp func() (*iam.Account, error)) (*iam.Account, error) {
	i.mu.Lock()
	once, exists := i.lookups[key]
	if !exists {
		once = sync.OnceValues(lookUp)
		if i.lookups == nil {
			i.lookups = map[providerKey]func() (*iam.Account, error){}
		}
		i.lookups[key] = once
	}
	i.mu.Unlock()
	account, err := once()
	if err != nil && exists {
		return nil, errFailedElsewhere
	}
	return account, err
}

// Account returns the account of the AWS provider among a component's options, or of the default one. It is looked up
// before the component is registered, so that a problem with the account is told while nothing exists. The account is
// nil in a preview in which the provider's own configuration is unknown.
func (d *Deployment) Account(ctx *pulumi.Context, options pulumi.ResourceOption) (*iam.Account, error) {
	given, err := pulumi.NewResourceOptions(options)
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
	return d.session.identities.get(d.aws, func() (*iam.Account, error) { return lookUpAccount(ctx, invoke...) })
}

func lookUpAccount(ctx *pulumi.Context, invoke ...pulumi.InvokeOption) (*iam.Account, error) {
	caller, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{}, invoke...)
	if err != nil {
		// The engine's message without the words of the protocol around it.
		return nil, fmt.Errorf("look up the AWS account: %s", status.Convert(err).Message())
	}
	if caller.Arn == "" && ctx.DryRun() {
		return nil, nil //nolint:nilnil // See above: unknown is no error.
	}
	account, err := iam.ParseCallerARN(caller.Arn)
	if err != nil {
		return nil, fmt.Errorf("look up the AWS account: the caller's ARN %q %w", caller.Arn, err)
	}
	return &account, nil
}
