package govern

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/query/querytest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

const pay = stemma.Ref("repository:github.com/acme/pay")

type factual interface {
	Fact(source string, grade stemma.Grade) (stemma.Fact, error)
}

func facts(t *testing.T, records ...factual) (list []stemma.Fact) {
	t.Helper()
	for _, r := range records {
		f, err := r.Fact("test", stemma.GradeA)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	return list
}

func commitRef(n int) stemma.Ref { return change.ShaRef(querytest.SHA(n)) }

func TestCommitsAreFoundWithTheChangesThatTheyCameWith(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		var told []factual
		for n := range 8 {
			told = append(told, change.Commit{Repository: pay, SHA: querytest.SHA(n), Title: "x"})
		}
		dropped := true
		told = append(told,
			change.Change{Repository: pay, Number: 142, Method: "rebase", State: "merged", MergeCommit: commitRef(2), Commits: []stemma.Ref{commitRef(1), commitRef(2)}},
			change.Change{Repository: pay, Method: "direct", MergeCommit: commitRef(3), Commits: []stemma.Ref{commitRef(3)}},
			change.Change{Repository: pay, Method: "direct", MergeCommit: commitRef(4), Commits: []stemma.Ref{commitRef(4)}, Dropped: &dropped},
			change.Change{Repository: pay, Number: 9, State: "open", Head: commitRef(6), Heads: []stemma.Edge{{To: commitRef(6)}}},
			change.Change{Repository: pay, Number: 8, State: "closed", Head: commitRef(7), Heads: []stemma.Edge{{To: commitRef(7)}}},
		)
		querytest.Tell(t, db, facts(t, told...)...)
		of := func(request stemma.Ref, commits ...int) (list []string) {
			var ids []string
			for _, n := range commits {
				ids = append(ids, querytest.SHA(n))
			}
			err := db.Read(t.Context(), func(tx *storage.Tx) error {
				refs, loose, err := changesOf(t.Context(), tx, ids, request)
				for _, r := range refs {
					list = append(list, string(r)[strings.LastIndexAny(string(r), "#@"):])
				}
				list = append(list, loose...)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		sha := func(n int) string { return querytest.SHA(n) }
		for name, c := range map[string]struct{ got, want []string }{
			"landed, in the order of the commits":  {of("", 3, 2, 1), []string{"@" + sha(3), "#142"}},
			"taken away by a force push, and none": {of("", 4, 0), []string{sha(4), sha(0)}},
			"shown by what is open":                {of("", 6, 5), []string{"#9"}},
			"shown by what is closed":              {of("", 7), []string{sha(7)}},
			"a head that is not the newest":        {of("", 5, 6), []string{sha(5), sha(6)}},
			"in a pipeline":                        {of(change.NumberedRef(pay, 9), 5, 3), []string{"#9"}},
			"in one that nobody told of":           {of(change.NumberedRef(pay, 77), 5, 3), []string{sha(5), sha(3)}},
			"not known":                            {of("", 99), []string{sha(99)}},
			"nothing":                              {of(""), nil},
		} {
			if d := cmp.Diff(c.want, c.got); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
		carried, err := commitsOf(t.Context(), db, change.NumberedRef(pay, 142))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(slices.Sorted(slices.Values([]string{sha(1), sha(2)})), slices.Sorted(maps.Keys(carried))); d != "" {
			t.Error(d)
		}
	})
}

func TestNamesOfChanges(t *testing.T) {
	for text, want := range map[string]string{
		"#142": "change:github.com/acme/pay#142", "!142": "change:github.com/acme/pay#142", "change:github.com/acme/pay#7": "change:github.com/acme/pay#7",
		"142": "", "#": "", "#0": "", "#x": "", "HEAD": "", "commit:sha1/1": "", "#1..#2": "", "": "",
	} {
		got, ok := isChange(text, pay)
		if ok != (want != "") || ok && string(got) != want {
			t.Errorf("%q is %q, %v", text, got, ok)
		}
	}
}

func TestWhatGitTellsTheHookIsRead(t *testing.T) {
	zero, one := strings.Repeat("0", 40), strings.Repeat("1", 40)
	got, err := pushesOf(strings.NewReader(zero + " " + one + " refs/heads/main\n" + one + " " + zero + " refs/notes/ai\n"))
	if d := cmp.Diff([]push{{zero, one, "refs/heads/main"}, {one, zero, "refs/notes/ai"}}, got, cmp.AllowUnexported(push{})); d != "" || err != nil {
		t.Error(d, err)
	}
	for _, bad := range []string{"\n", "x y z", one + " " + one, one + " " + one + " main", one + " " + one + " refs/heads/a b", one + " --all refs/heads/a"} {
		if got, err := pushesOf(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is read as %v", bad, got)
		}
	}
	if _, err := pushesOf(strings.NewReader(strings.Repeat(zero+" "+one+" refs/heads/x\n", maxPushes+1))); err == nil {
		t.Error("any number of refs is read")
	}
}

func FuzzPushes(f *testing.F) {
	f.Add(strings.Repeat("0", 40) + " " + strings.Repeat("1", 40) + " refs/heads/main\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := pushesOf(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, l := range strings.SplitAfter(packed([]git.Ref{{Name: "refs/heads/old", ID: strings.Repeat("2", 40)}}, list), "\n") {
			id, name, ok := strings.Cut(strings.TrimSuffix(l, "\n"), " ")
			if l != "" && (!ok || change.ShaRef(id) == "" || !strings.HasPrefix(name, "refs/") || strings.ContainsAny(name, " \r\t\x00")) {
				t.Errorf("%q makes a ref of %q", text, l)
			}
		}
	})
}
