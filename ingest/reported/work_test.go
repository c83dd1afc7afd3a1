package reported_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/ingest/reported"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// TestWorkersTakeEachEnvelopeOnce: two processes work on one inbox, with deliveries of
// others between; one envelope is refused, one was taken by a process that died before it
// said so.
func TestWorkersTakeEachEnvelopeOnce(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		clock := func() time.Time { return time.Now().UTC() } // leases end
		db := open()
		s := ingesttest.Must(t, db, now)
		box, err := inbox.Open(t.Context(), db, clock)
		if err != nil {
			t.Fatal(err)
		}
		accept := func(source, key string, raw []byte) {
			t.Helper()
			if _, _, err := box.Accept(t.Context(), inbox.Delivery{Source: source, Key: key, Raw: raw}); err != nil {
				t.Fatal(err)
			}
		}
		envelopes := story(t)
		for i, b := range envelopes {
			accept("github", fmt.Sprint(i), []byte("{}"))
			accept(reported.Deliveries, fmt.Sprint(i), b)
		}
		accept(reported.Deliveries, "bad", []byte(`{"v": 1}`))
		take(t, s, envelopes[0])

		ctx, stop := context.WithCancel(t.Context())
		var work sync.WaitGroup
		for i := range 2 {
			space := s
			if i == 1 {
				other := *s
				other.DB = open()
				space = &other
			}
			work.Go(func() {
				reported.NewWorker(space, box, now, slog.New(slog.DiscardHandler), fmt.Sprint("worker ", i)).Run(ctx)
			})
		}
		state := func(key string) string {
			state, reason, err := box.State(t.Context(), reported.Deliveries, key)
			if err != nil {
				t.Fatal(err)
			}
			return state + reason
		}
		for range 400 {
			if state("bad") != "pending" {
				break
			}
			time.Sleep(25 * time.Millisecond)
		}
		stop()
		work.Wait()
		for i := range envelopes {
			if got := state(fmt.Sprint(i)); got != "done" {
				t.Errorf("envelope %d is %s", i, got)
			}
		}
		if got, want := state("bad"), "refusedits key is empty, longer than 200 bytes, or has other characters than letters, digits and -_.:"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		waiting, err := box.Pending(t.Context(), 0)
		if err != nil || len(waiting) != len(envelopes) {
			t.Errorf("%d deliveries of others wait, %v", len(waiting), err)
		}
		facts := ingesttest.Facts(t, s)
		for _, b := range envelopes {
			take(t, s, b)
		}
		if again := ingesttest.Facts(t, s); again != facts {
			t.Errorf("%d facts, and then %d", facts, again)
		}
		if _, _, err := box.State(t.Context(), reported.Deliveries, "nobody"); !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("%v", err)
		}
	})
}

// TestAReportThatTheStoreDoesNotTakeHoldsNoOtherUp: it is refused in the end, and not
// while the store takes nothing at all.
func TestAReportThatTheStoreDoesNotTakeHoldsNoOtherUp(t *testing.T) {
	db := storagetest.SQLite(t)
	s := ingesttest.Must(t, db, now)
	box, err := inbox.Open(t.Context(), db, func() time.Time { return time.Now().UTC() })
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *storage.Tx) error {
		_, err := tx.Exec(t.Context(), `CREATE TRIGGER poison BEFORE INSERT ON fact WHEN instr(NEW.subject, 'poison') > 0 BEGIN SELECT RAISE(ABORT, 'no room for it'); END`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	accept := func(key string) {
		t.Helper()
		raw := `{"v":1,"key":"` + key + `","kind":"incident","at":"2026-11-27T09:00:00.000000Z","incident":{"key":"` + key + `"}}`
		if _, _, err := box.Accept(t.Context(), inbox.Delivery{Source: reported.Deliveries, Key: key, Raw: []byte(raw)}); err != nil {
			t.Fatal(err)
		}
	}
	state := func(key string) string {
		t.Helper()
		state, _, err := box.State(t.Context(), reported.Deliveries, key)
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	w := reported.NewWorker(s, box, now, slog.New(slog.DiscardHandler), "worker")
	accept("poison")
	for range 5 { // nothing tells yet that the store takes anything
		if n, err := w.Settle(t.Context()); n != 0 || err == nil || state("poison") != "pending" {
			t.Fatalf("%d settled, %v, it is %s", n, err, state("poison"))
		}
	}
	for i := range 3 {
		key := fmt.Sprint("good", i)
		accept(key)
		if n, err := w.Settle(t.Context()); n != 1 || err == nil || state(key) != "done" {
			t.Fatalf("%d settled, %v, %s is %s", n, err, key, state(key))
		}
	}
	if state("poison") != "refused" {
		t.Errorf("it is %s", state("poison"))
	}
}
