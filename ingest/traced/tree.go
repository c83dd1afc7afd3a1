package traced

import (
	"cmp"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/otlp"
	"github.com/stemma-dev/stemma/session"
)

// A key tells sessions apart: which tool ran, the id that it gives, and, of a sub-agent
// in that session, the id of it.
type key struct{ tool, id, sub string }

func (k key) ref() stemma.Ref {
	if k.sub != "" {
		return session.Ref(k.tool, k.id+":"+k.sub)
	}
	return session.Ref(k.tool, k.id)
}

// A node is a span in the tree of its trace.
type node struct {
	otlp.Span
	key
	parent key  // the session above, zero for none
	depth  int  // sessions above
	sure   bool // its session cannot become another one with what is still to come
	again  bool // it says once more what the span around it says

	around *node // nearest span around it that is of a kind and of the same session
	level  int   // how many of those there are
	agent  bool  // it is an agent of its session at work, or in one
	state  int8  // of the walk: 0 not yet, 1 under way, 2 done
}

// unnamed stands for the tool that ran where nothing tells it.
const unnamed = "otlp"

// A tree is the spans of one trace.
type tree struct {
	nodes   map[string]*node
	spare   key  // of the spans that nothing names a session of
	several bool // it could be one of several, so it is none
}

// plant puts the spans of a trace into a tree. What comes out depends on the spans
// alone, not on their order.
func plant(spans []otlp.Span) *tree {
	slices.SortFunc(spans, func(a, b otlp.Span) int { return cmp.Compare(a.ID, b.ID) })
	t := &tree{nodes: map[string]*node{}}
	for _, s := range spans {
		t.nodes[s.ID] = &node{Span: s}
	}
	t.spare, t.several = spareOf(spans)
	for _, s := range spans {
		t.place(t.nodes[s.ID])
	}
	return t
}

// spareOf names the session of the spans of a trace that name none, and have none around
// them: the one that is named in it; else the process that they come from; else the trace,
// if an agent ran in it. Of several none is more likely than the others. A model that
// somebody asks is no session.
func spareOf(spans []otlp.Span) (spare key, several bool) {
	named, process, tools := map[key]bool{}, map[key]bool{}, map[string]bool{}
	for _, s := range spans {
		tool := cmp.Or(s.Harness, unnamed)
		if s.Conversation != "" {
			named[key{tool: tool, id: s.Conversation}] = true
		}
		if s.Kind != otlp.Agent && s.Kind != otlp.Turn {
			continue
		}
		if s.Process != "" {
			process[key{tool: tool, id: s.Process}] = true
		}
		tools[tool] = true
	}
	for _, keys := range []map[key]bool{named, process} {
		if len(keys) > 0 {
			return only(keys), len(keys) > 1
		}
	}
	if len(tools) == 0 {
		return key{}, false
	}
	return key{tool: cmp.Or(only(tools), unnamed), id: "trace-" + spans[0].Trace}, false
}

// only is the one element of a set, or zero if there are several.
func only[E comparable](set map[E]bool) (one E) {
	for e := range set {
		if len(set) == 1 {
			one = e
		}
	}
	return one
}

// place works out the session of a span from those around it. Parents that lead in a
// circle are cut where the walk meets itself again.
func (t *tree) place(n *node) {
	var way []*node // from the span outward, without those that are placed
	for n != nil && n.state == 0 {
		n.state = 1
		way = append(way, n)
		n = t.nodes[n.Parent]
	}
	for _, n := range slices.Backward(way) {
		up := t.nodes[n.Parent]
		if up != nil && up.state != 2 {
			up = nil
		}
		t.settle(n, up)
		n.state = 2
	}
}

// settle places a span whose parent is placed.
func (t *tree) settle(n, up *node) {
	n.sure = n.Parent == ""
	if up != nil {
		n.key, n.parent, n.depth, n.sure = up.key, up.parent, up.depth, up.sure
		if n.around = up.around; up.Kind != "" {
			n.around = up
		}
	}
	t.session(n)
	if n.around != nil && n.around.key != n.key {
		n.around = nil
	}
	if n.agent = n.Kind == otlp.Agent || n.Kind == otlp.Turn; n.around != nil {
		n.level, n.agent = n.around.level+1, n.agent || n.around.agent
	}
	n.again = n.repeats()
}

// session gives a span the session that it names, or makes it one of its own.
func (t *tree) session(n *node) {
	switch above := n.key; {
	case n.Conversation != "" && n.Conversation != above.id:
		n.key = key{tool: cmp.Or(n.Harness, unnamed), id: n.Conversation}
		n.below(above)
		n.sure = true
	case above.id == "":
		n.key, n.sure = t.spare, false
	}
	switch {
	case n.Sub != "" && n.Sub != n.sub:
		main := key{tool: n.tool, id: n.id}
		n.parent, n.depth = main, 1
		if n.Above != "" {
			n.parent, n.depth = key{n.tool, n.id, n.Above}, 2
		}
		n.key.sub = n.Sub
	case n.Kind == otlp.Agent && n.around != nil && n.around.key == n.key && n.around.agent && !n.repeats():
		above := n.key
		n.key.sub = n.ID
		n.below(above)
	}
}

// below says which session started the one of the span.
func (n *node) below(above key) {
	if above.id == "" {
		n.parent, n.depth = key{}, 0
		return
	}
	n.parent, n.depth = above, n.depth+1
}

// repeats reports whether the span right around it says the same: a framework and the
// library that it calls are both traced, as are both ends of a call.
func (n *node) repeats() bool {
	a := n.around
	if a == nil || a.key != n.key || a.Kind != n.Kind {
		return false
	}
	switch n.Kind {
	case otlp.Model:
		return true
	case otlp.Agent:
		return a.Agent == n.Agent
	case otlp.Tool:
		return a.Called == n.Called
	}
	return false
}
