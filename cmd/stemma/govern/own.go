package govern

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/policy"
)

// ownDir is where an organisation keeps what it decided.
const ownDir = ".stemma"

// openOwn opens a directory of controls, packs and a policy, out of which nothing leads.
// One that is not there and was not asked for has nothing in it.
func openOwn(dir string, asked bool) (fs.FS, error) {
	root, err := os.OpenRoot(dir)
	if info, failed := os.Stat(dir); failed == nil && !info.IsDir() {
		err = errors.New("it is a file, and a directory is needed")
	}
	if errors.Is(err, fs.ErrNotExist) && !asked {
		return nil, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("controls: there is no %s here: %w", dir, fs.ErrNotExist)
		if filepath.IsAbs(dir) {
			err = fmt.Errorf("controls: there is no directory %s: %w", dir, fs.ErrNotExist)
		}
		return nil, stemma.WithHint(err, "name the directory that has policy.yaml, controls/ and packs/")
	}
	if err != nil {
		return nil, stemma.WithHint(fmt.Errorf("controls: opening %s: %w", dir, err), "name the directory that has policy.yaml, controls/ and packs/")
	}
	return root.FS(), nil
}

// located makes the places of faults begin with the directory that they are in.
func located(dir string, err error) error {
	faults := policy.Faults(err)
	for _, f := range faults {
		f.Place = filepath.Join(dir, f.Place)
	}
	return err
}
