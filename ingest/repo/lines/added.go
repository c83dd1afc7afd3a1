package lines

import (
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/patch"
	"github.com/stemma-dev/stemma/ingest/note"
)

// Added are the lines that a commit added, by path. In a merge they are those
// that no parent has.
func Added(c *history.Commit) map[string][]note.Range {
	added := map[string][]note.Range{}
	for i := range c.Files {
		f := &c.Files[i]
		if f.Status == patch.Deleted || f.Binary || f.Missing || f.Submodule() {
			continue
		}
		var ranges []note.Range
		for _, r := range f.NewLines() {
			ranges = append(ranges, note.Range(r))
		}
		if len(ranges) > 0 {
			added[f.Path] = ranges
		}
	}
	return added
}
