// Package story tells one coherent story of a small team and its agents, to a stemma that
// knows nothing of it: a real git repository with a clone for each of them, the calls of
// agents' hooks with their transcripts, signed webhooks of a forge, a tracker and a pager,
// and what pipelines report. docs/story.md is the same story in prose.
//
// It goes through the front doors alone: it runs git and the program stemma, sends what
// other systems send to a "stemma serve" on the loopback interface, and imports nothing
// of this module. So what the tests of the whole program walk was made as a user makes it.
//
// Who acts, what they say and when is fixed, and so are all hashes. Nobody in it exists.
package story

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Names in the story that one asks for later.
const (
	Repository  = "github.com/acme/pay"
	Requirement = "requirement:jira/PAY-1"
	Planner     = "5c1e0a52-0000-4000-8000-000000000001" // the session that has two workers
	Incident    = "incident:pagerduty/PGR0VU2"
)

// A Setting is where the story takes place.
type Setting struct {
	Stemma string   // the program, by its whole path; its name is stemma
	Dir    string   // where the clones and the agents' homes come to lie; made anew
	Env    []string // of the program: STEMMA_DATA=…, STEMMA_DB=…; the space that is told
	Log    io.Writer
}

// Told is what came of it.
type Told struct {
	Clone   string            // of Ada, with everybody's branches
	Commits map[string]string // what landed on main, by the names of the chapters
	Images  map[string]string // digests of what was built, by version
	sent    []letter
}

// Tell tells the story. When it returns, everything that was told is in the space.
func Tell(ctx context.Context, in Setting) (told *Told, err error) {
	if err := errors.Join(os.RemoveAll(in.Dir), os.MkdirAll(in.Dir, 0o700)); err != nil {
		return nil, fmt.Errorf("story: %w", err)
	}
	dir, err := filepath.Abs(in.Dir)
	if err != nil {
		return nil, fmt.Errorf("story: %w", err)
	}
	s := newStage(ctx, in, dir)
	defer func() {
		s.stop()
		if s.err != nil {
			err = fmt.Errorf("story: %s: %w", s.chapter, s.err)
		}
	}()
	s.serve()
	for _, c := range chapters {
		if s.err == nil {
			s.chapter = c.name
			s.say("%s", c.name)
			c.tell(s)
		}
	}
	s.chapter = "the end"
	s.end()
	return &s.told, nil
}

// Redeliver sends every webhook of the story once more, the last one first, as a forge does
// that got no answer, and returns when they are settled.
func Redeliver(ctx context.Context, in Setting, told *Told) error {
	s := newStage(ctx, in, in.Dir)
	defer s.stop()
	s.serve()
	for i := range told.sent {
		s.post(told.sent[len(told.sent)-1-i])
	}
	s.settled()
	return s.err
}

var chapters = []struct {
	name string
	tell func(*stage)
}{
	{"what was there before", before},
	{"a requirement and its tickets", asked},
	{"a person writes how a card is charged", charges},
	{"a planner, two workers and another vendor's agent write refunds", refunds},
	{"an incident, and back to the version before", broken},
	{"the model mends what it broke", mended},
	{"another model closes a hole that a person left", secured},
	{"an agent's change, approved by whoever drove it alone", cached},
	{"it is taken back", reverted},
	{"a push that nobody reviewed", pushed},
}
