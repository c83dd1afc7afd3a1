// Package sight tells who wrote each line of one file from what was seen of it:
// its content when an agent was about to edit it, when it had, when an editor
// said that a person typed, when a commit took it.
//
// What changed between two sights is an agent's only if its edit, and no other,
// was under way all the time. It is a person's only if the file was seen before
// and nothing ran meanwhile that might have written it. Else it is nobody's, and
// the hand says why.
//
// The package knows contents and hands, no sessions and no files, and does no I/O.
package sight

import (
	"slices"

	"github.com/stemma-dev/stemma/attribution/edits"
)

// Hands that are nobody's, besides those of package edits, say why.
const (
	Unwatched edits.Hand = -10 - iota // the file had not been seen before
	Disturbed                         // a command ran, or a tool that is not known
	Crowded                           // edits of several agents were under way at once
	Unpaired                          // an agent had edited, but was not seen to begin
	Unkept                            // a content was seen, but not kept
	Copied                            // the text is another's, which is still where it was
	Unended                           // an agent's edit had begun, and was not seen to end
)

// A Kind says what a sight is of.
type Kind int

// The kinds of sights.
const (
	Seen    Kind = iota // the file as it is, for no reason of its own
	Begun               // an edit begins, of [edits.Unknown] if it is not said whose
	Ended               // it has ended
	Typed               // an editor says that the hand, a person's, typed this
	Touched             // something may have written the file, at once; no content
	Running             // something runs that may write the file, until Ran; no content
	Ran                 // it has ended; no content
	Clean               // the file is what is checked out; who knows that content makes it Seen
)

// A Sight is what was seen of the file at one moment.
type Sight struct {
	Kind    Kind
	Hand    edits.Hand // whose edit begins or has ended, or who typed
	Call    string     // tells edits of one hand apart; it may be empty
	Content []byte
	Kept    bool // Content is what was seen
	Ends    bool // the edit that begins is known to end, and not to have been refused
	Git     bool // git did it, or whoever did may have let git put back what was there
	Likely  bool // nobody looked, but git is likely to have left the file so
}

// A Watch follows one file. It is for one goroutine.
type Watch struct {
	State
	file   *edits.File
	person edits.Hand
}

// A State is what a watch knows besides the file.
type State struct {
	Open    []Edit // edits that are under way
	Running int    // things that run and may write the file
	Seen    bool   // the content is known to have been that of the last sight
	Ran     bool   // something ran since
	Git     bool   // git wrote since, or may have
	Lost    bool   // the last content was not kept
	Likely  bool   // the last content is what git is likely to have left
}

// An Edit is one that is under way.
type Edit struct {
	Hand edits.Hand
	Call string
	Ends bool
}

// Start begins with what the file was at the commit that is checked out. Watches
// may share a memory. The state says what is known of the file since the checkout,
// nothing or that capture was on; the person is whose work tree it is.
func Start(name string, content []byte, known *edits.Memory, person edits.Hand, s State) *Watch {
	return Resume(edits.Start(name, content, nil, known), person, s)
}

// Resume goes on with a file.
func Resume(f *edits.File, person edits.Hand, s State) *Watch {
	return &Watch{State: s, file: f, person: person}
}

// Hear takes a sight that has no content, and reports whether it was one.
func (s *State) Hear(of Sight) bool {
	switch of.Kind {
	case Touched:
		s.Git = s.Git || of.Git
	case Running:
		s.Running++
	case Ran:
		s.Running = max(0, s.Running-1)
	case Clean:
		return true
	case Seen, Begun, Ended, Typed:
		return false
	}
	s.Ran = true
	return true
}

// File is the file as it was seen last.
func (w *Watch) File() *edits.File { return w.file }

// See takes the next sight.
func (w *Watch) See(s Sight) {
	if w.Hear(s) {
		return
	}
	if s.Kind == Begun && s.Call != "" { // told again: until now it has written nothing
		w.Open = slices.DeleteFunc(w.Open, func(e Edit) bool { return e.Hand == s.Hand && e.Call == s.Call })
	}
	if s.Kept {
		by := w.since(s)
		w.file.Step(s.Content, by, w.back(by, s))
	}
	switch s.Kind {
	case Begun:
		w.Open = append(w.Open, Edit{s.Hand, s.Call, s.Ends})
	case Ended:
		w.end(s)
	case Seen, Typed, Touched, Running, Ran, Clean:
	}
	w.State.Seen, w.Lost, w.Likely = true, !s.Kept, s.Likely
	if s.Kept {
		w.Ran, w.Git = w.Running > 0, false
	}
}

// Glimpse is a content that was there beside what the work tree holds, such as
// what somebody committed of it, and who wrote it: the watch goes on from what it
// saw before.
func (w *Watch) Glimpse(content []byte) *edits.File {
	by := w.since(Sight{Kind: Seen})
	return w.file.Glimpse(content, by, w.back(by, Sight{}))
}

// back says how much of what was there may have come back.
func (w *Watch) back(by edits.Hand, s Sight) edits.Back {
	switch {
	case w.Git || s.Likely:
		return edits.Git
	case by <= edits.Base || s.Git || w.Likely:
		return edits.Any
	case by == w.person:
		return edits.Whole
	}
	return edits.Nothing
}

// since is who changed what was changed since the last sight.
func (w *Watch) since(s Sight) edits.Hand {
	switch {
	case s.Likely:
		return edits.Placed
	case w.Lost:
		return Unkept
	case len(w.Open) > 1:
		return Crowded
	case w.Ran:
		return Disturbed
	case len(w.Open) == 1 && w.Open[0].Hand == edits.Unknown && s.Kind == Ended:
		return s.Hand // who began is told at the end
	case len(w.Open) == 1 && (s.Kind == Ended || w.Open[0].Ends):
		return w.Open[0].Hand
	case len(w.Open) == 1:
		return Unended
	case s.Kind == Ended:
		return Unpaired
	case !w.State.Seen:
		return Unwatched
	case s.Kind == Typed:
		return s.Hand
	}
	return w.person
}

// end closes the edit that a sight ends: that call, else the last of the hand's,
// else the last of which it was not said whose it is.
func (w *Watch) end(s Sight) {
	last := func(is func(Edit) bool) bool {
		for i, e := range slices.Backward(w.Open) {
			if is(e) {
				w.Open = slices.Delete(w.Open, i, i+1)
				return true
			}
		}
		return false
	}
	_ = last(func(e Edit) bool { return e.Hand == s.Hand && e.Call == s.Call }) ||
		last(func(e Edit) bool { return e.Hand == s.Hand }) ||
		last(func(e Edit) bool { return e.Hand == edits.Unknown })
}
