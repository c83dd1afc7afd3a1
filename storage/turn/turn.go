// Package turn lets callers who wait commit together. A durable transaction costs the
// same for one row and for a thousand: so of all who want to write, one at a time has
// the turn and commits for everybody in the queue, while the next ones gather.
package turn

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// A Queue is of calls that wait to be committed. It may be used concurrently.
type Queue[C any] struct {
	commit func(ctx context.Context, calls []C) error
	fits   func(calls []C) int
	held   chan struct{} // with one element while somebody has the turn

	mu      sync.Mutex
	waiting []*entry[C]
}

type entry[C any] struct {
	call C
	err  error
	done chan struct{} // closed when err is set
}

// New makes a queue. Commit commits calls, whose error is that of each of them; it never
// runs twice at once. Fits says how many calls from the first on go into one commit: none
// is not possible.
func New[C any](commit func(ctx context.Context, calls []C) error, fits func(calls []C) int) *Queue[C] {
	return &Queue[C]{commit: commit, fits: fits, held: make(chan struct{}, 1)}
}

// Do returns when a call is committed, or failed. If ctx ends before its commit began, it
// is withdrawn.
func (q *Queue[C]) Do(ctx context.Context, call C) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e := &entry[C]{call: call, done: make(chan struct{})}
	q.mu.Lock()
	q.waiting = append(q.waiting, e)
	q.mu.Unlock()
	for {
		select {
		case <-e.done:
			return e.err
		case q.held <- struct{}{}:
			q.lead(ctx)
		case <-ctx.Done():
			if q.withdraw(e) {
				return ctx.Err()
			}
			<-e.done // somebody is committing it already
			return e.err
		}
	}
}

// Hold takes the turn, so that calls gather, until release.
func (q *Queue[C]) Hold() (release func()) {
	q.held <- struct{}{}
	return func() { <-q.held }
}

// Waiting is how many calls wait.
func (q *Queue[C]) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// withdraw takes e out of the queue; it reports false if e has left it.
func (q *Queue[C]) withdraw(e *entry[C]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, e)
	if i < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	return true
}

// group takes from the head of the queue what is committed together.
func (q *Queue[C]) group() (entries []*entry[C], calls []C) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return nil, nil
	}
	for _, e := range q.waiting {
		calls = append(calls, e.call)
	}
	n := max(q.fits(calls), 1)
	entries = slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	return entries, calls[:n]
}

// lead commits one group and gives the turn back. The commit belongs to all of its
// callers, so it does not end with the context of the one who leads.
func (q *Queue[C]) lead(ctx context.Context) {
	entries, calls := q.group()
	err := errors.New("the commit was interrupted") // unless it returns
	defer func() {
		for _, e := range entries {
			e.err = err
			close(e.done)
		}
		<-q.held
	}()
	if len(calls) > 0 {
		err = q.commit(context.WithoutCancel(ctx), calls)
	}
}
