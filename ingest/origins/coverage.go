package origins

import (
	"context"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/ingest/note"
)

// A Covered is how many of the lines that a commit added are whose, as far as
// records tell.
type Covered struct {
	git.Commit
	Lines, AI, Human, Unknown int
	Why                       string // nothing is known of the unknown lines; "" if some are not spoken of
	Agents                    []string
}

// Coverage tells it of commits, given by id, in their order. It takes the same
// few processes however many they are.
func (b *Repo) Coverage(ctx context.Context, ids []string) ([]Covered, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	cat, err := b.CatFile(ctx, note.MaxRecord)
	if err != nil {
		return nil, err
	}
	defer cat.Kill()
	set := newRecordSet(cat, b.refs, b.own, b.Sent)
	if err := set.read(ids); err != nil {
		return nil, err
	}
	var list []Covered
	o := history.Options{Tips: ids, Only: true, MaxLine: 1, MaxFileText: 1, MaxCommitText: 1}
	for c, err := range history.Log(ctx, b.Repo, o) {
		if err != nil {
			return nil, err
		}
		list = append(list, set.covered(c))
	}
	return list, nil
}

func (set *recordSet) covered(c *history.Commit) Covered {
	out := Covered{Commit: c.Commit}
	added := map[string][]note.Range{}
	for i := range c.Files {
		f := &c.Files[i]
		if f.Binary || f.Missing || f.Submodule() {
			continue
		}
		for _, r := range f.NewLines() {
			added[f.Path] = append(added[f.Path], note.Range(r))
			out.Lines += r.End - r.Start + 1
		}
	}
	claims, recorded := set.claims[c.ID]
	a := note.Convert(claims, note.Commit{Ref: change.ShaRef(c.ID), Added: added}).Attribution
	out.AI, out.Human, out.Unknown = a.AILines, a.HumanLines, out.Lines-a.AILines-a.HumanLines
	for _, credit := range a.Credits {
		if credit.Agent != "" && stemma.Origin(credit.Origin) == stemma.OriginAI && !slices.Contains(out.Agents, credit.Agent) {
			out.Agents = append(out.Agents, credit.Agent)
		}
	}
	switch {
	case recorded:
	case byBot(set.declared[c.ID]):
		out.AI, out.Unknown = out.Lines, 0
		d := set.declared[c.ID]
		out.Agents = []string{d[slices.IndexFunc(d, isBot)].Agent}
	case len(set.declared[c.ID]) > 0:
		out.Why = note.Assisted
	default:
		out.Why = note.NoRecord
	}
	return out
}
