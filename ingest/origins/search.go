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

// lines are the lines of the file with this content, which may have any number
// of them. It tells the commits that they come from while they are found, each
// once.
func (s *search) lines(path string, content []byte, commits chan<- string) ([]blame.Line, error) {
	texts := bytes.SplitAfter(content, []byte("\n"))
	found := make([]blame.Line, len(texts))
	known := map[string]bool{}
	for g := range s.found {
		if id := g.Commit.ID; !known[id] {
			known[id] = true
			commits <- id
		}
		for i := range g.Lines {
			l, at := g.Line, g.FinalLine+i-1
			if at < 0 || at >= len(texts) {
				return nil, fmt.Errorf("blame of %s: git found a line %d in a file of %d", quote.Path(path), at+1, len(texts))
			}
			text := bytes.TrimSuffix(texts[at], []byte("\n"))
			l.OrigLine, l.FinalLine, l.Text = g.OrigLine+i, at+1, text[:min(len(text), blame.MaxText)]
			found[at] = l
		}
	}
	if s.err != nil {
		return nil, s.err
	}
	return slices.DeleteFunc(found, func(l blame.Line) bool { return l.Commit == nil }), nil
}
