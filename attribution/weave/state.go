package weave

import (
	"cmp"
	"slices"
)

// treeState maps the paths of one commit to records. It shares what did not change
// with the states it was made from and is itself never changed.
type treeState struct {
	root   *stateNode
	levels int  // of nodes below the root
	open   bool // a path without entry is unknown, not absent
}

// stateNode has 32 children or, at the bottom, 32 records: the number of a
// record, 0 for no entry, or pathGone.
type stateNode struct {
	edit     *byte // who may still change the node
	children []*stateNode
	records  []uint32
}

const (
	stateBits = 5
	stateFan  = 1 << stateBits
	pathGone  = ^uint32(0)
)

// find returns the record of a path. Without one it returns 0 and whether the
// path is known to be absent.
func (s treeState) find(path uint32) (rec uint32, known bool) {
	n := s.root
	if n == nil || uint64(path)>>(stateBits*(s.levels+1)) != 0 {
		return 0, !s.open
	}
	for l := s.levels; l > 0; l-- {
		n = n.children[path>>(stateBits*l)%stateFan]
		if n == nil {
			return 0, !s.open
		}
	}
	switch rec := n.records[path%stateFan]; rec {
	case 0:
		return 0, !s.open
	case pathGone:
		return 0, true
	default:
		return rec, true
	}
}

// with returns the state with one entry changed. Nodes marked with edit were
// made by the caller and are changed in place.
func (s treeState) with(path, value uint32, edit *byte) treeState {
	if s.root == nil {
		s.root, s.levels = &stateNode{edit: edit, records: make([]uint32, stateFan)}, 0
	}
	for uint64(path)>>(stateBits*(s.levels+1)) != 0 {
		up := &stateNode{edit: edit, children: make([]*stateNode, stateFan)}
		up.children[0] = s.root
		s.root, s.levels = up, s.levels+1
	}
	s.root = s.root.own(edit)
	n := s.root
	for l := s.levels; l > 0; l-- {
		slot := &n.children[path>>(stateBits*l)%stateFan]
		switch {
		case *slot != nil:
			*slot = (*slot).own(edit)
		case l == 1:
			*slot = &stateNode{edit: edit, records: make([]uint32, stateFan)}
		default:
			*slot = &stateNode{edit: edit, children: make([]*stateNode, stateFan)}
		}
		n = *slot
	}
	n.records[path%stateFan] = value
	return s
}

func (n *stateNode) own(edit *byte) *stateNode {
	if n.edit == edit {
		return n
	}
	return &stateNode{edit: edit, children: slices.Clone(n.children), records: slices.Clone(n.records)}
}

// each calls yield for every path that has a record, in order of path number,
// until it returns false.
func (s treeState) each(yield func(path, rec uint32) bool) {
	if s.root != nil {
		s.root.each(0, s.levels, yield)
	}
}

func (n *stateNode) each(path uint32, level int, yield func(path, rec uint32) bool) bool {
	for i, c := range n.children {
		if c != nil && !c.each(path|uint32(i)<<(stateBits*level), level-1, yield) {
			return false
		}
	}
	for i, rec := range n.records {
		if rec != 0 && rec != pathGone && !yield(path|uint32(i), rec) {
			return false
		}
	}
	return true
}

// apply returns the state after the events.
func (s treeState) apply(events []event, edit *byte) treeState {
	for _, e := range events {
		value := pathGone
		if e.rec > 0 {
			value = uint32(e.rec)
		}
		s = s.with(e.path, value, edit)
	}
	return s
}

// stateShelf keeps the states that are likely to be needed again: those used
// last, and a few spread over the whole history from which any other one can
// be made in a bounded number of steps.
type stateShelf struct {
	kept  map[uint32]*shelved
	queue []shelfEntry // in order of use, with entries that are out of date
	clock uint64

	marks  map[uint32]treeState // every stride-th commit
	stride uint32
}

type shelved struct {
	state treeState
	used  uint64
}

type shelfEntry struct {
	commit uint32
	used   uint64
}

const (
	maxKept    = 8192
	maxMarks   = 256
	leastMarks = 512
)

func (s *stateShelf) keep(commit uint32, t treeState) {
	if s.kept == nil {
		s.kept, s.marks, s.stride = map[uint32]*shelved{}, map[uint32]treeState{}, leastMarks
	}
	s.clock++
	s.kept[commit] = &shelved{t, s.clock}
	s.queue = append(s.queue, shelfEntry{commit, s.clock})
	for len(s.kept) > maxKept {
		e := s.queue[0]
		s.queue = s.queue[1:]
		if k := s.kept[e.commit]; k != nil && k.used == e.used {
			delete(s.kept, e.commit)
		}
	}
	if commit%s.stride != 0 {
		return
	}
	s.marks[commit] = t
	for len(s.marks) > maxMarks {
		s.stride *= 2
		for c := range s.marks {
			if c%s.stride != 0 {
				delete(s.marks, c)
			}
		}
	}
}

func (s *stateShelf) find(commit uint32) (treeState, bool) {
	if k := s.kept[commit]; k != nil {
		return k.state, true
	}
	t, ok := s.marks[commit]
	return t, ok
}

// stateBelow is the state that the commit starts from: that of its first parent.
func (w *Weave) stateBelow(n uint32) treeState {
	if w.first[n] == 0 {
		return treeState{open: w.flags[n]&openBelow != 0}
	}
	parent := w.first[n] - 1
	t := w.stateAt(parent)
	w.shelf.keep(parent, t)
	return t
}

// advance is the state of commit n, made from the state below it.
func (w *Weave) advance(below treeState, n uint32) treeState {
	return below.apply(w.eventsOf(n), new(byte))
}

// stateAt finds the state of a commit or makes it again.
func (w *Weave) stateAt(n uint32) treeState {
	var way []uint32
	var t treeState
	for {
		var ok bool
		if t, ok = w.shelf.find(n); ok {
			break
		}
		way = append(way, n)
		if w.first[n] == 0 {
			t = treeState{open: w.flags[n]&openBelow != 0}
			break
		}
		n = w.first[n] - 1
	}
	edit := new(byte)
	for _, c := range slices.Backward(way) {
		t = t.apply(w.eventsOf(c), edit)
	}
	return t
}

// find returns the record of a path at a commit without making its whole
// state. Without a record it returns 0 and whether the path is known to be absent.
func (w *Weave) find(n, path uint32) (rec uint32, known bool) {
	for {
		if t, ok := w.shelf.find(n); ok {
			return t.find(path)
		}
		if rec, ok := w.eventAt(n, path); ok {
			return uint32(max(rec, 0)), true
		}
		if w.first[n] == 0 {
			return 0, w.flags[n]&openBelow == 0
		}
		n = w.first[n] - 1
	}
}

// eventAt finds what commit n says of the path.
func (w *Weave) eventAt(n, path uint32) (rec int32, ok bool) {
	events := w.eventsOf(n)
	i, ok := slices.BinarySearchFunc(events, path, func(e event, p uint32) int { return cmp.Compare(e.path, p) })
	if !ok {
		return 0, false
	}
	return events[i].rec, true
}

// openAt reports whether a path without entry is unknown at the commit.
func (w *Weave) openAt(n uint32) bool {
	for {
		if t, ok := w.shelf.find(n); ok {
			return t.open
		}
		if w.first[n] == 0 {
			return w.flags[n]&openBelow != 0
		}
		n = w.first[n] - 1
	}
}
