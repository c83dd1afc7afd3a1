// Package run gathers what the transcript of a coding agent says until it is a
// record: what the readers of all agents share. A [Stream] is one transcript,
// in which several sessions may be told; a [Run] is one of them. A reader
// takes rows apart and says what happened; counting, paths, models, edits,
// tickets and cost are the same for every agent and are worked out here.
//
// The package opens no file and reads no clock. What is read from outside is
// bounded here: the length of a row, sessions, turns, calls and names.
package run

import (
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/session/price"
)

// Limits of one stream.
const (
	maxSessions = 10_000
	maxTurns    = 200_000
	maxCalls    = 500_000
	maxKinds    = 64
)

// Options are what a reader may be told.
type Options struct {
	// Say is given what was said, with the digest that the turn's record has.
	// Without it turns have no digest and no text is held.
	Say func(stemma.Digest, string)

	// Wrote is given what calls made of files, when they have ended well and as far as
	// the transcript has it exactly.
	Wrote func(Edition)

	// Directory is where the repository is checked out, if known: paths are
	// relative to it before they are relative to where the session worked.
	Directory string

	// Growing says that the stream may be read while its last row is being
	// written: a row without its newline is then left for later.
	Growing bool

	// Session and Model are what a transcript is taken to be of where it does
	// not say so itself, as that of Cursor: the name of its file has the id, and
	// a hook was told the model.
	Session, Model string

	// Prices are what tokens cost; nil for sessions without a cost.
	Prices *price.Table
}

// A Problem is rows that could not be used: the line of the first, why, and
// how many there were.
type Problem struct {
	Line   int64
	Reason string
	Count  int
}

type problems []Problem

func (p *problems) add(line int64, reason string) {
	for i := range *p {
		if (*p)[i].Reason == reason {
			(*p)[i].Count++
			return
		}
	}
	*p = append(*p, Problem{Line: line, Reason: reason, Count: 1})
}

// A Transcript is one session, or one sub-agent in it.
type Transcript struct {
	Session     session.Session
	Versions    []string // of the harness, in order of appearance
	Directories []string // where it worked; may name an account, so never for a fact
	Branches    []string
	Edits       []Edit
	Opened      []Proposal
	Tickets     []Ticket
	Subagent    string // the id of a sub-agent in its session
	ParentCall  string // the tool call that started it, as far as told
	TotalTokens int64  // what the parent was told that it used
	Rows        int
}

// An Edit is one call that changed a file.
type Edit struct {
	Call, Tool string
	Path       string // as in the record
	At         time.Time
	Patch      bool // the transcript has the exact change
	Modified   bool // a person changed it before it was applied
	Failed     bool
}

// A Proposal is a merge request that a session opened.
type Proposal struct {
	Repository stemma.Ref
	Number     int
	URL        string
	At         time.Time
}

// A Message is one message of either side, as far as it is used.
type Message struct {
	ID, Model string
	Text      string // all of it that is text
	Calls     []Call
	Results   []Result
	Tokens    Tokens
}

// A Call is the model asking for a tool.
type Call struct {
	ID, Tool string
	Paths    []string // files that it works on, as the tool spells them
	Edits    bool     // it changes them
	Ticket   Ticket   // the ticket that it looks up, if it is one
	Opens    bool     // it opens a merge request, whose address the result has
	Tests    bool     // it runs tests

	Input   []byte // what it is called with, as JSON; part of the row
	Command string // what it runs, or the patch that it applies
}

// A Result is what a tool gave back.
type Result struct {
	Call  string
	Error bool
	Raw   []byte // as it stands in the row; looked at only for a merge request that was opened
}

// Tokens are counts of one message.
type Tokens struct{ In, Out, CacheRead, CacheWrite int64 }

// most keeps the greater of each count: a message is repeated in several rows
// while it grows.
func (t Tokens) most(u Tokens) Tokens {
	return Tokens{max(t.In, u.In), max(t.Out, u.Out), max(t.CacheRead, u.CacheRead), max(t.CacheWrite, u.CacheWrite)}
}

// Plus adds counts.
func (t Tokens) Plus(u Tokens) Tokens {
	return Tokens{t.In + u.In, t.Out + u.Out, t.CacheRead + u.CacheRead, t.CacheWrite + u.CacheWrite}
}

// Minus is what was added since; a count that fell begins anew.
func (t Tokens) Minus(u Tokens) Tokens {
	if t.In < u.In || t.Out < u.Out || t.CacheRead < u.CacheRead || t.CacheWrite < u.CacheWrite {
		return t
	}
	return Tokens{t.In - u.In, t.Out - u.Out, t.CacheRead - u.CacheRead, t.CacheWrite - u.CacheWrite}
}

// A Change is how a tool tells that it changed a file.
type Change struct {
	Exact    bool // with what was there before and after
	Modified bool // a person changed it before it was applied
}

// A Place is what a row carries beside what it says.
type Place struct {
	At                         time.Time
	Version, Directory, Branch string
}
