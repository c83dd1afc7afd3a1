package settle_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/blame"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/origins"
	"github.com/stemma-dev/stemma/ingest/settle"
)

func TestNotesOfTwoClonesAreJoined(t *testing.T) {
	hub := gittest.New(t, "--bare")
	d := newDesk(t)
	connect(d.Repo, hub)
	d.Git("push", "-q", "origin", "main")
	other := &desk{Repo: gittest.New(t), call: d.call, counts: d.counts}
	connect(other.Repo, hub)
	other.Git("reset", "-q", "--hard", "origin/main")

	d.agent("s1", "a.txt", d.inserts("s1", 2, 3))
	d.commit()
	d.Git("push", "-q", "origin", "main")
	d.travel()
	other.Git("fetch", "-q")
	other.Git("merge", "-q", "--ff-only", "origin/main")
	other.agent("s2", "b.txt", other.inserts("s2", 2, 3))
	other.commit()
	other.check(false) // what was written elsewhere is known here
	other.travel()
	d.agent("s3", "a.txt", d.inserts("s3", 0, 1))
	d.commit()
	d.travel()
	other.Git("push", "-q", "origin", "main")
	d.Git("pull", "-q", "--rebase", "origin", "main")
	d.check(false)

	// Two notes on one commit: what both say stands.
	head := d.Head()
	note := func(who string, line int) string {
		a := gitai.Authorship{
			Files:    []gitai.File{{Path: "a.txt", Entries: []gitai.Entry{{Key: "s_" + who, Ranges: []note.Range{{Start: line, End: line}}}}}},
			Sessions: map[string]gitai.Agent{"s_" + who: {Tool: "codex", ID: who, Model: "gpt"}},
		}
		text, err := a.Write()
		must(t, err)
		return string(text)
	}
	d.Note("ai", head, note("01", 1))
	other.Git("fetch", "-q")
	other.settle()
	other.Git("fetch", "-q", d.Dir, "main")
	other.Note("ai", head, note("02", 2))
	other.travel()
	d.Git("fetch", "-q")
	d.settle()
	joined := gitai.Parse([]byte(d.Git("notes", "--ref", "ai", "show", head)))
	if len(joined.Sessions) != 2 || len(joined.Files) != 1 || len(joined.Files[0].Entries) != 2 {
		t.Errorf("the joined note is %+v", joined)
	}
	d.Git("push", "-q", "origin", settle.Ref) // it is ahead of what was there
}

func TestProcessesDoNotGrowWithCommits(t *testing.T) {
	started := map[int]int{}
	for _, n := range []int{2, 30} {
		d := newDesk(t)
		d.Git("checkout", "-q", "-b", "topic")
		for range n {
			d.agent("s1", "a.txt", d.inserts("s1", 0, 1))
			d.person("b.txt", d.inserts("me", 0, 1))
			d.commit()
		}
		d.Git("checkout", "-q", "main")
		d.person("c.txt", d.inserts("me", 0, 1))
		d.commit()
		d.Git("rebase", "-q", "main", "topic")
		r, err := settle.Run(t.Context(), d.Dir, began)
		must(t, err)
		if r.Commits != 2*n+1 || r.Lines.AI != 2*n {
			t.Errorf("settled %+v", r)
		}
		started[n] = r.Started
		again, err := settle.Run(t.Context(), d.Dir, began)
		must(t, err)
		if again.Started != 0 || again.Commits != 0 {
			t.Errorf("where nothing is new: %+v", again)
		}
	}
	if started[2] != started[30] || started[2] > 25 {
		t.Errorf("processes by commits: %v", started)
	}
}

func TestEditorsAndSubagentsAreTold(t *testing.T) {
	d := newDesk(t)
	call := func(agent string, payload map[string]any) {
		b, err := json.Marshal(payload)
		must(t, err)
		must(t, capture.Keep(capture.Call{Agent: agent, Payload: b, Directory: d.Dir, At: began}))
	}
	edit := func(event string) map[string]any {
		return map[string]any{
			"hook_event_name": event, "session_id": "s1", "agent_id": "w7", "tool_name": "Edit", "tool_use_id": "call1", "tool_input": map[string]any{"file_path": "a.txt"},
		}
	}
	call("claude-code", edit("PreToolUse"))
	d.person("a.txt", d.inserts("s1", 0, 1))
	call("claude-code", edit("PostToolUse"))
	d.person("a.txt", d.inserts("me", 1, 1))
	call("generic", map[string]any{"type": "known_human", "edited_filepaths": []string{"a.txt"}})
	d.commit()
	d.settle()
	n := gitai.Parse([]byte(d.Git("notes", "--ref", "ai", "show")))
	if len(n.Sessions) != 1 || len(n.Problems) > 0 {
		t.Fatalf("the note is %+v", n)
	}
	bases := map[stemma.Basis]int{}
	for _, t := range n.Traces {
		bases[t.Basis]++
	}
	if bases[stemma.BasisObservedEditor] != 1 || bases[stemma.BasisObservedHook] != 1 {
		t.Errorf("the traces are %+v", n.Traces)
	}
	for _, s := range n.Sessions {
		if s.ID != "s1:w7" || s.Custom["parent_session"] != "s1" {
			t.Errorf("the session is %+v", s)
		}
	}
}

