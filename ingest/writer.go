package ingest

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/vault"
)

// How much a Writer gathers before it appends: large enough to share the cost
// of a durable transaction, small enough to bound memory.
const (
	batchFacts = 2000
	batchBytes = 8 << 20
)

// A Writer gathers facts and appends them in batches, in the order given,
// while the reader goes on reading. It is used by one goroutine.
type Writer struct {
	space *Space
	now   func() time.Time

	batch    []stemma.Fact
	size     int
	bodies   []vault.Sealed
	profiles map[stemma.Ref]profile
	stored   map[stemma.Ref]bool // profiles written by this Writer before, and whether with a name

	work chan batch // to the appender
	done chan error // its last word
	fail chan struct{}
	err  error

	things map[uint64]bool // hashes of what facts were taken in about
	seed   maphash.Seed
	stats  Stats

	appended int64 // kept by the appender

	repository stemma.Ref // whose the gaps are
	missed     []string   // objects that could not be read, the last ones
}

type profile struct{ name, email, login, host, account string }

type batch struct {
	facts    []stemma.Fact
	bodies   []vault.Sealed
	profiles map[stemma.Ref]profile
	ack      chan<- error // set by Flush
}

// Stats counts what a Writer took in.
type Stats struct {
	Things map[stemma.Kind]int64 `json:"things"` // what the facts are about, each once
}

// NewWriter starts a Writer. Close it, whatever happens.
func NewWriter(ctx context.Context, space *Space, now func() time.Time) *Writer {
	w := &Writer{
		space: space, now: now,
		profiles: map[stemma.Ref]profile{},
		stored:   map[stemma.Ref]bool{},
		work:     make(chan batch, 2),
		done:     make(chan error, 1),
		fail:     make(chan struct{}),
		things:   map[uint64]bool{},
		seed:     maphash.MakeSeed(),
		stats:    Stats{Things: map[stemma.Kind]int64{}},
	}
	go w.append(ctx)
	return w
}

// Put queues a fact. An *stemma.InvalidError refuses this fact only; any other
// error is the end of the Writer.
func (w *Writer) Put(ctx context.Context, f stemma.Fact) error {
	if err := lineage.Check(f); err != nil {
		return err
	}
	w.batch = append(w.batch, f)
	w.size += len(f.Attrs) + 64*len(f.Edges)
	if h := maphash.String(w.seed, string(f.Subject)); !w.things[h] {
		w.things[h] = true
		w.stats.Things[f.Kind]++
	}
	if len(w.batch) >= batchFacts || w.size >= batchBytes {
		return w.hand(ctx, nil)
	}
	return nil
}

// A Record is what the rooms keep: it can be stated as a fact.
type Record interface {
	Fact(source string, grade stemma.Grade) (stemma.Fact, error)
}

// Record queues what a record states. A record that no room accepts is not
// dropped: it becomes a gap with the reason.
func (w *Writer) Record(ctx context.Context, r Record, source string, grade stemma.Grade) error {
	f, err := r.Fact(source, grade)
	if err == nil {
		err = w.Put(ctx, f)
	}
	var invalid *stemma.InvalidError
	if errors.As(err, &invalid) {
		return w.Gap(ctx, stemma.Gap{Source: source, Place: string(invalid.Ref), Reason: invalid.Field + ": " + invalid.Why})
	}
	return err
}

// Body queues something large or private that a fact about its owner will
// name. It is stored, sealed under the owner's key, before any fact queued
// after it.
func (w *Writer) Body(ctx context.Context, owner stemma.Ref, name, media string, data []byte) (stemma.Body, error) {
	w.bodies = append(w.bodies, vault.Sealed{Owner: owner, Body: data})
	w.size += len(data)
	body := stemma.Body{Name: name, Media: media, Digest: stemma.Sum(data), Size: int64(len(data))}
	if w.size >= batchBytes {
		return body, w.hand(ctx, nil)
	}
	return body, nil
}

// Erased reports whether the bodies of owner were erased: of those [Writer.Body] keeps
// none, so a fact need not name more of them.
func (w *Writer) Erased(ctx context.Context, owner stemma.Ref) (bool, error) {
	return w.space.Vault.Erased(ctx, owner)
}

