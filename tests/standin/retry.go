package main

import (
	"errors"
	"net"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

const (
	// defaultAttempts is how often Terraform's provider makes a call, unless maxRetries says something else.
	defaultAttempts = 25
	// networkAttempts is how often it makes a call to an endpoint that is not there.
	networkAttempts = 9
)

// retryer makes calls again as Terraform's provider does: more often than the AWS SDK by default, and with no limit to
// how many calls are made again altogether.
func retryer(attempts int) func() aws.Retryer {
	if attempts <= 0 {
		attempts = defaultAttempts
	}
	return func() aws.Retryer {
		return endpointRetryer{retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.RateLimiter = attempts, ratelimit.None
		})}
	}
}

// endpointRetryer gives up earlier where there is no endpoint.
type endpointRetryer struct{ aws.RetryerV2 }

// RetryDelay is asked before a call is made again, and is the only one that is told how often it was made.
func (r endpointRetryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	var network *net.OpError
	if attempt >= networkAttempts && errors.As(err, &network) {
		if text := network.Error(); strings.Contains(text, "no such host") || strings.Contains(text, "connection refused") {
			return 0, err
		}
	}
	return r.RetryerV2.RetryDelay(attempt, err)
}
