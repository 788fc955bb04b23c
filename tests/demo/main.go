//go:build unix

// Command demo shows the package at work: it runs an example in a language with the real Pulumi CLI in an AWS account
// that moto emulates, says what the account holds then, and takes it all down again. Run it with "make demo". As a
// playground, it gives such an account to a shell: "make playground".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

func main() {
	language := flag.String("language", "yaml", "the program's language: "+strings.Join(lab.Languages, ", "))
	example := flag.String("example", "robot-account", "the program: "+strings.Join(examples, ", "))
	isPlayground := flag.Bool("playground", false, "run a shell, or commands, in place of the demo")
	program := flag.String("program", "", "the folder of the playground's program (default: a copy of the example)")
	commands := flag.String("run", "", "commands for the playground (default: those of the standard input)")
	flag.Parse()
	name := "demo"
	if *isPlayground {
		name = "playground"
	}
	ctx := untilSignal(name)
	err := check(*example, *language)
	switch {
	case err != nil:
	case *isPlayground:
		err = play(ctx, *example, *language, *program, *commands)
	default:
		err = demo(ctx, *example, *language)
	}
	// What failed because of a signal is not worth telling.
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(exitCode(err))
	}
}

// examples are programs in the folder of that name, each in every language. The others need a system besides AWS.
var examples = []string{"robot-account", accessKey, "deployment-role", keyless}

// A signalled error is the end by a signal.
type signalled struct{ syscall.Signal }

func (s signalled) Error() string { return "stopped: " + s.String() }

// exitCode is the code that shells give a command that failed.
func exitCode(err error) int {
	var s signalled
	if errors.As(err, &s) {
		return 128 + int(s.Signal)
	}
	var e exited
	if errors.As(err, &e) {
		return int(e)
	}
	return 1
}

// untilSignal returns a context that ends with the first signal. Those that follow are ignored, for nothing but
// cleaning up is left to be done then. SIGPIPE is one of them: it comes when the reader of the output is gone.
func untilSignal(name string) context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE)
	go func() {
		s, _ := (<-signals).(syscall.Signal)
		fmt.Fprintf(os.Stderr, "\n%s: stopping Pulumi and cleaning up\n", name)
		cancel(signalled{s})
	}()
	return ctx
}

// check checks what the caller asks for.
func check(example, language string) error {
	if !slices.Contains(examples, example) {
		return fmt.Errorf("there is no example %q: the examples are %s", example, strings.Join(examples, ", "))
	}
	if !slices.Contains(lab.Languages, language) {
		return fmt.Errorf("it cannot run a program in %q: the languages are %s", language, strings.Join(lab.Languages, ", "))
	}
	return nil
}

// open starts a lab in a new folder, and returns what ends it and removes the folder.
func open(ctx context.Context, name string, options ...lab.Option) (l *lab.Lab, end func() error, err error) {
	if os.Getenv("CICD_AWS_PLUGIN_KIND") == "" {
		return nil, nil, fmt.Errorf(`this needs the tools of tools/toolchain.mk: run "make %s"`, name)
	}
	repo, err := lab.Repo()
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp(filepath.Join(repo, ".tools"), name+"-")
	if err != nil {
		return nil, nil, err
	}
	fmt.Printf("Starting an AWS account emulated by moto, with Pulumi's state in .tools/%s\n", filepath.Base(dir))
	if l, err = lab.New(ctx, dir, options...); err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return l, func() error {
		l.Close()
		return os.RemoveAll(dir)
	}, nil
}

func demo(ctx context.Context, example, language string) (err error) {
	var options []lab.Option
	if example == keyless {
		options = append(options, lab.ManagedPolicies)
	}
	l, end, err := open(ctx, "demo", options...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	folder := "examples/" + example + "-" + language
	fmt.Printf("Taking the program of %s, with the %s AWS plugin %s\n",
		folder, os.Getenv("CICD_AWS_PLUGIN_KIND"), os.Getenv("CICD_AWS_PLUGIN_VERSION"))
	program, err := l.Program(ctx, language, folder)
	if err != nil {
		return err
	}
	env := l.Env()
	if example == accessKey {
		env["CICD_IAM_WAIT"] = iamWait.String()
		fmt.Printf("An update that makes a key waits %s until it works, as CICD_IAM_WAIT says. In AWS it waits 10 s\n",
			iamWait)
	}
	cli := newCLI(env, program, l.Dir)
	if err := cli.quiet(ctx, "stack", "init", "dev", "--no-select"); err != nil {
		return err
	}
	if language == "go" {
		fmt.Println("The program is compiled first, which takes a while the first time")
	}
	return show(ctx, l, cli, func() error {
		switch example {
		case accessKey:
			if err := showRotation(ctx, l, cli, language); err != nil {
				return err
			}
			return showEmergency(ctx, l, cli, language)
		case keyless:
			return showKeyless(ctx, l, cli)
		}
		return nil
	})
}

// show is the demo itself: an update, then what more there is to show of the example, and the end of it all.
func show(ctx context.Context, l *lab.Lab, cli cli, more func() error) error {
	if err := cli.run(ctx, "up", "--yes"); err != nil {
		return err
	}
	account, err := l.Contents(ctx)
	if err != nil {
		return err
	}
	if len(account.Users) != 1 || len(account.Groups) != 1 {
		return fmt.Errorf("the account holds %d users and %d groups, and not one of each",
			len(account.Users), len(account.Groups))
	}
	fmt.Print("\nWhat the account holds now, from its APIs:\n\n")
	if err := report(os.Stdout, account); err != nil {
		return err
	}
	if err := more(); err != nil {
		return err
	}
	if err := cli.run(ctx, "destroy", "--yes", "--skip-preview"); err != nil {
		return err
	}
	if account, err = l.Contents(ctx); err != nil {
		return err
	}
	left := len(account.Users) + len(account.Groups) + len(account.Roles) + len(account.Providers) +
		len(account.Secrets) + len(account.Parameters)
	if left != 0 {
		return fmt.Errorf("the account still holds %d objects", left)
	}
	fmt.Println("\nThe account is empty again: its APIs list no user, group, role, provider, secret or parameter.")
	return nil
}
