// Package between finds what can be reached from some things through one door and not
// from others: as the commits that one deployment has and another has not. It reads
// of a history only what lies near, however long that is.
//
// Times decide the order in which it looks, as git does: where clocks were wrong by
// more than a week, it may tell of a thing that the others do reach.
package between

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// slack is by how much clocks may be wrong, in microseconds.
const slack = 7 * 24 * 60 * 60 * 1_000_000

const (
	batch = 2000 // things that are read at once
	many  = 200  // of which they are reached
)

// A History is what stands on what, as far as it was asked for. It is for one
// transaction.
type History struct {
	tx    *storage.Tx
	door  int64
	table string
	time  string
	known map[int64]*thing
}

type thing struct {
	id   int64
	at   int64
	next []int64 // what it stands on
	here bool    // there is a row of it, and not its name alone
}

// Of is the history of things of a kind by a door that leads from each to those
// before; a column of the kind has the time.
func Of(ctx context.Context, tx *storage.Tx, kind stemma.Kind, door, time string) (*History, error) {
	h := &History{tx: tx, table: "k_" + string(kind), time: time, known: map[int64]*thing{}}
	var doors []int64
	rows, err := tx.Query(ctx, "SELECT id FROM door WHERE name = $1", door)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		doors = append(doors, id)
	}
	if len(doors) == 0 {
		doors = []int64{-1} // no fact has used it yet
	}
	h.door = doors[0]
	return h, rows.Err()
}

// A Difference is what some things reach and others do not.
type Difference struct {
	IDs []int64 // the newest first
	Cut []int64 // of what they stand on nothing is known: the history is not all here
}

// side says from where something is reached.
type side uint8

const (
	wanted side = 1 << iota
	unwanted
)

// Difference finds what the tips reach, themselves included, and not does not.
func (h *History) Difference(ctx context.Context, tips, not []int64) (d Difference, err error) {
	w := &walk{h: h, sides: map[int64]side{}}
	if err := h.read(ctx, slices.Concat(tips, not)); err != nil {
		return d, err
	}
	for _, id := range tips {
		w.reach(h.known[id], wanted)
	}
	for _, id := range not {
		w.reach(h.known[id], unwanted)
	}
	for w.open() {
		t := heap.Pop(&w.queue).(*thing)
		s := w.sides[t.id]
		if s&unwanted == 0 {
			w.found = append(w.found, t)
			if t.here {
				w.oldest = t.at
			}
		}
		if err := w.load(ctx, t); err != nil {
			return d, err
		}
		for _, id := range t.next {
			w.reach(h.known[id], s)
		}
	}
	slices.SortFunc(w.found, func(a, b *thing) int { return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(a.id, b.id)) })
	for _, t := range w.found {
		if w.sides[t.id]&unwanted != 0 {
			continue // it was found out later
		}
		d.IDs = append(d.IDs, t.id)
		if !t.here {
			d.Cut = append(d.Cut, t.id)
		}
	}
	return d, nil
}

// A walk goes from the newest to the oldest.
type walk struct {
	h      *History
	queue  queue
	sides  map[int64]side
	found  []*thing
	oldest int64 // of those found
}

// reach notes from where a thing is reached; what is new of that goes on to what it
// stands on.
func (w *walk) reach(t *thing, s side) {
	was := w.sides[t.id]
	if was|s == was {
		return
	}
	w.sides[t.id] = was | s
	heap.Push(&w.queue, t)
}

// open reports whether there may be more to find: something wanted is left, or what
// is unwanted is not yet older than all that was found.
func (w *walk) open() bool {
	if len(w.queue) == 0 {
		return false
	}
	if len(w.found) > 0 && w.queue[0].at >= w.oldest-slack {
		return true
	}
	return slices.ContainsFunc(w.queue, func(t *thing) bool { return w.sides[t.id]&unwanted == 0 })
}

// load reads what a thing and others in the queue stand on.
func (w *walk) load(ctx context.Context, t *thing) error {
	var from []int64
	for _, x := range append([]*thing{t}, w.queue[:min(len(w.queue), many)]...) {
		for _, id := range x.next {
			if w.h.known[id] == nil && !slices.Contains(from, id) {
				from = append(from, id)
			}
		}
		if x == t && len(from) == 0 {
			return nil
		}
	}
	return w.h.read(ctx, from)
}

// read reads things and some of what they stand on.
func (h *History) read(ctx context.Context, from []int64) error {
	from = slices.DeleteFunc(slices.Clone(from), func(id int64) bool { return h.known[id] != nil })
	for chunk := range slices.Chunk(from, many) {
		if err := h.readFrom(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

func (h *History) readFrom(ctx context.Context, from []int64) error {
	var list []string
	for _, id := range from {
		list = append(list, "(CAST("+strconv.FormatInt(id, 10)+" AS BIGINT))")
	}
	// Where the recursion is to end is said within by one engine, and behind by the other.
	within, behind := " LIMIT "+strconv.Itoa(batch+len(from)), ""
	if h.tx.Engine() == storage.Postgres {
		within, behind = behind, within
	}
	rows, err := h.tx.Query(ctx, `WITH RECURSIVE up(id) AS (SELECT * FROM (VALUES `+strings.Join(list, ",")+`) AS tips
			UNION SELECT e.dst FROM up JOIN edge e ON e.src = up.id AND e.door = $1`+within+`),
		near(id) AS (SELECT id FROM up`+behind+`)
		SELECT near.id, COALESCE(c."`+h.time+`", 0), CASE WHEN c."`+h.time+`" IS NULL THEN 0 ELSE 1 END, COALESCE(e.dst, 0)
		FROM near LEFT JOIN `+h.table+` c ON c.id = near.id LEFT JOIN edge e ON e.src = near.id AND e.door = $1`, h.door)
	if err != nil {
		return fmt.Errorf("reading what stands on what: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, at, here, next int64
		if err := rows.Scan(&id, &at, &here, &next); err != nil {
			return err
		}
		t := h.known[id]
		if t == nil {
			t = &thing{id: id, at: at, here: here == 1}
			h.known[id] = t
		}
		if next != 0 && !slices.Contains(t.next, next) {
			t.next = append(t.next, next)
		}
	}
	return rows.Err()
}

// A queue has the newest first.
type queue []*thing

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[j].at, q[i].at), cmp.Compare(q[j].id, q[i].id)) < 0
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push is of package heap.
func (q *queue) Push(x any) { *q = append(*q, x.(*thing)) }

// Pop is of package heap.
func (q *queue) Pop() any {
	old := *q
	t := old[len(old)-1]
	*q = old[:len(old)-1]
	return t
}
