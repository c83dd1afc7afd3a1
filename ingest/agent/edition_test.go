package agent_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/ingest/agent"
)

// claudeCall is a call of Claude Code and what it gave back.
func claudeCall(tool, input, result string) string {
	return `{"type":"assistant","sessionId":"s1","uuid":"u1","timestamp":"2026-01-02T03:04:05Z","message":{"id":"m1","role":"assistant","model":"claude-opus-4-6","content":[{"type":"tool_use","id":"t1","name":"` + tool + `","input":` + input + `}]}}
{"type":"user","sessionId":"s1","uuid":"u2","timestamp":"2026-01-02T03:04:06Z","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"ok"}]},"toolUseResult":` + result + "}\n"
}

func codexCall(input, output string) string {
	return `{"type":"session_meta","timestamp":"2026-01-02T03:04:05Z","payload":{"id":"s1","cwd":"/w"}}
{"type":"turn_context","timestamp":"2026-01-02T03:04:05Z","payload":{"model":"gpt-5.1-codex"}}
{"type":"response_item","timestamp":"2026-01-02T03:04:05Z","payload":{"type":"custom_tool_call","name":"apply_patch","call_id":"t1","input":` + input + `}}
{"type":"response_item","timestamp":"2026-01-02T03:04:06Z","payload":{"type":"custom_tool_call_output","call_id":"t1","output":` + output + "}}\n"
}

func geminiCall(call string) string {
	return `{"sessionId":"s1","projectHash":"h","startTime":"2026-01-02T03:04:05Z"}
{"id":"1","timestamp":"2026-01-02T03:04:06Z","type":"gemini","content":"","model":"gemini-3-pro","toolCalls":[` + call + "]}\n"
}

func TestTranscriptsTellWhatWasWritten(t *testing.T) {
	const patch = `"*** Begin Patch\n*** Update File: a.go\n@@\n-x\n+y\n*** End Patch"`
	for name, c := range map[string]struct{ rows, want string }{
		"an edit with the file before it": {
			claudeCall("Edit", `{"file_path":"/w/a.go","old_string":"x","new_string":"y"}`, `{"filePath":"/w/a.go","oldString":"x","newString":"y","originalFile":"ax\n","structuredPatch":[],"userModified":false,"replaceAll":false}`),
			`t1 claude-opus-4-6 /w/a.go: "ax\n" -> "ay\n"`,
		},
		"an edit of large files, which do not stand there": {
			claudeCall("Edit", `{"file_path":"/w/a.go","old_string":"x","new_string":"y"}`, `{"filePath":"/w/a.go","oldString":"x","newString":"y","originalFile":null}`),
			`t1 claude-opus-4-6 /w/a.go: ? -> "zyz"`,
		},
		"a new file": {
			claudeCall("Write", `{"file_path":"/w/a.go","content":"y"}`, `{"type":"create","filePath":"/w/a.go","content":"y","structuredPatch":[],"originalFile":null}`),
			`t1 claude-opus-4-6 /w/a.go: "" -> "y"`,
		},
		"a file that is written anew": {
			claudeCall("Write", `{"file_path":"/w/a.go","content":"y"}`, `{"type":"update","filePath":"/w/a.go","content":"y","structuredPatch":[{}],"originalFile":"x"}`),
			`t1 claude-opus-4-6 /w/a.go: "x" -> "y"`,
		},
		"several edits": {
			claudeCall("MultiEdit", `{"file_path":"/w/a.go","edits":[{"old_string":"x","new_string":"y"}]}`, `{"filePath":"/w/a.go","edits":[{"old_string":"x","new_string":"y"},{"old_string":"y","new_string":"q"}],"originalFileContents":"x"}`),
			`t1 claude-opus-4-6 /w/a.go: "x" -> "q"`,
		},
		"an edit that a person changed": {
			claudeCall("Edit", `{"file_path":"/w/a.go","old_string":"x","new_string":"y"}`, `{"filePath":"/w/a.go","oldString":"x","newString":"z","originalFile":"x","userModified":true}`),
			`t1 claude-opus-4-6 /w/a.go: "x" -> "z" changed`,
		},
		"a call that failed": {
			strings.Replace(claudeCall("Edit", `{"file_path":"/w/a.go","old_string":"x","new_string":"y"}`, `"Error"`), `"tool_use_id"`, `"is_error":true,"tool_use_id"`, 1), "",
		},
		"a file that was read": {claudeCall("Read", `{"file_path":"/w/a.go"}`, `{"type":"text","file":{"filePath":"/w/a.go","content":"x"}}`), ""},
		"a patch":              {codexCall(patch, `"{\"output\":\"Success\",\"metadata\":{\"exit_code\":0}}"`), `t1 gpt-5.1-codex a.go: ? -> "y\n"`},
		"a patch that failed":  {codexCall(patch, `"{\"output\":\"no\",\"metadata\":{\"exit_code\":1}}"`), ""},
		"what Gemini shows": {
			geminiCall(`{"id":"t1","name":"replace","args":{"file_path":"/w/a.go","old_string":"x","new_string":"y"},"status":"success","resultDisplay":{"fileDiff":"d","fileName":"a.go","originalContent":"ax","newContent":"ay"}}`),
			`t1 gemini-3-pro /w/a.go: "ax" -> "ay"`,
		},
		"what Gemini does not show": {
			geminiCall(`{"id":"t1","name":"replace","args":{"file_path":"/w/a.go","old_string":"x","new_string":"y"},"status":"success"}`),
			`t1 gemini-3-pro /w/a.go: ? -> "zyz"`,
		},
		"what Gemini has not done yet": {
			geminiCall(`{"id":"t1","name":"write_file","args":{"file_path":"/w/a.go","content":"y"},"status":"executing"}`), "",
		},
	} {
		var got []string
		_, err := agent.Read(strings.NewReader(c.rows), agent.Options{Wrote: func(e agent.Edition) {
			before, text := "zxz", "?"
			if strings.Contains(c.want, `"y\n"`) && !e.Before.Told {
				before = "x\n"
			}
			if e.Before.Told {
				before, text = e.Before.Text, fmt.Sprintf("%q", e.Before.Text)
			}
			after, ok := e.Apply(before)
			if !ok {
				t.Errorf("%s: %+v leads nowhere", name, e)
			}
			line := fmt.Sprintf("%s %s %s: %s -> %q", e.Call, e.Model, e.Path, text, after)
			if e.Modified {
				line += " changed"
			}
			got = append(got, line)
		}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
