package bind_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/attribution/sight"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
)

const notes = "refs/notes/ai"

// Two commits have lines of a third: more of them one whose note says nothing of them.
func TestACommitOfWhichNothingIsToldHidesNoneThatTells(t *testing.T) {
	r := gittest.New(t)
	text := func(from, to int) (s string) {
		for i := from; i <= to; i++ {
			s += fmt.Sprintf("this is line number %d of the file\n", i)
		}
		return s
	}
	r.Write("a.txt", text(1, 2))
	base := r.Commit("base")
	commit := func(content string) string {
		r.Git("checkout", "-q", "--detach", base)
		r.Write("a.txt", content)
		r.Git("config", "user.email", fmt.Sprintf("%d@x.test", len(content)))
		id := r.Commit("work")
		r.Git("branch", "b-"+id[:8])
		return id
	}
	tells, hides, made := commit(text(1, 4)), commit(text(1, 5)), commit(text(1, 6))

	repo, err := git.Open(t.Context(), r.Dir)
	must(t, err)
	t.Cleanup(func() { must(t, repo.Close()) })
	told := func(of, path string, to int) git.NewNote {
		n := gitai.Authorship{
			Writer: "stemma", Base: of, Sessions: map[string]gitai.Agent{"s_1": {Tool: "codex", ID: "1", Model: "gpt-5"}},
			Files: []gitai.File{{Path: path, Entries: []gitai.Entry{{Key: "s_1", Ranges: []note.Range{{Start: 3, End: to}}}}}},
		}
		text, err := n.Write()
		must(t, err)
		return git.NewNote{Object: of, Text: text}
	}
	must(t, repo.AddNotes(t.Context(), notes, []git.NewNote{told(tells, "a.txt", 4), told(hides, "b.txt", 5)}, "notes", time.Unix(1, 0)))
	tip := r.Git("rev-parse", notes)

	list, err := bind.Unwatched(t.Context(), repo, []string{made})
	must(t, err)
	c := list[0]
	c.Foreign = false
	for i := range c.Added[0].Lines {
		c.Added[0].Lines[i].By = sight.Disturbed
	}
	cat, err := repo.CatFile(t.Context(), 1<<20)
	must(t, err)
	t.Cleanup(cat.Kill)
	tips := func(context.Context) ([]string, error) { return []string{tells, hides, made}, nil }
	finder, err := bind.Clone{Repo: repo, Cat: cat, Notes: tip, Tips: tips}.Finder(t.Context(), list, 0)
	must(t, err)
	must(t, finder.Bind(c))
	var got []edits.Hand
	for _, l := range c.Added[0].Lines {
		got = append(got, l.By)
	}
	if want := []edits.Hand{1, 1, sight.Disturbed, sight.Disturbed}; !slices.Equal(got, want) {
		t.Errorf("the lines are of %v, want %v", got, want)
	}
	if len(finder.Found) != 1 || finder.Found[0].Key != "s_1" {
		t.Errorf("found %+v", finder.Found)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
