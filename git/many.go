package git

import (
	"cmp"
	"context"
	"io"
	"iter"

	"golang.org/x/sync/semaphore"
)

// How many processes read what [Repo.Many] asks for, how many objects in a row each of
// them reads, and how far one reads ahead.
const (
	manyReaders = 2
	manyInTurn  = 256
	manyAhead   = 64
	manyBytes   = 8 << 20
)

// Many is [Repo.Objects] of so many that two processes read them, each its share ahead
// of whoever ranges over them. What is near in a pack is near in the order of ids. The
// data are in memory that room returns, of the size that it is asked for; it may be
// called by several goroutines.
func (r *Repo) Many(ctx context.Context, ids []string, maxSize int64, room func(size int) []byte) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var shares []*share
		for k := 0; k < manyReaders && k*manyInTurn < len(ids); k++ {
			s := &share{make(chan read, manyAhead), semaphore.NewWeighted(manyBytes)}
			shares = append(shares, s)
			go s.read(ctx, r.objects(ctx, turns(ids, k), "--batch", demand{unlessBig, maxSize, room}))
		}
		defer func() { // nothing outlives the loop
			cancel()
			for _, s := range shares {
				for range s.ahead { // nothing: only wait for the end
				}
			}
		}()
		for i := range ids {
			s := shares[i/manyInTurn%manyReaders]
			next, ok := <-s.ahead
			if !ok {
				yield(Object{}, cmp.Or(context.Cause(ctx), io.ErrUnexpectedEOF))
				return
			}
			s.room.Release(next.weight())
			if !yield(next.Object, next.err) || next.err != nil {
				return
			}
		}
	}
}

// turns are the ids that one of the readers reads.
func turns(ids []string, k int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for from := k * manyInTurn; from < len(ids); from += manyReaders * manyInTurn {
			for _, id := range ids[from:min(from+manyInTurn, len(ids))] {
				if !yield(id) {
					return
				}
			}
		}
	}
}

// A share is what one process reads.
type share struct {
	ahead chan read
	room  *semaphore.Weighted
}

type read struct {
	Object
	err error
}

// weight is about how many bytes of the room it takes.
func (r read) weight() int64 { return min(int64(len(r.Data)), manyBytes) }

func (s *share) read(ctx context.Context, objects iter.Seq2[Object, error]) {
	defer close(s.ahead)
	for o, err := range objects {
		next := read{o, err}
		if s.room.Acquire(ctx, next.weight()) != nil {
			return
		}
		select {
		case s.ahead <- next:
		case <-ctx.Done():
			return
		}
	}
}
