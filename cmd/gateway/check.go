package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"outrider/internal/app"
)

var errUnready = errors.New("not everything is in order")

func (env environment) check(ctx context.Context, args []string) error {
	c, err := env.configured("check", args)
	if err != nil {
		return err
	}
	failed := false
	tw := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "ok\tsettings\tall accepted\n")
	for _, f := range app.Check(ctx, c) {
		if f.Err != nil {
			failed = true
			for line := range strings.SplitSeq(f.Err.Error(), "\n") {
				fmt.Fprintf(tw, "FAIL\t%s\t%s\n", f.Name, line)
			}
			continue
		}
		fmt.Fprintf(tw, "ok\t%s\t%s\n", f.Name, f.Detail)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if failed {
		return errUnready
	}
	return nil
}

func (env environment) migrate(ctx context.Context, args []string) error {
	c, err := env.configured("migrate", args)
	if err != nil {
		return err
	}
	s, err := app.OpenStore(ctx, c)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = fmt.Fprintln(env.stdout, "the store is at this version")
	return err
}
