package follow

import (
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/spool"
)

// Makes reports whether a move may have made the commit that it leads to.
func Makes(m spool.Move) bool {
	what, _, _ := strings.Cut(m.What, ":")
	verb, _, _ := strings.Cut(what, " ")
	switch {
	case slices.Contains([]string{"checkout", "reset", "clone", "branch", "Branch", "bisect"}, verb):
		return false
	case forwards(m):
		return false
	case verb == "rebase" || verb == "pull":
		for _, step := range []string{"(start)", "(finish)", "(abort)"} {
			if strings.HasSuffix(what, step) {
				return false
			}
		}
	}
	return true
}

// putsInPlace reports whether the files that differ between two commits are
// in the work tree as they are in the second, since git went from one to the
// other and would not have lost changes.
func putsInPlace(m spool.Move) bool {
	return strings.HasPrefix(m.What, "checkout:") || forwards(m)
}

// forwards reports whether a move went ahead to a commit that was there.
func forwards(m spool.Move) bool {
	return strings.HasSuffix(strings.ToLower(m.What), ": fast-forward")
}

// withoutReflog makes moves of where HEAD was at each entry and is now, which is
// less than a reflog tells: what git did between is not known.
func withoutReflog(entries []spool.Entry, now spool.Stand) (moves []spool.Move) {
	at := ""
	to := func(commit string, when time.Time) {
		if commit != "" && commit != at {
			moves = append(moves, spool.Move{From: at, To: commit, At: when, End: int64(len(moves) + 1)})
			at = commit
		}
	}
	for i := range entries {
		to(entries[i].Commit, entries[i].At)
		entries[i].Reflog = int64(len(moves))
	}
	to(now.Commit, time.Time{})
	return moves
}
