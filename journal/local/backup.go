package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// PutFunc takes a file of a backup: its name below the journal's directory, and its content of that size.
type PutFunc func(name string, size int64, content io.Reader) error

// Backup copies a journal that another process may be writing. It is for one goroutine.
//
// ORDER: OpenBackup, State, the store, Log. What the store has committed is in the log then, and no snapshot is ahead of the
// store. Files that are trimmed meanwhile are held open from the beginning, so that nothing behind a snapshot is missing.
type Backup struct {
	dir  string
	open map[string]*os.File // segments, by path
}

// OpenBackup looks at the journal of a directory. Close it.
func OpenBackup(dir string) (*Backup, error) {
	b := &Backup{dir, map[string]*os.File{}}
	if _, err := b.segments(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// segments opens those that are new, and returns all in order.
func (b *Backup) segments() ([]string, error) {
	list, err := listSegments(b.dir)
	if err != nil {
		return nil, fmt.Errorf("journal: back up: %w", err)
	}
	var paths []string
	for path := range b.open {
		paths = append(paths, path)
	}
	for _, s := range list {
		if b.open[s.path] != nil {
			continue
		}
		f, err := os.Open(s.path)
		if errors.Is(err, os.ErrNotExist) {
			continue // trimmed since
		}
		if err != nil {
			return nil, fmt.Errorf("journal: back up: %w", err)
		}
		b.open[s.path] = f
		paths = append(paths, s.path)
	}
	return paths, nil
}

// State copies the number of partitions and the snapshots.
func (b *Backup) State(put PutFunc) error {
	snapshots, err := filepath.Glob(filepath.Join(b.dir, snapshotDir, "*.snapshot"))
	if err != nil {
		return fmt.Errorf("journal: back up: %w", err)
	}
	for _, path := range append([]string{filepath.Join(b.dir, "partitions")}, snapshots...) {
		f, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("journal: back up: %w", err)
		}
		if err := errors.Join(b.copy(path, f, put), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// Log copies the segments. The last one may end within a record, which a start cuts off: nobody was told of it, or it
// came after the store was copied.
func (b *Backup) Log(put PutFunc) error {
	paths, err := b.segments()
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := b.copy(path, b.open[path], put); err != nil {
			return err
		}
	}
	return nil
}

func (b *Backup) copy(path string, f *os.File, put PutFunc) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("journal: back up: %w", err)
	}
	name, err := filepath.Rel(b.dir, path)
	if err != nil {
		return fmt.Errorf("journal: back up: %w", err)
	}
	return put(filepath.ToSlash(name), info.Size(), io.NewSectionReader(f, 0, info.Size()))
}

// Close lets the files go.
func (b *Backup) Close() error {
	var problems []error
	for _, f := range b.open {
		problems = append(problems, f.Close())
	}
	return errors.Join(problems...)
}
