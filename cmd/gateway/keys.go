package main

import (
	"context"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"outrider/internal/app"
)

// keys is "gateway keys create|list|revoke".
func (env environment) keys(ctx context.Context, args []string) error {
	if len(args) == 0 || !slices.Contains([]string{"create", "list", "revoke", "--help", "-h"}, args[0]) {
		return fmt.Errorf("expected create, list or revoke: %w", errUsage)
	}
	fs := env.flags("keys")
	tenant := fs.String("tenant", "default", "`tenant` that the key acts on")
	name := fs.String("name", "", "`name` by which people know the key")
	role := fs.String("role", "viewer", "what it may do: `viewer|operator|admin`")
	life := fs.Duration("life", 0, "`duration` for which it is good, as 720h; 0: for ever")
	id := fs.String("id", "", "`id` of the key to revoke")
	read := env.settings(fs)
	if args[0] == "create" || args[0] == "list" || args[0] == "revoke" {
		if err := env.parse(fs, args[1:]); err != nil {
			return err
		}
	} else if err := env.parse(fs, args); err != nil {
		return err
	}
	c, err := read()
	if err != nil {
		return err
	}
	k, err := app.OpenKeys(ctx, c)
	if err != nil {
		return err
	}
	defer k.Close()
	switch args[0] {
	case "create":
		return env.createKey(ctx, k, app.KeyWish{Tenant: *tenant, Name: *name, Role: *role, Life: *life})
	case "revoke":
		if err := k.Revoke(ctx, *tenant, *id); err != nil {
			return err
		}
		_, err = fmt.Fprintf(env.stdout, "the key %s is revoked\n", *id)
		return err
	}
	return env.listKeys(ctx, k, *tenant)
}

// createKey prints the key alone on standard output, so that a script can take it, and the rest beside it.
func (env environment) createKey(ctx context.Context, k *app.Keys, w app.KeyWish) error {
	key, secret, err := k.Create(ctx, w)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stderr, "key %s of tenant %s, %s; it is shown once:\n", key.ID, key.Tenant, key.Role)
	_, err = fmt.Fprintln(env.stdout, secret.Reveal())
	return err
}

func (env environment) listKeys(ctx context.Context, k *app.Keys, tenant string) error {
	all, err := k.List(ctx, tenant)
	if err != nil {
		return err
	}
	tw := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "ID\tROLE\tNAME\tCREATED\tEXPIRES\tLAST USED")
	for _, x := range all {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", x.ID, x.Role, x.Name, day(x.Created), day(x.Expires), day(x.Used))
	}
	return tw.Flush()
}

func day(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}
