package catalogue

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/stemma-dev/stemma/policy"
)

// meant are names of files and directories under which people keep controls, packs and a policy,
// with the one that is read. What else is in the directory, such as the rules of alerts, is none of
// ours.
var meant = map[string]string{
	"control": "controls", "controls": "controls", "pack": "packs", "packs": "packs", "policy": "policy.yaml", "policies": "policy.yaml",
}

// misplaced finds files that look like ours and are not read where they lie: nothing that they say would
// be in force, and nobody would notice.
func misplaced(dir fs.FS) error {
	entries, err := fs.ReadDir(dir, ".")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var faults []error
	wrong := func(place, instead string) {
		faults = append(faults, &policy.Fault{Place: place, Why: "it would not be read: " + instead})
	}
	for _, e := range entries {
		name := e.Name()
		stem, ext := strings.ToLower(strings.TrimSuffix(name, path.Ext(name))), path.Ext(name)
		switch of := meant[stem]; {
		case name == ".stemma":
			wrong(name, "name that directory itself")
		case of == "" || name == of && !e.IsDir():
		case isYAML(name) && of == "policy.yaml":
			wrong(name, "call it policy.yaml")
		case isYAML(name):
			wrong(name, "put it into "+of+"/")
		case ext == "":
			faults = append(faults, below(dir, name, of, wrong))
		}
	}
	return errors.Join(faults...)
}

// Ours reports whether what has this name in the directory is read by it, or looks like it and is told as
// misplaced. Of files that a policy names nobody knows before that is read.
func Ours(name string) bool {
	top, _, isBelow := strings.Cut(name, "/")
	ext := path.Ext(top)
	switch of := meant[strings.ToLower(strings.TrimSuffix(top, ext))]; {
	case top == ".stemma":
		return true
	case of == "":
		return false
	case isBelow: // what has no ending may stand for a directory
		return ext == "" && (isYAML(name) || path.Ext(name) == "")
	}
	return ext == "" || isYAML(name)
}

// below finds them in a directory, of whose files those are read that lie in it by the right name.
func below(dir fs.FS, name, of string, wrong func(place, instead string)) error {
	seen := 0
	return fs.WalkDir(dir, name, func(place string, e fs.DirEntry, err error) error {
		switch seen++; {
		case err != nil:
			return err
		case seen > maxFiles:
			return &policy.Fault{Place: name, Why: fmt.Sprintf("it has more than %d files", maxFiles)}
		case e.IsDir() || !isYAML(place):
		case of == "policy.yaml":
			wrong(place, "the policy is policy.yaml, beside controls/ and packs/")
		case path.Dir(place) != of:
			wrong(place, "put it into "+of+"/ itself")
		case !isRead(place):
			wrong(place, "let its name end in .yaml")
		}
		return nil
	})
}

// isYAML reports whether a file is YAML by its name, however that is written.
func isYAML(name string) bool { return isRead(strings.ToLower(name)) }

// isRead reports whether a file of controls or packs is read by its name.
func isRead(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}
