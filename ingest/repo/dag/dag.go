// Package dag knows the shape of a repository's history and nothing else of
// it: which commits stand for all they reach, and in which steps a branch came
// to be what it is.
package dag

// A Graph is the shape of a history: commits by number and the numbers of
// their parents. Parents that are not in the history (a shallow boundary) are
// left out.
type Graph struct {
	ids     []string
	parents [][]int32
	listed  []bool // added, and not only named as a parent
	index   map[string]int32
}

// New makes an empty graph.
func New() *Graph {
	return &Graph{index: map[string]int32{}}
}

// Number returns the number of a commit, giving it one if it has none.
func (g *Graph) Number(id string) int32 {
	n, ok := g.index[id]
	if !ok {
		n = int32(len(g.ids))
		g.ids = append(g.ids, id)
		g.parents = append(g.parents, nil)
		g.listed = append(g.listed, false)
		g.index[id] = n
	}
	return n
}

// Add states the parents of a commit and returns its number.
func (g *Graph) Add(id string, parents []string) int32 {
	n := g.Number(id)
	ps := make([]int32, len(parents))
	for i, p := range parents {
		ps[i] = g.Number(p)
	}
	g.parents[n], g.listed[n] = ps, true
	return n
}

// A Landing is one step of the default branch: the commit that moved it, and
// every commit that this step brought in, parents before children, the
// moving commit last.
type Landing struct {
	Commit  int32
	Carried []int32
}

// Landings divides what tip adds to the branch since the commits of before
// into the steps in which it arrived, oldest first. Every commit belongs to
// the first step that reaches it; what was only named as a parent, to none.
func (g *Graph) Landings(tip string, before []string) []Landing {
	end, ok := g.index[tip]
	if !ok {
		return nil
	}
	seen := make([]bool, len(g.ids))
	for n, listed := range g.listed {
		seen[n] = !listed
	}
	for _, id := range before {
		if n, ok := g.index[id]; ok && g.listed[n] {
			g.reach(n, seen, nil)
		}
	}
	var chain []int32
	for n := end; !seen[n]; {
		chain = append(chain, n)
		if len(g.parents[n]) == 0 {
			break
		}
		n = g.parents[n][0]
	}
	steps := make([]Landing, 0, len(chain))
	for i := len(chain) - 1; i >= 0; i-- {
		l := Landing{Commit: chain[i]}
		// The first parent was reached by the step before.
		g.reach(l.Commit, seen, &l.Carried)
		steps = append(steps, l)
	}
	return steps
}

// reach marks everything that n leads to and was not marked yet, and lists it
// with parents before children.
func (g *Graph) reach(n int32, seen []bool, list *[]int32) {
	type frame struct{ n, next int32 }
	if seen[n] {
		return
	}
	seen[n] = true
	stack := []frame{{n, 0}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if int(top.next) < len(g.parents[top.n]) {
			p := g.parents[top.n][top.next]
			top.next++
			if !seen[p] {
				seen[p] = true
				stack = append(stack, frame{p, 0})
			}
			continue
		}
		if list != nil {
			*list = append(*list, top.n)
		}
		stack = stack[:len(stack)-1]
	}
}

// Heads returns the commits of done that no other commit of done has as a
// parent: together they stand for the whole set, if it holds the parents of
// all its members.
func (g *Graph) Heads(done []int32) []string {
	isParent := make(map[int32]bool, len(done))
	for _, n := range done {
		for _, p := range g.parents[n] {
			isParent[p] = true
		}
	}
	var heads []string
	for _, n := range done {
		if !isParent[n] {
			heads = append(heads, g.ids[n])
		}
	}
	return heads
}

// ID is the commit of a number.
func (g *Graph) ID(n int32) string { return g.ids[n] }

// Len is how many numbers were given.
func (g *Graph) Len() int { return len(g.ids) }

// Find returns the number of a commit, if it is part of the history.
func (g *Graph) Find(id string) (n int32, ok bool) {
	n, ok = g.index[id]
	return n, ok
}

// Has reports whether a commit is part of the history.
func (g *Graph) Has(id string) bool {
	_, ok := g.index[id]
	return ok
}
