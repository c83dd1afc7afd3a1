package traced

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/ingest/otlp"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func openAt(t *testing.T, db *storage.DB, now *time.Time) *Traces {
	t.Helper()
	clock := func() time.Time { return *now }
	traces, err := Open(t.Context(), ingesttest.Must(t, db, clock), clock)
	if err != nil {
		t.Fatal(err)
	}
	return traces
}

// talk is answers in one trace, each so long, spread over some sessions.
func talk(spans, sessions, bytes int) (list []otlp.Span) {
	for i := range spans {
		text := fmt.Sprintf("%08d", i)
		list = append(list, otlp.Span{
			Trace: "t", ID: text, Kind: otlp.Model, Harness: "crew", Model: "gpt-4o", Conversation: fmt.Sprint("c", i%sessions),
			Answered: text + strings.Repeat(" word", bytes/5),
		})
	}
	return list
}

// TestATraceIsBounded: of what it says and of what it is made of.
func TestATraceIsBounded(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, db func() *storage.DB) {
		now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
		traces := openAt(t, db(), &now)
		const bytes = 1 << 20
		said := talk(maxWords/bytes+2, 1, bytes)
		for _, s := range said { // in as many requests
			over, err := traces.keep(t.Context(), []otlp.Span{s})
			if fits := s.ID < said[maxWords/bytes-1].ID; err != nil || over.spans != 0 || fits != (over.words == 0) {
				t.Errorf("%s: %+v, %v", s.ID, over, err)
			}
		}
		rows, err := traces.rows(t.Context(), "t")
		if err != nil || len(rows) != len(said) {
			t.Errorf("%d spans are kept of %d, %v", len(rows), len(said), err)
		}
		long := make([]otlp.Span, 20)
		for i := range long {
			long[i] = otlp.Span{Trace: "u", ID: fmt.Sprint(i), Kind: otlp.Tool, Paths: []string{strings.Repeat("p", bytes)}}
		}
		if over, err := traces.keep(t.Context(), long); err != nil || over.spans != 5 || over.words != 0 {
			t.Errorf("%+v, %v", over, err)
		}
	})
}

// TestWhatWasSaidIsReadOnce: not anew for each session that its trace tells of.
func TestWhatWasSaidIsReadOnce(t *testing.T) {
	now := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	traces := openAt(t, storagetest.SQLite(t), &now)
	const spans, bytes = 600, 16 << 10
	if _, err := traces.keep(t.Context(), talk(spans, 100, bytes)); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := traces.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 20*spans*bytes {
		t.Errorf("%d bytes were taken for %d", took, spans*bytes)
	}
}
