package gitai

import (
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/ingest/note"
)

// Format is the format of Claims made from a Git AI note.
const Format = "git-ai"

// A KeyForm is the shape of a key in a Git AI attestation.
type KeyForm string

// The forms found in notes, in and out of specification.
const (
	KeySession KeyForm = "session" // s_…, with or without ::t_…
	KeyHuman   KeyForm = "human"   // h_…
	KeyHex16   KeyForm = "hex16"   // a prompt
	KeyHex8    KeyForm = "hex8"
	KeyHex7    KeyForm = "hex7" // a prompt before 1.0
	KeyUUID    KeyForm = "uuid"
	KeyWord    KeyForm = "word" // the literals human and ai_agent
	KeyOther   KeyForm = "other"
)

// FormOf returns the shape of an attestation key.
func FormOf(key string) KeyForm {
	switch {
	case strings.HasPrefix(key, "s_"):
		return KeySession
	case strings.HasPrefix(key, "h_"):
		return KeyHuman
	case key == "human", key == "ai_agent":
		return KeyWord
	case len(key) == 36 && strings.Count(key, "-") == 4 && note.IsHex(strings.ReplaceAll(key, "-", "")):
		return KeyUUID
	case !note.IsHex(key):
		return KeyOther
	}
	switch len(key) {
	case 16:
		return KeyHex16
	case 8:
		return KeyHex8
	case 7:
		return KeyHex7
	}
	return KeyOther
}

// Mark says who the key of an entry stands for. A session key is looked up
// among the sessions, a human key among the humans, any other among the
// prompts; a literal stands for nobody, because the versions that wrote "human"
// gave that word to every line that no agent was seen to write.
func (a *Authorship) Mark(key string) (note.Mark, bool) {
	unknown := note.Mark{Origin: stemma.OriginUnknown, Reason: note.ReasonNoRecord, Key: jsonwalk.Clean(key, 200)}
	id, trace, _ := strings.Cut(key, "::")
	switch FormOf(key) {
	case KeyWord:
		return unknown, false
	case KeyHuman:
		author, ok := a.Humans[id]
		if !ok {
			return unknown, false
		}
		if p := note.ParsePerson(author); identity.Recognise(p.Name, p.Mail).Kind == stemma.KindAgent {
			unknown.Reason = note.ReasonIdentity
			return unknown, true
		}
		return note.Mark{Origin: stemma.OriginHuman, Author: author, Key: unknown.Key, Basis: a.Traces[id].Basis}, true
	case KeySession:
		r, ok := a.Sessions[id]
		if !ok {
			return unknown, false
		}
		// The trace after :: names a checkpoint of the session, and no other
		// author; only stemma says more of it.
		m, ok := r.mark(jsonwalk.Clean(id, 200))
		if t, told := a.Traces[trace]; told && m.Origin == stemma.OriginAI {
			m.ModelName, m.Prompt, m.ToolCall, m.Basis = t.Model, t.Prompt, t.Call, t.Basis
		}
		return m, ok
	}
	if r, ok := a.Prompts[id]; ok {
		return r.mark(unknown.Key)
	}
	if a.old {
		unknown.Reason = note.ReasonNamedOnly
	}
	return unknown, false
}

func (r Agent) mark(key string) (note.Mark, bool) {
	if r.Tool == "" && r.ID == "" && !identity.ParseModel(r.Model).Named {
		return note.Mark{Origin: stemma.OriginUnknown, Reason: note.ReasonNoAgent, Key: key}, false
	}
	return note.Mark{Origin: stemma.OriginAI, Agent: identity.AgentName(r.Tool), ModelName: r.Model, Session: r.ID, Key: key}, true
}

// Claims lowers the note. Two keys of one session on one line are one claim.
func (a *Authorship) Claims() note.Claims {
	c := note.Claims{Format: Format, Writer: a.Writer, Revision: a.Base, Anchors: a.Anchors, Problems: slices.Clone(a.Problems)}
	marks := map[string]*note.Mark{}
	resolved := map[string]bool{}
	byPath := map[string][]note.ClaimedSpan{}
	var paths []string
	for _, f := range a.Files {
		spans, known := byPath[f.Path]
		if !known {
			paths = append(paths, f.Path)
		}
		n := 0
		for _, e := range f.Entries {
			n += len(e.Ranges)
		}
		spans = slices.Grow(spans, n)
		for _, e := range f.Entries {
			m, known := marks[e.Key]
			if !known {
				mark, ok := a.Mark(e.Key)
				m, marks[e.Key], resolved[e.Key] = &mark, &mark, ok
			}
			if !resolved[e.Key] {
				c.Unresolved++
			}
			for _, r := range e.Ranges {
				spans = append(spans, note.ClaimedSpan{Range: r, Mark: m})
			}
		}
		byPath[f.Path] = spans // also when empty: the path is known now
	}
	details := map[string][]Detail{}
	for _, d := range a.Details {
		if _, known := byPath[d.Path]; !known {
			byPath[d.Path] = nil
			paths = append(paths, d.Path)
		}
		details[d.Path] = append(details[d.Path], d)
	}
	for _, p := range paths {
		c.Add(p, explain(byPath[p], details[p]))
	}
	c.Sessions = a.claimedSessions()
	return c
}

func (a *Authorship) claimedSessions() []note.ClaimedSession {
	var list []note.ClaimedSession
	for _, records := range []map[string]Agent{a.Sessions, a.Prompts} {
		keys := make([]string, 0, len(records))
		for k := range records {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			r := records[k]
			if r.ID == "" {
				continue
			}
			s := note.ClaimedSession{
				Agent: identity.AgentName(r.Tool), Session: r.ID, Key: jsonwalk.Clean(k, 200), Operator: r.HumanAuthor,
				Messages: r.Messages, Count: r.MessageCount,
			}
			if r.Model != "" {
				s.Models = []string{r.Model}
			}
			list = append(list, s)
		}
	}
	return list
}
