// Command simulator drives a fleet over MQTT, or plays Facebook's Graph API, for whoever builds or tests a
// gateway.
//
//	simulator fleet --broker tcp://127.0.0.1:1883 --vehicles 100 --duration 5m --truth truth.ndjson
//	simulator graph --listen 127.0.0.1:8090 --page 500:Fleet:page-token --person 500:7001:Ann
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "simulator:", err)
		os.Exit(1)
	}
}

const usage = `simulator drives a fleet over MQTT, or plays Facebook's Graph API.

  simulator fleet   publish a fleet that knows exactly what it crossed
  simulator graph   answer as graph.facebook.com does, and send signed webhooks

Each takes --help.
`

// run is the program with its surroundings as arguments.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case "fleet":
			return runFleet(ctx, args[1:], out)
		case "graph":
			return runGraph(ctx, args[1:], in, out)
		case "help", "-h", "-help", "--help":
			fmt.Fprint(out, usage)
			return nil
		}
	}
	fmt.Fprint(out, usage)
	return fmt.Errorf("want a command: fleet or graph")
}
