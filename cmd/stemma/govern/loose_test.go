package govern

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/ingest/origins"
	"github.com/stemma-dev/stemma/ingest/repo"
	"github.com/stemma-dev/stemma/policy/gather"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// A file's path that is too long for a store, and more files than are looked at, are the
// same gap for one who checks before the push as for the server after it.
func TestTheFilesOfALooseCommitAreThoseThatAStoreGives(t *testing.T) {
	path := func(n int) string { return strings.Repeat("long/", n/5-1) + strings.Repeat("x", n%5+5) }
	quoted := strings.Repeat("\t", stemma.MaxIndexed/2) // longer when it is quoted
	text := gittest.Lines("text", 20)
	for name, x := range map[string]struct {
		before, files []gittest.ImportFile
		count, gaps   int
		more          bool
	}{
		"short":           {nil, []gittest.ImportFile{gittest.Set("b.go", "b\n"), gittest.Set("a.go", "a\n")}, 2, 0, false},
		"as long as kept": {nil, []gittest.ImportFile{gittest.Set(path(stemma.MaxIndexed), "a\n")}, 1, 0, false},
		"too long":        {nil, []gittest.ImportFile{gittest.Set(path(stemma.MaxIndexed+1), "a\n"), gittest.Set("a.go", "a\n")}, 1, 0, true},
		"too long quoted": {nil, []gittest.ImportFile{gittest.Set(quoted, "a\n")}, 0, 0, true},
		"renamed from a long one": {
			[]gittest.ImportFile{gittest.Set(path(1200), text)}, []gittest.ImportFile{{Path: path(1200)}, gittest.Set("a.go", text)}, 2, 0, false,
		},
		"renamed to a long one": {
			[]gittest.ImportFile{gittest.Set("a.go", text)}, []gittest.ImportFile{{Path: "a.go"}, gittest.Set(path(1200), text)}, 0, 0, true,
		},
		"as many as are looked at": {nil, numbered(gather.MaxFiles), gather.MaxFiles, 0, false},
		"one more":                 {nil, numbered(gather.MaxFiles + 1), gather.MaxFiles, 1, true},
		"two more":                 {nil, numbered(gather.MaxFiles + 2), gather.MaxFiles, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			r.Git("remote", "add", "origin", "https://github.com/acme/pay.git")
			im := r.Import()
			im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "before", Files: append(x.before, gittest.Set("go.mod", "m\n"))})
			im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "it", Files: x.files})
			im.Close()
			id := r.Git("rev-parse", "main")
			here, there := looseOf(t, r.Dir, 0, id), storedOf(t, r.Dir, id)
			there.Gaps = slices.DeleteFunc(there.Gaps, func(g subject.Gap) bool { return g.Source != gather.Source }) // a scan has others
			if diff := cmp.Diff(there.Files, here.Files); diff != "" {
				t.Errorf("files (-store +clone):\n%.2000s", diff)
			}
			if len(here.Files) != x.count || here.Change.MoreFiles != x.more || there.Change.MoreFiles != x.more || len(here.Gaps) != x.gaps || !slices.Equal(here.Gaps, there.Gaps) {
				t.Errorf("%d files, more %v, %v; in the store %d, %v, %v", len(here.Files), here.Change.MoreFiles, here.Gaps, len(there.Files), there.Change.MoreFiles, there.Gaps)
			}
		})
	}
}

// In the pipeline of a merge request the commits are one change, whichever of them it is
// that touches more.
func TestACommitThatTouchesMoreMakesItsMergeRequestTouchMore(t *testing.T) {
	long := gittest.Set(strings.Repeat("long/", 300)+"x", "a\n")
	for name, x := range map[string]struct {
		older, newer []gittest.ImportFile
		count        int
		more         bool
	}{
		"none":             {numbered(2), []gittest.ImportFile{gittest.Set("a.go", "a\n")}, 3, false},
		"the older":        {[]gittest.ImportFile{long}, numbered(2), 2, true},
		"the newer":        {numbered(2), []gittest.ImportFile{long}, 2, true},
		"only both of two": {numbered(gather.MaxFiles), []gittest.ImportFile{gittest.Set("a.go", "a\n")}, gather.MaxFiles, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			im := r.Import()
			im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "older", Files: x.older})
			im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "newer", Files: x.newer})
			im.Close()
			got := looseOf(t, r.Dir, 7, r.Git("rev-parse", "main"), r.Git("rev-parse", "main^"))
			if len(got.Files) != x.count || got.Change.MoreFiles != x.more {
				t.Errorf("%d files, more %v", len(got.Files), got.Change.MoreFiles)
			}
			if n := len(got.Gaps); n > 1 || n == 1 && got.Gaps[0].Place != string(change.NumberedRef(pay, 7)) {
				t.Errorf("gaps %v", got.Gaps)
			}
		})
	}
}

func numbered(n int) (list []gittest.ImportFile) {
	for i := range n {
		list = append(list, gittest.Set(fmt.Sprintf("d%d/f%d", i%100, i), "x\n"))
	}
	return list
}

func noSettings(string) subject.Settings { return subject.Settings{} }

func someDay() time.Time { return time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) }

// looseOf is the subject of commits of which nobody told: of one, or of a merge request.
func looseOf(t *testing.T, dir string, number int, ids ...string) *subject.Subject {
	t.Helper()
	r, err := origins.Open(t.Context(), dir, origins.Own{}, origins.Cache{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	list, err := (&clone{r, pay, noSettings, someDay()}).loose(t.Context(), ids, number)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d subjects, %v", len(list), err)
	}
	return list[0]
}

// storedOf is the subject of the same commit after a scan.
func storedOf(t *testing.T, dir, id string) (x *subject.Subject) {
	t.Helper()
	r, err := git.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	s := ingesttest.Must(t, storagetest.SQLite(t), someDay)
	if _, err := repo.Scan(t.Context(), s, r, repo.Options{Now: someDay}); err != nil {
		t.Fatal(err)
	}
	err = s.DB.Read(t.Context(), func(tx *storage.Tx) error {
		list, err := gather.Changes(t.Context(), tx, []stemma.Ref{change.DirectRef(pay, id)}, gather.Options{Settings: noSettings, Now: someDay()})
		if err == nil {
			x = list[0]
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return x
}
