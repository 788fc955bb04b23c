package provider

import (
	"context"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/serve"
)

// FuzzPlugin sends junk to every method of the plugin, and checks that it answers each soon, without a panic and with
// an error that is short enough to be sent.
func FuzzPlugin(f *testing.F) {
	methods := pulumirpc.File_pulumi_provider_proto.Services().ByName("ResourceProvider").Methods()
	random := rand.NewChaCha8([32]byte{})
	for method := range methods.Len() {
		for range 100 {
			bytes := make([]byte, 300)
			_, _ = random.Read(bytes)
			f.Add(byte(method), bytes)
		}
		f.Add(byte(method), []byte{})
	}
	tp := startProvider(f)
	texts := append(junkTexts(), tp.monitor, tp.engineAddress)
	good := goodRequests(f, tp)
	f.Fuzz(func(t *testing.T, which byte, bytes []byte) {
		method := methods.Get(int(which) % methods.Len())
		req := dynamicpb.NewMessage(method.Input())
		j := junk{bytes, texts}
		j.fill(req, 0)
		j.aim(req, good)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := tp.call(ctx, method, req)
		message := status.Convert(err).Message()
		switch {
		case ctx.Err() != nil:
			t.Errorf("%s does not answer %.2000v", method.Name(), req)
		case strings.Contains(message, "a defect in this plugin"):
			t.Errorf("%s panics for %.2000v: %v", method.Name(), req, err)
		case len(message) > 100_000:
			t.Errorf("%s answers with an error of %d characters", method.Name(), len(message))
		}
		// After Attach and Cancel, the next request meets a plugin that is attached to its engine.
		if _, err := tp.Attach(t.Context(), &pulumirpc.PluginAttach{Address: tp.engineAddress}); err != nil {
			t.Fatalf("after %s with %.2000v, the plugin does not attach: %v", method.Name(), req, err)
		}
	})
}

