package provider

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/input"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/serve"
)

// apply applies f to an output.
func apply[In, Out any](output pulumi.Output, f func(In) (Out, error)) pulumi.Output {
	return output.ApplyT(guarded(f))
}

// applyText applies f, which returns a string, to an output.
func applyText[In any](output pulumi.Output, f func(In) (string, error)) pulumi.StringOutput {
	return input.As[pulumi.StringOutput](apply(output, f))
}

// secretText makes a string secret.
func secretText(text pulumi.StringOutput) pulumi.StringOutput {
	return input.As[pulumi.StringOutput](pulumi.ToSecret(text))
}

// whenRegistered returns a string output of a resource, which fails if the resource was not registered.
func whenRegistered(made pulumi.Resource, text pulumi.StringOutput) pulumi.StringOutput {
	return applyText(pulumi.All(made.URN(), text), func(v []any) (string, error) {
		urn, err := cast[pulumi.URN](v[0])
		if err == nil {
			err = checkRegistered(urn)
		}
		if err != nil {
			return "", err
		}
		return cast[string](v[1])
	})
}

// previewedARN returns the ARN of a component's child whose name may be given. In a preview, the AWS provider does not
// tell that of a child which it creates, and tells the old one of a user whose path it changes. There the ARN follows
// from the child's name and path, so that a reviewer sees it in the policies that name it. These are the child's own
// outputs, and not the inputs of the component: a transform may change them, and --target leaves them as they are.
func (c *construction) previewedARN(
	arn, name pulumi.StringOutput, path pulumi.StringPtrOutput, account *iam.Account, object named,
) pulumi.StringOutput {
	if !c.DryRun() || account == nil || !c.in.Given(object.input) {
		return arn
	}
	return applyText(pulumi.All(name, path.Elem()), func(v []any) (string, error) {
		var name, path string
		if err := errors.Join(castTo(&name, v[0]), castTo(&path, v[1])); err != nil {
			return "", err
		}
		return account.EntityARN(object.kind, path, name), nil
	})
}

// guarded returns f for an output to be applied to, which calls it in a goroutine where nobody else recovers: a panic
// of f is an error, and so is a value of another type than f takes.
func guarded[In, Out any](f func(In) (Out, error)) func(any) (Out, error) {
	return func(v any) (out Out, err error) {
		defer serve.RecoverAsError(&err)
		in, err := cast[In](v)
		if err != nil {
			return out, err
		}
		return f(in)
	}
}

// cast returns a value of the type that it is known to have.
func cast[T any](v any) (t T, err error) {
	t, ok := v.(T)
	if !ok {
		return t, fmt.Errorf("a defect in this plugin: a %T where a %T is expected", v, t)
	}
	return t, nil
}

// castTo sets a variable to a value that is known to have its type.
func castTo[T any](to *T, v any) (err error) {
	*to, err = cast[T](v)
	return err
}

// await returns a function that waits for the value of an output, which is known in an update.
func await[T any](ctx context.Context, output pulumi.Output) func() (T, error) {
	value := make(chan T, 1)
	apply(output, func(v T) (struct{}, error) {
		value <- v
		return struct{}{}, nil
	})
	return sync.OnceValues(func() (t T, err error) {
		select {
		case t = <-value:
			return t, nil
		case <-ctx.Done():
			return t, ctx.Err()
		}
	})
}
