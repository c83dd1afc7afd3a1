package bound

import (
	"context"
	"slices"
)

// A shape is what stands on what, of all commits of the repository that were ever read:
// also of those that no branch leads to any more.
type shape struct {
	number   map[string]int32
	parents  [][]int32
	children [][]int32
}

// readShape reads it from the store.
func (r *Reader) readShape(ctx context.Context) (*shape, error) {
	h := &shape{number: map[string]int32{}}
	node := map[int64]int32{}
	err := r.DB.Each(ctx, func(scan func(...any) error) error {
		var id int64
		var sha string
		if err := scan(&id, &sha); err != nil || len(node) == maxHistory || !r.Has(sha) {
			return err
		}
		node[id] = int32(len(node))
		h.number[sha] = node[id]
		return nil
	}, `SELECT id, sha FROM k_commit WHERE sha IS NOT NULL ORDER BY committed DESC`)
	if err != nil {
		return nil, err
	}
	h.parents, h.children = make([][]int32, len(node)), make([][]int32, len(node))
	return h, r.DB.Each(ctx, func(scan func(...any) error) error {
		var src, dst int64
		if err := scan(&src, &dst); err != nil {
			return err
		}
		c, known := node[src]
		p, both := node[dst]
		if known && both {
			h.parents[c], h.children[p] = append(h.parents[c], p), append(h.children[p], c)
		}
		return nil
	}, `SELECT e.src, e.dst FROM door d JOIN edge e ON e.door = d.id WHERE d.name = 'parent'`)
}

func (h *shape) has(id string) bool {
	_, ok := h.number[id]
	return ok
}

// ancestors tells which commits one stands on.
func (h *shape) ancestors(of string) func(id string) bool { return h.reach(of, h.parents) }

// descendants tells which commits stand on one.
func (h *shape) descendants(of string) func(id string) bool { return h.reach(of, h.children) }

func (h *shape) reach(of string, steps [][]int32) func(id string) bool {
	reached := make([]bool, len(steps))
	for next := slices.Clone(steps[h.number[of]]); len(next) > 0; {
		n := next[len(next)-1]
		next = next[:len(next)-1]
		if !reached[n] {
			reached[n] = true
			next = append(next, steps[n]...)
		}
	}
	return func(id string) bool {
		n, ok := h.number[id]
		return ok && reached[n]
	}
}
