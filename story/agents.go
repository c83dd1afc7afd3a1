package story

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A session is one run of an agent in the clone of whoever drives it. It calls the hooks
// and writes its transcript as the real one does.
type session struct {
	*person
	agent, id, model string
	sub              string // id of a worker within the session of its planner
	file             string // the transcript
	calls            int
	speak            dialect
}

// A dialect is how one agent writes down a session and calls its hooks.
type dialect interface {
	begin(*session)
	asked(x *session, text string)
	wrote(x *session, call, path, before, text string)
	ran(x *session, call, command string, failed bool)
}

// start begins a session of an agent.
func (p *person) start(agent, id, model string) *session {
	x := &session{person: p, agent: agent, id: id, model: model}
	home := filepath.Join(p.s.dir, p.login)
	switch agent {
	case "claude-code":
		x.speak, x.file = claude{}, filepath.Join(home, ".claude", "projects", "pay", id+".jsonl")
	case "codex":
		x.speak, x.file = codex{}, filepath.Join(home, ".codex", "sessions", p.s.now.Format("2006/01/02"), "rollout-"+id+".jsonl")
	default:
		x.speak, x.file = gemini{}, filepath.Join(home, ".gemini", "tmp", "pay", "chats", "session-"+id+".jsonl")
	}
	x.speak.begin(x)
	return x
}

// asks is what the person asks of the agent.
func (x *session) asks(text string) *session {
	x.s.tick()
	x.speak.asked(x, text)
	return x
}

// writes has the agent write a file.
func (x *session) writes(path, text string) *session {
	x.s.tick()
	before, _ := os.ReadFile(filepath.Join(x.dir(), path)) // a new file has nothing
	x.speak.wrote(x, x.call(), path, string(before), text)
	return x
}

// runs has the agent run a command, which does nothing here.
func (x *session) runs(command string, failed bool) *session {
	x.s.tick()
	x.speak.ran(x, x.call(), command, failed)
	return x
}

// reads has Claude Code read an issue through the tracker's server of tools.
func (x *session) reads(issue string) *session {
	x.s.tick()
	c, call := claude{}, x.call()
	c.used(x, call, "mcp__jira__get_issue", object{"issueIdOrKey": issue})
	c.result(x, call, false, nil)
	return x
}

func (x *session) call() string {
	x.calls++
	return fmt.Sprintf("call_%s%s_%02d", x.sub, x.id[len(x.id)-4:], x.calls)
}

func (x *session) save(path, text string) { x.s.write(filepath.Join(x.dir(), path), text) }

func (x *session) row(members object) { x.s.addLine(x.file, members) }

// told is what every payload of a hook says.
func (x *session) told(event string, more object) object {
	m := object{"session_id": x.id, "transcript_path": x.file, "cwd": x.dir(), "hook_event_name": event}
	if x.sub != "" {
		m["agent_id"] = x.sub
	}
	for k, v := range more {
		m[k] = v
	}
	return m
}

// Claude Code.
type claude struct{}

func (claude) entry(x *session, kind string, message object, more object) {
	m := object{
		"type": kind, "sessionId": x.id, "version": "2.1.42", "cwd": x.dir(), "gitBranch": x.git("branch", "--show-current"),
		"timestamp": x.s.stamp(), "isSidechain": x.sub != "", "message": message,
	}
	if x.sub != "" {
		m["agentId"] = x.sub
	}
	for k, v := range more {
		m[k] = v
	}
	x.row(m)
}

func (claude) begin(*session) {}

func (c claude) asked(x *session, text string) {
	if x.sub == "" {
		x.hook(x.agent, x.told("UserPromptSubmit", object{"prompt": text}))
	}
	c.entry(x, "user", object{"role": "user", "content": text}, nil)
}

// used is an answer of the model with one call of a tool.
func (c claude) used(x *session, call, tool string, input object) {
	c.entry(x, "assistant", object{
		"model": x.model, "id": "msg_" + call, "role": "assistant",
		"content": []any{object{"type": "tool_use", "id": call, "name": tool, "input": input}},
		"usage":   object{"input_tokens": 1200, "output_tokens": 300},
	}, nil)
}

func (c claude) result(x *session, call string, failed bool, told object) {
	more := object{}
	if told != nil {
		more["toolUseResult"] = told
	}
	c.entry(x, "user", object{"role": "user", "content": []any{object{"type": "tool_result", "tool_use_id": call, "content": "done", "is_error": failed}}}, more)
}

func (c claude) wrote(x *session, call, path, before, text string) {
	input := object{"file_path": filepath.Join(x.dir(), path), "content": text}
	c.used(x, call, "Write", input)
	tool := object{"tool_name": "Write", "tool_use_id": call, "tool_input": input}
	x.hook(x.agent, x.told("PreToolUse", tool))
	x.save(path, text)
	told := object{"type": "update", "filePath": input["file_path"], "content": text, "originalFile": before, "structuredPatch": []any{object{"oldStart": 1}}}
	if before == "" {
		told = object{"type": "create", "filePath": input["file_path"], "content": text, "structuredPatch": []any{}}
	}
	tool["tool_response"] = told
	x.hook(x.agent, x.told("PostToolUse", tool))
	c.result(x, call, false, told)
}

func (c claude) ran(x *session, call, command string, failed bool) {
	input := object{"command": command}
	c.used(x, call, "Bash", input)
	tool := object{"tool_name": "Bash", "tool_use_id": call, "tool_input": input}
	x.hook(x.agent, x.told("PreToolUse", tool))
	x.hook(x.agent, x.told("PostToolUse", tool))
	c.result(x, call, failed, nil)
}

