package database_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/stemma-dev/stemma/ingest/agent/opencode"
	"github.com/stemma-dev/stemma/ingest/agent/opencode/database"
	"github.com/stemma-dev/stemma/ingest/agent/run"
)

// statements are a database of OpenCode with one session.
var statements = []string{
	`CREATE TABLE session (id TEXT PRIMARY KEY, project_id TEXT, parent_id TEXT, title TEXT NOT NULL, directory TEXT NOT NULL, version TEXT NOT NULL)`,
	`CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, time_created INTEGER, data TEXT NOT NULL)`,
	`CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT NOT NULL, session_id TEXT, data TEXT NOT NULL)`,
	`INSERT INTO session VALUES ('oc-2', 'p', 'oc-1', 'Idempotent charges', '/home/ann/pay', '1.1')`,
	`INSERT INTO message VALUES ('m1', 'oc-2', 0, '{"role":"user","time":{"created":1770112801000}}')`,
	`INSERT INTO message VALUES ('m2', 'oc-2', 0, '{"role":"assistant","time":{"created":1770112802000},"modelID":"gpt-5","tokens":{"input":10,"output":20,"cache":{"read":30}}}')`,
	`INSERT INTO part VALUES ('p1', 'm1', 'oc-2', '{"type":"text","text":"Make charges idempotent"}')`,
	`INSERT INTO part VALUES ('p2', 'm2', 'oc-2', '{"type":"tool","tool":"edit","callID":"t1","state":{"status":"completed","input":{"filePath":"/home/ann/pay/charge.go"}}}')`,
	`INSERT INTO part VALUES ('p3', 'm2', 'oc-2', 'damaged')`,
}

func makeDatabase(t *testing.T, path string, statements []string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return db
}

func TestADatabaseIsReadWhileItIsOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "open code?#.db")
	db := makeDatabase(t, filepath.Join(t.TempDir(), "x.db"), nil)
	if _, err := db.ExecContext(t.Context(), `SELECT 1`); err != nil {
		t.Fatal(err)
	}
	makeDatabase(t, "file:"+filepath.Dir(path)+"/open%20code%3F%23.db", append([]string{`PRAGMA journal_mode=wal`}, statements...))
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o := opencode.New(run.Options{})
	if err := database.Read(t.Context(), path, o); err != nil {
		t.Fatal(err)
	}
	list := o.Transcripts()
	if len(list) != 1 {
		t.Fatalf("%d sessions, problems %v", len(list), o.Problems())
	}
	s := list[0].Session
	if s.Ref() != "session:opencode/oc-2" || s.Parent != "session:opencode/oc-1" || s.Title != "Idempotent charges" || s.Iterations != 1 || s.InputTokens != 10 ||
		len(s.Files) != 1 || s.Files[0].Path != "charge.go" || len(o.Problems()) != 1 {
		t.Errorf("%+v, problems %v", s, o.Problems())
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the database was changed (%v)", err)
	}
}

func TestWhatIsNoDatabaseOfOpenCodeIsAnError(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte("words"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other.db")
	makeDatabase(t, other, []string{`CREATE TABLE x (y)`})
	link := filepath.Join(dir, "link.db")
	if err := os.Symlink(other, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{text, other, link, dir, filepath.Join(dir, "none.db")} {
		if err := database.Read(t.Context(), path, opencode.New(run.Options{})); err == nil {
			t.Errorf("%s is read", filepath.Base(path))
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "none.db")); !os.IsNotExist(err) {
		t.Error("a database was made")
	}
}