func TestEveryWorkTreeIsSettledFromAny(t *testing.T) {
	d := newDesk(t)
	linked := &desk{Repo: gittest.At(t, filepath.Join(t.TempDir(), "linked")), call: d.call, counts: d.counts}
	d.Git("worktree", "add", "-q", "-b", "topic", linked.Dir)
	linked.begin()
	linked.agent("s1", "a.txt", linked.inserts("s1", 0, 2))
	d.agent("s2", "a.txt", d.inserts("s2", 6, 2))
	linked.commit()
	d.settle() // in the other tree, the commit is no stranger
	d.commit()
	d.Git("merge", "-q", "--no-edit", "topic")
	d.check(false)
	d.checkBranch("topic")
	linked.person("b.txt", linked.inserts("me", 0, 1))
	linked.Git("rebase", "-q", "--autostash", "main~1")
	linked.commit()
	d.checkBranch("topic")
	linked.check(false)
}

func TestWhatCannotBeToldHoldsNothingUp(t *testing.T) {
	d := newDesk(t)
	hostile := "a\nb\"\n"
	d.agent("s1", hostile, d.inserts("s1", 0, 1)) // no note can name it
	d.commit()
	for i := range 1100 {
		d.write(fmt.Sprintf("vendor/%04d.txt", i), []string{d.line("me")})
	}
	d.agent("s1", "vendor/9999.txt", d.inserts("s1", 0, 1))
	d.Write("large.txt", strings.Repeat("this line is one of many that are all the same\n", 400_000), "binary", "a\x00b")
	d.agent("s2", "a.txt", d.inserts("s2", 0, 1))
	d.commit()
	r, err := settle.Run(t.Context(), d.Dir, began)
	must(t, err)
	if r.Commits != 2 || r.Lines.AI != 3 || r.Notes != 1 || len(r.Kept) != 1 {
		t.Errorf("settled %+v", r)
	}
}

func TestWhatALineReplacedAndWhyNobodyIsKnownStandsInTheNote(t *testing.T) {
	d := newDesk(t)
	d.agent("s1", "a.txt", d.inserts("s1", 0, 2))
	d.commit()
	d.person("a.txt", func(l []string) []string { l[0] = d.line("me"); return l })
	d.calls++
	d.hook("PreToolUse", "s2", "Edit", "a.txt")
	d.hook("PostToolUse", "s2", "Edit", "a.txt")
	d.Git("stash", "-q")
	d.Git("stash", "pop", "-q")
	d.person("b.txt", d.inserts("me", 0, 1))
	d.commit()
	d.settle()
	own, _ := settle.Own(d.Dir)
	b, err := origins.Open(t.Context(), d.Dir, origins.Own{Is: own}, origins.Cache{})
	must(t, err)
	defer func() { must(t, b.Close()) }()
	mark := func(path string) note.Mark {
		lines, err := b.Blame(t.Context(), blame.Options{Path: path, Rev: "HEAD"})
		must(t, err)
		return lines[0].Mark
	}
	if m := mark("a.txt"); m.Origin != stemma.OriginHuman || m.Replaced != (note.Replaced{Agent: "claude-code", Session: "s1", ModelName: "model-of-s1"}) {
		t.Errorf("a line that a person wrote anew is %+v", m)
	}
	if m := mark("b.txt"); m.Origin != stemma.OriginUnknown || m.Reason != "a command ran or git wrote meanwhile" {
		t.Errorf("a line that git may have written is %+v", m)
	}
}

func TestSubmodulesAreRepositoriesOfTheirOwn(t *testing.T) {
	d := newDesk(t)
	inner := newDesk(t)
	d.Git("-c", "protocol.file.allow=always", "submodule", "add", "-q", inner.Dir, "sub")
	d.commit()
	sub := &desk{Repo: gittest.At(t, filepath.Join(d.Dir, "sub")), call: d.call, counts: d.counts}
	sub.begin()
	d.agent("s1", "sub/a.txt", d.inserts("s1", 0, 2)) // the agent works in the outer one
	sub.agent("s2", "b.txt", d.inserts("s2", 0, 2))
	sub.commit()
	d.commit()
	sub.check(false)
	d.checkNotes()
}

