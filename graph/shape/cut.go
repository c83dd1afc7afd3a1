package shape

import (
	"maps"
	"slices"

	"github.com/stemma-dev/stemma"
)

// A Cut is a whole fact about a node: the edges through the node's doors that
// it does not keep are withdrawn, but for those of better evidence.
type Cut struct {
	Node  int
	table *Table
	grade stemma.Grade
	keep  []EdgeKey
}

// Takes reports whether c withdraws an edge.
func (c Cut) Takes(key EdgeKey, grade stemma.Grade) bool {
	return c.table.opens(key, c.Node) && grade >= c.grade && !slices.Contains(c.keep, key)
}

// LeadsDown reports whether c may take edges that lead to its node: those of
// doors that lead down.
func (c Cut) LeadsDown() bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(c.table.doors)), func(d *Door) bool { return d.Flow == stemma.Down })
}

// opens reports whether an edge goes through a door of t whose subject is node.
func (t *Table) opens(e EdgeKey, node int) bool {
	for _, d := range t.doors {
		if d.ID == e.Door {
			return d.Flow == stemma.Down && e.Dst == node || d.Flow != stemma.Down && e.Src == node
		}
	}
	return false
}

// cut withdraws what c takes of the edges gathered so far; again says that
// there may be some. Those in the store are looked for when the batch is written.
func (b *Batch) cut(c Cut, again bool) {
	b.Cuts = append(b.Cuts, c)
	if !again {
		return
	}
	for i, e := range b.Edges {
		if c.Takes(e.EdgeKey, e.Grade) {
			delete(b.edgeAt, e.EdgeKey)
			b.Edges[i] = Edge{}
		}
	}
}
