package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Copy writes what the file at path holds at this moment to a new file. Others may go on writing meanwhile.
func Copy(ctx context.Context, path, to string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("sqlite: %w", err) // opening would make an empty one
	}
	db, err := open(path, 1)
	if err != nil {
		return err
	}
	if _, err = db.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		err = fmt.Errorf("sqlite: copy %s: %w", path, err)
	}
	return errors.Join(err, db.Close())
}
