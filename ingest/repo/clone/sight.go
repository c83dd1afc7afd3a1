package clone

import "slices"

// A Mark is what is remembered of the clones of a repository.
type Mark struct {
	Path   string            `json:"path"`             // where it was found last
	Refs   string            `json:"refs"`             // digest of all refs then
	Heads  []string          `json:"heads"`            // they and all they reach were read
	Landed map[string]string `json:"landed"`           // by branch, the tip up to which changes are known
	Clones []Sight           `json:"clones,omitempty"` // what each clone showed, the last read one last
}

// A Sight is what one clone showed when it was read last. Clones of one
// repository are read in turn and lag behind one another; only what the same
// clone showed before tells something that was taken back from something that
// has not arrived.
type Sight struct {
	Path    string            `json:"path"`
	Born    int64             `json:"born"`              // see [Repo.born]
	Branch  string            `json:"branch,omitempty"`  // its default branch
	Tip     string            `json:"tip,omitempty"`     // and where that was
	Records map[string]string `json:"records,omitempty"` // what its refs of line records pointed to
	Tags    map[string]string `json:"tags,omitempty"`    // its tags, with the beginning of what they point to
	Silent  []string          `json:"silent,omitempty"`  // its refs about which there was a gap
}

// maxSights bounds how many clones are remembered, those read last.
const maxSights = 16

// Before is what a clone showed when it was read last; empty if it was not.
func (m *Mark) Before(r *Repo) Sight {
	place, born := r.Place(), r.born()
	for _, c := range m.Clones {
		if c.Path == place && c.Born == born {
			return c
		}
	}
	return Sight{}
}

// Sights are those of the mark with what this clone shows now; records is
// where its refs of line records point, silent the refs about which there is a gap.
func (m *Mark) Sights(r *Repo, records map[string]string, silent []string) []Sight {
	now := Sight{Path: r.Place(), Born: r.born(), Branch: r.BranchName(), Tip: r.Tip, Records: records, Tags: r.Tags(), Silent: silent}
	all := slices.DeleteFunc(slices.Clone(m.Clones), func(c Sight) bool { return c.Path == now.Path })
	all = append(all, now)
	return all[max(0, len(all)-maxSights):]
}
