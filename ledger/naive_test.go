package ledger_test

import (
	"crypto/sha256"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/stemma-dev/stemma"
)

// A naiveTree computes what section 2.1 of RFC 6962 defines in the words of
// its definitions, from the leaf data alone. It shares no code with the ledger.
type naiveTree struct {
	leaves []stemma.Digest
	known  map[[2]int]tlog.Hash // of the subtree over leaves [from, to)
}

func (t *naiveTree) hash(from, to int) tlog.Hash {
	switch to - from {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, t.leaves[from][:]...))
	}
	if h, ok := t.known[[2]int{from, to}]; ok {
		return h
	}
	k := split(to - from)
	left, right := t.hash(from, from+k), t.hash(from+k, to)
	h := tlog.Hash(sha256.Sum256(slices.Concat([]byte{1}, left[:], right[:])))
	if t.known == nil {
		t.known = map[[2]int]tlog.Hash{}
	}
	t.known[[2]int{from, to}] = h
	return h
}

// split is the largest power of two smaller than n.
func split(n int) int {
	k := 1
	for 2*k < n {
		k *= 2
	}
	return k
}

// path is PATH(m, D[from:to]).
func (t *naiveTree) path(m, from, to int) []tlog.Hash {
	if to-from == 1 {
		return nil
	}
	k := split(to - from)
	if m < k {
		return append(t.path(m, from, from+k), t.hash(from+k, to))
	}
	return append(t.path(m-k, from+k, to), t.hash(from, from+k))
}

// proof is PROOF(m, D[0:n]).
func (t *naiveTree) proof(m, n int) []tlog.Hash { return t.subproof(m, 0, n, true) }

func (t *naiveTree) subproof(m, from, to int, whole bool) []tlog.Hash {
	if m == to-from {
		if whole {
			return nil
		}
		return []tlog.Hash{t.hash(from, to)}
	}
	k := split(to - from)
	if m <= k {
		return append(t.subproof(m, from, from+k, whole), t.hash(from+k, to))
	}
	return append(t.subproof(m-k, from+k, to, false), t.hash(from, from+k))
}
