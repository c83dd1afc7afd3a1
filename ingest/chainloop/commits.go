package chainloop

import (
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/ingest/note"
)

// A gitContext is what a session says about its repository. The name of the
// repository and the directory are not read: a commit's own name says more.
type gitContext struct {
	branch     string
	start, end string   // the first and the last commit of the session, by name
	listed     []string // its commits; of a description only the name that it begins with
	more       int      // that are listed and were not read
	count      int64    // how many there are
}

func (c *gitContext) read(r *jsonwalk.Reader) {
	for name := range r.Object() {
		switch name {
		case "branch":
			c.branch = r.Text(500)
		case "commit_start":
			c.start = r.Text(80)
		case "commit_end":
			c.end = r.Text(80)
		case "commits":
			for range r.Array() {
				if len(c.listed) == MaxCommits {
					r.Skip()
					c.more++
					continue
				}
				name, _, _ := strings.Cut(r.Text(200), " ")
				c.listed = append(c.listed, name)
			}
		case "commit_count":
			c.count = r.Int()
		}
	}
}

// isWhole reports whether a text is the whole name of a commit, by SHA-1 or SHA-256.
func isWhole(name string) bool { return (len(name) == 40 || len(name) == 64) && note.IsHex(name) }

// isShort reports whether a text may be the beginning of one.
func isShort(name string) bool { return len(name) >= 4 && len(name) < 64 && note.IsHex(name) }

// settleCommits finds out which commits the session made. The list gives them whole
// or, with the first line of their messages, in short; of two of those that are in
// short the whole names stand beside it.
func (s *Session) settleCommits(c gitContext) {
	ends := slices.DeleteFunc([]string{c.start, c.end}, func(name string) bool { return !isWhole(name) })
	listed := c.listed
	if len(listed) == 0 {
		listed = ends
	}
	named := map[string]bool{}
	for n, name := range listed {
		whole := name
		if i := slices.IndexFunc(ends, func(end string) bool { return isShort(name) && strings.HasPrefix(end, name) }); i >= 0 {
			whole = ends[i]
		}
		if named[whole] {
			continue
		}
		named[whole] = true
		switch {
		case isWhole(whole):
			s.Commits = append(s.Commits, whole)
		case isShort(whole):
			s.Problems.Add("a commit that is named only in short", "commit %d", n)
		default:
			s.Problems.Add("a commit without a name", "commit %d", n)
		}
	}
	for range c.more {
		s.Problems.Add("more commits than are read", "commit %d", MaxCommits)
	}
	for _, end := range ends { // the list may have another opinion
		named[end] = true
	}
	s.Several = len(named) > 1 || c.more > 0 || c.count > 1
}
