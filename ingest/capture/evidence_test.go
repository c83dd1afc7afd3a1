package capture_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/attribution/sight"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/hook"
	"github.com/stemma-dev/stemma/spool"
)

// A log is a spool in memory.
type log struct {
	spool.Reading
	moves []spool.Move
}

func (l *log) add(e hook.Event, files ...string) {
	body, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	entry := spool.Entry{Stand: spool.Stand{Head: "refs/heads/main", Commit: "c1"}, Event: body}
	for _, f := range files {
		path, content, ok := strings.Cut(f, "=")
		file := spool.File{Path: path, State: spool.Regular, Blob: content}
		if !ok {
			file = spool.File{Path: path, State: spool.Missing}
		}
		entry.Files = append(entry.Files, file)
	}
	l.Entries = append(l.Entries, entry)
}

// content is the name of a blob; one begins with "!" that is not there any more.
func content(f spool.File) ([]byte, error) {
	if strings.HasPrefix(f.Blob, "!") {
		return nil, errors.New("gone")
	}
	return []byte(f.Blob), nil
}

// whose tells the lines of a file, each with who wrote it.
func (l *log) whose(path, base string) string {
	e := capture.Read(l.Reading, l.moves, content)
	w := sight.Start("f", []byte(base), nil, capture.Person, sight.State{})
	text := ""
	for look := range e.Events() {
		if !look.Concerns(path, true) {
			continue
		}
		w.See(look.Sight)
		if look.Kept {
			text = string(look.Content)
		}
	}
	var out []string
	for i, line := range w.File().Lines() {
		s := strings.Split(text, "\n")[i] + ":"
		switch {
		case line.By == capture.Person:
			s += "person"
		case line.By == capture.Typist:
			s += "typist"
		case line.By > 0:
			h := e.Hands[line.By-1]
			s += strings.TrimSpace(fmt.Sprint(h.Agent, " ", h.Session, " ", h.Subagent, " ", h.Model, " ", h.Prompt, " ", h.Call))
		default:
			s += fmt.Sprint(line.By)
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func claude(k hook.Kind, call string) hook.Event {
	return hook.Event{Agent: "claude-code", Session: "s", Kind: k, Call: call}
}

func TestSpoolTellsWhoWroteALine(t *testing.T) {
	var l log
	l.add(claude(hook.SessionStart, ""))
	l.add(claude(hook.Prompt, ""))
	l.add(claude(hook.BeforeEdit, "t1"), "a=1\n")
	l.add(claude(hook.AfterEdit, "t1"), "a=1\n2\n")
	l.add(hook.Event{Agent: "claude-code", Session: "s", Kind: hook.Prompt, Model: "claude-opus-4-6"})
	sub := claude(hook.BeforeEdit, "t2")
	sub.Subagent = "w1"
	l.add(sub, "a=1\n2\n3\n")
	sub.Kind = hook.AfterEdit
	l.add(sub, "a=1\n2\n3\n4\n")
	if got, want := l.whose("a", "1\n"), "1:0, 2:claude-code s   1 t1, 3:person, 4:claude-code s w1 claude-opus-4-6 2 t2"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// An edit may wait long for a permission: what the file was when it was written is
// told at the end.
func TestWhatIsTypedWhileAnEditWaitsIsThePersons(t *testing.T) {
	for _, c := range []struct{ was, want string }{
		{"1\n2\n", "1:0, 2:person, 3:claude-code s   0 t1"},
		{"1\n", "1:0, 2:claude-code s   0 t1, 3:claude-code s   0 t1"},
	} {
		var l log
		l.add(claude(hook.BeforeEdit, "t1"), "a=1\n")
		l.add(claude(hook.AfterEdit, "t1"), "a=1\n2\n3\n")
		l.Entries[1].Was = []spool.File{{Path: "a", State: spool.Regular, Blob: c.was}}
		if got := l.whose("a", "1\n"); got != c.want {
			t.Errorf("it was %q: got %s, want %s", c.was, got, c.want)
		}
	}
}

// A person who changes an edit in the view in which it is accepted writes some of it.
func TestAnEditThatAPersonChangedIsNobodys(t *testing.T) {
	var l log
	l.add(claude(hook.BeforeEdit, "t1"), "a=1\n")
	after := claude(hook.AfterEdit, "t1")
	after.Modified = true
	l.add(after, "a=1\n2\n")
	l.add(claude(hook.BeforeEdit, "t2"), "a=1\n2\n")
	l.add(claude(hook.AfterEdit, "t2"), "a=1\n2\n3\n")
	if got, want := l.whose("a", "1\n"), fmt.Sprintf("1:0, 2:%d, 3:claude-code s   0 t2", sight.Disturbed); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWhatMayHaveWrittenAnyFileMakesLinesNobodys(t *testing.T) {
	seen := func(l *log, text string) {
		l.add(claude(hook.BeforeEdit, "x"), "a="+text)
		l.add(claude(hook.AfterEdit, "x"), "a="+text)
	}
	for name, c := range map[string]struct {
		between func(*log)
		want    string
	}{
		"nothing":                     {func(*log) {}, "person"},
		"a command":                   {func(l *log) { l.add(claude(hook.BeforeShell, "b")); l.add(claude(hook.AfterShell, "b")) }, fmt.Sprint(sight.Disturbed)},
		"a tool that is not known":    {func(l *log) { l.add(claude(hook.BeforeTool, "b")); l.add(claude(hook.AfterTool, "b")) }, fmt.Sprint(sight.Disturbed)},
		"the end of a command":        {func(l *log) { l.add(claude(hook.AfterShell, "b")) }, fmt.Sprint(sight.Disturbed)},
		"a command that does not end": {func(l *log) { l.add(claude(hook.BeforeShell, "b")) }, fmt.Sprint(sight.Disturbed)},
		"a command that looked at it": {func(l *log) {
			l.add(claude(hook.BeforeShell, "b"), "a=1\n")
			l.add(claude(hook.AfterShell, "b"), "a=1\n2\n")
		}, "claude-code s   0 b"},
		"a command that looked at another": {func(l *log) {
			l.add(claude(hook.BeforeShell, "b"), "z=1\n")
			l.add(claude(hook.AfterShell, "b"), "z=1\n")
		}, fmt.Sprint(sight.Disturbed)},
		"git, which moved":             {func(l *log) { l.add(claude(hook.Stop, "")); l.Entries[len(l.Entries)-1].Stash = "s1" }, fmt.Sprint(sight.Disturbed)},
		"something that was lost":      {func(l *log) { l.add(claude(hook.Stop, "")); l.Entries[len(l.Entries)-1].Lost = "why" }, fmt.Sprint(sight.Disturbed)},
		"an event that cannot be read": {func(l *log) { l.add(claude(hook.Stop, "")); l.Entries[len(l.Entries)-1].Event = json.RawMessage(`[`) }, fmt.Sprint(sight.Disturbed)},
		"a content that is gone":       {func(l *log) { l.add(claude(hook.Stop, ""), "a=!gone") }, fmt.Sprint(sight.Unkept)},
	} {
		t.Run(name, func(t *testing.T) {
			var l log
			seen(&l, "1\n")
			c.between(&l)
			seen(&l, "1\n2\n")
			if got, want := l.whose("a", "1\n"), "1:0, 2:"+c.want; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestCommandGoesOnWhateverElseHappens(t *testing.T) {
	for name, c := range map[string]func(*log){
		"git moves": func(l *log) {
			l.add(claude(hook.Compact, ""))
			l.Entries[len(l.Entries)-1].Commit = "c2"
		},
		"something is lost":                  func(l *log) { l.Entries = append(l.Entries, spool.Entry{Stand: l.Entries[0].Stand, Lost: "why"}) },
		"another command ends":               func(l *log) { l.add(claude(hook.AfterShell, "other"), "a=1\n") },
		"a command that looked at it ends":   func(l *log) { l.add(claude(hook.BeforeShell, "c"), "a=1\n"); l.add(claude(hook.AfterShell, "c")) },
		"it is said twice that it has begun": func(l *log) { l.add(claude(hook.BeforeShell, "b")) },
	} {
		t.Run(name, func(t *testing.T) {
			var l log
			l.add(claude(hook.BeforeEdit, "x"), "a=1\n")
			l.add(claude(hook.AfterEdit, "x"), "a=1\n")
			l.add(claude(hook.BeforeShell, "b"))
			c(&l)
			for _, text := range []string{"1\n", "1\n2\n"} {
				l.add(claude(hook.Compact, ""), "a="+text)
			}
			if got, want := l.whose("a", "1\n"), "1:0, 2:"; !strings.HasPrefix(got, want+"-") {
				t.Errorf("while the command runs: %s", got)
			}
			l.add(claude(hook.AfterShell, "b"))
			for _, text := range []string{"1\n2\n", "1\n2\n3\n"} {
				l.add(claude(hook.Compact, ""), "a="+text)
			}
			if got := l.whose("a", "1\n"); !strings.HasSuffix(got, "3:person") {
				t.Errorf("after it: %s", got)
			}
		})
	}
}

func TestCommandThatWasKilledEndsWithItsSession(t *testing.T) {
	var l log
	l.add(claude(hook.BeforeShell, "b"))
	l.add(claude(hook.Stop, ""))
	l.add(claude(hook.BeforeEdit, "x"), "a=1\n2\n")
	l.add(claude(hook.AfterEdit, "x"), "a=1\n2\n")
	l.add(claude(hook.BeforeEdit, "y"), "a=1\n2\n3\n")
	if got, want := l.whose("a", "1\n"), fmt.Sprintf("1:0, 2:%d, 3:person", sight.Disturbed); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEditThatWasRefusedIsNotTheAgents(t *testing.T) {
	for _, then := range []hook.Kind{hook.Prompt, hook.Stop, hook.SessionEnd, hook.SessionStart} {
		var l log
		l.add(claude(hook.BeforeEdit, "x"), "a=1\n")
		l.add(claude(then, "")) // the person said no, and then typed
		l.add(claude(hook.BeforeEdit, "y"), "a=1\n2\n")
		l.add(claude(hook.AfterEdit, "y"), "a=1\n2\n3\n")
		l.add(claude(hook.BeforeEdit, "z"), "a=1\n2\n3\n4\n")
		if got, want := l.whose("a", "1\n"), fmt.Sprintf("1:0, 2:%d, 3:claude-code s   ", sight.Unkept); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "4:person") {
			t.Errorf("%s: %s", then, got)
		}
	}
}

// An agent whose edit was refused, by another hook that says nothing, tries again.
func TestAnEditThatIsNeverToldToEndSpoilsNoLaterOne(t *testing.T) {
	var l log
	l.add(claude(hook.BeforeEdit, "t1"), "a=1\n")
	l.add(claude(hook.BeforeEdit, "t2"), "a=1\n")
	l.add(claude(hook.AfterEdit, "t2"), "a=1\n2\n")
	l.add(claude(hook.BeforeEdit, "t3"), "a=1\n2\n3\n")
	l.add(claude(hook.AfterEdit, "t3"), "a=1\n2\n3\n4\n")
	if got, want := l.whose("a", "1\n"), "1:0, 2:claude-code s   0 t2, 3:person, 4:claude-code s   0 t3"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// Two that are under way at once are told apart as before.
	var two log
	two.add(claude(hook.BeforeEdit, "t1"), "a=1\n")
	two.add(claude(hook.BeforeEdit, "t2"), "a=1\n")
	two.add(claude(hook.AfterEdit, "t1"), "a=1\n2\n")
	two.add(claude(hook.AfterEdit, "t2"), "a=1\n2\n3\n")
	if got, want := two.whose("a", "1\n"), fmt.Sprintf("1:0, 2:%d, 3:claude-code s   0 t2", sight.Crowded); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Git AI's generic events name whose an edit is at its end only.
func TestAnEditThatNobodyNamedEnds(t *testing.T) {
	begun := hook.Event{Kind: hook.BeforeEdit}
	ended := func(agent string) hook.Event { return hook.Event{Agent: agent, Session: "g", Kind: hook.AfterEdit} }
	typed := hook.Event{Kind: hook.HumanEdit}
	at := func(l *log, after time.Duration, e hook.Event, text string) {
		l.add(e, "a="+text)
		l.Entries[len(l.Entries)-1].At = time.Unix(0, 0).Add(after)
	}
	for name, c := range map[string]struct {
		do   func(l *log)
		want string
	}{
		"by the next of the same tool": {func(l *log) {
			at(l, 0, begun, "1\n")
			at(l, time.Second, begun, "1\n")
			at(l, 2*time.Second, ended("x"), "1\n2\n")
			at(l, 3*time.Second, typed, "1\n2\n3\n")
		}, "2:x g   0, 3:typist"},
		"not by that of another tool": {func(l *log) {
			at(l, 0, begun, "1\n")
			at(l, time.Second, begun, "1\n")
			at(l, 2*time.Second, ended("x"), "1\n2\n")
			at(l, 3*time.Second, ended("y"), "1\n2\n3\n")
			at(l, 4*time.Second, typed, "1\n2\n3\n4\n")
		}, fmt.Sprintf("2:%d, 3:y g   0, 4:typist", sight.Crowded)},
		"after a while": {func(l *log) {
			at(l, 0, begun, "1\n")
			at(l, time.Minute, typed, "1\n2\n")
			at(l, 3*time.Hour, typed, "1\n2\n3\n")
			at(l, 3*time.Hour+time.Minute, typed, "1\n2\n3\n4\n")
		}, fmt.Sprintf("2:%d, 3:%d, 4:typist", sight.Unended, sight.Unkept)},
	} {
		var l log
		c.do(&l)
		if got := l.whose("a", "1\n"); got != "1:0, "+c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestTwoAgentsAtOnceDoNotStealEachOthersEdits(t *testing.T) {
	cursor := func(k hook.Kind) hook.Event { return hook.Event{Agent: "cursor", Session: "c", Kind: k} }
	var l log
	l.add(claude(hook.BeforeEdit, "x"), "a=1\n", "b")
	l.add(cursor(hook.BeforeEdit), "b")
	l.add(claude(hook.AfterEdit, "x"), "a=1\n2\n", "b=9\n")
	l.add(cursor(hook.AfterEdit), "b=9\n")
	l.add(cursor(hook.BeforeEdit), "a=1\n2\n")
	l.add(cursor(hook.AfterEdit), "a=1\n2\n3\n")
	if got, want := l.whose("a", "1\n"), "1:0, 2:claude-code s   0 x, 3:cursor c   0"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := l.whose("b", ""), fmt.Sprintf("9:%d", sight.Crowded); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestMovesStandWhereTheyWereMade(t *testing.T) {
	seen := func(l *log, text, commit string, reflog int64) {
		l.add(claude(hook.BeforeEdit, "x"), "a="+text)
		l.add(claude(hook.AfterEdit, "x"), "a="+text)
		for i := len(l.Entries) - 2; i < len(l.Entries); i++ {
			l.Entries[i].Commit, l.Entries[i].Reflog = commit, reflog
			l.Entries[i].At = time.Unix(reflog, 0)
		}
	}
	move := func(from, to, what string, end int64) spool.Move {
		return spool.Move{From: from, To: to, What: what, End: end, At: time.Unix(end, 0)}
	}
	commit := move("c1", "c2", "commit: two", 20)
	disturbed := fmt.Sprint(sight.Disturbed)
	for name, c := range map[string]struct {
		moves  []spool.Move
		commit string
		reflog int64
		want   string
	}{
		"nothing":                            {nil, "c1", 10, "person"},
		"a commit":                           {[]spool.Move{commit}, "c2", 20, "person"},
		"commits in a row":                   {[]spool.Move{commit, move("c2", "c3", "commit (amend): three", 30)}, "c3", 30, "person"},
		"another branch at the same commit":  {[]spool.Move{move("c1", "c1", "checkout: moving from main to topic", 20)}, "c1", 20, "person"},
		"another branch":                     {[]spool.Move{move("c1", "c2", "checkout: moving from main to topic", 20)}, "c2", 20, "person"},
		"there and back":                     {[]spool.Move{move("c1", "c2", "checkout: moving from main to topic", 20), move("c2", "c1", "checkout: moving from topic to main", 30)}, "c1", 30, "person"},
		"a rebase":                           {[]spool.Move{move("c1", "c2", "rebase (start): checkout main", 20)}, "c2", 20, disturbed},
		"a reset to where it was":            {[]spool.Move{move("c1", "c1", "reset: moving to HEAD", 20)}, "c1", 20, disturbed},
		"a move that no reflog tells":        {nil, "c2", 10, disturbed},
		"a reflog that was shortened":        {[]spool.Move{commit}, "c2", 7, "person"},
		"a commit without a length":          {[]spool.Move{commit}, "c2", 0, "person"},
		"a commit that is made later":        {[]spool.Move{commit}, "c1", 10, "person"},
		"a checkout that is made later":      {[]spool.Move{move("c1", "c2", "checkout: moving from main to topic", 20)}, "c1", 10, "person"},
		"a move elsewhere that is told also": {[]spool.Move{commit, move("c2", "c3", "pull: Fast-forward", 30)}, "c3", 30, "person"},
	} {
		l := log{moves: append([]spool.Move{move("", "c1", "commit (initial): one", 10)}, c.moves...)}
		seen(&l, "1\n", "c1", 10)
		seen(&l, "1\n2\n", c.commit, c.reflog)
		if got := l.whose("a", "1\n"); got != "1:0, 2:"+c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func FuzzAnySpoolIsEvidence(f *testing.F) {
	f.Add([]byte(`[{"event":{"kind":"before-shell","session":"s"}},{"event":{"kind":"after-edit"},"files":[{"path":"a","state":"file","blob":"x"}]}]`))
	f.Add([]byte(`[{"event":{"kind":"before-shell","call":"c"},"files":[{"path":"a","state":"file","blob":"x"}]},{"event":{"kind":"after-shell","call":"c"},"whole":true,"was":[{"path":"b","state":"tracked","blob":"y"}],"files":[{"path":"a","blob":"z","named":true},{"path":"b","blob":"w"}]}]`))
	f.Add([]byte(`[{"lost":"x"},{"event":[]},{"files":[{"path":"a"}]}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r spool.Reading
		if json.Unmarshal(data, &r.Entries) != nil {
			return
		}
		moves := []spool.Move{{To: "c1", End: 10}, {From: "c1", To: "c2", End: 20, What: "commit: x"}, {From: "c2", To: "c1", End: 30, What: "reset: y"}}
		e := capture.Read(r, moves, content)
		watches, made := map[string]*sight.Watch{}, 0
		for v := range e.Events() {
			if v.Path != "" && watches[v.Path] == nil {
				watches[v.Path] = sight.Start("f", nil, nil, capture.Person, sight.State{Seen: true})
			}
			for path, w := range watches {
				if v.Concerns(path, true) {
					w.See(v.Sight)
				}
			}
			if v.Move != 0 {
				if made++; made != v.Move {
					t.Errorf("move %d comes as number %d", v.Move, made)
				}
			}
		}
		if made != len(moves) {
			t.Errorf("%d moves of %d", made, len(moves))
		}
		for _, w := range watches {
			for _, l := range w.File().Lines() {
				if int(l.By) > len(e.Hands) {
					t.Errorf("a line of hand %d of %d", l.By, len(e.Hands))
				}
			}
		}
	})
}
