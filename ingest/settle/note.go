package settle

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/attribution/sight"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
)

// Writer is the writer that our notes name.
const Writer = "stemma"

// A noteBuilder gathers the note of one commit.
type noteBuilder struct {
	note     gitai.Authorship
	operator string // "Name <mail>" of who made the commit
	hands    []capture.Hand
	bound    []bind.Found // hands behind those
	keys     map[edits.Hand]string
	lines    Lines
}

func newNote(commit git.Commit, hands []capture.Hand, more []bind.Found) *noteBuilder {
	return &noteBuilder{
		note: gitai.Authorship{
			Writer: Writer, Base: commit.ID, Tree: commit.Tree, Sessions: map[string]gitai.Agent{}, Humans: map[string]string{}, Traces: map[string]gitai.Trace{},
		},
		operator: commit.Committer.Name + " <" + commit.Committer.Mail + ">", hands: hands, bound: more, keys: map[edits.Hand]string{},
	}
}

// add adds the lines of a file. Those of nobody known are left out.
func (b *noteBuilder) add(a bind.Added) {
	ranges, unknown, replaced := map[string][]note.Range{}, map[string][]note.Range{}, map[note.Replaced][]note.Range{}
	anchor := note.Anchor{Path: a.Path, Blob: a.Blob}
	for i, l := range a.Lines {
		if l.By <= edits.Base {
			b.lines.Unknown++
			unknown[reasonOf(l.By)] = append(unknown[reasonOf(l.By)], note.Range{Start: l.Number, End: l.Number})
			continue
		}
		if was := b.replaced(l); was != (note.Replaced{}) {
			replaced[was] = append(replaced[was], note.Range{Start: l.Number, End: l.Number})
		}
		key := b.key(l.By)
		if gitai.FormOf(key) == gitai.KeyHuman {
			b.lines.Human++
		} else {
			b.lines.AI++
		}
		ranges[key] = append(ranges[key], note.Range{Start: l.Number, End: l.Number})
		anchor.Ranges = append(anchor.Ranges, note.Range{Start: l.Number, End: l.Number})
		anchor.Text = a.Print.Slice(i, i+1).AppendShort(anchor.Text)
	}
	f := gitai.File{Path: a.Path}
	for key, r := range ranges {
		f.Entries = append(f.Entries, gitai.Entry{Key: key, Ranges: note.Union(r)})
	}
	if len(f.Entries) > 0 {
		slices.SortFunc(f.Entries, func(a, b gitai.Entry) int { return cmp.Compare(a.Key, b.Key) })
		b.note.Files = append(b.note.Files, f)
		anchor.Ranges = note.Union(anchor.Ranges)
		b.note.Anchors = append(b.note.Anchors, anchor)
	}
	for _, why := range slices.Sorted(maps.Keys(unknown)) {
		b.note.Details = append(b.note.Details, gitai.Detail{Path: a.Path, Ranges: note.Union(unknown[why]), Reason: why})
	}
	for was, r := range replaced {
		b.note.Details = append(b.note.Details, gitai.Detail{Path: a.Path, Ranges: note.Union(r), Replaced: was})
	}
}

// replaced is the agent whose line a line of somebody else stands for.
func (b *noteBuilder) replaced(l edits.AddedLine) note.Replaced {
	if l.Over <= capture.Typist || int(l.Over) > len(b.hands) || l.Over == l.By {
		return note.Replaced{}
	}
	was := b.hands[l.Over-1]
	if int(l.By) <= len(b.hands) && l.By > capture.Typist && sessionOf(b.hands[l.By-1]) == sessionOf(was) {
		return note.Replaced{} // it corrected itself
	}
	return note.Replaced{Agent: was.Agent, Session: sessionOf(was), ModelName: was.Model}
}

// sessionOf is the id of the session of a hand; a part of one has its own, as
// its transcript is named.
func sessionOf(h capture.Hand) string {
	if h.Subagent != "" {
		return h.Session + ":" + h.Subagent
	}
	return h.Session
}

