package capture_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/attribution/sight"
	"github.com/stemma-dev/stemma/ingest/hook"
	"github.com/stemma-dev/stemma/spool"
)

// ends adds the end of a run: what was looked at again, and what was found to have
// changed ("<" stands before what it was).
func (l *log) ends(e hook.Event, after time.Duration, whole bool, files ...string) {
	var was []spool.File
	for i, f := range files {
		now, before, ok := strings.Cut(f, "<")
		if !ok {
			continue
		}
		files[i] = now
		path, _, _ := strings.Cut(now, "=")
		path = strings.TrimSuffix(path, "*")
		w := spool.File{Path: path, State: spool.Tracked, Blob: before}
		if before == "" {
			w = spool.File{Path: path, State: spool.Missing}
		}
		was = append(was, w)
	}
	l.add(e, files...)
	last := &l.Entries[len(l.Entries)-1]
	for i := range last.Files {
		f := &last.Files[i]
		f.Path, f.Named = strings.TrimSuffix(f.Path, "*"), strings.HasSuffix(f.Path, "*")
	}
	last.Was, last.Whole, last.At = was, whole, last.At.Add(after)
}

func TestWhoWroteWhatARunChanged(t *testing.T) {
	agent, nobody := "claude-code s   0 b", fmt.Sprint(sight.Disturbed)
	shell := func(quiet, background bool) func(hook.Kind) hook.Event {
		return func(k hook.Kind) hook.Event {
			e := claude(k, "b")
			e.Quiet, e.Background = quiet, background
			return e
		}
	}
	makes, tests, serves := shell(false, false), shell(true, false), shell(true, true)
	const second = time.Second
	for name, c := range map[string]struct {
		event  func(hook.Kind) hook.Event
		before string // of the file a, if it was looked at
		took   time.Duration
		after  string
		want   string
	}{
		"a file that git had":                     {makes, "", second, "a=1\n2\n<1\n", agent},
		"a file that the agent had left":          {makes, "a=1\n", second, "a=1\n2\n", agent},
		"a file that was named":                   {tests, "a=1\n", second, "a*=1\n2\n", agent},
		"a file that was named, after minutes":    {tests, "", 5 * time.Minute, "a*=1\n2\n<1\n", agent},
		"a file that was named, after an hour":    {tests, "", time.Hour, "a*=1\n2\n<1\n", nobody},
		"a file that was not, after a while":      {makes, "", 6 * second, "a=1\n2\n<1\n", nobody},
		"a file that was not named by a test":     {tests, "", second, "a=1\n2\n<1\n", nobody},
		"before it began":                         {makes, "", -second, "a=1\n2\n<1\n", nobody},
		"in the background":                       {serves, "", second, "a*=1\n2\n<1\n", nobody},
		"a file that was there and is found late": {makes, "", second, "a=1\n2\n", nobody},
	} {
		for _, whole := range []bool{false, true} { // it makes no difference for a file that changed
			t.Run(fmt.Sprint(name, " ", whole), func(t *testing.T) {
				var l log
				l.add(claude(hook.BeforeEdit, "x"), "a=1\n")
				l.add(claude(hook.AfterEdit, "x"), "a=1\n")
				if c.before == "" {
					l.add(c.event(hook.BeforeShell))
				} else {
					l.add(c.event(hook.BeforeShell), c.before)
				}
				l.ends(c.event(hook.AfterShell), c.took, whole, c.after)
				if got, want := l.whose("a", "1\n"), "1:0, 2:"+c.want; got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			})
		}
	}
}

func TestFileAtWhichAPersonWasIsNobodysWhereARunDoesNotNameIt(t *testing.T) {
	for file, want := range map[string]string{"a=1\n2\n3\n": fmt.Sprint(sight.Disturbed), "a*=1\n2\n3\n": "claude-code s   0 b"} {
		var l log
		l.add(claude(hook.BeforeEdit, "x"), "a=1\n")
		l.add(claude(hook.AfterEdit, "x"), "a=1\n")
		l.add(claude(hook.BeforeShell, "b"), "a=1\n2\n")
		l.ends(claude(hook.AfterShell, "b"), time.Second, true, file)
		l.add(claude(hook.Compact, ""), "a=1\n2\n3\n4\n")
		if got, want := l.whose("a", "1\n"), "1:0, 2:person, 3:"+want+", 4:person"; got != want {
			t.Errorf("%s\ngot  %s\nwant %s", file, got, want)
		}
	}
}

