package app

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"outrider/identity"
	"outrider/internal/backup"
	"outrider/internal/config"
)

// goroutines writes what every goroutine is doing.
func goroutines(w io.Writer) error { return pprof.Lookup("goroutine").WriteTo(w, 1) }

// askedMost is the longest answer of the running gateway that is taken along, in bytes.
const askedMost = 64 << 20

// Support writes what somebody needs who helps to find a fault: version, settings, health, metrics, the end of the log, what the
// goroutines do, what the doctor finds, and which files there are. No secret is in it; names of pages and
// ids of vehicles and owners may be. The gateway should be running, but need not.
func Support(ctx context.Context, c config.Config, version string, w io.Writer) error {
	s := &support{ctx: ctx, c: c, secrets: secretsOf(ctx, c)}
	out := backup.NewWriter(w, version, time.Now())
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"about.txt", func(w io.Writer) error { return about(w, version) }},
		{"settings.txt", s.settings}, {"files.txt", s.files}, {"doctor.txt", s.doctor},
		{"ready.json", s.asked("/readyz")}, {"metrics.txt", s.asked("/metrics")},
		{"log.txt", s.asked("/debug/log")}, {"goroutines.txt", s.asked("/debug/goroutines")},
	} {
		var text bytes.Buffer
		if err := f.write(&text); err != nil {
			fmt.Fprintf(&text, "\nnot complete: %v\n", err)
		}
		clean := s.clean(text.String())
		if err := out.Put(f.name, int64(len(clean)), strings.NewReader(clean)); err != nil {
			return err
		}
	}
	_, err := out.Close()
	return err
}

// support is one bundle.
type support struct {
	ctx     context.Context
	c       config.Config
	secrets []string // what must not be in it
}

// clean is the second net: types that print REDACTED are the first.
func (s *support) clean(text string) string {
	for _, secret := range s.secrets {
		text = strings.ReplaceAll(text, secret, "REDACTED")
	}
	return text
}

// shortest is the length from which on a secret is looked for: shorter ones would be found in everything.
const shortest = 6

// secretsOf is every secret that can be known here: of the settings, of data.dir, and of the store.
func secretsOf(ctx context.Context, c config.Config) []string {
	all := []identity.Token{
		c.Data.Key, c.Lex.Key, c.Lex.Secret, c.MQTT.Password, c.Store.URL, c.NATS.URL, c.Facebook.AppSecret, c.Facebook.VerifyToken,
		c.Admin.Key, c.Metrics.Key,
	}
	all = append(all, slices.Concat(passwords(c.NATS.URL), passwords(c.Store.URL))...)
	for _, name := range keyFiles() {
		if text, err := os.ReadFile(filepath.Join(c.Data.Dir, name)); err == nil {
			all = append(all, identity.NewToken(strings.TrimSpace(string(text))))
		}
	}
	if _, err := os.Stat(filepath.Join(c.Data.Dir, storeFile)); err != nil && c.Store.URL.Empty() {
		return revealed(all) // opening would make one
	}
	if store, err := OpenStore(ctx, c); err == nil {
		if records, err := store.Identities(ctx); err == nil {
			for i := range records.Pages {
				all = append(all, records.Pages[i].AccessToken)
			}
			for i := range records.Owners {
				all = append(all, records.Owners[i].Fallback)
			}
		}
		_ = store.Close()
	}
	return revealed(all)
}

// passwords are those in a list of URLs, which may be said without the rest of it.
func passwords(urls identity.Token) []identity.Token {
	var all []identity.Token
	for part := range strings.SplitSeq(urls.Reveal(), ",") {
		if u, err := url.Parse(strings.TrimSpace(part)); err == nil {
			if password, ok := u.User.Password(); ok {
				all = append(all, identity.NewToken(password))
			} else if u.User != nil {
				all = append(all, identity.NewToken(u.User.Username())) // a token of NATS
			}
		}
	}
	return all
}

func revealed(all []identity.Token) []string {
	var texts []string
	for _, t := range all {
		if text := t.Reveal(); len(text) >= shortest {
			texts = append(texts, text)
		}
	}
	return texts
}

func about(w io.Writer, version string) error {
	fmt.Fprintf(w, "outrider %s\n%s %s/%s, %d processors\n%s\n\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(),
		time.Now().UTC().Format(time.RFC3339))
	if info, ok := debug.ReadBuildInfo(); ok {
		fmt.Fprintln(w, info)
	}
	return nil
}

func (s *support) settings(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, x := range s.c.Shown() {
		fmt.Fprintf(tw, "%s\t%s\t%s\n", x.Name, cmp.Or(x.Value, "-"), x.Source)
	}
	return tw.Flush()
}

func (s *support) files(w io.Writer) error {
	return filepath.WalkDir(s.c.Data.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			fmt.Fprintf(w, "%v %12d %s %s\n", info.Mode(), info.Size(), info.ModTime().UTC().Format(time.RFC3339), path)
		}
		return nil // it has gone meanwhile
	})
}

func (s *support) doctor(w io.Writer) error {
	for _, d := range Doctor(s.ctx, s.c, nil) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", d.Health, d.Part, d.Name, d.Text, d.Advice)
	}
	return nil
}

// asked is what the running gateway says.
func (s *support) asked(path string) func(io.Writer) error {
	return func(w io.Writer) error {
		client, err := localClient(s.c.HTTP)
		if err != nil {
			return err
		}
		defer client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(s.ctx, checkWithin)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.c.HTTP.Scheme()+"://"+s.c.HTTP.Listen+path, nil)
		if err != nil {
			return err
		}
		key := s.c.Admin.Key.Reveal()
		if text, err := os.ReadFile(filepath.Join(s.c.Data.Dir, "admin.key")); key == "" && err == nil {
			key = strings.TrimSpace(string(text))
		}
		req.Header.Set("Authorization", "Bearer "+key)
		res, err := client.Do(req)
		if err != nil {
			return fmt.Errorf("the gateway does not answer: %w", err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			fmt.Fprintln(w, res.Status)
		}
		_, err = io.Copy(w, io.LimitReader(res.Body, askedMost))
		return err
	}
}
