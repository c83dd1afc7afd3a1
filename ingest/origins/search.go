package origins

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/stemma-dev/stemma/git/blame"
	"github.com/stemma-dev/stemma/git/quote"
)

// A search is git blame at work on a committed file whose content need not be
// known yet. One goroutine uses it.
type search struct {
	found  chan blame.Group
	err    error // once found is closed
	cancel context.CancelFunc
}

// search starts one. The caller stops it.
func (b *Repo) search(ctx context.Context, o blame.Options) *search {
	ctx, cancel := context.WithCancel(ctx)
	s := &search{found: make(chan blame.Group, 1024), cancel: cancel}
	go func() {
		defer close(s.found)
		for g, err := range blame.Groups(ctx, b.Repo, o) {
			if err != nil {
				s.err = err
				return
			}
			select {
			case s.found <- g:
			case <-ctx.Done():
				s.err = context.Cause(ctx)
				return
			}
		}
	}()
	return s
}

// stop ends a search that may still run, and waits until it has. There need not
// be one.
func (s *search) stop() {
	if s == nil {
		return
	}
	s.cancel()
	for range s.found { // nobody wants it
	}
}

// lines are the lines of the file with this content that were asked for. It tells the
// commits that they come from while they are found, each once.
func (s *search) lines(path string, content []byte, commits chan<- string) ([]Line, error) {
	var groups []blame.Group
	total, known := 0, map[string]bool{}
	for g := range s.found {
		if id := g.Commit.ID; !known[id] {
			known[id] = true
			commits <- id
		}
		groups = append(groups, g)
		total += g.Lines
	}
	if s.err != nil {
		return nil, s.err
	}
	slices.SortFunc(groups, func(a, b blame.Group) int { return a.FinalLine - b.FinalLine })
	found := make([]Line, 0, min(total, len(content)))
	at := 1
	for _, g := range groups {
		for n := range g.Lines {
			l := Line{Line: g.Line}
			l.OrigLine, l.FinalLine = g.OrigLine+n, g.FinalLine+n
			for ; at <= l.FinalLine; at++ {
				if len(content) == 0 {
					return nil, fmt.Errorf("blame of %s: git found a line %d in a file of %d", quote.Path(path), l.FinalLine, at-1)
				}
				l.Text, content, _ = bytes.Cut(content, []byte("\n"))
			}
			l.Text = l.Text[:min(len(l.Text), blame.MaxText)]
			found = append(found, l)
		}
	}
	return found, nil
}
