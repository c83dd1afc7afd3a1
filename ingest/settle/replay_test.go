package settle_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/replay"
	"github.com/stemma-dev/stemma/ingest/settle"
	"github.com/stemma-dev/stemma/spool"
)

// A teller is a clone in which no hook runs, with the transcript of a session. Its
// clock goes a minute further with every step.
type teller struct {
	*gittest.Repo
	transcript string
	root       string // what the transcript calls the root of the repository
	clock      time.Time
	calls      int
}

func newTeller(t testing.TB) *teller {
	r := &teller{Repo: gittest.New(t), clock: time.Now().Add(-24 * time.Hour).Truncate(time.Second)}
	r.root, r.transcript = r.Dir, filepath.Join(t.TempDir(), "s1.jsonl")
	r.file("a.txt", "base one\nbase two\nbase three\n")
	r.commit("base")
	return r
}

func (r *teller) tick() time.Time { r.clock = r.clock.Add(time.Minute); return r.clock }

func (r *teller) file(path, text string) { r.Write(path, text) }

// commit is made at the time of the teller's clock.
func (r *teller) commit(message string) {
	r.T.Helper()
	r.Env = []string{fmt.Sprintf("GIT_COMMITTER_DATE=%d +0000", r.tick().Unix())}
	r.Git("add", "-A")
	r.Git("commit", "-q", "--allow-empty", "-m", message)
}