func TestACommitFromElsewhereIsBoundWhenNotesCome(t *testing.T) {
	d, other, hub := twoDesks(t)

	d.Git("checkout", "-q", "-b", "topic")
	d.agent("s1", "a.txt", d.inserts("s1", 0, 3))
	d.commit()
	d.Git("push", "-q", "origin", "topic") // without its note
	forge := gittest.New(t)
	connect(forge, hub)
	forge.Git("reset", "-q", "--hard", "origin/main")
	forge.Git("merge", "-q", "--squash", "origin/topic")
	forge.Git("commit", "-q", "-m", "squashed (#1)")
	forge.Git("push", "-q", "origin", "HEAD:main")

	other.Git("fetch", "-q")
	other.Git("merge", "-q", "--ff-only", "origin/main")
	other.settle() // nothing is known of it yet
	other.agent("s2", "b.txt", other.inserts("s2", 0, 1))
	other.commit()
	other.settle()
	d.travel()
	other.Git("fetch", "-q")
	other.check(false)
}

// What somebody wrote before capture began, in the work tree of somebody else, was gone
// and is put back in place without any move of HEAD: it is not whose work tree it is.
func TestWhatIsPutBackFromHistoryIsNotWrittenHere(t *testing.T) {
	for name, putBack := range map[string]func(other *desk){
		"a file of an older commit": func(other *desk) { other.Git("checkout", "-q", "HEAD~1", "--", "a.txt") },
		"only in the work tree":     func(other *desk) { other.Git("restore", "--source", "HEAD~1", "a.txt") },
		"as a patch": func(other *desk) {
			other.GitWith([]byte(other.Git("diff", "HEAD", "HEAD~1", "--", "a.txt")+"\n"), "apply")
		},
		"with what a person adds": func(other *desk) {
			other.Git("checkout", "-q", "HEAD~1", "--", "a.txt")
			other.person("a.txt", other.inserts("me", 0, 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			hub := gittest.New(t, "--bare")
			d := newDesk(t)
			connect(d.Repo, hub)
			d.agent("s1", "a.txt", d.inserts("s1", 1, 3))
			d.person("a.txt", d.inserts("base", 7, 3)) // of somebody
			d.commit()
			d.person("a.txt", func(lines []string) []string {
				return slices.DeleteFunc(lines, func(l string) bool { return !strings.HasPrefix(l, "base") || strings.Contains(l, "number 1") })
			})
			d.commit()
			d.Git("push", "-q", "origin", "main")
			d.travel()

			other := &desk{Repo: gittest.New(t), call: d.call, counts: d.counts}
			connect(other.Repo, hub)
			other.Git("reset", "-q", "--hard", "origin/main")
			other.begin()
			putBack(other)
			other.commit()
			other.check(true)
			for _, l := range other.blame("a.txt", "HEAD") {
				if strings.HasPrefix(string(l.Text), "base") && l.Mark.Origin == stemma.OriginHuman && l.Mark.Basis != "recovered-content" {
					t.Errorf("%q is taken for typed here", l.Text)
				}
			}
		})
	}
}

func TestWhatStoodInHistoryBeforeCaptureIsNobodysWhenItComesBack(t *testing.T) {
	d := &desk{Repo: gittest.New(t), call: map[string]string{}, counts: &counts{}}
	whole := d.inserts("base", 0, 6)(nil)
	d.write("a.txt", whole)
	d.commit()
	d.write("a.txt", whole[:2])
	d.commit()
	d.begin()
	d.Git("checkout", "-q", "HEAD~1", "--", "a.txt")
	d.person("a.txt", d.inserts("me", 0, 1))
	d.commit()
	d.check(true)
	for _, l := range d.blame("a.txt", "HEAD") {
		if strings.HasPrefix(string(l.Text), "base") && l.Mark.Origin == stemma.OriginHuman {
			t.Errorf("%q is a person's: %+v", l.Text, l.Mark)
		}
	}
}

// topicWithoutNote has an agent's commit on the branch topic, which has come to the
// other desk without its note.
func topicWithoutNote(t *testing.T) (d, other *desk) {
	d, other, _ = twoDesks(t)
	d.Git("checkout", "-q", "-b", "topic")
	d.agent("s1", "a.txt", d.inserts("s1", 0, 3))
	d.commit()
	d.Git("push", "-q", "origin", "topic")
	other.Git("fetch", "-q")
	return d, other
}

func TestANoteThatComesLaterTellsOfWhatWasMadeOfItsCommit(t *testing.T) {
	d, other := topicWithoutNote(t)
	other.Git("checkout", "-q", "topic")
	other.Git("reset", "-q", "--soft", "HEAD~1")
	other.agent("s2", "b.txt", other.inserts("s2", 0, 2))
	other.commit()
	other.settle()
	first := other.Git("notes", "--ref", "ai", "show", "HEAD")
	d.travel()
	other.Git("fetch", "-q")
	other.check(true)
	again := other.Git("notes", "--ref", "ai", "show", "HEAD")
	if !strings.HasPrefix(again, "a.txt") || strings.HasPrefix(first, "a.txt") {
		t.Errorf("the note was\n%s\nand is\n%s", first, again)
	}
	other.settle()
	if other.Git("notes", "--ref", "ai", "show", "HEAD") != again {
		t.Error("it is written again")
	}
}

// The commit was made in one work tree and is settled again from another one: its
// note stays that of the clone, which saw some of its lines.
func TestANoteThatComesLaterIsTakenUpInTheWorkTreeOfItsCommit(t *testing.T) {
	d, other := topicWithoutNote(t)
	linked := &desk{Repo: gittest.At(t, filepath.Join(t.TempDir(), "linked")), call: d.call, counts: d.counts}
	other.Git("worktree", "add", "-q", linked.Dir, "topic")
	linked.begin()
	linked.Git("reset", "-q", "--soft", "HEAD~1")
	linked.agent("s2", "b.txt", linked.inserts("s2", 0, 2))
	linked.commit()
	other.settle()
	d.travel()
	other.Git("fetch", "-q")
	other.checkOrigins("topic", true)
	note, commit := other.Git("rev-parse", "refs/notes/ai:"+other.Git("rev-parse", "topic")), other.Git("rev-parse", "topic")
	if own, _ := settle.Own(other.Dir); own == nil || !own(commit, note) {
		t.Error("the note that this clone wrote is not known as its own any more")
	}
}

func TestNotesThatAreLostAreWrittenAgain(t *testing.T) {
	d := newDesk(t)
	for range 2 {
		d.agent("s1", "a.txt", d.inserts("s1", 0, 1))
		d.commit()
	}
	d.settle()
	first := d.Git("rev-parse", settle.Ref)
	d.Git("update-ref", "-d", settle.Ref)
	d.check(true)
	d.agent("s1", "b.txt", d.inserts("s1", 0, 1))
	d.commit()
	d.settle()
	d.Git("update-ref", settle.Ref, d.Git("commit-tree", "-m", "another", d.GitWith(nil, "mktree")))
	d.check(true)
	d.Git("notes", "--ref", "ai", "remove", "HEAD") // on purpose
	d.settle()
	if _, err := d.Try(nil, "notes", "--ref", "ai", "show", "HEAD"); err == nil {
		t.Error("a note that was removed is there again")
	}
	if first == "" {
		t.Error("there were no notes")
	}
}

func TestANoteThatGitCopiedIsNoneOfTheCommit(t *testing.T) {
	d := newDesk(t)
	d.Git("config", "notes.rewriteRef", "refs/notes/*")
	d.agent("s1", "a.txt", d.inserts("s1", 0, 2))
	d.commit()
	d.settle()
	d.person("a.txt", d.inserts("me", 0, 4))
	d.commit("--amend")
	d.check(true)
}

func TestWhatWasSeenInAWorkTreeOutlivesIt(t *testing.T) {
	d := newDesk(t)
	linked := &desk{Repo: gittest.At(t, filepath.Join(t.TempDir(), "linked")), call: d.call, counts: d.counts}
	d.Git("worktree", "add", "-q", "-b", "topic", linked.Dir)
	linked.agent("s1", "a.txt", linked.inserts("s1", 0, 2))
	linked.commit()
	linked.agent("s1", "a.txt", linked.inserts("s1", 1, 2))
	linked.commit()
	linked.hook("Stop", "s1", "", "")
	d.Git("worktree", "remove", linked.Dir)
	d.Git("merge", "-q", "topic")
	d.check(false)
}

// The agent may not have said anything after its last commits: the branch tells them.
func TestLastCommitsOfAWorkTreeThatIsGoneAreTheirWriters(t *testing.T) {
	for _, how := range [][]string{{"merge", "-q", "topic"}, {"merge", "-q", "--squash", "topic"}, {"cherry-pick", "main..topic"}} {
		d := newDesk(t)
		linked := &desk{Repo: gittest.At(t, filepath.Join(t.TempDir(), "linked")), call: d.call, counts: d.counts}
		d.Git("worktree", "add", "-q", "-b", "topic", linked.Dir)
		linked.agent("s1", "a.txt", linked.inserts("s1", 0, 2))
		linked.commit()
		linked.agent("s2", "new.txt", linked.inserts("s2", 0, 4))
		linked.commit()
		linked.agent("s1", "a.txt", linked.inserts("s1", 1, 2))
		linked.commit()
		linked.person("a.txt", linked.inserts("me", 0, 2))
		linked.commit()
		d.Git("worktree", "remove", linked.Dir)
		d.Git(how...)
		if slices.Contains(how, "--squash") {
			d.commit()
		}
		d.check(false)
	}
}
