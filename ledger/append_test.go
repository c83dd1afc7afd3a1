package ledger_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestFactIsFoundByPositionIDAndSubject(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		l := openLedger(t, open(), newKey(t))
		// As long as a ref may be, but for one byte, and not compressible.
		long := stemma.NewRef(stemma.KindTicket, "jira", strings.Repeat("ключ", 10)+rand.Text(), "")
		for len(long) < stemma.MaxRef-1 {
			long += stemma.Ref(rand.Text()[:1])
		}
		facts := samples(0, 3000) // every subject three times
		for i := range 3 {
			f := sample(i)
			f.Subject = long
			facts = append(facts, f)
			f.Subject += "!"
			facts = append(facts, f)
		}
		if _, err := l.Append(t.Context(), facts...); err != nil {
			t.Fatal(err)
		}
		for subject, want := range map[stemma.Ref][]int64{
			"ticket:jira/PAY-7": {7, 1007, 2007}, long: {3000, 3002, 3004}, long + "!": {3001, 3003, 3005}, "ticket:jira/PAY": nil,
		} {
			var got []int64
			for pos, err := range l.Positions(t.Context(), subject) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, pos)
			}
			if !slices.Equal(got, want) {
				t.Errorf("Positions(%.60s) = %v, want %v", subject, got, want)
			}
		}
		e, err := l.Entry(t.Context(), 3001)
		if err != nil {
			t.Fatal(err)
		}
		again, err := l.EntryByID(t.Context(), factID(facts[3001]))
		if err != nil || cmp.Diff(e, again) != "" || e.Pos != 3001 || cmp.Diff(e.Fact.Edges, []stemma.Edge{}) != "" {
			t.Errorf("by position %+v, by id %+v, %v", e, again, err)
		}
		for _, pos := range []int64{-1, 3006} {
			if _, err := l.Entry(t.Context(), pos); !errors.Is(err, stemma.ErrNotFound) {
				t.Errorf("Entry(%d): %v, want ErrNotFound", pos, err)
			}
		}
		if _, err := l.EntryByID(t.Context(), stemma.Sum(nil)); !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("EntryByID of nothing: %v, want ErrNotFound", err)
		}
	})
}

func TestReaderMayAppendWhileItReads(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		l := openLedger(t, open(), newKey(t))
		if _, err := l.Append(t.Context(), samples(0, 1500)...); err != nil {
			t.Fatal(err)
		}
		want := int64(1200)
		for e, err := range l.Entries(t.Context(), want) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Pos != want {
				t.Fatalf("entry %d, want %d", e.Pos, want)
			}
			if want++; want%100 == 0 && want < 1800 {
				if _, err := l.Append(t.Context(), samples(int(want)+300, 100)...); err != nil {
					t.Fatal(err)
				}
			}
		}
		size, err := l.Size(t.Context())
		if err != nil || want != size {
			t.Errorf("read up to %d of %d, %v", want, size, err)
		}
	})
}

func TestLogIsWholeAtEveryMomentWhileOthersAppend(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		key := newKey(t)
		writer, reader := openLedger(t, open(), key), openLedger(t, open(), key)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range 60 {
				if _, err := writer.Append(t.Context(), samples(i*40, 1+i%40)...); err != nil {
					t.Error(err)
					return
				}
			}
		}()
		for busy := true; busy; {
			select {
			case <-done:
				busy = false
			default:
			}
			if err := reader.Verify(t.Context(), func(p ledger.Problem) { t.Error(p) }); err != nil {
				t.Error(err)
				break
			}
		}
		<-done
	})
}

func TestProofBeyondTheLogIsNotFound(t *testing.T) {
	l := openLedger(t, storagetest.SQLite(t), newKey(t))
	if _, err := l.Append(t.Context(), samples(0, 5)...); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]int64{{5, 5}, {0, 6}, {-1, 5}, {0, 0}, {0, -1}, {1 << 62, 1 << 62}} {
		if p, err := l.Inclusion(t.Context(), c[0], c[1]); !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("Inclusion(%d, %d) = %v, %v", c[0], c[1], p, err)
		}
	}
	for _, c := range [][2]int64{{0, 5}, {6, 6}, {4, 3}, {-1, 5}, {1, 1 << 62}} {
		if p, err := l.Consistency(t.Context(), c[0], c[1]); !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("Consistency(%d, %d) = %v, %v", c[0], c[1], p, err)
		}
	}
}

