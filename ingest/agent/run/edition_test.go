package run

import (
	"strings"
	"testing"
	"time"
)

func TestStepsLeadToOneContentOrToNone(t *testing.T) {
	for name, c := range map[string]struct {
		steps  []Step
		before string
		want   string // "!" for none
	}{
		"once":                     {[]Step{{Old: "b", New: "x"}}, "abc", "axc"},
		"twice":                    {[]Step{{Old: "b", New: "x"}}, "abb", "!"},
		"everywhere":               {[]Step{{Old: "b", New: "x", All: true}}, "abb", "axx"},
		"nowhere":                  {[]Step{{Old: "b", New: "x", All: true}}, "acc", "!"},
		"one after the other":      {[]Step{{Old: "b", New: "xy"}, {Old: "y", New: "z"}}, "abc", "axzc"},
		"a second one that fails":  {[]Step{{Old: "b", New: "x"}, {Old: "b", New: "z"}}, "abc", "!"},
		"a new file":               {[]Step{{New: "x"}}, "", "x"},
		"nothing in a file":        {[]Step{{New: "x"}}, "a", "!"},
		"a line that goes":         {[]Step{{Old: "b"}}, "a\nb\nc\n", "a\nc\n"},
		"no steps":                 {nil, "a", "!"},
		"whole lines":              {[]Step{{Old: "b\n", New: "x\n", Lines: true}}, "ab\nb\n", "ab\nx\n"},
		"the first of many lines":  {[]Step{{Old: "b\n", New: "x\n", Lines: true}}, "b\nb\n", "x\nb\n"},
		"each behind the other":    {[]Step{{Old: "b\n", New: "b\nx\n", Lines: true}, {Old: "b\n", New: "y\n", Lines: true}}, "b\nb\n", "b\nx\ny\n"},
		"behind a line":            {[]Step{{Old: "b\n", New: "x\n", Lines: true, Behind: "f()"}}, "b\nf()\nb\n", "b\nf()\nx\n"},
		"behind a line not there":  {[]Step{{Old: "b\n", New: "x\n", Lines: true, Behind: "g()"}}, "b\nf()\nb\n", "!"},
		"the last without its end": {[]Step{{Old: "b\n", New: "x\n", Lines: true}}, "a\nb", "a\nx\n"},
		"lines from nowhere":       {[]Step{{New: "x\n", Lines: true}}, "a\n", "!"},
	} {
		got, ok := Edition{Steps: c.steps}.Apply(c.before)
		if !ok {
			got = "!"
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAPatchHasAnEditionForEachFile(t *testing.T) {
	patch := "*** Begin Patch\n*** Add File: a.go\n+package a\n+\n*** Update File: b.go\n@@ func f() {\n \tx\n-\ty\n+\tz\n@@\n-q\n+r\n*** Delete File: c.go\n*** End Patch"
	list := patchEditions(patch)
	if len(list) != 3 {
		t.Fatalf("%d editions: %+v", len(list), list)
	}
	if a := list[0]; a.Path != "a.go" || !a.Before.Told || a.After.Text != "package a\n\n" {
		t.Errorf("%+v", a)
	}
	if got, ok := list[1].Apply("\tx\n\ty\nfunc f() {\n\tx\n\ty\n}\nq\n"); !ok || got != "\tx\n\ty\nfunc f() {\n\tx\n\tz\n}\nr\n" {
		t.Errorf("%q %t", got, ok)
	}
	if c := list[2]; !c.After.Told || c.After.Text != "" || c.Before.Told {
		t.Errorf("%+v", c)
	}
	for _, bad := range []string{strings.TrimSuffix(patch, "*** End Patch"), strings.Replace(patch, "@@ f", "*** Move to: d.go\n@@ f", 1), "*** Begin Patch\n", ""} {
		if bad != patch && strings.Contains(bad, "Move to") == strings.Contains(bad, "End Patch") && patchEditions(bad) != nil {
			t.Errorf("%q has editions", bad)
		}
	}
}

func TestOnlyWhatIsExactIsAnEdition(t *testing.T) {
	for _, c := range []struct {
		tool, input string
		n           int
	}{
		{"Write", `{"file_path":"a.go","content":"x"}`, 1},
		{"Edit", `{"file_path":"a.go","old_string":"x","new_string":"y"}`, 1},
		{"MultiEdit", `{"file_path":"a.go","edits":[{"old_string":"x","new_string":"y"}]}`, 1},
		{"replace", `{"file_path":"a.go","old_string":"x","new_string":"y","expected_replacements":2}`, 1},
		{"edit_file", `{"target_file":"a.go","content":"// ... existing code ...\nx"}`, 0},
		{"str_replace_editor", `{"path":"a.go","command":"insert","insert_line":3,"new_str":"y"}`, 0},
		{"write", `{"path":"a.go","content":"x","append":true}`, 0},
		{"Read", `{"file_path":"a.go"}`, 0},
		{"Edit", `{"old_string":"x","new_string":"y"}`, 0},
		{"shell", `{"command":["bash","-lc","apply_patch <<E\n*** Begin Patch\n*** Add File: a.go\n+x\n*** End Patch\nE"]}`, 1},
		{"shell", `{"command":["bash","-lc","cd sub && apply_patch <<E\n*** Begin Patch\n*** Add File: a.go\n+x\n*** End Patch\nE"]}`, 0},
	} {
		if got := editions(NewCall("c", c.tool, []byte(c.input))); len(got) != c.n {
			t.Errorf("%s %s: %+v", c.tool, c.input, got)
		}
	}
}

func TestAnEditionIsToldWhenTheCallHasEndedWell(t *testing.T) {
	var told []Edition
	s := NewStream("tool", Options{Wrote: func(e Edition) { told = append(told, e) }})
	at := time.Unix(1_700_000_000, 0)
	one, sub := s.Run("s1", ""), s.Run("s1", "x7")
	one.Seen(Place{Directory: "/work"})
	one.Prompt(Message{Text: "do"}, at, true)
	call := func(id string) Call {
		return NewCall(id, "Edit", []byte(`{"file_path":"a.go","old_string":"x","new_string":"y"}`))
	}
	one.Answer(Message{ID: "m1", Model: "big", Calls: []Call{call("c1"), call("c2"), call("c3")}}, at)
	sub.Answer(Message{ID: "m2", Model: "small", Calls: []Call{call("c4")}}, at)
	one.Results([]Result{{Call: "c1"}, {Call: "c2", Error: true}, {Call: "c1"}, {Call: "none"}}, at.Add(time.Second))
	sub.Results([]Result{{Call: "c4"}}, at)
	if len(told) != 2 {
		t.Fatalf("%d editions: %+v", len(told), told)
	}
	if e := told[0]; e.Session != "s1" || e.Subagent != "" || e.Call != "c1" || e.Model != "big" || e.Prompt != 1 || e.Directory != "/work" || !e.At.Equal(at.Add(time.Second)) {
		t.Errorf("%+v", e)
	}
	if e := told[1]; e.Session != "s1" || e.Subagent != "x7" || e.Call != "c4" || e.Model != "small" || e.Prompt != 0 {
		t.Errorf("%+v", e)
	}
}

func FuzzEditions(f *testing.F) {
	f.Add("apply_patch", "*** Begin Patch\n*** Update File: b.go\n@@ f\n x\n-y\n+z\n*** End Patch", "f\nx\ny\n")
	f.Add("Edit", `{"file_path":"a.go","old_string":"x","new_string":"y","replace_all":true}`, "xx")
	f.Add("Write", `{"file_path":"a.go","content":"x"}`, "")
	f.Fuzz(func(t *testing.T, tool, input, before string) {
		for _, e := range editions(NewCall("c", tool, []byte(input))) {
			after, ok := e.Apply(before)
			if again, ok2 := e.Apply(before); again != after || ok2 != ok {
				t.Errorf("%q and %q", after, again)
			}
			if len(after) > len(before)+(len(before)+2)*(len(input)+2) {
				t.Errorf("%d bytes of %d and %d", len(after), len(before), len(input))
			}
		}
	})
}
