package repo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/blame"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/origins"
	"github.com/stemma-dev/stemma/ingest/repo"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
	"github.com/stemma-dev/stemma/vault"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A space is a store under test. All of them have the same key, so that people
// have the same pseudonyms everywhere.
type space struct {
	*ingest.Space
	t   testing.TB
	now time.Time // a minute later at every look
}

func newSpace(t testing.TB) *space {
	t.Helper()
	return spaceOn(t, storagetest.SQLite(t))
}

func spaceOn(t testing.TB, db *storage.DB) *space {
	t.Helper()
	key, err := vault.NewSpaceKey(make([]byte, 32))
	must(t, err)
	blobs, err := vault.Dir(t.TempDir())
	must(t, err)
	bodies, err := vault.Open(t.Context(), db, blobs, key)
	must(t, err)
	random := rand.NewChaCha8([32]byte{1})
	signer, err := seal.NewKey(random, "log.example/test")
	must(t, err)
	s := &space{t: t, now: time.Unix(gittest.Epoch+1_000_000, 0)}
	log, err := ledger.Open(t.Context(), db, ledger.Config{Signer: signer, Now: s.clock, Rand: random})
	must(t, err)
	g, err := graph.Open(t.Context(), db, lineage.Specs())
	must(t, err)
	s.Space, err = ingest.Open(t.Context(), ingest.Space{DB: db, Ledger: log, Graph: g, Vault: bodies}, key)
	must(t, err)
	return s
}

func (s *space) clock() time.Time {
	s.now = s.now.Add(time.Minute)
	return s.now
}

// scan reads a directory, which must succeed.
func (s *space) scan(dir string) repo.Report {
	s.t.Helper()
	report, err := s.try(s.t.Context(), dir)
	if err != nil {
		s.t.Fatalf("scanning %s: %v", dir, err)
	}
	return report
}

func (s *space) try(ctx context.Context, dir string) (repo.Report, error) {
	s.t.Helper()
	r := openRepo(s.t, dir)
	at := s.clock()
	return repo.Scan(ctx, s.Space, r, repo.Options{Now: func() time.Time { return at }})
}

func openRepo(t testing.TB, dir string) *git.Repo {
	t.Helper()
	r, err := git.Open(context.WithoutCancel(t.Context()), dir)
	must(t, err)
	t.Cleanup(func() { must(t, r.Close()) })
	return r
}

// ask tells who wrote the lines of a file, without the store.
func ask(t testing.TB, dir string, o blame.Options, cache origins.Cache) []origins.Line {
	t.Helper()
	r, err := origins.Open(t.Context(), dir, origins.Own{}, cache)
	must(t, err)
	defer func() { must(t, r.Close()) }()
	lines, err := r.Blame(t.Context(), o)
	must(t, err)
	return lines
}