func (r *teller) row(row map[string]any) {
	r.T.Helper()
	row["sessionId"], row["cwd"], row["timestamp"] = "s1", r.root, r.tick().UTC().Format(time.RFC3339Nano)
	b, err := json.Marshal(row)
	must(r.T, err)
	f, err := os.OpenFile(r.transcript, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	must(r.T, err)
	_, err = f.Write(append(b, '\n'))
	must(r.T, err)
	must(r.T, f.Close())
}

// edits lets the agent replace a text in a file, and tells of it; tell may leave
// out what it wants.
func (r *teller) edits(path, before, after string, tell func(result map[string]any)) {
	r.T.Helper()
	r.calls++
	call := fmt.Sprint("call", r.calls)
	full := r.root + "/" + path
	input := map[string]any{"file_path": full, "old_string": before, "new_string": after}
	r.row(map[string]any{"type": "assistant", "uuid": "a" + call, "message": map[string]any{
		"id": "m" + call, "role": "assistant", "model": "claude-opus-4-6",
		"content": []any{map[string]any{"type": "tool_use", "id": call, "name": "Edit", "input": input}},
	}})
	old, err := os.ReadFile(filepath.Join(r.Dir, path))
	must(r.T, err)
	r.file(path, strings.Replace(string(old), before, after, 1))
	result := map[string]any{"filePath": full, "oldString": before, "newString": after, "originalFile": string(old)}
	if tell != nil {
		tell(result)
	}
	row := map[string]any{"type": "user", "uuid": "r" + call, "message": map[string]any{
		"role": "user", "content": []any{map[string]any{"type": "tool_result", "tool_use_id": call, "content": "done"}},
	}}
	if len(result) > 0 {
		row["toolUseResult"] = result
	}
	r.row(row)
}

func (r *teller) prompt(text string) {
	r.row(map[string]any{"type": "user", "uuid": text, "message": map[string]any{"role": "user", "content": text}})
}

func (r *teller) replay() settle.Replayed {
	r.T.Helper()
	book := replay.Read([]string{r.transcript}, func(dir string) bool { return dir == r.Dir })
	got, err := settle.Replay(r.T.Context(), r.Dir, book, time.Unix(1_800_000_000, 0))
	must(r.T, err)
	return got
}

// lines are those of HEAD that its note and those before tell of: path, text,
// session, model, prompt, call.
func (r *teller) lines() (list []string) {
	r.T.Helper()
	for _, commit := range strings.Fields(r.Git("rev-list", "--reverse", "HEAD")) {
		text, err := r.Try(nil, "notes", "--ref", "ai", "show", commit)
		if err != nil {
			continue
		}
		n := gitai.Parse([]byte(text))
		for _, f := range n.Files {
			content := strings.Split(r.Git("show", commit+":"+f.Path), "\n")
			for _, e := range f.Entries {
				m, _ := n.Mark(e.Key)
				if m.Origin != stemma.OriginAI || m.Basis != stemma.BasisReplayed || m.Agent != "claude-code" || m.ModelName != "claude-opus-4-6" {
					r.T.Errorf("the mark of %s: %+v", f.Path, m)
				}
				for _, g := range e.Ranges {
					for k := g.Start; k <= g.End; k++ {
						list = append(list, fmt.Sprintf("%s %d %s", content[k-1], m.Prompt, m.ToolCall))
					}
				}
			}
		}
	}
	slices.Sort(list)
	return list
}

func (r *teller) want(lines ...string) {
	r.T.Helper()
	if got := r.lines(); !slices.Equal(got, lines) {
		r.T.Errorf("lines are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
}

func TestATranscriptTellsWhoseTheLinesAreThatNoHookSaw(t *testing.T) {
	r := newTeller(t)
	r.prompt("please")
	r.edits("a.txt", "base two\n", "base two\ns1 wrote this line here\n", nil)
	r.file("a.txt", "me before the session\nbase one\nbase two\ns1 wrote this line here\nbase three\n") // nobody knows who
	r.commit("one")
	r.prompt("more")
	r.edits("a.txt", "base three\n", "base three\ns1 wrote another line there\n", nil)
	r.commit("two")
	got := r.replay()
	if got.Looks != 2 || got.Notes != 2 || got.Lines != (settle.Lines{AI: 2, Unknown: 1}) {
		t.Errorf("%+v", got)
	}
	r.want("s1 wrote another line there 2 call2", "s1 wrote this line here 1 call1")
	if again := r.replay(); again.Notes != 0 || again.Compared.Differ+again.Compared.Transcript+again.Compared.Other > 0 {
		t.Errorf("again: %+v", again)
	}
}

func TestWhatWasWrittenLaterIsNotToldOfEarlierCommits(t *testing.T) {
	r := newTeller(t)
	r.file("a.txt", "base one\ns1 wrote a line that was there\nbase two\nbase three\n")
	r.commit("it was there before")
	r.file("a.txt", "base one\nbase two\nbase three\n")
	r.commit("and went")
	r.edits("a.txt", "base two\n", "base two\ns1 wrote a line that was there\n", nil)
	r.commit("and comes back")
	r.replay()
	r.want("s1 wrote a line that was there 0 call1")
}

func TestAnEditIsRebuiltOnlyFromWhatIsKnown(t *testing.T) {
	without := func(names ...string) func(map[string]any) {
		return func(result map[string]any) {
			for _, n := range names {
				delete(result, n)
			}
		}
	}
	all := without("filePath", "oldString", "newString", "originalFile")
	for name, c := range map[string]struct {
		do   func(r *teller)
		want []string
		why  string
	}{
		"from the commit": {func(r *teller) {
			r.edits("a.txt", "base two\n", "base two\ns1 wrote this line here\n", without("originalFile"))
		}, []string{"s1 wrote this line here 0 call1"}, ""},
		"from the edit before": {func(r *teller) {
			r.edits("a.txt", "base two\n", "base two\ns1 wrote this line here\n", nil)
			r.edits("a.txt", "s1 wrote this line here\n", "s1 wrote this line here\ns1 wrote another line there\n", without("originalFile"))
		}, []string{"s1 wrote another line there 0 call2", "s1 wrote this line here 0 call1"}, ""},
		"from the call alone": {func(r *teller) {
			r.edits("a.txt", "base two\n", "base two\ns1 wrote this line here\n", all)
		}, []string{"s1 wrote this line here 0 call1"}, ""},
		"not from what was never seen": {func(r *teller) {
			r.file("a.txt", "other\ntext that no commit has\n")
			r.edits("a.txt", "text that no commit has\n", "s1 wrote this line here\n", without("originalFile"))
		}, nil, replay.NoWay},
		"not in a file that nobody knows": {func(r *teller) {
			r.file("new.txt", "text that no commit has\n")
			r.edits("new.txt", "text that no commit has\n", "s1 wrote this line here\n", without("originalFile"))
		}, nil, replay.NoBefore},
		"not what a person changed": {func(r *teller) {
			r.edits("a.txt", "base two\n", "base two\ns1 wrote this line here\n", func(result map[string]any) { result["userModified"] = true })
		}, nil, replay.Changed},
		"not what was told otherwise": {func(r *teller) {
			r.edits("a.txt", "base two\n", "s1 wrote this line here\n", func(result map[string]any) { result["originalFile"] = "something else\n" })
		}, nil, replay.NoWay},
	} {
		t.Run(name, func(t *testing.T) {
			r := newTeller(t)
			c.do(r)
			r.commit("one")
			got := r.replay()
			r.want(c.want...)
			if c.why != "" && got.Skipped[c.why] != 1 {
				t.Errorf("left out: %v", got.Skipped)
			}
		})
	}
}

func TestATranscriptOfAnotherMachineTellsOfACloneOfItsOwn(t *testing.T) {
	r := newTeller(t)
	r.root = "/home/somebody/work"
	r.edits("a.txt", "base two\n", "base two\ns1 wrote this line here\n", nil)
	r.commit("one")
	clone := *r
	fresh := gittest.New(t)
	fresh.Git("fetch", "-q", r.Dir, "HEAD")
	fresh.Git("checkout", "-q", "-B", "main", "FETCH_HEAD")
	clone.Repo = fresh
	if got := clone.replay(); got.Notes != 1 {
		t.Errorf("%+v", got)
	}
	clone.want("s1 wrote this line here 0 call1")
}

func TestWhatHooksSawIsComparedAndNotReplayed(t *testing.T) {
	r := newTeller(t)
	hook := func(event, call string) {
		payload, err := json.Marshal(map[string]any{
			"hook_event_name": event, "session_id": "s1", "cwd": r.Dir, "tool_name": "Edit", "tool_use_id": call,
			"tool_input": map[string]any{"file_path": filepath.Join(r.Dir, "a.txt")},
		})
		must(t, err)
		must(t, capture.Keep(capture.Call{Agent: "claude-code", Payload: payload, Directory: r.Dir, At: r.clock}))
	}
	hook("PreToolUse", "call1")
	r.edits("a.txt", "base two\n", "base two\ns1 wrote this line here\n", nil)
	hook("PostToolUse", "call1")
	r.edits("a.txt", "base three\n", "base three\ns1 wrote what no hook saw\n", nil)
	r.commit("one")
	r.edits("a.txt", "base one\n", "s1 wrote what no hook saw either\n", nil)
	r.commit("two")
	_, err := settle.Run(t.Context(), r.Dir, r.clock)
	must(t, err)
	got := r.replay()
	if got.Notes != 0 || got.Compared.Agree != 1 || got.Compared.Differ != 2 {
		t.Errorf("%+v", got)
	}
	place, err := spool.Find(r.Dir)
	must(t, err)
	if c, ok := settle.Compared(place); !ok || c.Agree != 1 || len(c.Commits) != 2 || c.Transcripts != 1 {
		t.Errorf("remembered: %+v", c)
	}
}

// BenchmarkReplay: a transcript of 10 MB is replayed in less than a second.
func BenchmarkReplay(b *testing.B) {
	r := newTeller(b)
	var text strings.Builder
	for i := range 800 {
		fmt.Fprintf(&text, "this is line %d of a file that was there before\n", i)
	}
	r.file("a.txt", text.String())
	r.commit("base")
	for i := range 250 {
		line := fmt.Sprintf("this is line %d of a file that was there before\n", 3*i)
		r.edits("a.txt", line, line+fmt.Sprintf("s1 wrote this line as number %d\n", i), nil)
		if i%10 == 9 {
			r.commit("work")
		}
	}
	info, err := os.Stat(r.transcript)
	must(b, err)
	b.SetBytes(info.Size())
	for b.Loop() {
		b.StopTimer()
		if _, err := r.Try(nil, "update-ref", "-d", settle.Ref); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if got := r.replay(); got.Notes != 25 || got.Lines.AI != 250 {
			b.Fatalf("%+v", got)
		}
	}
}

// hooked is an edit that hooks are told of too.
func (r *teller) hooked(path, before, after string) {
	r.T.Helper()
	call := fmt.Sprint("call", r.calls+1)
	tell := func(event string) {
		payload, err := json.Marshal(map[string]any{
			"hook_event_name": event, "session_id": "s1", "cwd": r.Dir, "tool_name": "Edit", "tool_use_id": call, "model": "claude-opus-4-6",
			"tool_input": map[string]any{"file_path": filepath.Join(r.Dir, path)},
		})
		must(r.T, err)
		must(r.T, capture.Keep(capture.Call{Agent: "claude-code", Payload: payload, Directory: r.Dir, At: r.clock}))
	}
	tell("PreToolUse")
	r.edits(path, before, after, nil)
	tell("PostToolUse")
}

// agents lists the lines of all commits that notes give to agents.
func (r *teller) agents() (list []string) {
	r.T.Helper()
	for _, commit := range strings.Fields(r.Git("rev-list", "HEAD")) {
		text, err := r.Try(nil, "notes", "--ref", "ai", "show", commit)
		if err != nil {
			continue
		}
		n := gitai.Parse([]byte(text))
		for _, f := range n.Files {
			for _, e := range f.Entries {
				if m, _ := n.Mark(e.Key); m.Origin == stemma.OriginAI {
					list = append(list, fmt.Sprint(commit[:8], " ", f.Path, " ", m.Session, " ", m.ToolCall, " ", m.ModelName, " ", e.Ranges))
				}
			}
		}
	}
	slices.Sort(list)
	return list
}

func TestATranscriptTellsTheSameAsHooks(t *testing.T) {
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 1))
		r := newTeller(t)
		r.file("b.txt", "other one\nother two\nother three\n")
		r.commit("more")
		place, err := spool.Find(r.Dir)
		must(t, err)
		must(t, capture.Begin(place, nil, r.tick()))
		for n := range 25 {
			path := []string{"a.txt", "b.txt"}[random.IntN(2)]
			content, err := os.ReadFile(filepath.Join(r.Dir, path))
			must(t, err)
			lines := strings.SplitAfter(strings.TrimSuffix(string(content), "\n"), "\n")
			line := strings.TrimSuffix(lines[random.IntN(len(lines))], "\n") + "\n"
			switch random.IntN(6) {
			case 0, 1:
				r.hooked(path, line, fmt.Sprintf("%ss1 wrote this as number %d of them all\n", line, n))
			case 2:
				r.hooked(path, line, fmt.Sprintf("s1 wrote number %d over what was there\n", n))
			case 3:
				r.file(path, strings.Replace(string(content), line, fmt.Sprintf("me wrote this as number %d of them all\n%s", n, line), 1))
			default:
				r.commit("work")
			}
		}
		r.commit("the end")
		_, err = settle.Run(t.Context(), r.Dir, time.Unix(1_800_000_000, 0))
		must(t, err)
		seen := r.agents()

		bare := *r
		bare.Repo = gittest.At(t, filepath.Join(t.TempDir(), "copy"))
		must(t, os.CopyFS(bare.Dir, os.DirFS(r.Dir)))
		must(t, os.RemoveAll(filepath.Join(bare.Dir, ".git", "stemma")))
		bare.Git("update-ref", "-d", settle.Ref)
		bare.replay()
		if diff := cmp.Diff(seen, bare.agents()); diff != "" || len(seen) == 0 {
			t.Errorf("seed %d: hooks and transcript differ (-hooks +transcript):\n%s", seed, diff)
		}
		if got := r.replay(); got.Compared.Differ+got.Compared.Transcript+got.Compared.Other > 0 || got.Compared.Agree == 0 {
			t.Errorf("seed %d: compared: %+v", seed, got.Compared)
		}
	}
}
