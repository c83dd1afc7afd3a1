// Package catalogue has the controls and the packs that come with the program, as the data
// files beside it, and puts them together with what an organisation keeps in .stemma: a
// policy, controls of its own and packs of its own.
package catalogue

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/stemma-dev/stemma/policy"
)

//go:embed controls/*.yaml packs/*.yaml
var files embed.FS

// Controls are all that come with the program, by their ids, ready to judge.
var Controls = sync.OnceValues(func() ([]*policy.Control, error) {
	list, err := each(files, "controls", policy.ParseControls)
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	slices.SortFunc(list, func(a, b *policy.Control) int { return strings.Compare(a.ID, b.ID) })
	return list, nil
})

// Packs are all that come with the program, by their ids.
var Packs = sync.OnceValues(func() ([]*policy.Pack, error) {
	list, err := each(files, "packs", policy.ParsePacks)
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	slices.SortFunc(list, func(a, b *policy.Pack) int { return strings.Compare(a.ID, b.ID) })
	for _, p := range list {
		p.Ours = true
	}
	return list, nil
})

// Bounds of what an organisation keeps.
const (
	maxFiles = 1000
	maxBytes = 1 << 20 // of a file; the parsers refuse what is larger
)

// Read reads what a directory .stemma holds: policy.yaml with the files that it names,
// controls/*.yaml and packs/*.yaml, all of which may be missing, beside what comes with the program. A file that looks like one of these and would not be read is a fault. All faults
// are told; what has none is given all the same. A nil directory holds nothing.
func Read(dir fs.FS) (policy.Known, error) {
	controls, err := Controls()
	if err != nil {
		return policy.Known{}, err
	}
	packs, err := Packs()
	if err != nil {
		return policy.Known{}, err
	}
	known := policy.Known{Controls: controls, Packs: slices.Clone(packs)}
	if dir == nil {
		return known, nil
	}
	elsewhere := misplaced(dir)
	own, ownFault := each(dir, "controls", policy.ParseControls)
	more, packFault := each(dir, "packs", policy.ParsePacks)
	known.Own, known.Packs = own, append(known.Packs, more...)
	body, err := readFile(dir, "policy.yaml")
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	} else if err == nil {
		known.Policy, err = policy.ParsePolicyBeside("policy.yaml", body, func(name string) ([]byte, error) { return readFile(dir, name) })
	}
	return known, errors.Join(err, ownFault, packFault, elsewhere)
}

// Load makes the set that is in force by a directory .stemma: see [Read]. Packs that are
// named are in force in the place of those that its policy names. A fault anywhere gives no
// set.
func Load(dir fs.FS, packs ...string) (*policy.Set, error) {
	known, err := Read(dir)
	if err != nil {
		return nil, err
	}
	if len(packs) > 0 {
		known.Policy.Packs = packs
	}
	return policy.NewSet(known)
}

// each parses every file of a directory, by name.
func each[T any](dir fs.FS, name string, parse func(place string, body []byte) ([]T, error)) ([]T, error) {
	entries, err := fs.ReadDir(dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(entries) > maxFiles {
		return nil, &policy.Fault{Place: name, Why: fmt.Sprintf("it has more than %d files", maxFiles)}
	}
	var list []T
	var faults []error
	for _, e := range entries {
		if e.IsDir() || !isRead(e.Name()) {
			continue
		}
		place := name + "/" + e.Name()
		body, err := readFile(dir, place)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		found, err := parse(place, body)
		list, faults = append(list, found...), append(faults, err)
	}
	return list, errors.Join(faults...)
}

// readFile reads a file that is one, and not too large.
func readFile(dir fs.FS, name string) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, &policy.Fault{Place: name, Why: "it is no file"}
	case info.Size() > maxBytes:
		return nil, &policy.Fault{Place: name, Why: fmt.Sprintf("the file is larger than %d bytes", maxBytes)}
	}
	body, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return body, nil
}
