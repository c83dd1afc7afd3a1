//go:build !linux && !darwin

package index

import (
	"errors"
	"io/fs"
	"os"
)

// Look asks the file system whether there is a file. It does not tell enough of
// one here to know that it is clean.
func Look(file string) (s Stat, there bool, err error) {
	if _, err = os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		return s, false, nil
	}
	return s, err == nil, err
}
