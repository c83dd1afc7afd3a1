// Package agenttrace writes records of Agent Trace 0.1.0: what is known of the lines
// that a commit added, for programs that read this format. Package note reads it.
//
// A record has one tool, so there is one for each agent of a commit, and what people
// wrote is in the first. The id of a record is made of what it is about: the same
// export twice gives the same bytes. Nobody is named but by being human. The package
// does no I/O.
package agenttrace

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/note"
)

// Version is that of the format.
const Version = "0.1.0"

// A record is one, as the format spells it.
type record struct {
	Version   string         `json:"version"`
	ID        string         `json:"id"`
	Timestamp string         `json:"timestamp"`
	VCS       vcs            `json:"vcs"`
	Tool      *tool          `json:"tool,omitempty"`
	Files     []file         `json:"files"`
	Metadata  map[string]any `json:"metadata,omitempty"`
}

type (
	vcs struct {
		Type     string `json:"type"`
		Revision string `json:"revision"`
	}
	tool struct {
		Name string `json:"name"`
	}
	file struct {
		Path          string         `json:"path"`
		Conversations []conversation `json:"conversations"`
	}
	conversation struct {
		URL         string      `json:"url,omitempty"`
		Contributor contributor `json:"contributor"`
		Ranges      []lines     `json:"ranges"`
	}
	contributor struct {
		Type  string `json:"type"`
		Model string `json:"model_id,omitempty"`
	}
	lines struct {
		Start int `json:"start_line"`
		End   int `json:"end_line"`
	}
)

// Records are those of a commit, each as one line of JSON without its end; none if
// nothing is known of its lines. The time is that of the commit.
func Records(a attribution.Attribution, commit string, at time.Time) ([][]byte, error) {
	var agents []string
	for _, s := range a.Spans {
		if s.Origin == string(stemma.OriginAI) {
			agents = append(agents, s.Agent)
		}
	}
	slices.Sort(agents)
	agents = slices.Compact(agents)
	first := ""
	if len(agents) > 0 {
		first = agents[0]
	}
	by := map[string]*record{}
	for _, s := range a.Spans {
		agent := first
		if s.Origin == string(stemma.OriginAI) {
			agent = s.Agent
		}
		r := by[agent]
		if r == nil {
			r = &record{
				Version: Version, ID: uuid(commit, agent), Timestamp: at.UTC().Format(time.RFC3339), VCS: vcs{"git", commit},
				Metadata: map[string]any{"dev.stemma": map[string]string{"format": a.Format, "writer": a.Writer}},
			}
			if agent != "" {
				r.Tool = &tool{agent}
			}
			by[agent] = r
		}
		r.add(s)
	}
	var out [][]byte
	if len(agents) == 0 {
		agents = []string{""}
	}
	for _, agent := range agents {
		if by[agent] == nil {
			continue
		}
		line, err := json.Marshal(by[agent])
		if err != nil {
			return nil, fmt.Errorf("agent trace of commit %s: %w", commit, err)
		}
		out = append(out, line)
	}
	return out, nil
}

// add adds a span. Spans come file by file.
func (r *record) add(s attribution.Span) {
	if n := len(r.Files); n == 0 || r.Files[n-1].Path != s.Path {
		r.Files = append(r.Files, file{Path: s.Path})
	}
	f := &r.Files[len(r.Files)-1]
	c := conversation{Contributor: contributor{Type: typeOf(s)}}
	if s.Origin == string(stemma.OriginAI) {
		c.URL, c.Contributor.Model = note.SessionURL(s.Session), model(s.ModelName)
	}
	i := slices.IndexFunc(f.Conversations, func(d conversation) bool { return d.URL == c.URL && d.Contributor == c.Contributor })
	if i < 0 {
		i = len(f.Conversations)
		f.Conversations = append(f.Conversations, c)
	}
	f.Conversations[i].Ranges = append(f.Conversations[i].Ranges, lines{s.Start, s.End})
}

func typeOf(s attribution.Span) string {
	switch {
	case s.Origin != string(stemma.OriginUnknown):
		return s.Origin
	case s.Reason == note.ReasonMixed:
		return "mixed"
	}
	return "unknown"
}

// maxModel is how long the name of a model may be.
const maxModel = 250

// model is the name of a model with its provider in front; "" if it names none.
func model(name string) string {
	m := identity.ParseModel(name)
	if !m.Named {
		return ""
	}
	id := m.Name
	if m.Provider != identity.Unlisted {
		id = m.Provider + "/" + id
	}
	if len(id) > maxModel {
		return ""
	}
	return id
}

// uuid is an id of the free form, version 8.
func uuid(commit, agent string) string {
	sum := sha256.Sum256([]byte("agent-trace\x00" + commit + "\x00" + agent))
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
