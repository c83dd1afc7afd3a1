package vault

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncFileSystem makes durable everything written to the file system of dir.
// Since Linux 5.8 it also reports what could not be written.
func syncFileSystem(dir string) (done bool, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return false, err
	}
	err = unix.Syncfs(int(f.Fd()))
	return true, errors.Join(err, f.Close())
}
