package govern

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/catalogue"
)

// ownDir is where an organisation keeps what it decided.
const ownDir = ".stemma"

// openOwn opens a directory of controls, packs and a policy, out of which nothing leads.
// One that is not there and was not asked for has nothing in it. Links in one that is to be
// committed are faults where rules would be: a commit does not have what they lead to. The directory
// is given beside such faults.
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
	return links(root.FS(), committed)
}

// links finds symbolic links: those that lead out of the directory, and all of one that is committed.
// Those in the place of what is read by its name are faults. The directory is given without any of
// them, so that what is beside them can be read.
func links(dir fs.FS, committed bool) (fs.FS, error) {
	gone := map[string]bool{}
	var faults []error
	err := fs.WalkDir(dir, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.Type()&fs.ModeSymlink == 0 {
			return err
		}
		why := "it is a symbolic link, which a commit does not follow: put what it stands for in its place"
		if !committed {
			if _, err := fs.Stat(dir, name); err == nil {
				return nil
			}
			why = "it is a symbolic link that leads nowhere, or out of the directory: put what it stands for in its place"
		}
		gone[name] = true
		if catalogue.Ours(name) {
			faults = append(faults, &policy.Fault{Place: name, Why: why})
		}
		return nil
	})
	return unlinked{dir, gone}, errors.Join(append(faults, err)...)
}

// unlinked is a directory without some symbolic links in it. What is read by its name is missing if it
// is one, which was told where they were found; of what a policy names it is told here, as nobody
// knows before which files these are.
type unlinked struct {
	fs.FS
	links map[string]bool
}

// Open opens a file that is no link, and lies behind none.
func (u unlinked) Open(name string) (fs.File, error) {
	for at := name; at != "." && fs.ValidPath(name); at = path.Dir(at) { // what is no path is refused below
		switch {
		case !u.links[at]:
		case catalogue.Ours(at):
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		default:
			return nil, &policy.Fault{Place: at, Why: "it is or lies behind a symbolic link, which is not followed here: put what that stands for in its place"}
		}
	}
	return u.FS.Open(name)
}

// ReadDir lists a directory without the links.
func (u unlinked) ReadDir(name string) ([]fs.DirEntry, error) {
	if u.links[name] {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	list, err := fs.ReadDir(u.FS, name)
	return slices.DeleteFunc(list, func(e fs.DirEntry) bool { return u.links[path.Join(name, e.Name())] }), err
}

// located makes the places of faults begin with the directory that they are in.
func located(dir string, err error) error {
	faults := policy.Faults(err)
	for _, f := range faults {
		f.Place = filepath.Join(dir, f.Place)
	}
	return err
}
