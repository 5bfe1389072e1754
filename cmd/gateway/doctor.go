package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"outrider/internal/app"
)

var errUnhealthy = errors.New("something that is meant to work does not: see FAIL above")

func (env environment) doctor(ctx context.Context, args []string) error {
	c, err := env.configured("doctor", args)
	if err != nil {
		return err
	}
	found := app.Doctor(ctx, c, nil)
	printDiagnoses(env.stdout, found)
	for _, d := range found {
		if d.Health == app.Broken {
			return errUnhealthy
		}
	}
	return nil
}

// printDiagnoses writes them by part, each with what to do under it.
func printDiagnoses(w io.Writer, found []app.Diagnosis) {
	width, part := 0, ""
	for _, d := range found {
		width = max(width, len(d.Name))
	}
	for _, d := range found {
		if d.Part != part {
			if part != "" {
				fmt.Fprintln(w)
			}
			part = d.Part
			fmt.Fprintln(w, part)
		}
		fmt.Fprintf(w, "  %-4s  %-*s  %s\n", d.Health, width, d.Name, d.Text)
		if d.Advice != "" {
			fmt.Fprintf(w, "  %s→ %s\n", strings.Repeat(" ", 4+2+width+2), d.Advice)
		}
	}
}
