package agenttrace_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/agenttrace"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/note/notetest"
)

var commit = strings.Repeat("4", 40)

// converted are the records of a note about lines that its commit added.
func converted(t *testing.T, text string, added map[string][]note.Range) [][]byte {
	t.Helper()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := note.Convert(gitai.Parse([]byte(text)).Claims(), note.Commit{Ref: change.ShaRef(commit), Committed: at, Added: added})
	records, err := agenttrace.Records(r.Attribution, commit, at)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// read are the claims that our own reader takes from records.
func read(t *testing.T, records [][]byte) (lines []string) {
	t.Helper()
	for trace := range note.ParseAgentTraces(bytes.Join(records, []byte("\n"))) {
		c := trace.Claims()
		notetest.Check(t, c)
		if len(c.Problems) > 0 || c.Revision != commit {
			t.Errorf("%v, revision %s", c.Problems, c.Revision)
		}
		lines = append(lines, notetest.Lines(c)...)
	}
	return lines
}

const two = `a.go
  s_0011223344556a::t_aabbccddeeff01 1-3,7
  h_99887766554433 4-5
"b c.go"
  s_0011223344556b::t_aabbccddeeff02 1-2
  s_00112233445566::t_aabbccddeeff02 4
---
{"schema_version":"authorship/3.0.0","base_commit_sha":"4444444444444444444444444444444444444444","prompts":{},"humans":{"h_99887766554433":{"author":"Ann Lee <ann@x.test>"}},
"sessions":{"s_0011223344556a":{"agent_id":{"tool":"codex","id":"019e-77","model":"gpt-5.6-sol"}},
"s_0011223344556b":{"agent_id":{"tool":"claude","id":"a session/with %","model":"claude-opus-4-6"}}}}`

func TestWhatIsExportedIsReadBack(t *testing.T) {
	all := map[string][]note.Range{"a.go": {{Start: 1, End: 9}}, "b c.go": {{Start: 1, End: 9}}}
	for name, c := range map[string]struct {
		text  string
		added map[string][]note.Range
		want  []string
	}{
		"two agents and a person": {two, all, []string{
			"a.go:4-5 human", "b c.go:1-2 ai | claude-code | anthropic/claude-opus-4-6 | a session/with %", "b c.go:4-4 unknown | " + note.ReasonUnresolved,
			"a.go:1-3 ai | codex | openai/gpt-5.6-sol | 019e-77", "a.go:7-7 ai | codex | openai/gpt-5.6-sol | 019e-77",
		}},
		"lines that the commit did not add": {notetest.GitAI(commit, "a.go", "1-9", ""), map[string][]note.Range{"a.go": {{Start: 3, End: 4}}}, []string{"a.go:3-4 ai | codex | openai/gpt-5.6-sol | 019e-77"}},
		"a person alone":                    {notetest.GitAI(commit, "a.go", "", "1-2"), all, []string{"a.go:1-2 human"}},
		"nothing":                           {notetest.GitAI(commit, "z.go", "1-2", ""), all, nil},
	} {
		t.Run(name, func(t *testing.T) {
			records := converted(t, c.text, c.added)
			got := read(t, records)
			if d := cmp.Diff(c.want, slices.DeleteFunc(got, func(l string) bool { return l == "" })); d != "" {
				t.Error(d)
			}
			if again := converted(t, c.text, c.added); !slices.EqualFunc(records, again, bytes.Equal) {
				t.Error("the same export gives other bytes")
			}
		})
	}
}

// The patterns are those of the format's schema.
func TestRecordsHaveTheFormOfTheSchema(t *testing.T) {
	form := map[string]string{
		"version": `^[0-9]+\.[0-9]+\.[0-9]+$`, "timestamp": `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`,
		"id": `^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
	}
	ids := map[string]bool{}
	for _, line := range converted(t, two, map[string][]note.Range{"a.go": {{Start: 1, End: 9}}, "b c.go": {{Start: 1, End: 9}}}) {
		var r map[string]any
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		for member, pattern := range form {
			if s, _ := r[member].(string); !regexp.MustCompile(pattern).MatchString(s) {
				t.Errorf("%s is %q", member, s)
			}
		}
		ids[r["id"].(string)] = true
		for _, f := range r["files"].([]any) {
			for _, c := range f.(map[string]any)["conversations"].([]any) {
				kind := c.(map[string]any)["contributor"].(map[string]any)["type"]
				if !slices.Contains([]any{string(stemma.OriginAI), "human", "mixed", "unknown"}, kind) {
					t.Errorf("a contributor is %v", kind)
				}
			}
		}
		if strings.Contains(string(line), "Ann") {
			t.Errorf("a person is named: %s", line)
		}
	}
	if len(ids) != 2 {
		t.Errorf("ids %v", ids)
	}
}
