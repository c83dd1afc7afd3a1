package weave

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
)

// A history makes commits at random.
type history struct {
	seed     uint64
	rng      *rand.Rand
	unique   bool
	out      bytes.Buffer
	commits  []map[string][]string // trees, by mark minus one
	branches []int                 // mark of the tip of each
	serial   int
}

func newHistory(seed uint64, unique bool) *history {
	return &history{seed: seed, rng: rand.New(rand.NewPCG(seed, 2)), unique: unique}
}

// grow returns a stream for git fast-import with n commits.
func (h *history) grow(n int) []byte {
	h.branches = []int{h.commit(0, map[string][]string{"a.txt": h.lines(30), "dir/b.txt": h.lines(20), "c.txt": h.lines(8)})}
	for len(h.commits) < n {
		b := h.rng.IntN(len(h.branches))
		switch k := h.rng.IntN(20); {
		case k < 2 && len(h.branches) < 4: // a branch, from anywhere
			h.branches = append(h.branches, 1+h.rng.IntN(len(h.commits)))
			h.change(len(h.branches) - 1)
		case k < 6 && len(h.branches) > 1:
			h.merge(b)
		case k < 7: // a revert: the tree of an earlier commit
			h.commit(b, h.commits[h.rng.IntN(len(h.commits))], h.branches[b])
		default:
			h.change(b)
		}
	}
	return h.out.Bytes()
}

func (h *history) line() string {
	h.serial++
	if h.unique {
		return fmt.Sprintf("%x %d", h.rng.Uint64(), h.serial)
	}
	return []string{"{", "}", "", "\tif err != nil {", "\t\treturn err", "x++", "y", "z"}[h.rng.IntN(8)]
}

func (h *history) lines(n int) []string {
	s := make([]string, n)
	for i := range s {
		s[i] = h.line()
	}
	return s
}

// edit changes some lines.
func (h *history) edit(s []string) []string {
	s = slices.Clone(s)
	for range 1 + h.rng.IntN(3) {
		at := h.rng.IntN(len(s) + 1)
		gone := min(h.rng.IntN(4), len(s)-at)
		s = slices.Replace(s, at, at+gone, h.lines(h.rng.IntN(5))...)
	}
	return s
}

func (h *history) change(b int) {
	parent := h.branches[b]
	tree := map[string][]string{}
	var paths []string
	for p, s := range h.commits[parent-1] {
		tree[p] = s
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for range 1 + h.rng.IntN(2) {
		if len(paths) == 0 || h.rng.IntN(10) == 0 {
			tree[h.name()] = h.lines(1 + h.rng.IntN(30))
			continue
		}
		p := paths[h.rng.IntN(len(paths))]
		s, ok := tree[p]
		if !ok {
			continue
		}
		switch k := h.rng.IntN(12); {
		case k == 0:
			delete(tree, p)
		case k == 1:
			delete(tree, p)
			tree[h.name()] = s
		case k == 2 && len(s) > 12:
			delete(tree, p)
			tree[h.name()] = h.edit(s)
		default:
			tree[p] = h.edit(s)
		}
	}
	h.commit(b, tree, parent)
}

func (h *history) name() string {
	return []string{"a.txt", "dir/b.txt", "c.txt", "d.txt", "dir/e.txt", "dir/sub/f.txt"}[h.rng.IntN(6)]
}

// merge makes a merge of two or three branches: each file as in one of them, or
// put together by hand.
func (h *history) merge(b int) {
	parents := []int{h.branches[b]}
	for _, o := range h.rng.Perm(len(h.branches)) {
		if p := h.branches[o]; !slices.Contains(parents, p) && len(parents) < 2+h.rng.IntN(2) {
			parents = append(parents, p)
		}
	}
	if len(parents) == 1 {
		return
	}
	tree := map[string][]string{}
	paths := map[string]bool{}
	for _, p := range parents {
		for path := range h.commits[p-1] {
			paths[path] = true
		}
	}
	names := make([]string, 0, len(paths))
	for p := range paths {
		names = append(names, p)
	}
	slices.Sort(names)
	for _, path := range names {
		x, inX := h.commits[parents[0]-1][path]
		y, inY := h.commits[parents[1+h.rng.IntN(len(parents)-1)]-1][path]
		switch k := h.rng.IntN(4); {
		case k == 0 && inX && inY:
			mixed := slices.Concat(x[:h.rng.IntN(len(x)+1)], y[min(len(y), h.rng.IntN(len(y)+1)):])
			if h.rng.IntN(2) == 0 {
				mixed = h.edit(mixed)
			}
			tree[path] = mixed
		case k < 3 && inY:
			tree[path] = y
		case inX:
			tree[path] = x
		}
	}
	h.commit(b, tree, parents...)
}

// commit writes a commit and makes it the tip of branch b.
func (h *history) commit(b int, tree map[string][]string, parents ...int) int {
	h.commits = append(h.commits, tree)
	mark := len(h.commits)
	fmt.Fprintf(&h.out, "commit refs/heads/s%d/b%d\nmark :%d\ncommitter T <t@example.org> %d +0000\ndata 2\nx\n\n", h.seed, b, mark, 1700000000+60*mark)
	for i, p := range parents {
		fmt.Fprintf(&h.out, "%s :%d\n", []string{"from", "merge"}[min(i, 1)], p)
	}
	fmt.Fprintln(&h.out, "deleteall")
	names := make([]string, 0, len(tree))
	for p := range tree {
		names = append(names, p)
	}
	slices.Sort(names)
	for _, p := range names {
		text := ""
		for _, l := range tree[p] {
			text += l + "\n"
		}
		fmt.Fprintf(&h.out, "M 100644 inline %s\ndata %d\n%s\n", p, len(text), text)
	}
	if b < len(h.branches) {
		h.branches[b] = mark
	}
	return mark
}
