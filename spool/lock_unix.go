//go:build unix

package spool

import (
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
