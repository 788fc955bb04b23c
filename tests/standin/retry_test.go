package main

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// TestRetries says how often calls are made.
func TestRetries(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	for _, tt := range []struct {
		asked, want int
	}{{0, defaultAttempts}, {3, 3}} {
		r := retryer(tt.asked)().(aws.RetryerV2)
		if got := r.MaxAttempts(); got != tt.want {
			t.Errorf("with maxRetries %d, there are %d attempts and not %d", tt.asked, got, tt.want)
		}
	}
	r := retryer(0)()
	for attempt, err := range map[int]error{1: refused, networkAttempts - 1: refused, 20: errors.New("throttled")} {
		if _, got := r.RetryDelay(attempt, err); got != nil {
			t.Errorf("attempt %d, which ended with %v, is the last", attempt, err)
		}
	}
	if _, err := r.RetryDelay(networkAttempts, refused); !errors.Is(err, refused) {
		t.Errorf("an endpoint that is not there is called again, or told as %v", err)
	}
}

// TestClientsRetry checks that the clients make calls as often as the configuration says.
func TestClientsRetry(t *testing.T) {
	cleanEnvironment(t)
	fake := newFakeAWS(t, nil)
	s, _ := parseConfig(configFor(fake.URL, map[string]property.Value{"maxRetries": property.New(7.0)}))
	c, err := connect(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.iam.Options().Retryer.MaxAttempts(); got != 7 {
		t.Errorf("there are %d attempts", got)
	}
}
