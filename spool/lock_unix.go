//go:build unix

package spool

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// nonblock keeps the opening of a pipe from waiting for its other end.
const nonblock = syscall.O_NONBLOCK

// patience is how many milliseconds a hook waits for another one. Then it writes
// all the same: a hook that hangs must not make an agent wait, and a line that
// gets mixed with another is found by its sum.
const patience = 100

// lock waits until no other process writes to f.
func lock(f *os.File) (unlock func()) {
	for range patience {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return func() {}
}

// wait waits until no other process has f locked.
func wait(ctx context.Context, f *os.File) (release func(), err error) {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }, nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}
