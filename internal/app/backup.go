package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"outrider/internal/backup"
	"outrider/internal/config"
	"outrider/journal/local"
	"outrider/store/sqlite"
)

// The names in data.dir.
const (
	storeFile  = "outrider.db"
	journalDir = "journal"
)

// keyFiles are the secrets in data.dir, which a backup may leave out.
func keyFiles() []string { return []string{"secret.key", "admin.key"} }

// BackupOptions say what a backup is of.
type BackupOptions struct {
	Config  config.Config
	Keys    bool   // with the keys of data.dir: page tokens can be opened with them
	File    string // of the settings, which goes with the keys; empty: none
	Version string // of this program; empty: "dev"
}

// Backup writes what a gateway with these settings keeps in data.dir to a new file. The gateway may be running. A
// PostgreSQL database is not in it, nor a journal in NATS: whoever backs those up does so before, the database first.
func Backup(ctx context.Context, o BackupOptions, path string) (m backup.Manifest, err error) {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return m, fmt.Errorf("app: backup: %w", err)
	}
	defer func() {
		if err = errors.Join(err, out.Close()); err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	w := backup.NewWriter(out, cmp.Or(o.Version, "dev"), time.Now())
	if err := o.write(ctx, w, filepath.Dir(path)); err != nil {
		return m, err
	}
	if m, err = w.Close(); err != nil {
		return m, err
	}
	return m, out.Sync()
}

// write copies in the order that makes the parts fit each other; see [local.Backup].
func (o BackupOptions) write(ctx context.Context, w *backup.Writer, scratch string) (err error) {
	dir := o.Config.Data.Dir
	store := func() error {
		if !o.Config.Store.URL.Empty() {
			return nil
		}
		return putStore(ctx, w, filepath.Join(dir, storeFile), scratch)
	}
	if o.Config.NATS.URL.Empty() {
		err = o.writeJournal(ctx, w, store)
	} else {
		err = store()
	}
	if err != nil {
		return err
	}
	if !o.Keys {
		return nil
	}
	for _, name := range keyFiles() {
		if err := putFile(w, name, filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if o.File == "" {
		return nil
	}
	return putFile(w, "settings.yaml", o.File)
}

// writeJournal copies a journal in files around the store.
func (o BackupOptions) writeJournal(ctx context.Context, w *backup.Writer, store func() error) (err error) {
	log, err := local.OpenBackup(filepath.Join(o.Config.Data.Dir, journalDir))
	if err != nil {
		return fmt.Errorf("app: backup: %w", err)
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	put := func(name string, size int64, content io.Reader) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return w.Put(journalDir+"/"+name, size, content)
	}
	if err := log.State(put); err != nil {
		return err
	}
	if err := store(); err != nil {
		return err
	}
	return log.Log(put)
}

// putStore copies the SQLite file. The copy needs room beside the backup while it is made.
func putStore(ctx context.Context, w *backup.Writer, path, scratch string) error {
	dir, err := os.MkdirTemp(scratch, ".backup-*")
	if err != nil {
		return fmt.Errorf("app: backup: %w", err)
	}
	copied := filepath.Join(dir, storeFile)
	err = sqlite.Copy(ctx, path, copied)
	if err == nil {
		err = putFile(w, storeFile, copied)
	}
	return errors.Join(err, os.RemoveAll(dir))
}

func putFile(w *backup.Writer, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("app: backup: %w", err)
	}
	info, err := f.Stat()
	if err == nil {
		err = w.Put(name, info.Size(), f)
	}
	return errors.Join(err, f.Close())
}

// Restore puts a backup into data.dir, which must be empty or missing: all of it, or nothing.
func Restore(c config.Config, path string) (m backup.Manifest, err error) {
	dir := c.Data.Dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return m, fmt.Errorf("app: data.dir: %w", err)
	}
	if there, err := os.ReadDir(dir); err != nil || len(there) > 0 {
		return m, errors.Join(fmt.Errorf("app: restore: %s is not empty: move away what is there, or name another data.dir", dir), err)
	}
	in, err := os.Open(path)
	if err != nil {
		return m, fmt.Errorf("app: restore: %w", err)
	}
	defer in.Close()
	draft, err := os.MkdirTemp(dir, ".restore-*")
	if err != nil {
		return m, fmt.Errorf("app: restore: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(draft)) }()
	if m, err = backup.Extract(in, draft); err != nil {
		return m, err
	}
	return m, settleIn(draft, dir)
}

// settleIn moves what was unpacked and checked to its place, durably.
func settleIn(draft, dir string) error {
	files, err := os.ReadDir(draft)
	err = errors.Join(err, syncDirs(draft))
	for _, f := range files {
		err = errors.Join(err, os.Rename(filepath.Join(draft, f.Name()), filepath.Join(dir, f.Name())))
	}
	if err = errors.Join(err, syncDirs(dir)); err != nil {
		return fmt.Errorf("app: restore: %w", err)
	}
	return nil
}

// syncDirs makes the names in a directory, and in those below it, durable.
func syncDirs(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		dir, err := os.Open(path)
		if err != nil {
			return err
		}
		return errors.Join(dir.Sync(), dir.Close())
	})
}
