package capture

import (
	"strings"
	"time"

	"github.com/stemma-dev/stemma/spool"
)

// arrived are the moves that were made before an entry and after the one before.
func (g *gatherer) arrived(at spool.Stand, when time.Time) []spool.Move {
	rest := g.moves[g.moved:]
	n := 0
	for n < len(rest) && rest[n].End <= at.Reflog {
		n++
	}
	if leads(rest[:n], at) || n == 0 && at.Reflog > 0 && at.Commit == g.stand.Commit {
		return rest[:n]
	}
	// The reflog was shortened since, or was not looked at: its last move to where
	// HEAD stood, and if clocks are right not one that was made later.
	first, last := -1, -1
	for i, m := range rest {
		if at.Commit == "" || m.To != at.Commit {
			continue
		}
		if first < 0 {
			first = i
		}
		if !m.At.After(when) {
			last = i
		}
	}
	return rest[:max(first, last)+1]
}

// leads reports whether moves end where HEAD stood.
func leads(moves []spool.Move, at spool.Stand) bool {
	n := len(moves)
	return n > 0 && (at.Commit == "" || moves[n-1].To == at.Commit)
}

// move notes the next move.
func (g *gatherer) move() {
	if !g.begun {
		g.Before++
	} else if m := g.moves[g.moved]; Writes(m) && !goes(m) {
		g.gitTouched()
	}
	g.moved++
	g.events = append(g.events, event{Event: Event{Move: g.moved}})
}

// Writes reports whether git may have written files when it made the move, or
// before it for the sake of it: to commit writes none, but for a merge, a pick or a revert
// (which git only tells by the title, where it met a conflict), nor does it to go to another
// name of the same commit.
func Writes(m spool.Move) bool {
	what, title, _ := strings.Cut(m.What, ":")
	switch what {
	case "commit":
		return strings.HasPrefix(title, ` Revert "`) || strings.HasPrefix(title, ` Reapply "`)
	case "commit (amend)", "commit (initial)":
		return false
	case "checkout":
		return m.From != m.To
	}
	return true
}

// PutsInPlace reports whether a move left the files that differ between the two commits as
// they are in the second: git went from one to the other, or merged and met no conflict,
// and would not have lost changes.
func PutsInPlace(m spool.Move) bool { return goes(m) || Merges(m) }

// goes reports whether a move wrote nothing else.
func goes(m spool.Move) bool { return strings.HasPrefix(m.What, "checkout:") || Forwards(m) }

// Merges reports whether a move made a merge that met no conflict.
func Merges(m spool.Move) bool { return strings.Contains(m.What, ": Merge made by ") }

// Forwards reports whether a move went ahead to a commit that was there.
func Forwards(m spool.Move) bool {
	return strings.HasSuffix(strings.ToLower(m.What), ": fast-forward")
}

// explains reports whether the moves since the entry before, from the given
// one on, are all that git did.
func (g *gatherer) explains(at spool.Stand, from int) bool {
	if at.Stash != g.stand.Stash || at.Doing != g.stand.Doing || at.Draft != 0 && at.Draft != g.stand.Draft {
		return false
	}
	return at.Commit == g.stand.Commit && at.Head == g.stand.Head || leads(g.moves[from:g.moved], at)
}
