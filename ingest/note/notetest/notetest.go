// Package notetest helps to test readers of records of line origin.
package notetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/note"
)

// Lines spells claims as one line each, for comparison.
func Lines(c note.Claims) []string {
	var out []string
	for _, f := range c.Files {
		for _, s := range f.Spans {
			l := fmt.Sprintf("%s:%d-%d %s", f.Path, s.Start, s.End, s.Origin)
			for _, part := range []string{s.Agent, s.ModelName, s.Session, s.Author, s.Reason} {
				if part != "" {
					l += " | " + part
				}
			}
			out = append(out, l)
		}
	}
	return out
}

// Check holds claims to what the comments of [note.Claims] promise.
func Check(t testing.TB, c note.Claims) {
	t.Helper()
	total := 0
	paths := map[string]bool{}
	for _, f := range c.Files {
		if paths[f.Path] {
			t.Fatalf("path %q twice", f.Path)
		}
		paths[f.Path] = true
		last := 0
		for _, s := range f.Spans {
			if s.Start <= last || s.End < s.Start || s.End > note.MaxLine {
				t.Fatalf("span %d-%d after line %d", s.Start, s.End, last)
			}
			if s.Origin == stemma.OriginUnknown && s.Reason == "" {
				t.Fatalf("unknown without a reason: %+v", s)
			}
			last = s.End
			total += s.End - s.Start + 1
		}
	}
	if total != c.Claimed {
		t.Fatalf("%d lines in spans, %d claimed", total, c.Claimed)
	}
}

// GitAI writes a note of Git AI: ranges of lines by AI and by a person, of one
// session and one person.
func GitAI(commit, path, ai, human string) string {
	var b strings.Builder
	b.WriteString(path + "\n")
	if ai != "" {
		b.WriteString("  s_0011223344556a::t_aabbccddeeff01 " + ai + "\n")
	}
	if human != "" {
		b.WriteString("  h_99887766554433 " + human + "\n")
	}
	b.WriteString("---\n" + `{"schema_version":"authorship/3.0.0","base_commit_sha":"` + commit + `","prompts":{},
"humans":{"h_99887766554433":{"author":"Ann Lee <ann@x.test>"}},
"sessions":{"s_0011223344556a":{"agent_id":{"tool":"codex","id":"019e-77","model":"gpt-5.6-sol"},"human_author":"ann@x.test"}}}`)
	return b.String()
}

// Whogitit is a note of whogitit about a.go.
const Whogitit = `{"version":3,"session":{"session_id":"5e-1","model":{"id":"claude-opus-4-5-20251101","provider":"anthropic"},
"started_at":"2026-02-02T03:44:12.727794+00:00","prompt_count":1},"prompts":[{"index":0,"text":"do it","timestamp":"2026-02-02T03:44:12.727911+00:00"}],
"files":[{"path":"a.go","lines":[{"line_number":1,"content":"x","source":{"type":"AI","edit_id":"e1"},"prompt_index":0},
{"line_number":2,"content":"y","source":{"type":"Human"}},{"line_number":3,"content":"y","source":{"type":"AIModified","edit_id":"e1","similarity":0.8},"prompt_index":0}]}]}`

// AgentTrace is a record of Agent Trace about lines of a.go.
func AgentTrace(id, commit string, from, to int) string {
	return fmt.Sprintf(`{"version":"0.1.0","id":%q,"timestamp":"2026-02-02T03:44:12Z","vcs":{"type":"git","revision":%q},`+
		`"tool":{"name":"cursor","version":"2"},"files":[{"path":"a.go","conversations":[{"url":"https://x.test/c/1","contributor":{"type":"ai","model_id":"openai/gpt-5"},`+
		`"ranges":[{"start_line":%d,"end_line":%d}]}]},{"path":".shell-history","conversations":[]}]}`+"\n", id, commit, from, to)
}

// Chainloop is an AI coding session of Chainloop with its commits, about ranges of
// lines of one file, "2-4,9-9".
func Chainloop(id, path, ranges string, commits ...string) string {
	var list []string
	for r := range strings.SplitSeq(ranges, ",") {
		start, end, _ := strings.Cut(r, "-")
		list = append(list, fmt.Sprintf(`{"start":%s,"end":%s}`, start, end))
	}
	return fmt.Sprintf(`{"chainloop.material.evidence.id":"CHAINLOOP_AI_CODING_SESSION",
"schema":"https://schemas.chainloop.dev/aicodingsession/0.1/ai-coding-session.schema.json",
"data":{"schema_version":"v1","agent":{"name":"claude-code","version":"2.1"},"session":{"id":%q,"started_at":"2026-02-02T03:44:12Z","duration_seconds":9},
"git_context":{"branch":"main","commits":["%s"],"commit_count":%d},
"code_changes":{"files":[{"path":%q,"status":"modified","attribution":"ai","line_ranges":[%s]}]},
"model":{"primary":"claude-opus-4-6","models_used":["claude-opus-4-6"]},"usage":{"output_tokens":294}}}`,
		id, strings.Join(commits, `","`), len(commits), path, strings.Join(list, ","))
}
