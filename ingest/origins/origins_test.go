package origins_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/blame"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/note/notetest"
	"github.com/stemma-dev/stemma/ingest/origins"
)

// ask is what the verb does: every question opens the repository anew.
func ask(t testing.TB, dir string, o blame.Options, cache origins.Cache) []origins.Line {
	t.Helper()
	lines, _ := countedAsk(t, dir, o, cache)
	return lines
}

// countedAsk also tells how many git processes it took.
func countedAsk(t testing.TB, dir string, o blame.Options, cache origins.Cache) ([]origins.Line, int) {
	t.Helper()
	b, err := origins.Open(t.Context(), dir, origins.Own{}, cache)
	must(t, err)
	defer func() { must(t, b.Close()) }()
	lines, err := b.Blame(t.Context(), o)
	must(t, err)
	for _, l := range lines {
		if !l.Commit.Committed() { // is always of just now
			l.Commit.Author.When, l.Commit.Committer.When = time.Time{}, time.Time{}
		}
	}
	return lines, b.Processes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnswersOfBlameAreNeverOld(t *testing.T) {
	r := gittest.New(t)
	first := r.Commit("one", "dir/a.go", gittest.Lines("one", 6), "ignored", "", ".gitattributes", "")
	second := r.Commit("two", "dir/a.go", gittest.Lines("one", 3)+"\tvalue\n"+gittest.Lines("one", 2))
	cache := origins.Cache{Dir: t.TempDir()}
	o := blame.Options{Path: "dir/a.go"}
	atFirst := blame.Options{Path: "dir/a.go", Rev: first}
	older := r.Git("commit-tree", "-m", "another", first+"^{tree}")
	dotGit := func(name, content string) { r.Write(filepath.Join(".git", name), content) }

	var before []origins.Line
	const same, changed = false, true
	for _, step := range []struct {
		name    string
		do      func()
		o       blame.Options
		changes bool
	}{
		{"nothing", func() {}, o, changed}, // there was no answer before
		{"a note", func() { r.Note("ai", second, notetest.GitAI(second, "dir/a.go", "4", "")) }, o, changed},
		{"a changed note", func() { r.Note("ai", second, notetest.GitAI(second, "dir/a.go", "", "4")) }, o, changed},
		{"a note under another ref", func() { r.Note("whogitit", first, strings.ReplaceAll(notetest.Whogitit, "a.go", "dir/a.go")) }, o, changed},
		{"a removed note", func() { r.Git("notes", "--ref", "ai", "remove", second) }, o, changed},
		{"a removed ref of notes", func() { r.Git("update-ref", "-d", "refs/notes/whogitit") }, o, changed},
		{"a record of the older kind", func() {
			blob := r.GitWith([]byte(notetest.GitAI(second, "dir/a.go", "4", "")), "hash-object", "-w", "--stdin")
			r.Git("update-ref", "refs/ai/authorship/"+second, blob)
		}, o, changed},
		{"packed refs", func() { r.Git("pack-refs", "--all") }, o, same},
		{"a commit elsewhere", func() { r.Commit("elsewhere", "b.go", "b\n") }, o, same},
		{"a committed trace", func() {
			r.Commit("trace", ".agent-trace/traces.jsonl",
				strings.ReplaceAll(notetest.AgentTrace("550e8400-e29b-41d4-a716-446655440000", first, 1, 2), "a.go", "dir/a.go"))
		}, o, changed},
		{"a mailmap", func() { r.Write(".mailmap", "Ada the Second <ada@example.com>\n") }, o, changed},
		{"a changed mailmap", func() { r.Write(".mailmap", "Ada the Third <ada@example.com>\n") }, o, changed},
		{"a committed mailmap", func() { r.Commit("mailmap", ".mailmap", "Ada the Fourth <ada@example.com>\n") }, o, changed},
		{"a line that is not committed", func() { r.Write("dir/a.go", "new\n"+gittest.Lines("one", 6)) }, o, changed},
		{"another one", func() { r.Write("dir/a.go", "newer\n"+gittest.Lines("one", 6)) }, o, changed},
		{"the line committed", func() { r.Git("commit", "-qam", "three") }, o, changed},
		{"the commit taken back", func() { r.Git("reset", "-q", "--hard", "HEAD~1") }, o, changed},
		{"another branch", func() { r.Git("checkout", "-q", "--detach", first) }, o, changed},
		{"back again", func() { r.Git("checkout", "-q", "-") }, o, changed},
		{"a flag", func() {}, blame.Options{Path: o.Path, Flags: []string{"-w", "-L", "2,5"}}, changed},
		{"a named commit to ignore", func() { r.Git("tag", "skip", second) }, blame.Options{Path: o.Path, Flags: []string{"--ignore-rev", "skip"}}, changed},
		{"that name moved", func() { r.Git("tag", "-f", "skip", first) }, blame.Options{Path: o.Path, Flags: []string{"--ignore-rev", "skip"}}, changed},
		{"a file of commits to ignore", func() {}, blame.Options{Path: o.Path, Flags: []string{"--ignore-revs-file", filepath.Join(r.Dir, "ignored")}}, same},
		{"that file changed", func() { r.Write("ignored", second+"\n") }, blame.Options{Path: o.Path, Flags: []string{"--ignore-revs-file", filepath.Join(r.Dir, "ignored")}}, changed},
		{"a setting, which has no force here", func() { r.Git("config", "blame.ignoreRevsFile", filepath.Join(r.Dir, "ignored")) }, o, changed},
		{"the setting gone", func() { r.Git("config", "--unset", "blame.ignoreRevsFile") }, o, same},
		{"an older revision", func() {}, atFirst, changed},
		{"the newer one", func() {}, o, changed},
		{"a commit where it stops", func() {}, blame.Options{Path: o.Path, Not: []string{first}}, same}, // the first is a boundary anyway
		{"another one", func() {}, blame.Options{Path: o.Path, Not: []string{second}}, changed},
		{"one with the same file", func() {}, blame.Options{Path: o.Path, Not: []string{r.Git("commit-tree", "-m", "apart", first+"^{tree}")}}, changed},
		{"what is checked out", func() {}, blame.Options{Path: o.Path, Not: []string{"HEAD"}}, changed},
		{"a commit before where it stops", func() {}, blame.Options{Path: o.Path, Rev: second, Not: []string{"HEAD~1"}}, changed},
		{"one behind it with the same file", func() {}, blame.Options{Path: o.Path, Not: []string{"HEAD~1"}}, changed},
		{"the newer one again", func() {}, o, changed},
		{"a replaced commit, which is not looked at", func() { r.Git("replace", first, older) }, o, same},
		{"a graft, which is not looked at", func() { dotGit("info/grafts", second+"\n") }, o, same},
		{"history cut off", func() { dotGit("shallow", second+"\n") }, o, changed},
		{"history whole again", func() { must(t, os.Remove(filepath.Join(r.Dir, ".git/shallow"))) }, o, changed},
	} {
		if !t.Run(step.name, func(t *testing.T) {
			step.do()
			want := ask(t, r.Dir, step.o, origins.Cache{})
			for look := range 2 {
				if d := cmp.Diff(want, ask(t, r.Dir, step.o, cache)); d != "" {
					t.Fatalf("look %d (-fresh +kept):\n%s", look, d)
				}
			}
			if d := cmp.Diff(before, want); (d != "") != step.changes {
				t.Fatalf("changed: %v, want %v\n%s", d != "", step.changes, d)
			}
			before = want
		}) {
			return
		}
	}
}

func TestBlameAgainTakesNoProcess(t *testing.T) {
	r, cache := gittest.New(t), origins.Cache{Dir: t.TempDir()}
	var counts []int
	for _, commits := range []int{3, 30} {
		for i := range commits {
			id := r.Commit("more", "a.go", gittest.Lines("more", commits+i))
			r.Note("ai", id, notetest.GitAI(id, "a.go", "1", ""))
		}
		_, n := countedAsk(t, r.Dir, blame.Options{Path: "a.go"}, cache)
		counts = append(counts, n)
		for _, o := range []blame.Options{{Path: "a.go"}, {Path: "a.go", Rev: r.Head()}} {
			if _, n := countedAsk(t, r.Dir, o, cache); n != 0 {
				t.Errorf("a known answer took %d processes", n)
			}
		}
	}
	if counts[0] != counts[1] || counts[0] > 2 {
		t.Errorf("processes with few and many commits: %v", counts)
	}
	r.Commit("elsewhere", "b.go", "b\n")
	for look, most := range []int{4, 0} {
		if _, n := countedAsk(t, r.Dir, blame.Options{Path: "a.go"}, cache); n > most {
			t.Errorf("look %d after a commit elsewhere took %d processes", look, n)
		}
	}
}

func TestDamagedAnswersAreNotShown(t *testing.T) {
	r, cache := gittest.New(t), origins.Cache{Dir: t.TempDir()}
	id := r.Commit("one", "a.go", gittest.Lines("one", 5))
	r.Note("ai", id, notetest.GitAI(id, "a.go", "1-3", ""))
	want := ask(t, r.Dir, blame.Options{Path: "a.go"}, cache)
	kept, err := filepath.Glob(filepath.Join(cache.Dir, "*"))
	must(t, err)
	if len(kept) != 2 || want[0].Mark.Origin != stemma.OriginAI {
		t.Fatalf("kept %q, first line %+v", kept, want[0])
	}
	for _, name := range kept {
		good, err := os.ReadFile(name)
		must(t, err)
		for at := 0; at < len(good); at += 1 + len(good)/20 {
			bad := append([]byte{}, good...)
			bad[at] ^= 1
			must(t, os.WriteFile(name, bad, 0o600))
			if d := cmp.Diff(want, ask(t, r.Dir, blame.Options{Path: "a.go"}, cache)); d != "" {
				t.Fatalf("byte %d of %s flipped:\n%s", at, name, d)
			}
		}
	}
}

// Where the blame stops, lines may be older than the commit that they are given to:
// that a bot made it says nothing of them.
func TestNothingIsCreditedWhereTheBlameStops(t *testing.T) {
	r := gittest.New(t)
	r.Commit("one", "a.go", gittest.Lines("one", 3))
	r.Env = []string{"GIT_AUTHOR_NAME=copilot-swe-agent[bot]", "GIT_AUTHOR_EMAIL=198982749+Copilot@users.noreply.github.com"}
	bot := r.Commit("two", "a.go", gittest.Lines("one", 3)+gittest.Lines("two", 2))
	r.Env = nil
	tip := r.Commit("three", "a.go", gittest.Lines("one", 3)+gittest.Lines("two", 2)+gittest.Lines("three", 1))
	look := func(o blame.Options) (found string) {
		o.Rev, o.Path = tip, "a.go"
		for _, l := range ask(t, r.Dir, o, origins.Cache{}) {
			found += string(l.Mark.Origin[:1])
			if l.Commit.ID == bot && l.Commit.Boundary && l.Mark.Origin == stemma.OriginUnknown && l.Mark.Reason != note.Older && l.Mark.Reason != note.NoSpan {
				t.Errorf("%v: why: %s", o.Not, l.Mark.Reason)
			}
		}
		return found
	}
	if all, cut := look(blame.Options{}), look(blame.Options{Not: []string{bot}}); all != "uuuaau" || cut != "uuuuuu" {
		t.Errorf("of the whole history %s, from the bot on %s", all, cut)
	}
	r.Note("ai", bot, notetest.GitAI(bot, "a.go", "4-5", ""))
	if cut := look(blame.Options{Not: []string{bot}}); cut != "uuuaau" {
		t.Errorf("with a record of the lines: %s", cut)
	}
}

// A ref that names what is not here says nothing of any line.
func TestBrokenRefsOfRecordsAreNotThere(t *testing.T) {
	r := gittest.New(t)
	id := r.Commit("one", "a.go", gittest.Lines("one", 3))
	r.Note("ai", id, notetest.GitAI(id, "a.go", "1", ""))
	want := ask(t, r.Dir, blame.Options{Path: "a.go"}, origins.Cache{})
	nothing := strings.Repeat("1", 40) + "\n"
	r.Write(".git/refs/notes/whogitit", nothing, ".git/refs/ai/authorship/"+id, nothing)
	if d := cmp.Diff(want, ask(t, r.Dir, blame.Options{Path: "a.go"}, origins.Cache{})); d != "" {
		t.Errorf("broken refs change the answer:\n%s", d)
	}
}

// TestAnswerThatTheTimeOfDayDecidesIsNotKept: also where the clone has notes of its
// own, or notes were sent to a store.
func TestAnswerThatTheTimeOfDayDecidesIsNotKept(t *testing.T) {
	r, cache := gittest.New(t), origins.Cache{Dir: t.TempDir()}
	r.Commit("one", "a.go", gittest.Lines("one", 2))
	b, err := origins.Open(t.Context(), r.Dir, origins.Own{Is: func(string, string) bool { return false }, Version: "1"}, cache)
	must(t, err)
	defer func() { must(t, b.Close()) }()
	b.Sent = origins.Sent{About: func([]string) (map[string]note.Claims, error) { return nil, nil }, Version: "1"}
	_, err = b.Blame(t.Context(), blame.Options{Path: "a.go", Flags: []string{"--since=1.week"}})
	must(t, err)
	kept, err := filepath.Glob(filepath.Join(cache.Dir, "*"))
	must(t, err)
	if len(kept) != 1 { // where the file lies
		t.Errorf("kept %q", kept)
	}
}

func TestRecordsThatWereSentAnswerToo(t *testing.T) {
	r, cache := gittest.New(t), origins.Cache{Dir: t.TempDir()}
	id := r.Commit("one", "a.go", gittest.Lines("one", 3))
	var told []string
	for _, version := range []string{"1", "1", "2"} {
		b, err := origins.Open(t.Context(), r.Dir, origins.Own{}, cache)
		must(t, err)
		b.Sent = origins.Sent{Version: version, About: func(commits []string) (map[string]note.Claims, error) {
			told = append(told, version)
			return map[string]note.Claims{commits[0]: gitai.Parse([]byte(notetest.GitAI(id, "a.go", version, ""))).Claims()}, nil
		}}
		lines, err := b.Blame(t.Context(), blame.Options{Path: "a.go"})
		must(t, errors.Join(err, b.Close()))
		for i, l := range lines {
			if ai := l.Mark.Origin == stemma.OriginAI; ai != (strconv.Itoa(i+1) == version) {
				t.Errorf("version %s: line %d is of %s", version, i+1, l.Mark.Origin)
			}
		}
	}
	if d := cmp.Diff([]string{"1", "2"}, told); d != "" {
		t.Errorf("asked for what was sent (-want +got):\n%s", d)
	}
}
