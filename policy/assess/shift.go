package assess

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest"
)

// lease is for how long nothing is heard of a process at its shift before another goes on.
const lease = time.Minute

// A shift is how far changes were judged again for a reason that concerns many, as it is
// remembered: one process at a time works on it, and where it ends another goes on.
type shift struct {
	Log   int64      `json:"log,omitempty"`   // what facts before say is done
	Until int64      `json:"until,omitempty"` // what facts before that say is being done
	Day   string     `json:"day,omitempty"`   // of the last night
	Older stemma.Ref `json:"older,omitempty"` // where the night goes on among all changes
	Next  stemma.Ref `json:"next,omitempty"`  // where the night after goes on

	Begun  int64      `json:"begun,omitempty"`  // Unix microseconds; 0 if nothing is being done
	Beat   int64      `json:"beat,omitempty"`   // when something was done last; 0 if who did it gave it back
	Ended  int64      `json:"ended,omitempty"`  // when the one before was done
	Task   int        `json:"task,omitempty"`   // that is being done
	Last   stemma.Ref `json:"last,omitempty"`   // change of it that was judged last
	Judged int        `json:"judged,omitempty"` // changes of it
	Idle   bool       `json:"idle,omitempty"`   // in the one before, or in this one so far, nothing could be judged
}

// vain reports whether a shift of this kind did nothing just now: what it is about cannot be judged, and is tried
// again every minute.
func (s *shift) vain(now time.Time) bool {
	return s.Idle && now.Sub(time.UnixMicro(s.Ended)).Abs() < lease
}

// A task is changes that are judged for one reason.
type task struct {
	trigger string
	after   func(ctx context.Context, last stemma.Ref) ([]stemma.Ref, error) // the next of them, in order of their refs
}

// these are a task of changes that are found at once.
func these(trigger string, find func(context.Context) ([]stemma.Ref, error)) task {
	var all []stemma.Ref
	found := false
	return task{trigger, func(ctx context.Context, last stemma.Ref) ([]stemma.Ref, error) {
		if !found {
			refs, err := find(ctx)
			if err != nil {
				return nil, err
			}
			all, found = unique(refs), true
		}
		i, known := slices.BinarySearch(all, last)
		if known {
			i++
		}
		return all[i:min(i+10*portion, len(all))], nil
	}}
}

// A plan is what shifts of one kind are for.
type plan struct {
	source string
	begin  func(context.Context, *shift) (bool, error) // whether there is something to do, and what
	tasks  func(context.Context, *shift) ([]task, error)
	end    func(*shift)
}

// errTaken means that another process is at a shift.
var errTaken = errors.New("another process goes on with it")

// errReplaced means that the policy of this process is not in force any more.
var errReplaced = errors.New("another policy was put in force")

// A turn at a shift is what one process does of it.
type turn struct {
	j       *Judge
	plan    plan
	at      string // the state of the bookmark
	shift   shift
	resumed bool // another process began with it
}

// work does what a plan says, if there is something to do and no other process is at it.
func (j *Judge) work(ctx context.Context, p plan) error {
	before, err := j.Space.Bookmark(ctx, p.source)
	if err != nil {
		return err
	}
	t := &turn{j: j, plan: p, at: before.State}
	if before.State != "" && json.Unmarshal([]byte(before.State), &t.shift) != nil {
		t.shift = shift{}
	}
	if err := t.begin(ctx); err != nil || t.shift.Begun == 0 {
		return taken(err)
	}
	err = t.do(ctx)
	if err == nil || errors.Is(err, errTaken) {
		return taken(err)
	}
	t.shift.Beat = 0
	return errors.Join(err, taken(t.move(context.WithoutCancel(ctx))))
}

func taken(err error) error {
	if errors.Is(err, errTaken) {
		return nil
	}
	return err
}

// begin begins a shift, or goes on with one that nobody is at; it leaves Begun 0 if there is nothing to do.
func (t *turn) begin(ctx context.Context) error {
	now := t.j.Now()
	if t.resumed = t.shift.Begun != 0; t.resumed {
		if now.Sub(time.UnixMicro(t.shift.Beat)).Abs() < lease {
			return errTaken
		}
	} else {
		before := t.shift
		switch due, err := t.plan.begin(ctx, &t.shift); {
		case err != nil:
			return err
		case due:
			t.shift.Begun, t.shift.Idle = now.UnixMicro(), true
		case t.shift == before:
			return nil
		default:
			return t.move(ctx)
		}
	}
	t.shift.Beat = now.UnixMicro()
	return t.move(ctx)
}

