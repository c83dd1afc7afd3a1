package settle

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/replay"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
	"github.com/stemma-dev/stemma/spool"
)

// An Agreement is how far transcripts and what is known otherwise tell the same
// of the lines that commits added.
type Agreement struct {
	counts
	Commits []Difference `json:"commits,omitempty"` // on which they differ, not all if they are many
}

// counts are of lines.
type counts struct {
	Agree      int `json:"agree"`      // both say the same session
	Differ     int `json:"differ"`     // one says somebody else
	Transcript int `json:"transcript"` // only the transcript says whose it is
	Other      int `json:"other"`      // a session whose transcript does not tell of it
}

// A Difference is a commit on which they do not agree.
type Difference struct {
	Commit string `json:"commit"`
	counts
}

// maxDifferences bounds how many commits are listed.
const maxDifferences = 200

func (a *Agreement) add(commit string, n counts) {
	a.Agree, a.Differ, a.Transcript, a.Other = a.Agree+n.Agree, a.Differ+n.Differ, a.Transcript+n.Transcript, a.Other+n.Other
	if n.Differ+n.Transcript+n.Other > 0 && len(a.Commits) < maxDifferences {
		a.Commits = append(a.Commits, Difference{commit, n})
	}
}

// compare compares what transcripts tell of commits with their notes, and tells
// which have one.
func (w *rerun) compare(list []*bind.Commit) (noted map[string]bool, err error) {
	noted = map[string]bool{}
	if w.notes == "" || len(list) == 0 {
		return noted, nil
	}
	byID := map[string]*bind.Commit{}
	var ids, blobs []string
	for _, c := range list {
		byID[c.ID] = c
		ids = append(ids, c.ID)
	}
	notes, err := w.Cat.NotesOn(w.notes, ids)
	if err != nil {
		return nil, err
	}
	for _, n := range notes {
		noted[n.Object] = true
		blobs = append(blobs, n.Blob)
	}
	sessions := w.book.Sessions()
	i := 0
	for o, err := range w.Cat.Objects(blobs, note.MaxRecord) {
		if err != nil {
			return nil, err
		}
		id := notes[i].Object
		i++
		if o.Data != nil {
			w.report.Compared.add(id, w.against(byID[id], gitai.Parse(o.Data), sessions))
		}
	}
	return noted, nil
}

// against compares line by line. What was replayed before is not compared with
// itself.
func (w *rerun) against(c *bind.Commit, n *gitai.Authorship, sessions map[[2]string]bool) (got counts) {
	marks := marksOf(n, c)
	for _, a := range c.Added {
		for _, l := range a.Lines {
			m := marks[a.Path][l.Number]
			if m.Basis == stemma.BasisReplayed {
				continue
			}
			known := l.By > capture.Typist && int(l.By) <= len(w.Evidence.Hands)
			switch {
			case !known && m.Origin == stemma.OriginAI:
				whole, _, _ := strings.Cut(m.Session, ":")
				if sessions[[2]string{m.Agent, m.Session}] || sessions[[2]string{m.Agent, whole}] {
					got.Other++
				}
			case !known:
			case m.Origin == stemma.OriginHuman, m.Origin == stemma.OriginAI && !same(w.Evidence.Hands[l.By-1], m):
				got.Differ++
			case m.Origin == stemma.OriginAI:
				got.Agree++
			default:
				got.Transcript++
			}
		}
	}
	return got
}

// same reports whether a hand is that of a note: the session, and the call where
// both name one.
func same(h capture.Hand, m note.Mark) bool {
	if m.Agent != h.Agent || m.Session != h.Session && m.Session != sessionOf(h) {
		return false
	}
	return m.ToolCall == "" || h.Call == "" || m.ToolCall == h.Call
}

// marksOf tells whose each line is that a commit added, by its note; nobody's
// where that says two things.
func marksOf(n *gitai.Authorship, c *bind.Commit) map[string]map[int]note.Mark {
	all := map[string]map[int]note.Mark{}
	added := map[string][]edits.AddedLine{}
	for _, a := range c.Added {
		added[a.Path], all[a.Path] = a.Lines, map[int]note.Mark{}
	}
	for _, f := range n.Files {
		lines, marks := added[f.Path], all[f.Path]
		for _, e := range f.Entries {
			m, ok := n.Mark(e.Key)
			if !ok {
				continue
			}
			for _, r := range e.Ranges {
				from, _ := slices.BinarySearchFunc(lines, r.Start, func(l edits.AddedLine, n int) int { return l.Number - n })
				for ; from < len(lines) && lines[from].Number <= r.End; from++ {
					if before, told := marks[lines[from].Number]; told && before != m {
						marks[lines[from].Number] = note.Mark{}
					} else {
						marks[lines[from].Number] = m
					}
				}
			}
		}
	}
	return all
}

// A Comparison is how the last replay in a clone compared.
type Comparison struct {
	At          time.Time `json:"at"`
	Transcripts int       `json:"transcripts"`
	Notes       int       `json:"notes"` // that were written
	Agreement
}

func replayedFile(place spool.Place) string { return filepath.Join(stateDir(place), "replayed") }

// keep remembers how a replay compared.
func (r *Replayed) keep(place spool.Place, book *replay.Book, now time.Time) error {
	if err := keep(replayedFile(place), Comparison{now, book.Transcripts, r.Notes, r.Compared}); err != nil {
		return fmt.Errorf("settling: %w", err)
	}
	return nil
}

// Compared tells how the last replay in the clone of a work tree compared; false
// if there was none.
func Compared(place spool.Place) (c Comparison, ok bool) {
	b, err := os.ReadFile(replayedFile(place))
	return c, err == nil && json.Unmarshal(b, &c) == nil
}
