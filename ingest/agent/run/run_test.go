package run

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAPatchNamesItsFiles(t *testing.T) {
	patch := "*** Begin Patch\n*** Update File: a b.go\n*** Move to: c.go\n@@\n-*** Update File: no.go\n*** Add File: d.go\n+x\n*** Delete File: e.go\r\n*** End Patch"
	if diff := cmp.Diff([]string{"a b.go", "c.go", "d.go", "e.go"}, PatchPaths(patch)); diff != "" {
		t.Error(diff)
	}
	if n := len(PatchPaths(strings.Repeat("*** Add File: x\n", 5000))); n != 1000 {
		t.Errorf("%d files", n)
	}
}

func TestCallsAreReadInEveryForm(t *testing.T) {
	for _, c := range []struct {
		tool, input string
		want        Call
	}{
		{"Edit", `{"file_path":"a.go"}`, Call{Paths: []string{"a.go"}, Edits: true}},
		{"Read", `"{\"path\":\"a.go\"}"`, Call{Paths: []string{"a.go"}}},
		{"apply_patch", `"*** Begin Patch\n*** Add File: a.go\n*** End Patch"`, Call{Paths: []string{"a.go"}, Edits: true}},
		{"shell", `{"command":["bash","-lc","apply_patch <<E\n*** Begin Patch\n*** Add File: a.go\n"]}`, Call{Paths: []string{"a.go"}, Edits: true}},
		{"Write", `{"file_path":"doc.md","content":"*** Begin Patch\n*** Add File: a.go\n"}`, Call{Paths: []string{"doc.md"}, Edits: true}},
		{"create_pull_request", `{}`, Call{Opens: true}},
		{"Bash", `{"command":"cd pay && go test ./..."}`, Call{Tests: true}},
		{"shell", `{"command":["bash","-lc","npm test"]}`, Call{Tests: true}},
		{"run_tests", `{}`, Call{Tests: true}},
		{"Bash", ``, Call{}},
		{"Bash", `[1`, Call{}},
	} {
		c.want.ID, c.want.Tool = "t", c.tool
		got := NewCall("t", c.tool, []byte(c.input))
		got.Input, got.Command = nil, "" // what else there is, is for editions
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s %s: %s", c.tool, c.input, diff)
		}
	}
}

// TestAPromptAfterFailedTestsIsTold: the first one after them, and not when they passed
// in between, when something else failed, or when a sub-agent is asked.
func TestAPromptAfterFailedTestsIsTold(t *testing.T) {
	play := func(sub, script string) (r *Run) {
		r = NewStream("claude-code", Options{}).Run("s", sub)
		for i, c := range script {
			at := time.Unix(int64(i), 0)
			id := fmt.Sprint(i)
			switch c {
			case '?':
				r.Prompt(Message{}, at, true)
			case 'm':
				r.Prompt(Message{}, at, false) // of the harness
			default: // a call that failed, in lower case, or went well; t is for tests
				r.Answer(Message{ID: id, Calls: []Call{{ID: id, Tool: "Bash", Tests: c == 't' || c == 'T'}}}, at)
				r.Results([]Result{{Call: id, Error: c == 't' || c == 'x'}}, at)
			}
		}
		return r
	}
	for script, want := range map[string]int{"?t?": 1, "?t??": 1, "?tT?": 0, "?Tt?t?": 2, "?x?": 0, "?tx?": 1, "?tm?": 1, "?T?": 0, "?t": 0} {
		r := play("", script)
		failing := 0
		for _, turn := range r.turns {
			if turn.Failing {
				failing++
			}
		}
		if r.Session.Reprompts != want || failing != want {
			t.Errorf("%s: %d, %d turns, want %d", script, r.Session.Reprompts, failing, want)
		}
	}
	if r := play("sub", "?t?"); r.Session.Reprompts != 0 {
		t.Errorf("a sub-agent: %d", r.Session.Reprompts)
	}
}

func TestTotalsThatFallBeginAnew(t *testing.T) {
	before := Tokens{In: 10, Out: 5, CacheRead: 3}
	if got := (Tokens{In: 15, Out: 5, CacheRead: 4}).Minus(before); got != (Tokens{In: 5, CacheRead: 1}) {
		t.Errorf("%+v", got)
	}
	if got := (Tokens{In: 4, Out: 9}).Minus(before); got != (Tokens{In: 4, Out: 9}) {
		t.Errorf("%+v", got)
	}
}
