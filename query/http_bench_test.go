package query_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/query/querytest"
	"github.com/stemma-dev/stemma/query/views"
	"github.com/stemma-dev/stemma/server"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// nodesOfChange is how many nodes of a world there are to one change.
const nodesOfChange = 8.6

// BenchmarkLineageOverHTTP asks a server for the whole way of changes that went into
// production and broke something there, from the requirement to the incident: in a graph of 200,000
// changes, and in one of a tenth of them. It reports medians in microseconds and the ratio.
func BenchmarkLineageOverHTTP(b *testing.B) {
	const changes = 200_000
	for _, engine := range []struct {
		name string
		open func(testing.TB) *storage.DB
	}{{"sqlite", storagetest.SQLite}, {"postgres", storagetest.Postgres}} {
		b.Run(engine.name, func(b *testing.B) {
			worlds := []int{changes / 10, changes}
			var turns []func(int) (int, error)
			for _, n := range worlds {
				turns = append(turns, lineages(b, engine.open(b), n))
			}
			report(b, worlds, medians(b, turns))
		})
	}
}

// lineages serves a world of so many changes, and returns who asks for the lineage of the
// i-th one that broke something.
func lineages(b *testing.B, db *storage.DB, changes int) func(i int) (int, error) {
	b.Helper()
	g, w := load(b, db, int(float64(changes)*nodesOfChange))
	if err := views.Ensure(b.Context(), db); err != nil {
		b.Fatal(err)
	}
	count := 0
	if err := db.Each(b.Context(), func(scan func(...any) error) error { return scan(&count) }, `SELECT COUNT(*) FROM k_change`); err != nil || count < changes {
		b.Fatalf("%d changes, want %d; %v", count, changes, err)
	}
	refs := broken(b, db, w.incidents)
	l, err := ledger.Open(b.Context(), db, ledger.Config{Signer: querytest.Key(b), Now: time.Now, Rand: rand.Reader})
	if err != nil {
		b.Fatal(err)
	}
	s, err := server.New(b.Context(), server.Config{Space: &ingest.Space{DB: db, Ledger: l, Graph: g}, Now: time.Now, Addr: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	web := httptest.NewServer(s)
	b.Cleanup(web.Close)
	whole := map[stemma.Kind]bool{stemma.KindRequirement: true, stemma.KindTicket: true, stemma.KindRun: true, stemma.KindDeployment: true, stemma.KindIncident: true}
	return func(i int) (int, error) {
		return lineageOf(b.Context(), web, refs[i%len(refs)], whole)
	}
}

// broken are changes that deployments brought which incidents were caused by.
func broken(b *testing.B, db *storage.DB, incidents []stemma.Ref) (refs []stemma.Ref) {
	b.Helper()
	err := db.Each(b.Context(), func(scan func(...any) error) error {
		var ref string
		err := scan(&ref)
		refs = append(refs, stemma.Ref(ref))
		return err
	}, `SELECT DISTINCT n.ref FROM k_incident i JOIN edge c ON c.src = i.id JOIN edge e ON e.src = c.dst JOIN node n ON n.id = e.dst WHERE n.kind = 'change' ORDER BY 1`)
	if err != nil || len(refs) < len(incidents) {
		b.Fatalf("%d changes broke something, %v", len(refs), err)
	}
	return refs
}

// lineageOf asks for one lineage, which must go through the kinds, and returns how many
// things are on it.
func lineageOf(ctx context.Context, web *httptest.Server, ref stemma.Ref, through map[stemma.Kind]bool) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, web.URL+"/api/v1/trace/"+url.PathEscape(string(ref))+"?direction=both", nil)
	if err != nil {
		return 0, err
	}
	a, err := web.Client().Do(r)
	if err != nil {
		return 0, err
	}
	body, err := io.ReadAll(a.Body)
	if err = errors.Join(err, a.Body.Close()); err != nil {
		return 0, err
	}
	if a.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s: %s %.300s", ref, a.Status, body)
	}
	var l struct {
		Nodes []struct{ Ref stemma.Ref }
	}
	if err := json.Unmarshal(body, &l); err != nil {
		return 0, err
	}
	for kind := range through {
		if !slices.ContainsFunc(l.Nodes, func(n struct{ Ref stemma.Ref }) bool { return n.Ref.Kind() == kind }) {
			return 0, fmt.Errorf("the lineage of %s has no %s: %.500s", ref, kind, body)
		}
	}
	return len(l.Nodes), nil
}
