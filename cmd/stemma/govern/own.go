package govern

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/policy"
)

// ownDir is where an organisation keeps what it decided.
const ownDir = ".stemma"

// openOwn opens a directory of controls, packs and a policy, out of which nothing leads.
// One that is not there and was not asked for has nothing in it. Links in one that is to be
// committed are faults: a commit does not have what they lead to.
func openOwn(dir string, asked bool) (fs.FS, error) {
	whole, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	committed := filepath.Base(whole) == ownDir
	if info, err := os.Lstat(whole); committed && err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return nil, &policy.Fault{Why: "it is a symbolic link, which a commit does not follow, and check would find no rules: put the directory itself there"}
	}
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
	return root.FS(), links(root.FS(), committed)
}

// links finds symbolic links in the place of what is read: those that lead out of the directory, and
// all of one that is committed.
func links(dir fs.FS, committed bool) error {
	var faults []error
	err := fs.WalkDir(dir, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.Type()&fs.ModeSymlink == 0 || !needed(path.Join(own, name)) {
			return err
		}
		if committed {
			faults = append(faults, &policy.Fault{Place: name, Why: "it is a symbolic link, which a commit does not follow: put what it stands for in its place"})
		} else if _, err := fs.Stat(dir, name); err != nil {
			faults = append(faults, &policy.Fault{Place: name, Why: "it is a symbolic link that leads nowhere, or out of the directory: put what it stands for in its place"})
		}
		return nil
	})
	return errors.Join(append(faults, err)...)
}

// located makes the places of faults begin with the directory that they are in.
func located(dir string, err error) error {
	faults := policy.Faults(err)
	for _, f := range faults {
		f.Place = filepath.Join(dir, f.Place)
	}
	return err
}
