package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest/event/eventtest"
	"github.com/stemma-dev/stemma/ingest/hooks"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/server"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// BenchmarkHooks sends signed deliveries of 8 KB over HTTP to a server that keeps them
// in SQLite, makes facts of them and is read meanwhile, page after page: "paced" 2,000 a
// second, which is the promise, "flat-out" as many as it takes. Sender, reader and
// server share the processors. "postgres-two-servers" is that with two servers on one
// PostgreSQL. x-promised is the rate by 2,000 a second, p99-ms how long
// the slowest hundredth waited; x-bare is the rate by that of bare rows of the same size,
// each in a durable transaction of its own.
func BenchmarkHooks(b *testing.B) {
	sqlite := func(b *testing.B) []*storage.DB { return []*storage.DB{storagetest.SQLite(b)} }
	for _, c := range []struct {
		name string
		rate int // a second; 0 for all at once
		open func(*testing.B) []*storage.DB
	}{{"paced", 2000, sqlite}, {"flat-out", 0, sqlite}, {"postgres-two-servers", 0, twoOfPostgres}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				benchHooks(b, c.rate, c.open)
			}
		})
	}
}

// twoOfPostgres opens one database twice, as two processes do.
func twoOfPostgres(b *testing.B) []*storage.DB {
	b.Helper()
	dsn := storagetest.PostgresDSN(b)
	var list []*storage.DB
	for range 2 {
		db, err := storage.Open(b.Context(), dsn)
		must(b, err)
		b.Cleanup(func() { must(b, db.Close()) })
		list = append(list, db)
	}
	return list
}

const (
	benchDeliveries = 10_000
	benchSenders    = 128
)

// serveHooks serves a space until ctx ends, and says where.
func serveHooks(ctx context.Context, b *testing.B, db *storage.DB, holder string, work *sync.WaitGroup) (base string, box *inbox.Inbox) {
	b.Helper()
	space := ingesttest.Must(b, db, time.Now)
	box, err := inbox.Open(ctx, db, time.Now)
	must(b, err)
	h, err := hooks.Open(ctx, hooks.Config{
		Space: space, Inbox: box, Now: time.Now, Holder: holder,
		Endpoints: []hooks.Endpoint{{Name: "github", System: "github", Secrets: [][]byte{[]byte(hookSecret)}}},
	})
	must(b, err)
	s, err := server.New(ctx, server.Config{Space: space, Now: time.Now, Addr: "127.0.0.1:0", Hooks: h, Inbox: box})
	must(b, err)
	address := make(chan string, 1)
	work.Go(func() { h.Run(ctx) })
	work.Go(func() {
		if err := server.Serve(ctx, "127.0.0.1:0", s, nil, func(a string) { address <- a }); err != nil {
			b.Error(err)
		}
	})
	return "http://" + <-address, box
}

func benchHooks(b *testing.B, rate int, open func(*testing.B) []*storage.DB) {
	b.StopTimer()
	ctx, stop := context.WithCancel(b.Context())
	var work sync.WaitGroup
	var bases []string
	var box *inbox.Inbox
	for i, db := range open(b) {
		base, one := serveHooks(ctx, b, db, fmt.Sprint("bench-", i), &work)
		bases, box = append(bases, base), one
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchSenders + 1}}
	work.Go(func() { readPages(ctx, b, client, bases[0]) })
	bare := bareRows(b)
	b.StartTimer()
	took, waits := deliver(b, client, bases, rate)
	b.StopTimer()
	slices.Sort(waits)
	perSecond := benchDeliveries / took.Seconds()
	b.ReportMetric(perSecond, "deliveries/s")
	b.ReportMetric(perSecond/2000, "x-promised")
	b.ReportMetric(perSecond/bare, "x-bare")
	b.ReportMetric(float64(waits[len(waits)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds())/1000, "p99-ms")
	health, err := box.Health(b.Context())
	must(b, err)
	if health[0].Accepted != benchDeliveries {
		b.Errorf("%d deliveries were accepted", health[0].Accepted)
	}
	b.ReportMetric(float64(health[0].Pending), "pending")
	stop()
	work.Wait()
	b.StartTimer()
}

// deliver sends all deliveries and returns how long each waited for its answer, from
// when it was due.
func deliver(b *testing.B, client *http.Client, bases []string, rate int) (took time.Duration, waits []time.Duration) {
	b.Helper()
	bodies := make([]string, benchDeliveries)
	sample := string(bytes.TrimSpace(eventtest.File(b, eventtest.Playground, "testdata/github/issues.json")))
	for i := range bodies { // the number of the issue, and something else that differs
		bodies[i] = fmt.Sprintf(`{"n":"%032x",`, uint64(i)*0x9e3779b97f4a7c15) + strings.Replace(sample[1:], `"number": 2,`, fmt.Sprintf(`"number": %d,`, 1+i%500), 1)
	}
	waits = make([]time.Duration, benchDeliveries)
	next := make(chan int)
	var senders sync.WaitGroup
	start := time.Now()
	due := func(i int) time.Time {
		if rate == 0 {
			return time.Time{}
		}
		return start.Add(time.Duration(i) * time.Second / time.Duration(rate))
	}
	for range benchSenders {
		senders.Go(func() {
			for i := range next {
				at := due(i)
				if at.IsZero() {
					at = time.Now()
				}
				r := hook(bases[i%len(bases)]+"/hooks/github", bodies[i], "X-GitHub-Delivery", fmt.Sprint(i))
				r.RequestURI, r.Host = "", "" // it was made for a server
				answer, err := client.Do(r)
				if err != nil {
					b.Error(err)
					continue
				}
				_, _ = io.Copy(io.Discard, answer.Body) // only the status is looked at
				_ = answer.Body.Close()
				if answer.StatusCode != http.StatusAccepted {
					b.Errorf("answered %d", answer.StatusCode)
				}
				waits[i] = time.Since(at)
			}
		})
	}
	for i := range bodies {
		time.Sleep(time.Until(due(i)))
		next <- i
	}
	close(next)
	senders.Wait()
	return time.Since(start), waits
}

// readPages reads the dashboard, one page after the other.
func readPages(ctx context.Context, b *testing.B, client *http.Client, base string) {
	b.Helper()
	for i := 0; ctx.Err() == nil; i++ {
		page := []string{"/", "/tickets", "/sources", "/changes"}[i%4]
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+page, nil)
		must(b, err)
		answer, err := client.Do(r)
		if err != nil {
			continue // it is over
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			b.Errorf("%s: %d", page, answer.StatusCode)
		}
		select { // a reader looks at a page
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// bareRows is how many durable transactions with one row of 8 KB there are in a second.
func bareRows(b *testing.B) float64 {
	b.Helper()
	const rows = 300
	db := storagetest.SQLite(b)
	const ddl = "-- +goose Up\nCREATE TABLE bare (id BIGINT NOT NULL PRIMARY KEY, raw BYTEA NOT NULL);\n"
	must(b, db.Migrate(b.Context(), "bare", fstest.MapFS{"migrations/00001_bare.sql": {Data: []byte(ddl)}}))
	raw := []byte(strings.Repeat("x", 8<<10))
	start := time.Now()
	for i := range rows {
		must(b, db.Write(b.Context(), func(tx *storage.Tx) error {
			_, err := tx.Exec(b.Context(), "INSERT INTO bare (id, raw) VALUES ($1, $2)", i, raw)
			return err
		}))
	}
	return rows / time.Since(start).Seconds()
}
