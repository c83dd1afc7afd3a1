package graph_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// commitSpec is a usual kind: many columns, some indexed, a list, doors.
var commitSpecs = []stemma.KindSpec{
	{
		Kind: "commit",
		Columns: []stemma.Column{
			{Name: "repository", Type: stemma.Link, Index: true},
			{Name: "sha", Type: stemma.Text, Index: true},
			{Name: "tree", Type: stemma.Text},
			{Name: "parents", Type: stemma.Int},
			{Name: "author", Type: stemma.Link, Index: true},
			{Name: "committer", Type: stemma.Link},
			{Name: "authored", Type: stemma.Time},
			{Name: "committed", Type: stemma.Time, Index: true},
			{Name: "title", Type: stemma.Text},
			{Name: "message", Type: stemma.Text},
			{Name: "files", Type: stemma.Int},
			{Name: "added", Type: stemma.Int},
			{Name: "deleted", Type: stemma.Int},
			{Name: "on_default", Type: stemma.Bool},
		},
		Lists: []stemma.List{{Name: "file", Columns: []stemma.Column{
			{Name: "path", Type: stemma.Text, Index: true},
			{Name: "status", Type: stemma.Text},
			{Name: "added", Type: stemma.Int},
			{Name: "deleted", Type: stemma.Int},
		}}},
		Doors: []stemma.Door{
			{Name: "author", To: []stemma.Kind{"person"}},
			{Name: "committer", To: []stemma.Kind{"person"}},
			{Name: "in", To: []stemma.Kind{"repository"}},
			{Name: "parent", To: []stemma.Kind{"commit"}},
		},
	},
	{Kind: "person"},
	{Kind: "repository"},
}

func commits(b *testing.B, n int) []stemma.Fact {
	b.Helper()
	sha := func(i int) string { return stemma.Sum(fmt.Append(nil, i)).String()[:40] }
	facts := make([]stemma.Fact, n)
	for i := range facts {
		author := stemma.NewRef("person", fmt.Sprintf("%032x", i%300))
		attrs := fmt.Sprintf(`{"repository":"repository:github.com/acme/pay","sha":%q,"tree":%q,"parents":1,"author":%q,"committer":%q,
			"authored":"2026-01-02T03:04:05.000000Z","committed":"2026-01-02T03:04:%02d.000000Z","title":"A title of the usual length, number %d",
			"message":"A title of the usual length\n\nAnd a body that says why, in two lines or three of text,\nas good messages do.\n",
			"files":2,"added":40,"deleted":3,"on_default":true,
			"file":[{"path":"pay/charge_%d.go","status":"M","added":30,"deleted":3},{"path":"pay/refund_%d.go","status":"A","added":10,"deleted":0}]}`,
			sha(i), sha(-i-1), author, author, i%60, i, i%900, i%700)
		facts[i] = fact(b, stemma.NewRef("commit", "sha1", sha(i)), attrs,
			stemma.Edge{Door: "author", To: author}, stemma.Edge{Door: "committer", To: author},
			stemma.Edge{Door: "in", To: "repository:github.com/acme/pay"},
			stemma.Edge{Door: "parent", To: stemma.NewRef("commit", "sha1", sha(max(0, i-1)))})
	}
	return facts
}

// BenchmarkApply measures how many facts a second become a graph.
func BenchmarkApply(b *testing.B) {
	const n = 20_000
	for name, open := range map[string]func(testing.TB) *storage.DB{"sqlite": storagetest.SQLite, "postgres": storagetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			db := open(b)
			l, g := openLedger(b, db), openGraph(b, db, commitSpecs)
			for facts := commits(b, n); len(facts) > 0; facts = facts[min(5000, len(facts)):] {
				add(b, l, facts[:min(5000, len(facts))]...)
			}
			b.ResetTimer()
			for b.Loop() {
				if err := g.Rebuild(context.Background(), l); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "facts/s")
		})
	}
}
