package report

import (
	"cmp"
	"io"

	"github.com/stemma-dev/stemma/policy"
)

// GitLab writes a report of code quality as GitLab reads it, shown beside the merge
// request.
func GitLab(w io.Writer) Handler { return &gitlab{w: w, list: []issue{}} }

type gitlab struct {
	w    io.Writer
	list []issue
}

type issue struct {
	Description string `json:"description"`
	Check       string `json:"check_name"`
	Fingerprint string `json:"fingerprint"`
	Severity    string `json:"severity"`
	Location    struct {
		Path  string `json:"path"`
		Lines struct {
			Begin int `json:"begin"`
		} `json:"lines"`
	} `json:"location"`
}

func (g *gitlab) Begin(Run) error { return nil }

func (g *gitlab) Change(c Change) error {
	for _, f := range ordered(c.Findings) {
		if met(f) || f.State == policy.Waived {
			continue
		}
		i := issue{Description: c.name() + ": " + line(f.Title, maxTitle) + ": " + reason(f), Check: f.Control, Fingerprint: mark(c, f), Severity: quality(f)}
		i.Location.Path, i.Location.Lines.Begin = cmp.Or(line(c.Place, 4096), "."), 1
		g.list = append(g.list, i)
	}
	return nil
}

func (g *gitlab) End(Summary) error { return indented(g.w, g.list) }

// quality is how bad a finding is, in GitLab's words.
func quality(f policy.Finding) string {
	switch {
	case f.Blocks:
		return "blocker"
	case levelOf(f) == noted, f.Severity == policy.Low:
		return "info"
	case f.Severity == policy.Critical:
		return "critical"
	case f.Severity == policy.High:
		return "major"
	}
	return "minor"
}