// spawns has a session of Claude Code start a worker, which tells of itself until it is done.
func (x *session) spawns(sub, model, task string, work func(worker *session)) {
	x.s.tick()
	c, call := claude{}, x.call()
	c.used(x, call, "Task", object{"description": task, "prompt": task, "subagent_type": "general-purpose"})
	worker := &session{person: x.person, agent: x.agent, id: x.id, model: model, sub: sub, speak: c}
	worker.file = filepath.Join(strings.TrimSuffix(x.file, ".jsonl"), "subagents", "agent-"+sub+".jsonl")
	transcript := x.file
	start := object{"agent_type": "general-purpose", "transcript_path": transcript}
	x.hook(x.agent, worker.told("SubagentStart", start))
	worker.asks(task)
	work(worker)
	x.hook(x.agent, worker.told("SubagentStop", start))
	c.result(x, call, false, object{"status": "completed", "agentId": sub, "totalTokens": 1500 * worker.calls, "totalToolUseCount": worker.calls})
}

// Codex.
type codex struct{}

func (codex) entry(x *session, kind string, payload object) {
	x.row(object{"timestamp": x.s.stamp(), "type": kind, "payload": payload})
}

func (c codex) begin(x *session) {
	c.entry(x, "session_meta", object{"id": x.id, "timestamp": x.s.stamp(), "cwd": x.dir(), "originator": "codex_cli", "cli_version": "0.99.1", "git": object{"branch": x.git("branch", "--show-current")}})
	c.entry(x, "turn_context", object{"cwd": x.dir(), "model": x.model})
}

func (c codex) asked(x *session, text string) {
	x.hook(x.agent, x.told("UserPromptSubmit", object{"prompt": text, "model": x.model}))
	c.entry(x, "response_item", object{"type": "message", "role": "user", "content": []any{object{"type": "input_text", "text": text}}})
	c.entry(x, "event_msg", object{"type": "user_message", "message": text})
}

func (c codex) wrote(x *session, call, path, before, text string) {
	patch := patchOf(path, before, text)
	c.entry(x, "response_item", object{"type": "custom_tool_call", "status": "completed", "call_id": call, "name": "apply_patch", "input": patch})
	tool := object{"tool_name": "apply_patch", "tool_use_id": call, "model": x.model, "tool_input": object{"command": patch}}
	x.hook(x.agent, x.told("PreToolUse", tool))
	x.save(path, text)
	x.hook(x.agent, x.told("PostToolUse", tool))
	c.entry(x, "response_item", object{"type": "custom_tool_call_output", "call_id": call, "output": `{"output":"Success.","metadata":{"exit_code":0}}`})
	c.took(x)
}

// patchOf writes a file anew in the patches of Codex.
func patchOf(path, before, text string) string {
	lines := func(mark, text string) string {
		return mark + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+mark) + "\n"
	}
	if before == "" {
		return "*** Begin Patch\n*** Add File: " + path + "\n" + lines("+", text) + "*** End Patch"
	}
	return "*** Begin Patch\n*** Update File: " + path + "\n@@\n" + lines("-", before) + lines("+", text) + "*** End Patch"
}

func (c codex) ran(x *session, call, command string, failed bool) {
	exit := map[bool]int{true: 1}[failed]
	c.entry(x, "response_item", object{"type": "function_call", "name": "shell_command", "call_id": call, "arguments": fmt.Sprintf(`{"command":%q}`, command)})
	tool := object{"tool_name": "shell_command", "tool_use_id": call, "model": x.model, "tool_input": object{"command": command}}
	x.hook(x.agent, x.told("PreToolUse", tool))
	x.hook(x.agent, x.told("PostToolUse", tool))
	c.entry(x, "response_item", object{"type": "function_call_output", "call_id": call, "output": fmt.Sprintf("Exit code: %d\nOutput:\n", exit)})
	c.took(x)
}

func (c codex) took(x *session) {
	c.entry(x, "event_msg", object{"type": "token_count", "info": object{"total_token_usage": object{
		"input_tokens": 1000 * x.calls, "cached_input_tokens": 600 * x.calls, "output_tokens": 90 * x.calls,
	}}})
}

// Gemini CLI.
type gemini struct{}

func (gemini) begin(x *session) {
	x.row(object{"sessionId": x.id, "projectHash": "pay", "startTime": x.s.stamp(), "lastUpdated": x.s.stamp()})
}

func (gemini) asked(x *session, text string) {
	x.hook(x.agent, x.told("BeforeAgent", object{"prompt": text}))
	x.row(object{"id": "m" + x.call(), "timestamp": x.s.stamp(), "type": "user", "content": []any{object{"text": text}}})
}

func (g gemini) used(x *session, call, tool string, args object, act func()) {
	payload := object{"tool_name": tool, "tool_input": args, "timestamp": x.s.stamp()}
	x.hook(x.agent, x.told("BeforeTool", payload))
	act()
	x.hook(x.agent, x.told("AfterTool", payload))
	x.row(object{
		"id": "m" + call, "timestamp": x.s.stamp(), "type": "gemini", "content": "", "model": x.model,
		"tokens":    object{"input": 900, "output": 120, "cached": 0, "thoughts": 0, "tool": 0, "total": 1020},
		"toolCalls": []any{object{"id": call, "name": tool, "args": args, "status": "success"}},
	})
}

func (g gemini) wrote(x *session, call, path, _, text string) {
	args := object{"file_path": filepath.Join(x.dir(), path), "content": text}
	g.used(x, call, "write_file", args, func() { x.save(path, text) })
}

func (g gemini) ran(x *session, call, command string, _ bool) {
	g.used(x, call, "run_shell_command", object{"command": command}, func() {})
}
