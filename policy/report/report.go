// Package report writes how controls stand for changes, in the forms that people and other
// programs read.
//
// Findings come as one stream: a run begins, changes follow one by one, a summary ends
// it. Each form is a [Handler] in a file of its own. Whatever a change is called and
// whatever its findings say is the text of somebody else, and no form lets it be more
// than text. What a report says is evidence for something, never that something is
// complied with. The package reads no clock, and the same stream gives the same bytes.
package report

import (
	"cmp"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/subject"
)

// A Handler writes a stream of findings in one form. One goroutine calls Begin once, then
// Change for each change, then End once; after an error it is not called again.
type Handler interface {
	Begin(Run) error
	Change(Change) error
	End(Summary) error
}

// A Run is one judging of changes.
type Run struct {
	Version    string    `json:"version"` // of the program
	Started    time.Time `json:"started"`
	Repository string    `json:"repository,omitempty"` // acme/pay
	Asked      string    `json:"asked,omitempty"`      // what for: a range, a change
	Rules      string    `json:"rules"`                // where those in force come from
	Packs      []string  `json:"packs,omitempty"`
	Digest     string    `json:"digest"` // of all that was judged by
	Controls   []Control `json:"controls"`
}

// A Control is one that is in force.
type Control struct {
	ID       string          `json:"id"`
	Version  int             `json:"version"`
	Title    string          `json:"title"`
	Why      string          `json:"why,omitempty"`
	Remedy   string          `json:"remedy,omitempty"`
	Severity policy.Severity `json:"severity"`
}

// A Change is one that was judged.
type Change struct {
	Ref        string           `json:"ref"`
	Repository string           `json:"repository,omitempty"`
	Number     int              `json:"number,omitempty"`
	Title      string           `json:"title,omitempty"`
	Method     string           `json:"method,omitempty"`
	State      string           `json:"state,omitempty"`
	Target     string           `json:"target,omitempty"`
	Commit     string           `json:"commit,omitempty"` // in which it landed, else its head
	Place      string           `json:"place,omitempty"`  // the file of it that tells most; "" if none is known
	Direct     bool             `json:"direct,omitempty"`
	Loose      bool             `json:"loose,omitempty"` // a commit that belongs to no change that is known
	AI         bool             `json:"ai,omitempty"`
	Findings   []policy.Finding `json:"findings"`
}

// A Summary is what a stream came to.
type Summary struct {
	Changes int                  `json:"changes"`
	Loose   int                  `json:"loose,omitempty"`
	Held    int                  `json:"held"`   // changes that a finding holds up
	Blocks  int                  `json:"blocks"` // findings that do
	States  map[policy.State]int `json:"states"` // findings
}

// Of is what is reported of a subject.
func Of(x *subject.Subject, findings []policy.Finding) Change {
	return Change{
		Ref: x.Change.Ref, Repository: x.Repository.Name, Number: x.Change.Number, Title: x.Change.Title, Method: x.Change.Method, State: x.Change.State,
		Target: x.Change.Target, Commit: cmp.Or(x.Change.Landed, x.Change.Head), Place: place(x), Direct: x.Change.Direct, AI: x.Change.AI, Findings: findings,
	}
}

// place is the file of a change that tells most: one that AI may not write before one that
// two people have to see, then one with a tag, one of AI, and the first.
func place(x *subject.Subject) string {
	best, rank := "", -1
	for _, f := range x.Files {
		at := 0
		switch {
		case f.Forbidden && f.ByAI:
			at = 4
		case f.Protected:
			at = 3
		case f.Sensitive:
			at = 2
		case f.ByAI:
			at = 1
		}
		if f.Status != "D" && f.MovedTo == "" && at > rank {
			best, rank = f.Path, at
		}
	}
	return best
}

// ControlsOf are those of a set.
func ControlsOf(set *policy.Set) []Control {
	list := make([]Control, 0, len(set.Controls))
	for _, c := range set.Controls {
		list = append(list, Control{c.ID, c.Version, c.Title, c.Why, c.Remedy, c.Severity})
	}
	return list
}

// Tell gives a stream to a handler, and what it came to back.
func Tell(h Handler, run Run, changes iter.Seq2[Change, error]) (Summary, error) {
	sum := Summary{States: map[policy.State]int{}}
	if err := h.Begin(run); err != nil {
		return sum, err
	}
	for c, err := range changes {
		if err != nil {
			return sum, err
		}
		sum.add(c)
		if err := h.Change(c); err != nil {
			return sum, err
		}
	}
	return sum, h.End(sum)
}

func (s *Summary) add(c Change) {
	s.Changes++
	if c.Loose {
		s.Loose++
	}
	held := false
	for _, f := range c.Findings {
		s.States[f.State]++
		if f.Blocks {
			s.Blocks++
			held = true
		}
	}
	if held {
		s.Held++
	}
}

// Judged is how many findings say pass, and how many could have: what does not apply and
// what is waived is in neither.
func (s Summary) Judged() (pass, all int) {
	pass = s.States[policy.Pass]
	return pass, pass + s.States[policy.Fail] + s.States[policy.Unknown]
}

// Several gives one stream to several handlers.
func Several(list ...Handler) Handler { return several(list) }

type several []Handler

func (s several) Begin(r Run) error {
	return s.each(func(h Handler) error { return h.Begin(r) })
}

func (s several) Change(c Change) error {
	return s.each(func(h Handler) error { return h.Change(c) })
}

func (s several) End(sum Summary) error {
	return s.each(func(h Handler) error { return h.End(sum) })
}

func (s several) each(do func(Handler) error) error {
	var failed error
	for _, h := range s {
		failed = errors.Join(failed, do(h))
	}
	return failed
}

// A rank is how much a finding matters to who reads it, the most first.
type rank int

const (
	blocks rank = iota
	fails
	unknown
	waived
	passes
	absent
)

func rankOf(f policy.Finding) rank {
	switch {
	case f.Blocks:
		return blocks
	case f.State == policy.Fail:
		return fails
	case f.State == policy.Pass:
		return passes
	case f.State == policy.Waived:
		return waived
	case f.State == policy.NotApplicable:
		return absent
	}
	return unknown
}

var rankWords = [...]string{blocks: "blocks", fails: "fails", unknown: "unknown", waived: "waived", passes: "pass", absent: "n/a"}

func (r rank) String() string { return rankWords[r] }

// met reports whether nothing is to be done about a finding.
func met(f policy.Finding) bool { return rankOf(f) >= passes }

// ordered are the findings as they are read: by rank, then the gravest first, then by their
// controls.
func ordered(list []policy.Finding) []policy.Finding {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b policy.Finding) int {
		return cmp.Or(cmp.Compare(rankOf(a), rankOf(b)),
			cmp.Compare(slices.Index(policy.Severities, a.Severity), slices.Index(policy.Severities, b.Severity)), cmp.Compare(a.Control, b.Control))
	})
	return out
}

// A level is how loud a finding is said to programs that know three.
type level int

const (
	loud  level = iota // it holds the change up
	heard              // it is said
	noted              // it is counted
)

func levelOf(f policy.Finding) level {
	switch {
	case f.Blocks:
		return loud
	case f.Mode == policy.Observe || f.Mode == "":
		return noted
	}
	return heard
}
