package drawn

import (
	"maps"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/lineage"
)

// steps are those of every way, with what is said where nothing stands: if things of the
// kind are known at all, and if none is.
var steps = []struct {
	name         string
	kind         stemma.Kind
	none, silent string
}{
	{"Requirement", stemma.KindRequirement, "no ticket of it serves one", "none is known here at all"},
	{"Ticket", stemma.KindTicket, "no branch, message or forge names one", "none is known here at all"},
	{"Session", stemma.KindSession, "no agent is known to have worked on it", "no agent tells of its sessions"},
	{"Commit", stemma.KindCommit, "none is known that belongs to it", "no repository was read"},
	{"Change", stemma.KindChange, "none is known that it landed with", "no repository was read"},
	{"Review", stemma.KindReview, "nobody is known to have judged it", "no forge reports reviews"},
	{"Run", stemma.KindRun, "no pipeline is known to have run on it", "no pipeline reports here"},
	{"Scan", stemma.KindScan, "no scanner is known to have looked at it", "no scanner reports here"},
	{"Artifact", stemma.KindArtifact, "nothing is known to be built of it", "nobody reports what is built"},
	{"Deployment", stemma.KindDeployment, "it is not known to run anywhere", "nobody reports deployments"},
	{"Incident", stemma.KindIncident, "none is known to come of it", "nobody reports incidents"},
}

// stepThings is how many things of a step are named.
const stepThings = 2

// NewWay shows a lineage as a way, with things that stand beside it and belong to its
// steps. Heard are the kinds of which anything is known at all. The kind of the start is
// left out where the page is about it alone.
func NewWay(l lineage.Lineage, beside map[stemma.Ref]string, heard map[stemma.Kind]bool) *page.Way {
	byKind := map[stemma.Kind][]page.Cell{}
	met := map[stemma.Ref]bool{}
	apart := map[stemma.Kind]bool{} // of these, the table of the lineage has not all
	for _, n := range l.Nodes {
		byKind[n.Kind] = append(byKind[n.Kind], page.To(n.Ref, n.Title))
		met[n.Ref] = true
	}
	for _, ref := range slices.Sorted(maps.Keys(beside)) {
		if k := ref.Kind(); !met[ref] {
			byKind[k], apart[k] = append(byKind[k], page.To(ref, beside[ref])), true
		}
	}
	w := &page.Way{}
	for _, s := range steps {
		things := byKind[s.kind]
		if s.kind == l.Start.Kind() && len(things) == 1 {
			continue
		}
		step := page.Step{Name: s.name, Things: things[:min(len(things), stepThings)]}
		if rest := len(things) - len(step.Things); rest > 0 {
			step.More = page.Text("and " + page.Count(rest) + " more")
			if !apart[s.kind] {
				step.More.Href = "#lineage-table"
			}
		}
		switch {
		case len(things) > 0:
		case heard[s.kind]:
			step.Missing = s.none
		default:
			step.Missing, step.Unheard = s.silent, true
		}
		if len(things) == 0 {
			w.Missing++
		}
		w.Steps = append(w.Steps, step)
	}
	return w
}
