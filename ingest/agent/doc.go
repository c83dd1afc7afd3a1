// Package agent reads what coding agents write down about their own sessions.
//
// [Claude] reads the transcripts of Claude Code: JSON, one row a line, appended
// while the session runs. It reads a stream once, keeps no row, and gives for
// each session a record of the room session, together with what a record does
// not hold: edits, proposed changes, tickets looked up, directories. Rows that
// cannot be read are counted with their line, and the rest is read.
//
// What was said is handed to the caller as it passes and is kept nowhere; the
// record has its digest. Paths in records are relative to where the session
// worked, and a home directory is written "~", so that no account's name
// becomes part of a fact. The package opens no file and reads no clock.
package agent

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