// reasons say why nobody is known who wrote a line.
var reasons = map[edits.Hand]string{
	edits.Base:      "it was there before capture began",
	edits.Unknown:   "who edited was not told",
	edits.Mixed:     "it joins text of several",
	edits.Costly:    "comparing the contents would have cost too much",
	edits.Placed:    "git put it in place, from a commit of which no record tells",
	sight.Unwatched: "the file had not been seen before",
	sight.Disturbed: "a command ran or git wrote meanwhile",
	sight.Crowded:   "edits of several agents were under way at once",
	sight.Unpaired:  "an agent was not seen to begin its edit",
	sight.Unkept:    "the content before was not kept",
	sight.Unended:   "an agent's edit had begun and was not seen to end",
	sight.Copied:    "the text is another's, which is still where it was",
	bind.Abroad:     "the commit was made where nobody watched",
	bind.Unrecorded: "it came from a commit of which no record tells",
}

func reasonOf(h edits.Hand) string { return cmp.Or(reasons[h], "nothing is known") }

func (b *noteBuilder) empty() bool { return len(b.note.Files) == 0 }

func (b *noteBuilder) write() ([]byte, error) {
	text, err := b.note.Write()
	if err != nil {
		return nil, fmt.Errorf("the note of commit %s: %w", b.note.Base, err)
	}
	return bytes.Clone(text), nil
}

// key is what stands for a hand in the note; its record is added.
func (b *noteBuilder) key(h edits.Hand) string {
	if key := b.keys[h]; key != "" {
		return key
	}
	switch h {
	case capture.Person:
		return b.person(h, short(b.operator), stemma.BasisObservedHook)
	case capture.Typist:
		return b.person(h, short(b.operator+" typed"), stemma.BasisObservedEditor)
	}
	if n := len(b.hands); int(h) > n {
		b.keys[h] = b.keyOfBound(b.bound[int(h)-n-1])
		return b.keys[h]
	}
	hand := b.hands[h-1]
	id := sessionOf(hand)
	session, trace := "s_"+short(hand.Agent+":"+id), "t_"+short(id+"\x00"+hand.Call+"\x00"+fmt.Sprint(hand.Prompt))
	model := cmp.Or(hand.Model, b.note.Sessions[session].Model, "unknown")
	agent := gitai.Agent{Tool: hand.Agent, ID: id, Model: model, HumanAuthor: b.operator}
	if hand.Subagent != "" {
		agent.Custom = map[string]string{"parent_session": hand.Session}
	}
	b.note.Sessions[session] = agent
	basis := stemma.BasisObservedHook
	if hand.Replayed {
		basis = stemma.BasisReplayed
	}
	b.note.Traces[trace] = gitai.Trace{Basis: basis, Model: hand.Model, Prompt: hand.Prompt, Call: hand.Call}
	b.keys[h] = session + "::" + trace
	return b.keys[h]
}

// person adds the record of the person who made the commit.
func (b *noteBuilder) person(h edits.Hand, id string, basis stemma.Basis) string {
	key := "h_" + id
	b.note.Humans[key] = b.operator
	b.note.Traces[key] = gitai.Trace{Basis: basis}
	b.keys[h] = key
	return key
}

// short is the form of ids in Git AI notes.
func short(of string) string {
	sum := sha256.Sum256([]byte(of))
	return hex.EncodeToString(sum[:7])
}

// keyOfBound copies what stands for a hand in another note into this one.
func (b *noteBuilder) keyOfBound(of bind.Found) string {
	id, trace, _ := strings.Cut(of.Key, "::")
	t := of.Note.Traces[trace]
	t.Basis = recovered
	switch gitai.FormOf(of.Key) {
	case gitai.KeyHuman:
		b.note.Humans[id] = of.Note.Humans[id]
		b.note.Traces[id] = gitai.Trace{Basis: recovered}
	case gitai.KeySession:
		b.note.Sessions[id] = of.Note.Sessions[id]
		if trace != "" {
			b.note.Traces[trace] = t
		}
	default:
		if b.note.Prompts == nil {
			b.note.Prompts = map[string]gitai.Agent{}
		}
		b.note.Prompts[id] = of.Note.Prompts[id]
	}
	return of.Key
}

// recovered is the basis of lines that were found by their text.
const recovered = "recovered-content"
