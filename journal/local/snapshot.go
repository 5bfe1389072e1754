package local

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"outrider/journal"
)

const snapshotDir = "snapshots"

// SaveSnapshot implements journal.Snapshots.
//
// ORDER: write a new file, fsync it, give it the old one's name, fsync the directory. A crash between any two
// leaves the old snapshot whole.
func (j *Journal) SaveSnapshot(_ context.Context, p int, at journal.Position, write func(io.Writer) error) error {
	path := j.snapshotPath(p)
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("journal: save snapshot: %w", err)
	}
	b := bufio.NewWriterSize(f, 256<<10)
	_, err = fmt.Fprintf(b, "%020d\n", uint64(at))
	if err == nil {
		err = write(b)
	}
	if err = errors.Join(err, b.Flush(), f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("journal: save snapshot: %w", err), os.Remove(path+".new"))
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("journal: save snapshot: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// LoadSnapshot implements journal.Snapshots.
func (j *Journal) LoadSnapshot(_ context.Context, p int) (journal.Position, io.ReadCloser, error) {
	f, err := os.Open(j.snapshotPath(p))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil, journal.ErrNoSnapshot
	}
	if err != nil {
		return 0, nil, fmt.Errorf("journal: load snapshot: %w", err)
	}
	b := bufio.NewReaderSize(f, 256<<10)
	var at uint64
	if _, err := fmt.Fscanf(b, "%d\n", &at); err != nil {
		return 0, nil, errors.Join(fmt.Errorf("%w: %s begins with no position", journal.ErrNoSnapshot, f.Name()), f.Close())
	}
	return journal.Position(at), snapshotReader{b, f}, nil
}

type snapshotReader struct {
	io.Reader
	io.Closer
}

func (j *Journal) snapshotPath(p int) string {
	return filepath.Join(j.o.Dir, snapshotDir, fmt.Sprintf("%d.snapshot", p))
}

// writeDurably writes a small file so that a crash leaves all of it or nothing.
func writeDurably(path string, content []byte) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("journal: write %s: %w", path, err)
	}
	return errors.Join(os.Rename(path+".new", path), syncDir(filepath.Dir(path)))
}
