package serve

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	host "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// broken is a plugin of which every method panics, because it has none.
type broken struct {
	pulumirpc.ResourceProviderServer
}

// TestMethodsAnswerPanics checks that no method of the plugin lets a panic through, those of later SDKs too.
func TestMethodsAnswerPanics(t *testing.T) {
	t.Parallel()
	service := pulumirpc.ResourceProvider_ServiceDesc
	for _, method := range service.Methods {
		_, err := method.Handler(broken{}, t.Context(), func(any) error { return nil }, nil)
		if err == nil || !strings.Contains(err.Error(), "a defect in this plugin: panic: ") {
			t.Errorf("%s answers a panic with %v", method.MethodName, err)
		}
	}
	for _, stream := range service.Streams {
		if err := stream.Handler(broken{}, nil); err == nil || !strings.Contains(err.Error(), "a defect in this plugin: panic: ") {
			t.Errorf("%s answers a panic with %v", stream.StreamName, err)
		}
	}
}

// failing is a plugin that answers with an error.
type failing struct {
	pulumirpc.ResourceProviderServer
	err error
}

func (f failing) Check(context.Context, *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return nil, f.err
}

// TestErrorsAreShort checks that an error which is too long for gRPC is cut, and any other is left alone.
func TestErrorsAreShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long", maxError)
	for _, tt := range []struct {
		err  error
		want string
	}{
		{errors.New("short"), "short"},
		{status.Error(codes.NotFound, long), long[:maxError] + "..."},
		{errors.New(long), long[:maxError] + "..."},
	} {
		for _, method := range pulumirpc.ResourceProvider_ServiceDesc.Methods {
			if method.MethodName != "Check" {
				continue
			}
			_, err := method.Handler(failing{err: tt.err}, t.Context(), func(any) error { return nil }, nil)
			if got := status.Convert(err); got.Message() != tt.want || got.Code() != status.Code(tt.err) {
				t.Errorf("an error of %d characters becomes one of %d: %.50v", len(tt.want), len(got.Message()), err)
			}
		}
	}
}

// TestMainTakesNoInterceptors fails once the SDK takes options of the server, of which interceptors are some.
func TestMainTakesNoInterceptors(t *testing.T) {
	t.Parallel()
	if n := reflect.TypeOf(host.MainContext).NumIn(); n != 3 {
		t.Errorf("MainContext takes %d arguments: workaround_interceptor.go may be needless", n)
	}
}