// Two agents run commands at once: what one is credited with is not the other's noise,
// and what the other may have written besides is nobody's, never the person's.
func TestChangesDuringARunAreThoseOfAnotherOnlyIfItWroteAllOfThem(t *testing.T) {
	makes := func(k hook.Kind) hook.Event { return claude(k, "m") } // it is credited
	tests := func(k hook.Kind) hook.Event {
		e := claude(k, "q")
		e.Session, e.Quiet = "other", true
		return e
	}
	agent, nobody := "claude-code s   0 m", fmt.Sprint(sight.Disturbed)
	for name, c := range map[string]struct {
		does func(l *log)
		want string
	}{
		"one that ended later": {func(l *log) {
			l.add(makes(hook.BeforeShell))
			l.add(tests(hook.BeforeShell))
			l.ends(tests(hook.AfterShell), time.Second, true, "a=1\n2\n<1\n")
			l.ends(makes(hook.AfterShell), time.Second, true, "a=1\n2\n<1\n")
		}, "1:0, 2:" + agent},
		"one that began and ended later": {func(l *log) {
			l.add(tests(hook.BeforeShell))
			l.add(makes(hook.BeforeShell))
			l.ends(tests(hook.AfterShell), time.Second, true, "a=1\n2\n<1\n")
			l.ends(makes(hook.AfterShell), time.Second, true, "a=1\n2\n<1\n")
		}, "1:0, 2:" + agent},
		"not what was there before it": {func(l *log) {
			l.add(tests(hook.BeforeShell), "a=1\n")
			l.add(makes(hook.BeforeShell))
			l.ends(tests(hook.AfterShell), time.Second, true, "a=1\n2\n3\n")
			l.ends(makes(hook.AfterShell), time.Second, true, "a=1\n2\n3\n<1\n2\n")
		}, "1:0, 2:" + nobody + ", 3:" + nobody},
		"not what came behind it": {func(l *log) {
			l.add(tests(hook.BeforeShell), "a=1\n")
			l.add(makes(hook.BeforeShell))
			l.ends(makes(hook.AfterShell), time.Second, true, "a=1\n2\n<1\n")
			l.ends(tests(hook.AfterShell), time.Second, true, "a=1\n2\n3\n")
		}, "1:0, 2:" + nobody + ", 3:" + nobody},
	} {
		var l log
		l.add(claude(hook.BeforeEdit, "x"), "a=1\n")
		l.add(claude(hook.AfterEdit, "x"), "a=1\n")
		c.does(&l)
		if got := l.whose("a", "1\n"); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
	}
}

func TestNewFileMayBeOneThatVanished(t *testing.T) {
	for gone, want := range map[bool]string{false: "claude-code s   0 b", true: fmt.Sprint(sight.Disturbed)} {
		var l log
		l.add(claude(hook.BeforeShell, "b"))
		l.ends(claude(hook.AfterShell, "b"), time.Second, true, "a=1\n<")
		l.Entries[len(l.Entries)-1].Gone = gone
		if got := l.whose("a", ""); got != "1:"+want {
			t.Errorf("%v: got %s, want %s", gone, got, want)
		}
	}
}

func TestRunThatIsSaidToHaveChangedNothingElseDisturbsNothing(t *testing.T) {
	for whole, want := range map[bool]string{true: "person", false: fmt.Sprint(sight.Disturbed)} {
		var l log
		l.add(claude(hook.BeforeEdit, "x"), "a=1\n")
		l.add(claude(hook.AfterEdit, "x"), "a=1\n")
		l.add(claude(hook.BeforeShell, "b"))
		l.ends(claude(hook.AfterShell, "b"), time.Second, whole, "z=1\n<0\n")
		l.add(claude(hook.Compact, ""), "a=1\n2\n")
		if got, want := l.whose("a", "1\n"), "1:0, 2:"+want; got != want {
			t.Errorf("whole %v: got  %s\nwant %s", whole, got, want)
		}
	}
}

func TestRunThatTwoHooksTellOfIsOne(t *testing.T) {
	var l log
	l.add(claude(hook.BeforeEdit, "x"), "a=1\n", "b=1\n")
	l.add(claude(hook.AfterEdit, "x"), "a=1\n", "b=1\n")
	l.add(claude(hook.BeforeShell, "b"), "a=1\n")
	l.add(claude(hook.BeforeShell, "b"), "a=1\n")
	l.ends(claude(hook.AfterShell, "b"), time.Second, true, "a=1\n2\n")
	l.add(claude(hook.AfterShell, "b"))
	l.add(claude(hook.Compact, ""), "a=1\n2\n3\n", "b=1\n2\n")
	if a, b := l.whose("a", "1\n"), l.whose("b", "1\n"); a != "1:0, 2:claude-code s   0 b, 3:person" || b != "1:0, 2:person" {
		t.Errorf("%s; %s", a, b)
	}
}

func TestRunInTheBackgroundEndsWithItsSession(t *testing.T) {
	serve := func(k hook.Kind) hook.Event {
		e := claude(k, "b")
		e.Background = true
		return e
	}
	for name, c := range map[string]struct {
		then func(l *log)
		want string
	}{
		"what was asked for is done": {func(l *log) { l.add(claude(hook.Stop, "")); l.add(claude(hook.Prompt, "")) }, fmt.Sprint(sight.Disturbed)},
		"the session ends":           {func(l *log) { l.add(claude(hook.SessionEnd, "")) }, "person"},
		"a day goes by": {func(l *log) {
			l.add(claude(hook.BeforeShell, "c"))
			last := &l.Entries[len(l.Entries)-1]
			last.At = last.At.Add(25 * time.Hour)
			l.ends(claude(hook.AfterShell, "c"), 25*time.Hour, true)
		}, "person"},
	} {
		var l log
		l.add(serve(hook.BeforeShell))
		l.add(serve(hook.AfterShell))
		c.then(&l)
		l.add(claude(hook.Compact, ""), "a=1\n")
		l.add(claude(hook.Compact, ""), "a=1\n2\n")
		if got := l.whose("a", "1\n"); got != "1:0, 2:"+c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestEventOfACommandHasNoTextOfIt(t *testing.T) {
	body, err := json.Marshal(hook.Event{Kind: hook.BeforeShell, Command: "SECRET"})
	if err != nil || strings.Contains(string(body), "SECRET") {
		t.Errorf("%s, %v", body, err)
	}
}
