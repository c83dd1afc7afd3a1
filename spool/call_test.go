package spool_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/spool"
)

func TestWhatIsKnownOfACallIsThereWhenItEnds(t *testing.T) {
	replaced := func(t *testing.T, r *gittest.Repo) { r.Commit("two", "b", "2\n") }
	for name, c := range map[string]struct {
		id   string
		do   func(t *testing.T, r *gittest.Repo)
		same bool // the index is known as it was
	}{
		"nothing happens":              {"c", func(*testing.T, *gittest.Repo) {}, true},
		"git puts another index there": {"c", replaced, true},
		"an id is a path":              {"../../../a\x00/b", replaced, true},
		"an id is empty":               {"", replaced, true},
		"something writes to the index": {"c", func(t *testing.T, r *gittest.Repo) {
			must(t, os.WriteFile(filepath.Join(r.Dir, ".git", "index"), []byte("other"), 0o600))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := gittest.New(t)
			r.Commit("one", "a", "1\n")
			p, err := spool.Find(r.Dir)
			must(t, err)
			was, err := os.ReadFile(p.Index())
			must(t, err)
			call := spool.Call{Files: []spool.File{{Path: "a", State: spool.Regular}}, Under: []string{"."}, All: true, Dirs: map[string][]string{".": {"a"}}, Index: spool.SealOf(p.Index())}
			must(t, p.Begin(c.id, call, time.Now()))
			c.do(t, r)
			got, index, forget, err := p.End(c.id)
			must(t, err)
			if !c.same {
				call.All, call.Under = false, nil
			}
			if d := cmp.Diff(call, got); d != "" {
				t.Error(d)
			}
			if now, err := os.ReadFile(index); c.same && (err != nil || string(now) != string(was)) {
				t.Errorf("the index is another one, %v", err)
			}
			forget()
			if _, _, _, err := p.End(c.id); err == nil {
				t.Error("it ends twice")
			}
			if left, err := os.ReadDir(filepath.Dir(index)); err != nil || len(left) > 0 {
				t.Errorf("%v is left, %v", left, err)
			}
		})
	}
}

func TestLastEntriesAreThoseAtTheEnd(t *testing.T) {
	r := gittest.New(t)
	r.Commit("one", "a", "1\n")
	p, err := spool.Find(r.Dir)
	must(t, err)
	if e := p.Last(1000); len(e) > 0 {
		t.Errorf("%v where there is no spool", e)
	}
	for range 50 {
		must(t, p.Append(spool.Entry{Files: []spool.File{{Path: "a"}}}))
	}
	must(t, p.Append(spool.Entry{Files: []spool.File{{Path: "z"}}}))
	e := p.Last(500)
	if len(e) < 2 || len(e) > 20 || e[len(e)-1].Files[0].Path != "z" {
		t.Errorf("%d entries", len(e))
	}
}
