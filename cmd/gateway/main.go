package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"

	"outrider/internal/config"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	env := environment{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ()}
	os.Exit(env.run(ctx, os.Args[1:]))
}

// environment is what a command sees of the outside.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	helped         func(*flag.FlagSet) // gets the flags that --help would have printed, if set
}

// command is one thing the program does.
type command struct {
	name, args, short string
	run               func(env environment, ctx context.Context, args []string) error
}

func commands() []command {
	return []command{
		{"demo", "", "start everything embedded, with a Graph sandbox and a simulated fleet", environment.demo},
		{"serve", "", "start the gateway", environment.serve},
		{"check", "", "check the settings and reach every dependency", environment.check},
		{"doctor", "", "say what is missing at Meta, and whether everything here is in order", environment.doctor},
		{"inspect", "", "show what devices send, how it is understood, and why it is refused", environment.inspect},
		{"replay", "--geofences FILE", "run recorded fixes through the engine", environment.replay},
		{"geofences", "check FILE|import FILE|export [FILE]", "say of every geofence of a file whether it can be used, or move them in and out", environment.geofences},
		{"keys", "create|list|revoke", "make, list and revoke API keys; create prints the key, once", environment.keys},
		{"copy-db", "", "copy the SQLite store in data.dir into the PostgreSQL database of store.url", environment.copyDB},
		{"backup", "", "write what a gateway keeps, running or not, to a file", environment.backup},
		{"restore", "--from FILE", "put a backup into an empty data.dir", environment.restore},
		{"journal", "accept", "go on in the journal that the settings name, though it is not the one that was written", environment.journal},
		{"support", "", "write what somebody needs who helps to find a fault, without secrets, to a file", environment.support},
		{"migrate", "", "bring the store to this version", environment.migrate},
		{"completion", "bash|zsh|fish", "print a script that makes a shell complete commands and flags", environment.completion},
		{"man", "[PAGE]", "print a page of the manual", environment.man},
		{"version", "", "print the version", environment.printVersion},
	}
}

// purpose is what the program is for.
const purpose = "vehicle positions over MQTT in, Messenger messages out"

// The exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// errUsage marks an error of the command line itself.
var errUsage = errors.New("usage")

func (env environment) run(ctx context.Context, args []string) int {
	if len(args) == 0 {
		args = []string{"help"}
	}
	switch args[0] {
	case "help", "--help", "-h":
		env.usage(env.stdout)
		return exitOK
	case "--version":
		args[0] = "version"
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return env.exit(c, c.run(env, ctx, args[1:]))
		}
	}
	fmt.Fprintf(env.stderr, "gateway: there is no command %q\n\n", args[0])
	env.usage(env.stderr)
	return exitUsage
}

func (env environment) exit(c command, err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.Is(err, errUsage):
		fmt.Fprintf(env.stderr, "gateway %s: %s\n", c.name, strings.TrimSuffix(err.Error(), ": usage"))
		return exitUsage
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(env.stderr, "gateway %s: %s\n", c.name, line)
	}
	return exitError
}

func (env environment) usage(w io.Writer) {
	fmt.Fprintf(w, "gateway: %s\n\n", purpose)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range commands() {
		fmt.Fprintf(tw, "  gateway %s\t%s\n", strings.TrimSpace(c.name+" "+c.args), c.short)
	}
	_ = tw.Flush()
	fmt.Fprint(w, "\nEach command explains itself with --help; docs/config.md lists the settings; gateway man | man -l - is a manual.\n")
}

// flags is a command's flag set. It prints nothing itself: parse does.
func (env environment) flags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return fs
}

// parse reads the command line. An error says in one line what is wrong; --help prints the flags.
func (env environment) parse(fs *flag.FlagSet, args []string) error {
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		env.help(fs)
		return err
	case err != nil:
		return fmt.Errorf("%s: %w", misuse(fs, err), errUsage)
	case fs.NArg() > 0:
		return fmt.Errorf("unexpected argument %q: %w", fs.Arg(0), errUsage)
	}
	return nil
}

// misuse says what is wrong with a flag, and which one may have been meant.
func misuse(fs *flag.FlagSet, err error) string {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return err.Error()
	}
	text := "there is no flag --" + name
	if best := config.Nearest(name); best != "" && fs.Lookup(best) != nil {
		return text + "; did you mean --" + best + "?"
	}
	return text + "; gateway " + fs.Name() + " --help lists them"
}

// help prints what a command does and its flags.
func (env environment) help(fs *flag.FlagSet) {
	if env.helped != nil {
		env.helped(fs)
		return
	}
	for _, c := range commands() {
		if c.name == fs.Name() {
			fmt.Fprintf(env.stdout, "gateway %s: %s\n\n", strings.TrimSpace(c.name+" "+c.args), c.short)
		}
	}
	if text, _ := manual(fs.Name()); text != "" {
		fmt.Fprint(env.stdout, text, "\n\n")
	}
	tw := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	fs.VisitAll(func(f *flag.Flag) {
		o := optionOf(f)
		fmt.Fprintf(tw, "  --%s%s%s\t%s\n", o.name, o.sign(), o.value, o.usage)
	})
	_ = tw.Flush()
}

// settings adds a flag for each setting and one for the file, and returns what reads them once parsed.
func (env environment) settings(fs *flag.FlagSet) func() (config.Config, error) {
	src := config.Source{Read: os.ReadFile, Environ: env.environ, Flags: map[string]string{}}
	fs.StringVar(&src.File, "config", "", "YAML `file` with settings")
	for _, s := range config.Settings() {
		fs.Func(s.Name, optionOfSetting(s).usage, func(v string) error {
			src.Flags[s.Name] = v
			return nil
		})
	}
	return func() (config.Config, error) { return config.Load(src) }
}

// configured reads the settings of a command that has no other flags.
func (env environment) configured(name string, args []string) (config.Config, error) {
	c, _, err := env.configurable(name, args)
	return c, err
}

// configurable is configured with what reads the settings again.
func (env environment) configurable(name string, args []string) (c config.Config, again func() (config.Config, error), err error) {
	fs := env.flags(name)
	load := env.settings(fs)
	if err := env.parse(fs, args); err != nil {
		return config.Config{}, nil, err
	}
	c, err = load()
	return c, load, err
}

func (env environment) printVersion(_ context.Context, args []string) error {
	if err := env.parse(env.flags("version"), args); err != nil {
		return err
	}
	_, err := fmt.Fprintln(env.stdout, "outrider", version)
	return err
}
