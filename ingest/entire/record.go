package entire

import (
	"cmp"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/session"
)

// Record names the session of a checkpoint. Otherwise is the agent to take
// where the checkpoint does not say, as far as the transcript tells; with none
// there is no record. Counts are left to the transcript: a checkpoint has only
// its own part of them.
func (s *Session) Record(otherwise string) (session.Session, bool) {
	tool := cmp.Or(identity.AgentName(s.Agent), otherwise)
	if tool == "" || s.Session == "" {
		return session.Session{}, false
	}
	return session.Session{
		Tool: tool, ExternalID: s.Session, Branch: s.Branch, OriginRecord: "entire-checkpoint", Agent: identity.AgentRef(tool),
	}, true
}

// Format is the format of attributions made from Entire's counts.
const Format = "entire"

// Attribution makes a record of the counts of a checkpoint that a commit names.
// Entire says how many lines are the agent's, not which: there are no spans.
// All sessions of a checkpoint repeat the same counts, so one of them is asked.
// Place is the checkpoint that the commit names.
func (s *Session) Attribution(commit stemma.Ref, place string) (attribution.Attribution, bool) {
	if s.Lines == nil || s.Lines.N <= 0 || s.Lines.N > note.MaxLine {
		return attribution.Attribution{}, false
	}
	n := int(s.Lines.N)
	ai := int(min(max(s.Lines.Agent, 0), s.Lines.N))
	human := min(int(min(max(s.Lines.HumanAdded, 0), note.MaxLine)+min(max(s.Lines.HumanModified, 0), note.MaxLine)), n-ai)
	a := attribution.Attribution{
		Commit: commit, Format: Format, Note: place, Writer: strings.TrimSpace("entire " + s.Writer),
		Basis: string(stemma.BasisImported), AILines: ai, HumanLines: human, UnknownLines: n - ai - human,
		ClaimedLines: n, Files: len(s.Files), Occurred: stemma.At(s.Lines.At),
	}
	for _, c := range []attribution.Credit{
		{Origin: string(stemma.OriginAI), Agent: identity.AgentName(s.Agent), Lines: ai},
		{Origin: string(stemma.OriginHuman), Lines: human},
		{Origin: string(stemma.OriginUnknown), Lines: n - ai - human},
	} {
		if c.Lines > 0 {
			a.Credits = append(a.Credits, c)
		}
	}
	return a, true
}
