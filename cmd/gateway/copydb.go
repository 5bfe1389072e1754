package main

import (
	"context"
	"fmt"

	"outrider/internal/app"
)

// copyDB moves an installation from SQLite to PostgreSQL.
func (env environment) copyDB(ctx context.Context, args []string) error {
	c, err := env.configured("copy-db", args)
	if err != nil {
		return err
	}
	all := 0
	err = app.CopyDB(ctx, c, func(table string, rows int) {
		all += rows
		fmt.Fprintf(env.stdout, "%-14s %9d rows\n", table, rows)
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.stdout, "%d rows copied; start the gateway with the same store.url and data.dir\n", all)
	return err
}
