package spool

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Lock lets one process at a time work on what was captured in the clone that a
// work tree belongs to. It waits for the others until ctx is done.
func (p Place) Lock(ctx context.Context) (unlock func(), err error) {
	dir := filepath.Join(p.Common, "stemma")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	release, err := wait(ctx, f)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("spool: waiting for another process that works on %s: %w", filepath.Base(p.WorkTree), err)
	}
	return func() { release(); _ = f.Close() }, nil
}