// rows runs a query and gives every row as words joined by blanks; NULL is "-".
func (s *space) rows(query string, args ...any) []string {
	s.t.Helper()
	var all []string
	must(s.t, s.DB.Read(s.t.Context(), func(tx *storage.Tx) error {
		rows, err := tx.Query(s.t.Context(), query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		for rows.Next() {
			cells, to := make([]any, len(columns)), make([]any, len(columns))
			for i := range cells {
				to[i] = &cells[i]
			}
			if err := rows.Scan(to...); err != nil {
				return err
			}
			var words []string
			for _, c := range cells {
				switch c := c.(type) {
				case nil:
					words = append(words, "-")
				case []byte:
					words = append(words, string(c))
				default:
					words = append(words, fmt.Sprint(c))
				}
			}
			all = append(all, strings.Join(words, " "))
		}
		return rows.Err()
	}))
	return all
}

// one is rows for a query with one row.
func (s *space) one(query string, args ...any) string {
	s.t.Helper()
	all := s.rows(query, args...)
	if len(all) != 1 {
		s.t.Fatalf("%d rows of %s %v, want one: %q", len(all), query, args, all)
	}
	return all[0]
}

// size is how long the log is.
func (s *space) size() int64 {
	s.t.Helper()
	n, err := s.Ledger.Size(s.t.Context())
	must(s.t, err)
	return n
}

// verify checks the whole log and that a graph derived anew is the same.
func (s *space) verify() {
	s.t.Helper()
	must(s.t, s.Ledger.Verify(s.t.Context(), func(p ledger.Problem) { s.t.Error(p) }))
	before := s.dump()
	must(s.t, s.Graph.Rebuild(s.t.Context(), s.Ledger))
	if diff := cmp.Diff(before, s.dump()); diff != "" {
		s.t.Errorf("the graph derived anew differs:\n%s", diff)
	}
}

func (s *space) dump() []string {
	s.t.Helper()
	var b bytes.Buffer
	must(s.t, s.Graph.Dump(s.t.Context(), &b))
	return strings.Split(strings.TrimSpace(b.String()), "\n")
}

// facts are the rows of the given kinds and the edges between things, in order
// and without what depends on when and how often was looked: positions in the
// log, at which tip a file was stated last, files that are deleted.
func (s *space) facts(kinds ...stemma.Kind) []string {
	s.t.Helper()
	var all []string
	gone := s.rows(`SELECT n.ref FROM k_file k JOIN node n ON n.id = k.id WHERE k.deleted = 1`)
	for _, line := range s.dump() {
		var row []any
		must(s.t, json.Unmarshal([]byte(line), &row))
		table := row[0].(string)
		if len(row) == 1 {
			continue // the heading of a table
		}
		of, _ := row[1].(string)
		kind, _, _ := strings.Cut(table, ".")
		switch {
		case slices.Contains(gone, of):
			continue
		case table == "edge" && row[2] != "at":
			if !slices.Contains(kinds, stemma.Ref(of).Kind()) {
				continue
			}
			row = row[:6] // to its grade
		case !slices.Contains(kinds, stemma.Kind(kind)):
			continue
		case table == "file":
			spec, _ := specOf(stemma.KindFile)
			i := slices.IndexFunc(spec.Columns, func(c stemma.Column) bool { return c.Name == "commit" })
			row[2+i] = "?"
		}
		again, err := json.Marshal(row)
		must(s.t, err)
		all = append(all, string(again))
	}
	slices.Sort(all)
	return all
}

func specOf(kind stemma.Kind) (stemma.KindSpec, bool) {
	specs := lineage.Specs()
	i := slices.IndexFunc(specs, func(s stemma.KindSpec) bool { return s.Kind == kind })
	if i < 0 {
		return stemma.KindSpec{}, false
	}
	return specs[i], true
}

// lasting are the kinds whose rows tell what a repository holds, however often
// it was looked at.
var lasting = []stemma.Kind{
	stemma.KindCommit, stemma.KindChange, stemma.KindFile, stemma.KindAttribution, stemma.KindRelease,
	stemma.KindSession, stemma.KindRole, stemma.KindConfig, stemma.KindTicket, stemma.KindAttestation,
}

// same compares two stores.
func same(t testing.TB, what string, got, want *space, kinds ...stemma.Kind) {
	t.Helper()
	if kinds == nil {
		kinds = lasting
	}
	if diff := cmp.Diff(want.facts(kinds...), got.facts(kinds...)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, short(diff))
	}
}

func short(s string) string {
	if len(s) > 6000 {
		return s[:6000] + "…"
	}
	return s
}

// want compares rows with what is expected of them.
func want(t testing.TB, what string, got []string, lines ...string) {
	t.Helper()
	if diff := cmp.Diff(lines, got); diff != "" && len(lines)+len(got) > 0 {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func ref(id string) string { return "commit:sha1/" + id }

// file is the line tally of a file at the tip.
func (s *space) file(path string) string {
	s.t.Helper()
	return s.one(`SELECT lines, ai_lines, human_lines, unknown_lines FROM k_file WHERE path = $1`, path)
}

// runs are the runs of a file: start, count, origin.
func (s *space) runs(path string) []string {
	s.t.Helper()
	return s.rows(`SELECT r.start, r.count, r.origin, COALESCE(r.agent, '-'), COALESCE(r.model_name, '-') FROM k_file f JOIN k_file_run r ON r.id = f.id
		WHERE f.path = $1 ORDER BY r.seq`, path)
}
