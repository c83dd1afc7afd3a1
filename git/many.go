package git

import (
	"cmp"
	"context"
	"io"
	"iter"

	"golang.org/x/sync/semaphore"
)

// How many processes read what [Repo.Many] asks for, how many objects in a row each of
// them reads, how many are told at once, and how far one reads ahead: so many times
// these, or bytes.
const (
	manyReaders = 2
	manyInTurn  = 256
	manyAtOnce  = 32
	manyAhead   = 16
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
			s := &share{ahead: make(chan batch, manyAhead), room: semaphore.NewWeighted(manyBytes)}
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
			o, err := shares[i/manyInTurn%manyReaders].next(ctx)
			if !yield(o, err) || err != nil {
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
	ahead chan batch
	room  *semaphore.Weighted
	now   batch // what is being told
}

// A batch is some objects in a row: telling each by itself costs more than reading a
// small one. An error is behind the last.
type batch struct {
	objects []Object
	bytes   int64
	err     error
}

func (b *batch) weight() int64 { return min(b.bytes, manyBytes) }

func (b *batch) full() bool { return len(b.objects) == manyAtOnce || b.bytes >= manyBytes/16 }

// next is the next object.
func (s *share) next(ctx context.Context) (Object, error) {
	for len(s.now.objects) == 0 {
		if s.now.err != nil {
			return Object{}, s.now.err
		}
		var ok bool
		if s.now, ok = <-s.ahead; !ok {
			return Object{}, cmp.Or(context.Cause(ctx), io.ErrUnexpectedEOF)
		}
		s.room.Release(s.now.weight())
	}
	o := s.now.objects[0]
	s.now.objects = s.now.objects[1:]
	return o, nil
}

func (s *share) read(ctx context.Context, objects iter.Seq2[Object, error]) {
	defer close(s.ahead)
	b := batch{}
	tell := func() bool {
		if s.room.Acquire(ctx, b.weight()) != nil {
			return false
		}
		select {
		case s.ahead <- b:
			b = batch{objects: make([]Object, 0, manyAtOnce)}
			return true
		case <-ctx.Done():
			return false
		}
	}
	for o, err := range objects {
		if err != nil {
			b.err = err
			break
		}
		b.objects, b.bytes = append(b.objects, o), b.bytes+int64(len(o.Data))
		if b.full() && !tell() {
			return
		}
	}
	tell()
}