// call calls a method of the plugin, and returns its error.
func (tp *testPlugin) call(ctx context.Context, method protoreflect.MethodDescriptor, req proto.Message) error {
	name := "/" + string(method.Parent().FullName()) + "/" + string(method.Name())
	resp := dynamicpb.NewMessage(method.Output())
	if !method.IsStreamingServer() {
		return tp.conn.Invoke(ctx, name, req, resp)
	}
	stream, err := tp.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, name)
	if err == nil {
		err = errors.Join(stream.SendMsg(req), stream.CloseSend())
	}
	for err == nil {
		err = stream.RecvMsg(resp)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// junk makes messages of bytes: the same bytes always make the same message.
type junk struct {
	bytes []byte
	texts []string
}

// junkTexts are texts that mean something to the plugin, and some that almost do.
func junkTexts() []string {
	names := slices.Concat(slices.Collect(maps.Keys(robotAccountRules(serve.Identity{}))), slices.Collect(maps.Keys(accessKeyRules)),
		slices.Collect(maps.Keys(deploymentRoleRules(serve.Identity{}))), []string{
			"requested", "first", "previousGeneration", "previousPgpKey", "held", "previousBefore", "before", "plannedAt",
			"secretName", "secretSlot", "ssmSlot", "userKeys", "preview", "version", "aws",
		})
	texts := []string{
		"", " ", ":", "::", "urn:", "urn:pulumi:", "urn:pulumi:a", "urn:pulumi:a::b", "urn:pulumi:a::b::c", "1.0.0", "1d", "*",
		resource.SigKey, resource.SecretSig, resource.OutputValueSig, resource.AssetSig, resource.ArchiveSig,
		resource.ResourceReferenceSig, plugin.UnknownStringValue, "value", "secret", "dependencies", "urn", "id", "text", "ü\x00",
		"127.0.0.1:1", "cicd", "a:b", "10.0.0.0/8", testRobot, testPolicy, testDocument, testCreated, "Statement", "Condition",
		strings.Repeat("long ", 50_000), strings.Repeat("*a", 20_000),
	}
	for _, typ := range []string{journalToken, robotAccountToken, accessKeyToken, deploymentRoleToken, "cicd:index:None", "", "$"} {
		texts = append(texts, typ, "urn:pulumi:stack::project::"+typ+"::name")
	}
	slices.Sort(names)
	return append(texts, slices.Compact(names)...)
}

// next returns the next of a number of choices, or the first if there are no bytes left.
func (j *junk) next(choices int) int {
	if len(j.bytes) == 0 {
		return 0
	}
	b := j.bytes[0]
	j.bytes = j.bytes[1:]
	return int(b) * choices / 256
}

// fill sets fields of a message.
func (j *junk) fill(m protoreflect.Message, depth int) {
	const deepest = 10
	fields := m.Descriptor().Fields()
	kind := -1
	if m.Descriptor().FullName() == "google.protobuf.Value" {
		kind = j.next(fields.Len()) // It has one of its fields, in each request that a client can send.
		if depth > deepest {
			kind = 0
		}
	}
	for i := range fields.Len() {
		field := fields.Get(i)
		// The SDK panics for a provider that is none, and the monitor of these tests for a parent that is none.
		if field.Name() == "providers" || field.Name() == "parent" || kind >= 0 && i != kind || kind < 0 && (j.next(4) == 0 || depth > deepest) {
			continue
		}
		switch {
		case field.IsMap():
			entries := m.Mutable(field).Map()
			for range j.next(5) {
				key := j.scalar(field.MapKey()).MapKey()
				if value := entries.NewValue(); field.MapValue().Message() != nil {
					j.fill(value.Message(), depth+1)
					entries.Set(key, value)
				} else {
					entries.Set(key, j.scalar(field.MapValue()))
				}
			}
		case field.IsList():
			list := m.Mutable(field).List()
			for range j.next(4) {
				if field.Message() != nil {
					j.fill(list.AppendMutable().Message(), depth+1)
				} else {
					list.Append(j.scalar(field))
				}
			}
		case field.Message() != nil:
			j.fill(m.Mutable(field).Message(), depth+1)
		default:
			m.Set(field, j.scalar(field))
		}
	}
}

// aim gives a request, every other time, what it needs to get beyond the first checks: one of the good requests, with
// junk in some places.
func (j *junk) aim(req *dynamicpb.Message, good []proto.Message) {
	for _, from := range good {
		if from.ProtoReflect().Descriptor() == req.Descriptor() && j.next(2) > 0 {
			proto.Reset(req)
			proto.Merge(req, from)
			j.corrupt(req)
		}
	}
}

// corrupt puts junk in some places of a message.
func (j *junk) corrupt(m protoreflect.Message) {
	const rarely = 12
	for i := range m.Descriptor().Fields().Len() {
		field := m.Descriptor().Fields().Get(i)
		v := m.Get(field)
		switch {
		case !m.Has(field):
		case j.next(rarely) == 1:
			m.Clear(field)
			j.fill(m, 5)
		case field.IsMap() && field.MapValue().Message() != nil:
			entries := map[string]protoreflect.Message{}
			v.Map().Range(func(key protoreflect.MapKey, v protoreflect.Value) bool {
				entries[key.String()] = v.Message()
				return true
			})
			for _, key := range slices.Sorted(maps.Keys(entries)) {
				j.corrupt(entries[key])
			}
		case field.IsList() && field.Message() != nil:
			for i := range v.List().Len() {
				j.corrupt(v.List().Get(i).Message())
			}
		case !field.IsMap() && !field.IsList() && field.Message() != nil:
			j.corrupt(v.Message())
		}
	}
}

// goodRequests returns requests that the plugin does what they ask for.
func goodRequests(tb testing.TB, tp *testPlugin) []proto.Message {
	tb.Helper()
	str := resource.NewProperty[string]
	sources := strs("10.0.0.0/8", "2001:db8::/32")
	requests := []proto.Message{
		tp.request(tb, robotAccountToken, resource.PropertyMap{
			"assumableRoles": strs("cicd/*", "arn:aws:iam::*:role/x"), "sourceIps": sources, "path": str("/cicd/"),
			"permissionsBoundary": str(testPolicy), "tags": resource.NewProperty(resource.PropertyMap{"team": str("x")}),
		}),
		tp.request(tb, deploymentRoleToken, resource.PropertyMap{
			"trusted": strs(testRobot), "sourceIps": sources, "sessionNames": strs("gha-*", "${aws:username}"),
			"managedPolicyArns": strs(testPolicy), "externalId": resource.MakeSecret(str("x1")),
			"maxSessionDuration": resource.NewProperty(3600.0), "inlinePolicies": resource.NewProperty(resource.PropertyMap{
				"text": str(testDocument), "object": document(output(str("arn:aws:s3:::x"), ofBot)),
			}),
		}),
		tp.request(tb, accessKeyToken, resource.PropertyMap{
			"userName": str("bot"), "generation": resource.NewProperty(2.0), "rotateEvery": str("60d"), "previous": str("inactive"),
			"handOver": str("7d"), "ssmPath": str("/cicd"),
			"secretsManager": resource.NewProperty(resource.PropertyMap{"name": str("cicd"), "kmsKeyId": str("alias/cicd")}),
		}),
	}
	for _, req := range requests {
		_, err := tp.Construct(tb.Context(), proto.CloneOf(req.(*pulumirpc.ConstructRequest)))
		check(tb, err)
	}
	asked := tp.registered()[slices.IndexFunc(tp.registered(), func(r *pulumirpc.RegisterResourceRequest) bool {
		return r.GetType() == journalToken
	})]
	urn := string(resource.NewURN("stack", "project", "", journalToken, asked.GetName()))
	return append(requests,
		&pulumirpc.CheckRequest{Urn: urn, Olds: tp.noted, News: asked.GetObject()},
		&pulumirpc.DiffRequest{Urn: urn, Olds: tp.noted, News: tp.noted, OldInputs: tp.noted},
		&pulumirpc.CreateRequest{Urn: urn, Properties: tp.noted},
		&pulumirpc.UpdateRequest{Urn: urn, Olds: tp.noted, News: tp.noted, OldInputs: tp.noted},
		&pulumirpc.ReadRequest{Urn: urn, Id: "x", Properties: tp.noted, Inputs: tp.noted},
		&pulumirpc.DeleteRequest{Urn: urn, Id: "x", Properties: tp.noted},
	)
}

// scalar returns a value of a field that is no message.
func (j *junk) scalar(field protoreflect.FieldDescriptor) protoreflect.Value {
	numbers := []float64{0, 1, -1, 0.5, 2, 1e300, 3650}
	n := numbers[j.next(len(numbers))]
	switch field.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(n > 0)
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(j.texts[j.next(len(j.texts))])
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(j.texts[j.next(len(j.texts))]))
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(int32(n)))
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(n))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(int64(n))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(n)
	default:
		panic(field.Kind().String())
	}
}
