package turn_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stemma-dev/stemma/storage/turn"
)

// waits waits until n calls are in the queue.
func waits(q *turn.Queue[int], n int) {
	for q.Waiting() != n {
		runtime.Gosched()
	}
}

func TestWhoWaitsIsCommittedTogetherInOrder(t *testing.T) {
	var commits [][]int
	q := turn.New(func(_ context.Context, calls []int) error {
		commits = append(commits, calls)
		return nil
	}, func(calls []int) int { return min(len(calls), 3) })
	release := q.Hold()
	given, gone := context.WithCancel(t.Context())
	var withdrawn error
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			if err := q.Do(t.Context(), i); err != nil {
				t.Error(err)
			}
		})
		waits(q, i+1)
	}
	wg.Go(func() { withdrawn = q.Do(given, 99) })
	waits(q, 6)
	gone()
	waits(q, 5)
	release()
	wg.Wait()
	if !slices.EqualFunc(commits, [][]int{{0, 1, 2}, {3, 4}}, slices.Equal) {
		t.Errorf("commits of %v", commits)
	}
	if !errors.Is(withdrawn, context.Canceled) || !errors.Is(q.Do(given, 100), context.Canceled) {
		t.Errorf("whose context ended has %v", withdrawn)
	}
}

func TestAnErrorIsOfAllWhoWereInTheCommitAndOfNobodyElse(t *testing.T) {
	broken := errors.New("a full disk")
	q := turn.New(func(ctx context.Context, calls []int) error {
		if ctx.Err() != nil {
			t.Error("the commit ends with who leads it")
		}
		if calls[0] == 0 {
			return broken
		}
		return nil
	}, func([]int) int { return 0 }) // at least one goes
	release := q.Hold()
	errs := make([]error, 3)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = q.Do(t.Context(), i) })
		waits(q, i+1)
	}
	release()
	wg.Wait()
	if !errors.Is(errs[0], broken) || errs[1] != nil || errs[2] != nil {
		t.Errorf("%v", errs)
	}
}

func TestACommitThatPanicsHoldsUpNobody(t *testing.T) {
	q := turn.New(func(_ context.Context, calls []int) error {
		if calls[0] == 0 {
			panic("nobody thought of it")
		}
		return nil
	}, func(calls []int) int { return len(calls) })
	func() {
		defer func() { _ = recover() }()
		_ = q.Do(t.Context(), 0)
	}()
	if err := q.Do(t.Context(), 1); err != nil {
		t.Error(err)
	}
}
