// Package catalogue has the controls that come with the program, and the packs that put
// them together, as the data files beside it.
package catalogue

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/stemma-dev/stemma/policy"
)

//go:embed controls/*.yaml
var files embed.FS

// Controls are all of them, by their ids, ready to judge.
var Controls = sync.OnceValues(func() ([]*policy.Control, error) {
	var list []*policy.Control
	err := fs.WalkDir(files, "controls", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		found, err := policy.ParseControls(path, body)
		list = append(list, found...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	slices.SortFunc(list, func(a, b *policy.Control) int { return strings.Compare(a.ID, b.ID) })
	return list, nil
})