func TestCursorMovesWithItsTransactionOnly(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		openLedger(t, db, newKey(t))
		undone := errors.New("undone")
		for _, step := range []struct {
			set  int64
			err  error
			want int64
		}{{7, nil, 7}, {9, undone, 7}, {12, nil, 12}} {
			err := db.Write(t.Context(), func(tx *storage.Tx) error {
				return errors.Join(ledger.SetCursor(t.Context(), tx, "graph", step.set), step.err)
			})
			if !errors.Is(err, step.err) {
				t.Fatal(err)
			}
			err = db.Read(t.Context(), func(tx *storage.Tx) error {
				got, err := ledger.Cursor(t.Context(), tx, "graph")
				if err == nil && got != step.want {
					t.Errorf("Cursor() = %d, want %d", got, step.want)
				}
				other, err2 := ledger.Cursor(t.Context(), tx, "other")
				if err2 == nil && other != 0 {
					t.Errorf("a cursor that was never set = %d", other)
				}
				return errors.Join(err, err2)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestLedgerWithoutASignerOnlyReads(t *testing.T) {
	db, key := storagetest.SQLite(t), newKey(t)
	if _, err := openLedger(t, db, key).Append(t.Context(), samples(0, 3)...); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), db, ledger.Config{Origin: key.Name(), Verifiers: []note.Verifier{key.Verifier()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Verify(t.Context(), func(p ledger.Problem) { t.Error(p) }); err != nil {
		t.Error(err)
	}
	if _, err := l.Append(t.Context(), sample(3)); err == nil {
		t.Error("a ledger without a signer appended")
	}
	for _, c := range []ledger.Config{{}, {Signer: key}, {Origin: "x"}} {
		if _, err := ledger.Open(t.Context(), db, c); err == nil {
			t.Errorf("Open with %+v was accepted", c)
		}
	}
}

func TestLogGoesOnUnderANewKey(t *testing.T) {
	db, old := storagetest.SQLite(t), newKey(t)
	if _, err := openLedger(t, db, old).Append(t.Context(), samples(0, 3)...); err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	if _, err := openLedger(t, db, key).Append(t.Context(), sample(3)); !errors.Is(err, stemma.ErrTampered) {
		t.Errorf("a new key that does not know the old one: %v, want ErrTampered", err)
	}
	l, err := ledger.Open(t.Context(), db, ledger.Config{Signer: key, Verifiers: []note.Verifier{old.Verifier()}, Now: at, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), sample(3)); err != nil {
		t.Error(err)
	}
	if err := l.Verify(t.Context(), func(p ledger.Problem) { t.Error(p) }); err != nil {
		t.Error(err)
	}
}

func TestSameFactHasAnotherLeafInAnotherLog(t *testing.T) {
	var leaves []stemma.Digest
	for range 2 {
		l := openLedger(t, storagetest.SQLite(t), newKey(t))
		if _, err := l.Append(t.Context(), sample(1)); err != nil {
			t.Fatal(err)
		}
		e, err := l.Entry(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, e.Leaf)
	}
	if leaves[0] == leaves[1] {
		t.Error("the leaf tells which fact it is of")
	}
}

func TestShortSourceOfSaltsAppendsNothing(t *testing.T) {
	l, err := ledger.Open(t.Context(), storagetest.SQLite(t), ledger.Config{
		Signer: newKey(t), Now: at, Rand: bytes.NewReader(make([]byte, 40)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), samples(0, 2)...); err == nil {
		t.Error("two facts were salted with 40 bytes")
	}
	if n, err := l.Size(t.Context()); err != nil || n != 0 {
		t.Errorf("Size() = %d, %v; want 0", n, err)
	}
}

func TestAFactMadeFromAnOlderLogIsRefused(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		l := openLedger(t, open(), newKey(t))
		facts := samples(0, 4) // about four subjects
		if _, err := l.Append(t.Context(), facts[0], facts[1]); err != nil {
			t.Fatal(err)
		}
		next := facts[0]
		next.Edges = nil
		next.Occurred = next.Occurred.Add(1 << 40)
		if err := l.AppendFirst(t.Context(), next, 0); !errors.Is(err, ledger.ErrOvertaken) {
			t.Errorf("made before the first fact: %v, want ErrOvertaken", err)
		}
		if _, err := l.Append(t.Context(), facts[2]); err != nil { // about another thing
			t.Fatal(err)
		}
		if err := l.AppendFirst(t.Context(), next, 2); err != nil {
			t.Errorf("nothing came about its subject: %v", err)
		}
		if err := l.AppendFirst(t.Context(), facts[3], 0); err != nil {
			t.Errorf("the first about its subject: %v", err)
		}
		if size, err := l.Size(t.Context()); err != nil || size != 5 {
			t.Errorf("the log has %d facts, %v; want 5", size, err)
		}
	})
}
