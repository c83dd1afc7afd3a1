package ledger

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func groupLedger(t *testing.T, db *storage.DB) *Ledger {
	t.Helper()
	key, err := seal.NewKey(bytes.NewReader(make([]byte, 32)), "log.example.com/group")
	if err != nil {
		t.Fatal(err)
	}
	l, err := Open(t.Context(), db, Config{Signer: key, Now: func() time.Time { return time.Unix(1_800_000_000, 0) }, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func ticket(t *testing.T, key string) stemma.Fact {
	t.Helper()
	f, err := stemma.NewFact(stemma.NewRef(stemma.KindTicket, "jira", key), map[string]any{"key": key},
		stemma.Provenance{Source: "test", Grade: stemma.GradeD, Occurred: time.Unix(1_700_000_000, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// waiting waits until n calls are in the queue.
func (l *Ledger) waiting(n int) {
	for l.queue.Waiting() != n {
		runtime.Gosched()
	}
}

func TestCallersWhoWaitShareOneTransaction(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		l := groupLedger(t, db)
		const callers = 40
		positions := make([]int64, callers)
		given, gone := context.WithCancel(t.Context())
		var withdrawn error
		var wg sync.WaitGroup
		release := l.queue.Hold() // as if somebody were committing
		for i := range callers {
			wg.Go(func() {
				p, err := l.Append(t.Context(), ticket(t, fmt.Sprint("PAY-", i)))
				if err != nil {
					t.Error(err)
					return
				}
				positions[i] = p[0]
			})
			l.waiting(i + 1)
		}
		wg.Go(func() { _, withdrawn = l.Append(given, ticket(t, "GONE-1")) })
		l.waiting(callers + 1)
		gone()
		l.waiting(callers)
		release()
		wg.Wait()
		for i, p := range positions {
			if p != int64(i) {
				t.Errorf("call %d got position %d", i, p)
			}
		}
		if !errors.Is(withdrawn, context.Canceled) {
			t.Errorf("the call whose context ended: %v", withdrawn)
		}
		var n int64
		err := db.Read(t.Context(), func(tx *storage.Tx) error {
			return tx.QueryRow(t.Context(), "SELECT count(*) FROM checkpoint").Scan(&n)
		})
		if err != nil || n != 1 {
			t.Errorf("%d calls took %d transactions, %v; want 1", callers, n, err)
		}
		if err := l.Verify(t.Context(), func(p Problem) { t.Error(p) }); err != nil {
			t.Error(err)
		}
	})
}

func TestGroupsAndChunksAreBounded(t *testing.T) {
	large := draft{canonical: make([]byte, 5<<20)}
	for _, c := range []struct {
		drafts []draft
		want   int
	}{
		{make([]draft, 3), 3},
		{make([]draft, chunkFacts+1), chunkFacts},
		{[]draft{large, large}, 1},
		{[]draft{{canonical: make([]byte, MaxFact)}, {}}, 1},
	} {
		if n, _ := chunk(c.drafts); n != c.want {
			t.Errorf("chunk of %d drafts = %d, want %d", len(c.drafts), n, c.want)
		}
	}
	var calls []*call
	for range 10 {
		calls = append(calls, &call{drafts: make([]draft, chunkFacts), bytes: 1})
	}
	if n := fits(calls); n != groupFacts/chunkFacts {
		t.Errorf("a group of %d calls, want %d", n, groupFacts/chunkFacts)
	}
	if n := fits([]*call{{bytes: MaxFact}, {bytes: groupBytes}, {}}); n != 1 {
		t.Errorf("a group of %d large calls, want 1", n)
	}
}

// TestFailedTransactionLeavesNothing fails a commit half way.
func TestFailedTransactionLeavesNothing(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		l := groupLedger(t, open())
		if _, err := l.Append(t.Context(), ticket(t, "PAY-1")); err != nil {
			t.Fatal(err)
		}
		signer := l.signer
		l.signer = brokenSigner{}
		if _, err := l.Append(t.Context(), ticket(t, "PAY-2")); !errors.Is(err, errBroken) {
			t.Fatalf("Append() with a broken signer = %v", err)
		}
		l.signer = signer
		if n, err := l.Size(t.Context()); err != nil || n != 1 {
			t.Errorf("Size() = %d, %v; want 1", n, err)
		}
		p, err := l.Append(t.Context(), ticket(t, "PAY-3"), ticket(t, "PAY-2"), ticket(t, "PAY-1"))
		if err != nil || p[0] != 1 || p[1] != 2 || p[2] != 0 {
			t.Errorf("Append() = %v, %v", p, err)
		}
		if err := l.Verify(t.Context(), func(p Problem) { t.Error(p) }); err != nil {
			t.Error(err)
		}
	})
}

var errBroken = errors.New("the key is not there")

type brokenSigner struct{}

func (brokenSigner) Name() string                { return "log.example.com/group" }
func (brokenSigner) KeyHash() uint32             { return 1 }
func (brokenSigner) Sign([]byte) ([]byte, error) { return nil, errBroken }
