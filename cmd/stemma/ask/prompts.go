package ask

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/transcript"
	"github.com/stemma-dev/stemma/session"
)

// promptsShown is how many prompts an explanation shows, and promptShown how
// many characters of each.
const (
	promptsShown = 3
	promptShown  = 300
)

// prompts are what was asked for in a session before a line was committed: the
// very prompt where a record names it, the last ones otherwise.
type prompts struct {
	Exact  bool                 `json:"exact"`  // a record names this prompt
	Before int                  `json:"before"` // how many there were until then
	Shown  []transcript.Message `json:"shown"`
}

// promptsBehind looks for the prompts of a session behind a line: prompt number
// exact, or the last ones until a moment. It is nil if no transcript was kept.
func promptsBehind(ctx context.Context, space *ingest.Space, ref stemma.Ref, exact int, until stemma.Moment) (*prompts, error) {
	said, err := transcript.Of(ctx, space, ref)
	if errors.Is(err, stemma.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return choose(said, exact, until), nil
}

// asked is the session in which a person asked: for a sub-agent, whose records
// count the prompts of the session that it is part of, that one.
func asked(l lineRecord, own stemma.Ref) stemma.Ref {
	if whole, _, sub := strings.Cut(l.Session, ":"); sub && l.Prompt > 0 {
		return session.Ref(l.Agent, whole)
	}
	return own
}

// choose takes prompt number exact, or the last ones until a moment.
func choose(said []transcript.Message, exact int, until stemma.Moment) *prompts {
	p := &prompts{}
	for _, m := range said {
		if m.Role != "user" || m.At > until {
			continue
		}
		p.Before++
		if p.Before == exact {
			return &prompts{Exact: true, Before: exact, Shown: []transcript.Message{m}}
		}
		p.Shown = append(p.Shown, m)
	}
	if len(p.Shown) == 0 {
		return nil
	}
	p.Shown = p.Shown[max(0, len(p.Shown)-promptsShown):]
	return p
}

func printPrompts(out io.Writer, p *prompts) {
	if p == nil {
		return
	}
	switch {
	case p.Exact:
		fmt.Fprintf(out, "asked for by prompt %d of the session:\n", p.Before)
	case p.Before > len(p.Shown):
		fmt.Fprintf(out, "asked in the session before, the last %d of %d prompts:\n", len(p.Shown), p.Before)
	default:
		fmt.Fprintln(out, "asked in the session before:")
	}
	for _, m := range p.Shown {
		text := []rune(terminal.OneLine(m.Text))
		if len(text) > promptShown {
			text = append(text[:promptShown-1], '…')
		}
		fmt.Fprintf(out, "  %s\n", string(text))
	}
}
