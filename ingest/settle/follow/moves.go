package follow

import (
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/spool"
)

// Makes reports whether a move may have made the commit that it leads to.
func Makes(m spool.Move) bool {
	what, _, _ := strings.Cut(m.What, ":")
	verb, _, _ := strings.Cut(what, " ")
	switch {
	case slices.Contains([]string{"checkout", "reset", "clone", "branch", "Branch", "bisect"}, verb):
		return false
	case capture.Forwards(m):
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

// movesWithout are the moves of a work tree that has no reflog: it was thrown away, and
// that of the branch on which all was done tells them, or nothing but the entries does.
func movesWithout(place spool.Place, entries []spool.Entry) ([]spool.Move, error) {
	branch := ""
	for i, e := range entries {
		if i == 0 {
			branch = e.Head
		}
		if e.Head != branch {
			branch = ""
		}
	}
	moves, err := place.MovesOf(branch)
	if err != nil {
		return nil, err
	}
	if ofBranch(moves, entries) {
		return moves, nil
	}
	return withoutReflog(entries, place.Stand()), nil
}

// ofBranch puts entries among the moves of the branch that they were made on. It
// reports whether all of them have a place there.
func ofBranch(moves []spool.Move, entries []spool.Entry) bool {
	places := make([]int64, len(entries))
	at := 0 // moves that were made before
	for i, e := range entries {
		for n := at; at == 0 || moves[at-1].To != e.Commit; {
			if n == len(moves) {
				return false
			}
			if n++; moves[n-1].To == e.Commit {
				at = n
			}
		}
		places[i] = int64(at)
	}
	for i := range entries {
		entries[i].Reflog = places[i]
	}
	for i := range moves {
		moves[i].End = int64(i + 1)
	}
	return len(moves) > 0
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
