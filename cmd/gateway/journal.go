package main

import (
	"context"
	"fmt"
	"slices"
	"text/tabwriter"

	"outrider/internal/app"
)

// journal is "gateway journal accept".
func (env environment) journal(ctx context.Context, args []string) error {
	if len(args) == 0 || !slices.Contains([]string{"accept", "--help", "-h"}, args[0]) {
		return fmt.Errorf("expected accept: %w", errUsage)
	}
	if args[0] == "accept" {
		args = args[1:]
	}
	fs := env.flags("journal")
	restored := fs.Bool("restored", false, "the journal is a copy of the old one: go on where each partition was, or at its end")
	read := env.settings(fs)
	if err := env.parse(fs, args); err != nil {
		return err
	}
	c, err := read()
	if err != nil {
		return err
	}
	all, err := app.AcceptJournal(ctx, c, *restored)
	if err != nil {
		return err
	}
	tw := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	for _, a := range all {
		fmt.Fprintf(tw, "partition %d\tevaluated up to %d\tgoes on at %d\n", a.Partition, a.Before, a.From)
	}
	fmt.Fprintln(tw, "accepted; start the gateway")
	return tw.Flush()
}
