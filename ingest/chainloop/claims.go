package chainloop

import (
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/session"
)

// Reasons of lines that a session names and that are unknown all the same.
const (
	ReasonCommits = "the record names several commits, and its line numbers are of none of them for sure"
	ReasonState   = "the record's line numbers are of the file while it was edited, not of the commit"
)

// Told reports whether it is known whose session it is: without an agent and an id
// nothing is claimed.
func (s *Session) Told() bool { return s.agent() != "" && s.ID != "" }

func (s *Session) agent() string { return identity.AgentName(s.Agent) }

// Claims lowers the session to what it says about the lines of each of its commits.
// A line has a model only where the session had no other.
func (s *Session) Claims() note.Claims {
	c := note.Claims{Format: Format, Writer: strings.TrimSpace("chainloop " + s.Agent + " " + s.Version), Problems: slices.Clone(s.Problems)}
	if len(s.Commits) == 1 {
		c.Revision = s.Commits[0]
	}
	if !s.Told() {
		return c
	}
	c.Sessions = []note.ClaimedSession{{Agent: s.agent(), Session: s.ID, Models: s.Models, Started: s.Started}}
	var paths []string
	byPath := map[string][]note.ClaimedSpan{}
	for _, f := range s.Files {
		if _, known := byPath[f.Path]; !known {
			paths = append(paths, f.Path)
		}
		m := s.mark(f)
		for _, r := range f.Ranges {
			byPath[f.Path] = append(byPath[f.Path], note.ClaimedSpan{Range: r, Mark: &m})
		}
	}
	for _, p := range paths {
		c.Add(p, byPath[p])
	}
	return c
}

// mark says who wrote the lines of a file that have ranges.
func (s *Session) mark(f File) note.Mark {
	m := note.Mark{Origin: stemma.OriginUnknown, Agent: s.agent(), Session: s.ID}
	if len(s.Models) == 1 {
		m.ModelName = s.Models[0]
	}
	switch {
	case len(f.Sessions) > 0 && !slices.Equal(f.Sessions, []string{s.ID}):
		m.Session, m.ModelName, m.Reason = "", "", note.ReasonSeveral
	case f.Attribution != "ai":
		m.Reason = note.ReasonNotStated
	case s.Several:
		m.Reason = ReasonCommits
	case !f.fits():
		m.Reason = ReasonState
	default:
		m.Origin = stemma.OriginAI
	}
	return m
}

// fits reports whether the ranges may be of the version of the file in the session's
// only commit. They come in the order of the edits. An edit moves no line above it,
// so those that go down the file still hold after the last; where one lies above
// another, the other's lines have moved, nobody knows how far. And they cannot be
// more than the lines that the commit added, nor end below the last line of a file
// that it created.
func (f File) fits() bool {
	last, lines := 0, int64(0)
	for _, r := range f.Ranges {
		if r.Start <= last {
			return false
		}
		last = r.End
		lines += int64(r.End - r.Start + 1)
	}
	return f.Added <= 0 || lines <= f.Added && (f.Status != "created" || int64(last) <= f.Added)
}

// Record names the session; there is none where nobody knows whose it is. Messages
// and calls of tools are not counted, which the session's own transcript does better,
// and the cost, which Chainloop estimates by prices of its own, is left out.
func (s *Session) Record() (session.Session, bool) {
	if !s.Told() {
		return session.Session{}, false
	}
	x := session.Session{
		Tool: s.agent(), ExternalID: s.ID, Started: stemma.At(s.Started), Ended: stemma.At(s.Ended), HarnessVersion: s.Version,
		Title: s.Slug, Branch: s.Branch, OriginRecord: Format, Agent: identity.AgentRef(s.agent()),
		InputTokens: count(s.Input), OutputTokens: count(s.Output), CacheReadTokens: count(s.CacheRead), CacheWriteTokens: count(s.CacheWrite),
	}
	for _, m := range s.Models {
		x.Models = append(x.Models, session.ModelUse{Model: identity.ModelRef(m), Name: m})
	}
	return x, true
}

// count is a number of things, as far as there can be so many.
func count(n int64) int { return int(min(max(n, 0), 1<<52)) }