// move remembers how far a shift is, if nobody else went on with it.
func (t *turn) move(ctx context.Context) error {
	state, err := json.Marshal(t.shift)
	if err != nil {
		return err
	}
	moved, err := t.j.Space.MoveBookmark(ctx, ingest.Move{Source: t.plan.source, From: t.at, To: string(state), Now: t.j.Now()})
	if err == nil && !moved {
		err = errTaken
	}
	t.at = string(state)
	return err
}

// do does the tasks of a shift that are left.
func (t *turn) do(ctx context.Context) error {
	tasks, err := t.plan.tasks(ctx, &t.shift)
	if err != nil {
		return err
	}
	s := &t.shift
	for ; s.Task < len(tasks); s.Task, s.Last, s.Judged = s.Task+1, "", 0 {
		if err := t.task(ctx, tasks[s.Task]); err != nil {
			return err
		}
	}
	if t.plan.end != nil {
		t.plan.end(s)
	}
	s.Begun, s.Beat, s.Task, s.Ended = 0, 0, 0, t.j.Now().UnixMicro()
	return t.move(ctx)
}

// task judges the changes of a task that are left, some at a time, and states what that turned.
func (t *turn) task(ctx context.Context, of task) error {
	var r Result
	for {
		refs, err := of.after(ctx, t.shift.Last)
		if err != nil {
			return err
		}
		if len(refs) == 0 {
			return t.tell(ctx, of.trigger, r.Turns)
		}
		for some := range slices.Chunk(refs, portion) {
			o, err := t.j.oneOfMany(ctx, of.trigger, some)
			if r.add(o); err != nil {
				return err
			}
			t.shift.Judged, t.shift.Last, t.shift.Beat = t.shift.Judged+o.Judged, some[len(some)-1], t.j.Now().UnixMicro()
			t.shift.Idle = t.shift.Idle && o.Judged == 0
			if err := t.move(ctx); err != nil {
				return err
			}
		}
	}
}

// oneOfMany judges some of many changes while no others of many are judged here, so that
// what is news gets its share of the machine.
func (j *Judge) oneOfMany(ctx context.Context, trigger string, refs []stemma.Ref) (r Result, err error) {
	j.many.Lock()
	defer j.many.Unlock()
	if ours, err := j.current(ctx); err != nil {
		return r, err
	} else if !ours {
		return r, errReplaced
	}
	return j.Changes(ctx, trigger, refs...)
}

// maxTurns is how many turns are kept of one round.
const maxTurns = 500

// tell states a round: what the changes of a task turned. Of one that another process began with,
// the verdicts themselves say that.
func (t *turn) tell(ctx context.Context, trigger string, turns []governance.Turn) (err error) {
	if trigger == OnEvidence {
		return nil
	}
	started := time.UnixMicro(t.shift.Begun)
	if t.resumed {
		if turns, err = t.j.turned(ctx, trigger, started); err != nil {
			return err
		}
	}
	if len(turns) == 0 {
		return nil
	}
	changes := map[stemma.Ref]bool{}
	for _, x := range turns {
		changes[x.Change] = true
	}
	round := governance.Round{
		ID:      governance.RoundRef(trigger, fmt.Sprintf("%s-%s", started.UTC().Format("20060102T150405.000000"), digestOf(t.plan.source)[:8])),
		Trigger: trigger, Started: stemma.At(started), Policy: t.j.ref, Judged: t.shift.Judged, Turned: len(changes), Turns: turns[:min(len(turns), maxTurns)],
	}
	w := ingest.NewWriter(ctx, t.j.Space, t.j.Now)
	return errors.Join(w.Record(ctx, round, Source, stemma.GradeA), w.Close(ctx))
}

// turned are the controls that verdicts for a reason turned since a time.
func (j *Judge) turned(ctx context.Context, trigger string, since time.Time) (turns []governance.Turn, err error) {
	return turns, j.Space.DB.Each(ctx, func(scan func(...any) error) error {
		var x governance.Turn
		err := scan(&x.Change, &x.Control, &x.Was, &x.State)
		turns = append(turns, x)
		return err
	}, `SELECT n.ref, f."control", f."before", f."state" FROM k_assessment a CROSS JOIN k_assessment_finding f CROSS JOIN node n
		WHERE a."evaluated" >= $1 AND a."trigger" = $2 AND f.id = a.id AND f."before" <> '' AND n.id = a."change" ORDER BY n.ref, f.seq`, since.UnixMicro(), trigger)
}
