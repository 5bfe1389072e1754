package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"outrider/internal/app"
)

// support is "gateway support".
func (env environment) support(ctx context.Context, args []string) error {
	fs := env.flags("support")
	to := fs.String("to", "", "`file` to write, which must not exist (default outrider-support-<time>.tar.gz)")
	read := env.settings(fs)
	if err := env.parse(fs, args); err != nil {
		return err
	}
	c, err := read()
	if err != nil {
		return err
	}
	if *to == "" {
		*to = time.Now().UTC().Format("outrider-support-20060102T150405Z.tar.gz")
	}
	out, err := os.OpenFile(*to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(app.Support(ctx, c, version, out), out.Close()); err != nil {
		return errors.Join(err, os.Remove(*to))
	}
	_, err = fmt.Fprintf(env.stdout, "%s: no secret is in it, but names and ids may be; look into it before you send it\n", *to)
	return err
}
