package gather_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/policy/gather"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestAChangeOfManyFilesIsWhole(t *testing.T) {
	const n = 3000
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db, p := open(), &place{n: 1}
		var files []change.File
		var spans []attribution.Span
		for i := range n {
			path := fmt.Sprintf("src/payments/%04d.go", i)
			files = append(files, change.File{Path: path, Status: "A", Added: 2})
			spans = append(spans, attribution.Span{Path: path, Start: 1, End: 1, Origin: "ai", Session: p.session("s")})
		}
		p.merged(func(c *change.Change) { c.Lines = &change.Lines{AI: n, Unknown: n} })
		p.landed(func(c *change.Commit) { c.Files, c.Lines = files, &change.Lines{AI: n, Unknown: n} })
		p.tell(record(p, "git-ai", 2, spans...))
		tellAll(t, db, []*place{p})
		s := gathered(t, db, p.change())[0]
		lines := 0
		for i, f := range s.Files {
			if f.Path != files[i].Path || !f.Sensitive || f.AILines != 1 || f.Added != 2 {
				t.Fatalf("%+v", f)
			}
			lines += f.AILines
		}
		if len(s.Files) != n || lines != n || len(s.Spans) != n+1 || len(s.Sessions) != 1 || len(s.Gaps) > 0 {
			t.Errorf("%d files, %d lines, %d spans, %d sessions, %v", len(s.Files), lines, len(s.Spans), len(s.Sessions), s.Gaps)
		}
	})
}

func TestWhatIsLeftOutIsAGap(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db, many, deep, few := open(), &place{n: 1}, &place{n: 2}, &place{n: 3}
		many.merged(func(c *change.Change) {
			for i := range 1200 {
				c.Commits = append(c.Commits, many.commit(100+i))
			}
		})
		deep.merged(func(c *change.Change) { c.Sessions = edge(deep.session("0")) })
		for i := range 100 {
			deep.tell(session.Session{Tool: "claude-code", ExternalID: deep.name(fmt.Sprint(i)), Parent: deep.session(fmt.Sprint(i + 1))})
		}
		few.merged()
		tellAll(t, db, []*place{many, deep, few})
		list := gathered(t, db, many.change(), deep.change(), few.change())
		want := subject.Gap{Source: gather.Source, Place: string(many.change()), Reason: "it has more than 1000 commits, and the others were not looked at"}
		if g := list[0].Gaps; len(g) != 1 || g[0] != want || len(list[0].Commits) != 1000 {
			t.Errorf("%d commits, %v", len(list[0].Commits), g)
		}
		want = subject.Gap{Source: gather.Source, Place: string(deep.change()), Reason: "there are more than 64 sessions above one of its sessions, and the others were not looked at"}
		if g := list[1].Gaps; len(g) != 1 || g[0] != want || len(list[1].Sessions) != 65 || list[1].Sessions[0].Root != "" {
			t.Errorf("%d sessions, %v", len(list[1].Sessions), g)
		}
		if g := list[2].Gaps; len(g) > 0 {
			t.Errorf("%v of a small one", g)
		}
	})
}

func TestAChangeThatIsNotKnownIsNotFound(t *testing.T) {
	db, p := storagetest.SQLite(t), &place{n: 1}
	p.merged()
	tellAll(t, db, []*place{p})
	err := db.Read(t.Context(), func(tx *storage.Tx) error {
		for _, ref := range []stemma.Ref{change.NumberedRef(p.repository(), 99), p.commit(2), "x"} {
			if _, err := gather.Changes(t.Context(), tx, []stemma.Ref{p.change(), ref}, options()); !errors.Is(err, stemma.ErrNotFound) {
				t.Errorf("%s: %v", ref, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestStatementsDoNotGrowWithChanges(t *testing.T) {
	db := storagetest.SQLite(t)
	var places []*place
	var refs []stemma.Ref
	for i := range 200 {
		p := &place{n: i}
		for _, m := range members() {
			if i == 0 {
				m.tell(p)
			}
		}
		if i > 0 {
			members()[i%len(members())].tell(p)
		}
		places, refs = append(places, p), append(refs, p.change())
	}
	tellAll(t, db, places)
	const most = 60
	some, all := statements(t, db, refs[:100]), statements(t, db, refs)
	if some < 20 || all != some || all > most {
		t.Errorf("%d statements for 100 changes, %d for 200", some, all)
	}
}

func statements(t *testing.T, db *storage.DB, refs []stemma.Ref) (n int) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *storage.Tx) error {
		_, err := gather.Counted(t.Context(), tx, refs, options(), &n)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
