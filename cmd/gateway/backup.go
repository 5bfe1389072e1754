package main

import (
	"context"
	"fmt"
	"time"

	"outrider/internal/app"
)

// backup is "gateway backup".
func (env environment) backup(ctx context.Context, args []string) error {
	fs := env.flags("backup")
	to := fs.String("to", "", "`file` to write, which must not exist (default outrider-<time>.tar.gz)")
	without := fs.Bool("without-keys", false, "leave secret.key, admin.key and the settings file out; without secret.key page tokens must be entered anew")
	read := env.settings(fs)
	if err := env.parse(fs, args); err != nil {
		return err
	}
	c, err := read()
	if err != nil {
		return err
	}
	if *to == "" {
		*to = time.Now().UTC().Format("outrider-20060102T150405Z.tar.gz")
	}
	m, err := app.Backup(ctx, app.BackupOptions{Config: c, Keys: !*without, File: fs.Lookup("config").Value.String(), Version: version}, *to)
	if err != nil {
		return err
	}
	size := int64(0)
	for _, f := range m.Files {
		size += f.Size
	}
	fmt.Fprintf(env.stdout, "%s: %d files, %d bytes before compression\n", *to, len(m.Files), size)
	if !c.Store.URL.Empty() {
		fmt.Fprintln(env.stderr, "the PostgreSQL database is not in it: back it up with pg_dump, before this command; see docs/operations.md")
	}
	if !c.NATS.URL.Empty() {
		fmt.Fprintln(env.stderr, "the journal in NATS is not in it: back it up with nats account backup, after the database; see docs/operations.md")
	}
	if !*without {
		fmt.Fprintln(env.stderr, "it holds secret.key and admin.key: keep it as you keep them, or use --without-keys")
	}
	return nil
}

// restore is "gateway restore".
func (env environment) restore(_ context.Context, args []string) error {
	fs := env.flags("restore")
	from := fs.String("from", "", "`file` that gateway backup wrote")
	read := env.settings(fs)
	if err := env.parse(fs, args); err != nil {
		return err
	}
	if *from == "" {
		return fmt.Errorf("--from: expected the file that gateway backup wrote: %w", errUsage)
	}
	c, err := read()
	if err != nil {
		return err
	}
	m, err := app.Restore(c, *from)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.stdout, "%d files of %s (version %s) are in %s; start the gateway\n",
		len(m.Files), m.Made.Format(time.RFC3339), m.Version, c.Data.Dir)
	if !c.Store.URL.Empty() {
		fmt.Fprintln(env.stderr, "the PostgreSQL database is restored with pg_restore; see docs/operations.md")
	}
	return err
}
