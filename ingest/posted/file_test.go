package posted_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/note/notetest"
	"github.com/stemma-dev/stemma/ingest/posted"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

var one, two = strings.Repeat("a1", 20), strings.Repeat("b2", 20)

// TestNotesOfAnOlderStoreStay opens a store that knew nothing but notes.
func TestNotesOfAnOlderStoreStay(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		first, err := os.ReadFile("migrations/00001_posted.sql")
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Migrate(t.Context(), "posted", fstest.MapFS{"migrations/00001_posted.sql": {Data: first}}); err != nil {
			t.Fatal(err)
		}
		digest := stemma.Sum([]byte("a note"))
		err = db.Write(t.Context(), func(tx *storage.Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO posted (commit_id, digest, number) VALUES ($1, $2, 7)", one, digest.String())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		notes, err := posted.Open(t.Context(), &ingest.Space{DB: db}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		since, last, err := notes.Since(t.Context(), 6)
		if err != nil || last != 7 || !cmp.Equal(since, map[string][]stemma.Digest{one: {digest}}) {
			t.Errorf("the notes are %v, the last %d, %v", since, last, err)
		}
	})
}

func TestFilesAreRecognisedByWhatTheySay(t *testing.T) {
	trace := notetest.AgentTrace("t1", one, 1, 2)
	for name, c := range map[string]struct {
		text, format string
		commits      []string
		bad          string
	}{
		"a session":              {notetest.Chainloop("5c1e", "a.go", "1-2", one, two), posted.Chainloop, []string{one, two}, ""},
		"a session of no commit": {notetest.Chainloop("5c1e", "a.go", "1-2"), posted.Chainloop, nil, "commit 0: a commit without a name"},
		"traces":                 {trace + trace + notetest.AgentTrace("t2", two, 1, 2) + "\n", posted.AgentTrace, []string{one, two}, ""},
		"one over several lines": {strings.ReplaceAll(trace, ",", ",\n"), posted.AgentTrace, []string{one}, ""},
		"one of no commit":       {trace + notetest.AgentTrace("t2", "main", 1, 2), posted.AgentTrace, []string{one}, "line 2: the record names no commit of git"},
		"one that is cut short":  {trace + trace[:90], posted.AgentTrace, []string{one}, "line 2: damaged JSON"},
		"a package":              {`{"name":"x","version":"0.1.0","files":["dist"]}`, "", nil, ""},
		"a transcript":           {`{"type":"user","version":"2.1","timestamp":"2026-02-02T03:44:12Z"}`, "", nil, ""},
		"nothing":                {"", "", nil, ""},
	} {
		f, ok := posted.ReadFile([]byte(c.text))
		var commits []string
		for _, e := range f.Records {
			commits = append(commits, e.Commits...)
		}
		bad := ""
		for _, p := range f.Problems {
			bad = p.Place + ": " + p.Reason
		}
		if ok != (c.format != "") || ok && (f.Format != c.format || !slices.Equal(commits, c.commits) || bad != c.bad) {
			t.Errorf("%s: %t, %s, about %v, problem %q", name, ok, f.Format, commits, bad)
		}
	}
}

func TestRecordOfAnUnknownFormatIsAProblem(t *testing.T) {
	if c := posted.Claims("of tomorrow", []byte("x")); len(c.Problems) != 1 || c.Claimed != 0 {
		t.Errorf("%+v", c)
	}
}

func FuzzReadFile(f *testing.F) {
	f.Add(notetest.Chainloop("5c1e", "a.go", "1-2,5-9", one, two))
	f.Add(notetest.AgentTrace("t1", one, 1, 2) + notetest.AgentTrace("t2", two, 3, 4) + "{")
	f.Add(`{"version":"0.1.0","timestamp":"2026-02-02T03:44:12Z","vcs":{"revision":"` + one + `"},"files":[{"path":""},{"path":"a","conversations":[{"ranges":[{"start_line":9,"end_line":1}]}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		file, ok := posted.ReadFile([]byte(text))
		if !ok {
			return
		}
		for _, e := range file.Records {
			notetest.Check(t, posted.Claims(file.Format, e.Body))
			for _, commit := range e.Commits {
				if !note.IsHex(commit) || len(commit) != 40 && len(commit) != 64 {
					t.Errorf("about %q", commit)
				}
			}
		}
	})
}
