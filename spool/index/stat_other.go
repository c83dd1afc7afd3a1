//go:build !linux && !darwin

package index

import (
	"errors"
	"io/fs"
	"os"
)

// Exact is whether the file system tells enough of a file to know that it is clean.
const Exact = false

// Look asks the file system whether there is a file. It does not tell enough of
// one here to know that it is clean.
func Look(file string) (s Stat, there bool, err error) {
	if _, err = os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		return s, false, nil
	}
	return s, err == nil, err
}
