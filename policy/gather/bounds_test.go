package gather_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/policy/gather"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// What is shown for review last may be told after an older head was compared.
func TestAComparisonWithAnOlderHeadTellsNothing(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db, old, last := open(), &place{n: 1}, &place{n: 2}
		for p, head := range map[*place]int{old: 4, last: 3} {
			p.merged(func(c *change.Change) { c.Compared = &change.Compared{With: p.commit(head), Altered: 2} })
		}
		tellAll(t, db, []*place{old, last})
		list := gathered(t, db, old.change(), last.change())
		if a, b := list[0].Change, list[1].Change; a.Compared || a.Altered != 0 || !b.Compared || b.Altered != 2 {
			t.Errorf("compared %v %d and %v %d", a.Compared, a.Altered, b.Compared, b.Altered)
		}
	})
}

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
		db, many, deep, few, wide := open(), &place{n: 1}, &place{n: 2}, &place{n: 3}, &place{n: 4}
		wide.merged()
		wide.landed(func(c *change.Commit) {
			for i := range 10_002 {
				c.Files = append(c.Files, change.File{Path: fmt.Sprintf("f%05d", i), Status: "A"})
			}
		})
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
		tellAll(t, db, []*place{many, deep, few, wide})
		list := gathered(t, db, many.change(), deep.change(), few.change(), wide.change())
		want := subject.Gap{Source: gather.Source, Place: string(many.change()), Reason: "it has more than 1000 commits, and the others were not looked at"}
		if g := list[0].Gaps; len(g) != 1 || g[0] != want || len(list[0].Commits) != 1000 || !list[0].Change.MoreCommits {
			t.Errorf("%d commits, %v", len(list[0].Commits), g)
		}
		want = subject.Gap{Source: gather.Source, Place: string(deep.change()), Reason: "there are more than 64 sessions above one of its sessions, and the others were not looked at"}
		if g := list[1].Gaps; len(g) != 1 || g[0] != want || len(list[1].Sessions) != 65 || list[1].Sessions[0].Root != "" {
			t.Errorf("%d sessions, %v", len(list[1].Sessions), g)
		}
		if !list[0].Change.MoreFiles {
			t.Error("of some commits no file was looked at, and there are said to be no more files")
		}
		if g := list[2].Gaps; len(g) > 0 || list[2].Change.MoreFiles || list[2].Change.MoreCommits {
			t.Errorf("%v of a small one", g)
		}
		if x := list[3]; !x.Change.MoreFiles || len(x.Files) != 10_000 || len(x.Gaps) != 1 {
			t.Errorf("%d files, %v", len(x.Files), x.Gaps)
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

// busy tells 200 changes, of which everything is known of one and something of each, and
// names them.
func busy(t *testing.T, db *storage.DB) (refs []stemma.Ref) {
	t.Helper()
	var places []*place
	for i := range 200 {
		p := &place{n: i}
		for k, m := range members() {
			if i == 0 || i%len(members()) == k {
				m.tell(p)
			}
		}
		places, refs = append(places, p), append(refs, p.change())
	}
	tellAll(t, db, places)
	return refs
}

func statements(t *testing.T, db *storage.DB, refs []stemma.Ref) (list []string) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *storage.Tx) (err error) {
		list, err = gather.Statements(t.Context(), tx, refs, options())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestStatementsDoNotGrowWithChanges(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		refs := busy(t, db)
		const most = 60
		if some, all := statements(t, db, refs[:100]), statements(t, db, refs); len(some) < 20 || len(all) > most || !slices.Equal(some, all) {
			t.Errorf("%d statements for 100 changes, %d for 200", len(some), len(all))
		}
	})
}