// clean makes text of any origin fit for a fact: valid UTF-8, no control
// characters, bounded.
func clean(s string) string {
	const most = 1024
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// Person returns the pseudonym of a person and remembers who it is in the
// profile table: the first name that is told to this Writer, in the place of one
// that others told before. A mail address alone takes no name away.
func (w *Writer) Person(name, mail, login string) stemma.Ref {
	if mail == "" {
		mail = "name:" + name
	}
	ref := w.space.Person(mail)
	if named, stored := w.stored[ref]; !stored || !named && name != "" {
		w.stored[ref] = name != ""
		w.profiles[ref] = profile{name: clean(name), email: clean(mail), login: clean(login)}
	}
	return ref
}

// Flush returns when everything queued so far is durable and in the graph.
func (w *Writer) Flush(ctx context.Context) error {
	ack := make(chan error, 1)
	if err := w.hand(ctx, ack); err != nil {
		return err
	}
	select {
	case err := <-ack:
		return err
	case <-w.fail:
		return w.err
	}
}

// Close flushes and ends the Writer.
func (w *Writer) Close(ctx context.Context) error {
	handed := w.hand(ctx, nil)
	close(w.work)
	if err := <-w.done; err != nil {
		return err
	}
	return handed
}

// Stats returns what was taken in so far.
func (w *Writer) Stats() Stats { return Stats{Things: maps.Clone(w.stats.Things)} }

// Appended is how many facts the log did not have, or that were stated again since others
// had overlaid them. It is known once the Writer is closed.
func (w *Writer) Appended() int64 { return w.appended }

// hand gives the batch to the appender, waiting while it is busy.
func (w *Writer) hand(ctx context.Context, ack chan<- error) error {
	b := batch{facts: w.batch, bodies: w.bodies, profiles: w.profiles, ack: ack}
	w.batch, w.bodies, w.size, w.profiles = nil, nil, 0, map[stemma.Ref]profile{}
	select {
	case w.work <- b:
		return nil
	case <-w.fail:
		return w.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// append is the appender: batch by batch, first the profiles and bodies, then
// the facts, then the graph. It ends with the first error.
func (w *Writer) append(ctx context.Context) {
	for b := range w.work {
		err := w.store(ctx, b)
		if b.ack != nil {
			b.ack <- err
		}
		if err != nil {
			w.err = err
			close(w.fail)
			for range w.work { // let a waiting hand go
			}
			break
		}
	}
	w.done <- w.err
}

func (w *Writer) store(ctx context.Context, b batch) error {
	if len(b.profiles) > 0 {
		if err := w.space.saveProfiles(ctx, b.profiles); err != nil {
			return err
		}
	}
	if len(b.bodies) > 0 {
		if err := w.space.keep(ctx, b.bodies); err != nil {
			return err
		}
	}
	if len(b.facts) == 0 {
		_, err := w.space.Graph.Apply(ctx, w.space.Ledger)
		return err
	}
	size, err := w.space.Ledger.Size(ctx)
	if err != nil {
		return err
	}
	entries, err := w.space.Ledger.AppendEntries(ctx, b.facts...)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Pos >= size {
			w.appended++
		}
	}
	if _, err := w.space.Graph.ApplyAppended(ctx, w.space.Ledger, entries); err != nil {
		return err
	}
	return w.restate(ctx, entries, size)
}

func (s *Space) saveProfiles(ctx context.Context, profiles map[stemma.Ref]profile) error {
	err := s.DB.Write(ctx, func(tx *storage.Tx) error {
		for _, ref := range slices.Sorted(maps.Keys(profiles)) {
			p := profiles[ref]
			if _, err := tx.Exec(ctx, `INSERT INTO profile (ref, name, email, login, host, account) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (ref) DO UPDATE SET name = CASE WHEN excluded.name = '' THEN profile.name ELSE excluded.name END,
					login = CASE WHEN excluded.login = '' THEN profile.login ELSE excluded.login END,
					email = CASE WHEN excluded.email = '' THEN profile.email ELSE excluded.email END,
					host = excluded.host, account = excluded.account
				WHERE profile.erased = 0`,
				string(ref), p.name, p.email, p.login, p.host, p.account); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("ingest: profiles: %w", err)
	}
	return nil
}
