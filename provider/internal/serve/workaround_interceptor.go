package serve

import (
	"context"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// maxError bounds the text of an error, in bytes. gRPC sends it as a header, and a peer that meets a header of
// megabytes breaks the connection, which takes the answers to all other requests with it.
const maxError = 64 << 10

// init has every method of the plugin answer a panic with an error, and bounds the errors. The SDK and
// pulumi-go-provider panic for malformed requests, such as a resource without a URN, before a function of this package
// is called.
//
// The description of the service is changed for it, since host.MainContext takes no interceptors (no upstream issue is
// known). Needless once it does: TestMainTakesNoInterceptors fails then. Seen in SDK v3.259.0.
func init() {
	service := &pulumirpc.ResourceProvider_ServiceDesc
	for i := range service.Methods {
		handle := service.Methods[i].Handler
		service.Methods[i].Handler = func(
			srv any, ctx context.Context, read func(any) error, interceptor grpc.UnaryServerInterceptor,
		) (resp any, err error) {
			defer boundError(&err)
			defer RecoverAsError(&err)
			return handle(srv, ctx, read, interceptor)
		}
	}
	for i := range service.Streams {
		handle := service.Streams[i].Handler
		service.Streams[i].Handler = func(srv any, stream grpc.ServerStream) (err error) {
			defer boundError(&err)
			defer RecoverAsError(&err)
			return handle(srv, stream)
		}
	}
}

// boundError shortens an error that is too long to be sent, whose details go.
func boundError(err *error) {
	s := status.Convert(*err)
	if proto.Size(s.Proto()) > maxError {
		start := s.Message()[:min(len(s.Message()), maxError)]
		*err = status.Error(s.Code(), strings.ToValidUTF8(start, "")+"...")
	}
}