// TestNoTableIsReadAsAWhole looks at the plans of a database of which nothing was measured:
// each begins with the nodes that are asked for, and goes on by what they are tied to.
func TestNoTableIsReadAsAWhole(t *testing.T) {
	db := storagetest.SQLite(t)
	begins := regexp.MustCompile(`^SCAN (i VIRTUAL TABLE|CONSTANT ROW|up$|door$)`)
	made := regexp.MustCompile(`^(CO-ROUTINE|MATERIALIZE) (\w+)$`)
	for _, query := range statements(t, db, busy(t, db)) {
		known := map[string]bool{}
		err := db.Each(t.Context(), func(scan func(...any) error) error {
			var id, parent, unused int64
			var step string
			if err := scan(&id, &parent, &unused, &step); err != nil {
				return err
			}
			if m := made.FindStringSubmatch(step); m != nil {
				known["SCAN "+m[2]] = true
			}
			if strings.HasPrefix(step, "SCAN") && !begins.MatchString(step) && !known[step] ||
				regexp.MustCompile(`INDEX k_\w+_(verdict|state|status|severity|format|kind|conclusion|source|name)_i`).MatchString(step) {
				t.Errorf("%s: in\n%s", step, query)
			}
			return nil
		}, "EXPLAIN QUERY PLAN "+query, args(query)...)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// args are some for a query.
func args(query string) []any {
	list := []any{"[]"}
	if strings.Contains(query, "$2") {
		list = append(list, 1)
	}
	return list
}

func TestMoreArtifactsThanAreLookedAtAreNotAllOfThem(t *testing.T) {
	db, p := storagetest.SQLite(t), &place{n: 1}
	p.merged()
	p.landed()
	for i := range 201 {
		digest, _ := p.image(fmt.Sprint(i))
		p.tell(artifact.Artifact{Digest: digest, From: edge(p.commit(2))})
	}
	tellAll(t, db, []*place{p})
	if s := gathered(t, db, p.change())[0]; len(s.Artifacts) != 200 || !s.Change.MoreBuilt || len(s.Gaps) != 1 {
		t.Errorf("%d artifacts, more %v, %v", len(s.Artifacts), s.Change.MoreBuilt, s.Gaps)
	}
}

// A name that is too long to be kept is not among the files of a commit, but counted.
func TestAFileWithoutANameIsOneMore(t *testing.T) {
	db, p, whole := storagetest.SQLite(t), &place{n: 1}, &place{n: 2}
	for q, files := range map[*place]int{p: 2, whole: 1} {
		q.merged()
		q.landed(func(c *change.Commit) {
			c.Files, c.Size = []change.File{{Path: "a.go", Status: "A"}}, &change.Size{FileCount: files}
		})
	}
	tellAll(t, db, []*place{p, whole})
	if list := gathered(t, db, p.change(), whole.change()); !list[0].Change.MoreFiles || list[1].Change.MoreFiles {
		t.Errorf("more files: %v and %v", list[0].Change.MoreFiles, list[1].Change.MoreFiles)
	}
}

func TestTheFilesOfACommitThatIsOnlyNamedAreMore(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		db, p, unread, pushed := open(), &place{n: 1}, &place{n: 2}, &place{n: 3}
		for _, q := range []*place{p, unread} {
			q.merged(func(c *change.Change) { c.Commits = []stemma.Ref{q.commit(2), q.commit(3)} })
		}
		pushed.merged(func(c *change.Change) { // open, and its first head was replaced
			c.State, c.Merged, c.MergeCommit, c.Commits = "open", 0, "", nil
			c.Head, c.Heads = pushed.commit(2), append(edge(pushed.commit(3)), edge(pushed.commit(2))...)
		})
		for _, q := range []*place{p, pushed} {
			q.landed(func(c *change.Commit) {
				c.Files, c.Size = []change.File{{Path: "a.go", Status: "A"}}, &change.Size{FileCount: 1}
			})
		}
		tellAll(t, db, []*place{p, unread, pushed})
		list := gathered(t, db, p.change(), unread.change(), pushed.change())
		if !list[0].Change.MoreFiles || len(list[0].Files) != 1 {
			t.Errorf("of one that was read in part: %v, more: %v", list[0].Files, list[0].Change.MoreFiles)
		}
		if list[1].Change.MoreFiles || len(list[1].Files) > 0 { // nothing is known of it, which is another answer
			t.Errorf("of one that was not read: %v, more: %v", list[1].Files, list[1].Change.MoreFiles)
		}
		if list[2].Change.MoreFiles || len(list[2].Files) != 1 {
			t.Errorf("of one whose first head was replaced: %v, more: %v", list[2].Files, list[2].Change.MoreFiles)
		}
	})
}
