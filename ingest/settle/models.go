package settle

import (
	"path/filepath"
	"strings"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/ingest/agent"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/local"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
)

// Some agents do not tell their hooks which model it is that calls a tool, but
// write it down. What cannot be found there stays unsaid: a session may use
// several models, and none of them is guessed.

// spoken are the models that one transcript names.
type spoken struct {
	byCall map[string]string          // of each call of a tool
	of     map[string]map[string]bool // of each session, by its id
}

// learnModels looks up the models of the hands that wrote lines of the commits
// and have none. Of each transcript it reads what is there, once.
func (t *tree) learnModels(list []*bind.Commit) {
	read := models{}
	wanted := map[edits.Hand]bool{}
	for _, c := range list {
		for _, a := range c.Added {
			for _, l := range a.Lines {
				if l.By > capture.Typist && int(l.By) <= len(t.Evidence.Hands) && t.Evidence.Hands[l.By-1].Model == "" {
					wanted[l.By] = true
				}
			}
		}
	}
	for by := range wanted {
		hand := &t.Evidence.Hands[by-1]
		path := filepath.FromSlash(t.Evidence.Transcript(*hand))
		if path == "" {
			continue
		}
		if hand.Subagent != "" {
			hand.Model = read.in(local.Subagent(path, hand.Session, hand.Subagent)).model(*hand)
		}
		if hand.Model == "" { // older versions write a sub-agent into its parent's
			hand.Model = read.in(path).model(*hand)
		}
	}
}

// model is that of the call; without the call, that of a session which used no
// other one.
func (s spoken) model(h capture.Hand) string {
	if model := s.byCall[h.Call]; model != "" && h.Call != "" {
		return model
	}
	if of := s.of[sessionOf(h)]; len(of) == 1 {
		for model := range of {
			return model
		}
	}
	return ""
}

// models are those of transcripts, by their paths.
type models map[string]spoken

// in reads the models of a transcript, unless that was done before. One that
// is gone or cannot be read names none.
func (m models) in(path string) spoken {
	if s, done := m[path]; done {
		return s
	}
	s := spoken{map[string]string{}, map[string]map[string]bool{}}
	m[path] = s
	f, err := local.Open(path)
	if err != nil {
		return s
	}
	defer func() { _ = f.Close() }()
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	reader, err := agent.Read(f, agent.Options{Session: name, Growing: true})
	if err != nil {
		return s
	}
	for _, x := range reader.Transcripts() {
		used := map[string]bool{}
		for _, turn := range x.Session.Turns {
			if turn.Role == "assistant" {
				used[turn.Model] = true // also "", which is another model
			}
		}
		s.of[x.Session.ExternalID] = used
		for _, c := range x.Session.ToolCalls {
			if c.Call != "" {
				s.byCall[c.Call] = x.Session.Turns[c.Turn-1].Model
			}
		}
	}
	return s
}
