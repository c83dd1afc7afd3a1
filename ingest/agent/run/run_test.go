package run

import (
	"strings"
	"testing"

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

func TestTotalsThatFallBeginAnew(t *testing.T) {
	before := Tokens{In: 10, Out: 5, CacheRead: 3}
	if got := (Tokens{In: 15, Out: 5, CacheRead: 4}).Minus(before); got != (Tokens{In: 5, CacheRead: 1}) {
		t.Errorf("%+v", got)
	}
	if got := (Tokens{In: 4, Out: 9}).Minus(before); got != (Tokens{In: 4, Out: 9}) {
		t.Errorf("%+v", got)
	}
}
