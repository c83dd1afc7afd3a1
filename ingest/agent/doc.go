// Package agent reads what coding agents write down about their own sessions.
//
// A [Reader] reads the transcripts of one agent; [Detect] tells from how a
// transcript begins whose it is, and [Read] reads one of any agent. Most are
// rows of JSON, appended while the session runs: they are read once, no row is
// kept, and reading goes on where it ended. Some are one document, written anew
// each time. For each session there is a record of the room session, together
// with what a record does not hold: edits, proposed changes, tickets looked up,
// directories. Rows that cannot be read are counted with their line, and the
// rest is read.
//
// What was said is handed to the caller as it passes and is kept nowhere; the
// record has its digest. Paths in records are relative to where the session
// worked, and a home directory is written "~", so that no account's name
// becomes part of a fact. The package opens no file and reads no clock.
package agent

import (
	"io"

	"github.com/stemma-dev/stemma/ingest/agent/run"
)

// MaxRow is the longest row that is read, in bytes; a longer one is a problem.
const MaxRow = run.MaxRow

type (
	// Options are what a reader may be told.
	Options = run.Options

	// A Transcript is one session, or one sub-agent in it.
	Transcript = run.Transcript

	// An Edit is one call that changed a file.
	Edit = run.Edit

	// An Edition is what one call made of one file.
	Edition = run.Edition

	// A Proposal is a merge request that a session opened.
	Proposal = run.Proposal

	// A Ticket is one that a session looked up or changed through a tool.
	Ticket = run.Ticket

	// A Problem is rows that could not be used.
	Problem = run.Problem
)

// A Reader reads a transcript of one agent. It is for one goroutine.
type Reader interface {
	// Read reads to the end of the stream. It may be called again with what was
	// appended since, beginning at Offset. The error is the stream's.
	Read(io.Reader) error

	// Offset is how many bytes of the stream were used: where to go on. It is 0
	// for a transcript that is one document, which is to be read anew.
	Offset() int64

	Tool() string              // the agent, as in refs of its sessions
	Rows() int                 // how many rows were read
	Kinds() map[string]int     // how many of each type
	Problems() []Problem       // what could not be read
	Transcripts() []Transcript // the sessions in the order in which they appeared
}
