// Package session keeps the runs of coding agents: which harness, which models,
// how many turns, tool calls and tokens, and which session spawned which.
//
// Refs: session:TOOL/ID with the id that the tool itself gives.
//
// Doors lead up to the session that spawned it and to tickets, down to changes
// it opened, aside to agent, models, the person at the keyboard, the repository and the
// commits that it stood on.
//
// What was said is never here: prompts and answers are bodies, kept encrypted
// elsewhere and named by digest. The package does no I/O and reads no clock.
package session

import "github.com/stemma-dev/stemma"

// Room declares the kinds of this package.
var Room = stemma.Room{Name: "session", Kinds: []stemma.KindSpec{sessionSpec}}

var sessionSpec = stemma.KindSpec{
	Kind: stemma.KindSession, Stage: stemma.StageSession,
	Doc: "one run of one coding agent",
	Columns: []stemma.Column{
		{Name: "tool", Type: stemma.Text, Index: true, Doc: "the harness: claude-code, codex"},
		{Name: "external_id", Type: stemma.Text, Index: true, Doc: "the id that the tool gives"},
		{Name: "started", Type: stemma.Time, Index: true, Doc: "when it began, by the tool's clock"},
		{Name: "ended", Type: stemma.Time, Doc: "last sign of it, by the tool's clock"},
		{Name: "harness_version", Type: stemma.Text, Doc: "version of the tool"},
		{Name: "title", Type: stemma.Text, Doc: "what the tool calls it"},
		{Name: "turns", Type: stemma.Int, Doc: "messages of both sides"},
		{Name: "prompts", Type: stemma.Int, Doc: "messages that a person typed"},
		{Name: "tool_calls", Type: stemma.Int, Doc: "calls of tools"},
		{Name: "iterations", Type: stemma.Int, Doc: "answers of the model until the end"},
		{Name: "reprompts", Type: stemma.Int, Doc: "prompts after tests that the session ran had failed"},
		{Name: "input_tokens", Type: stemma.Int, Doc: "tokens read anew"},
		{Name: "output_tokens", Type: stemma.Int, Doc: "tokens written"},
		{Name: "cache_read_tokens", Type: stemma.Int, Doc: "tokens read from the cache"},
		{Name: "cache_write_tokens", Type: stemma.Int, Doc: "tokens put into the cache"},
		{Name: "cost_micro_usd", Type: stemma.Int, Doc: "what the tokens cost, in micro-dollars; none unless all of them have a price"},
		{Name: "price_table", Type: stemma.Text, Doc: "date of the table of prices that the cost is by"},
		{Name: "parent", Type: stemma.Link, Index: true, Doc: "the session that spawned it"},
		{Name: "depth", Type: stemma.Int, Doc: "spawns above it"},
		{Name: "branch", Type: stemma.Text, Doc: "branch it worked on"},
		{Name: "origin_record", Type: stemma.Text, Doc: "where it was read from"},
	},
	Lists: []stemma.List{
		{Name: "model", Doc: "models it used", Columns: []stemma.Column{
			{Name: "model", Type: stemma.Link, Index: true, Doc: "the model, if it has a name"},
			{Name: "name", Type: stemma.Text, Index: true, Doc: "as the tool spells it"},
			{Name: "turns", Type: stemma.Int, Doc: "answers it gave"},
			{Name: "input_tokens", Type: stemma.Int, Doc: "tokens it read"},
			{Name: "output_tokens", Type: stemma.Int, Doc: "tokens it wrote"},
			{Name: "cache_read_tokens", Type: stemma.Int, Doc: "tokens it read from the cache"},
			{Name: "cache_write_tokens", Type: stemma.Int, Doc: "tokens it put into the cache"},
			{Name: "cost_micro_usd", Type: stemma.Int, Doc: "what they cost, in micro-dollars"},
		}},
		{Name: "turn", Doc: "messages in their order", Columns: []stemma.Column{
			{Name: "number", Type: stemma.Int, Doc: "from 1"},
			{Name: "role", Type: stemma.Text, Doc: "user, assistant, system or tool"},
			{Name: "at", Type: stemma.Time, Doc: "when, by the tool's clock"},
			{Name: "model", Type: stemma.Text, Doc: "model as the tool spells it"},
			{Name: "input_tokens", Type: stemma.Int, Doc: "tokens read"},
			{Name: "output_tokens", Type: stemma.Int, Doc: "tokens written"},
			{Name: "tool_calls", Type: stemma.Int, Doc: "calls it made"},
			{Name: "body", Type: stemma.Text, Doc: "digest of what was said"},
			{Name: "typed", Type: stemma.Bool, Doc: "a person typed it"},
			{Name: "failing", Type: stemma.Bool, Doc: "it came after tests that had failed"},
		}},
		{Name: "tool_call", Doc: "calls of tools in their order", Columns: []stemma.Column{
			{Name: "turn", Type: stemma.Int, Doc: "number of the turn that made it"},
			{Name: "call", Type: stemma.Text, Doc: "id that the tool gives"},
			{Name: "tool", Type: stemma.Text, Index: true, Doc: "what was called"},
			{Name: "path", Type: stemma.Text, Doc: "file it worked on"},
			{Name: "at", Type: stemma.Time, Doc: "when, by the tool's clock"},
			{Name: "error", Type: stemma.Bool, Doc: "it failed"},
			{Name: "shell", Type: stemma.Bool, Doc: "it ran a command"},
			{Name: "network", Type: stemma.Bool, Index: true, Doc: "a program of the command is one that talks to other machines; that none is known to says nothing"},
		}},
		{Name: "file", Doc: "files it edited", Columns: []stemma.Column{
			{Name: "path", Type: stemma.Text, Index: true, Doc: "path in the repository"},
			{Name: "edits", Type: stemma.Int, Doc: "how many edits"},
		}},
		{Name: "config", Doc: "what it worked under", Columns: []stemma.Column{
			{Name: "kind", Type: stemma.Text, Index: true, Doc: "system-prompt, rules or mcp-server"},
			{Name: "name", Type: stemma.Text, Doc: "name of the file or the server"},
			{Name: "digest", Type: stemma.Text, Index: true, Doc: "digest of what it says"},
		}},
	},
	Doors: []stemma.Door{
		{Name: "model", To: []stemma.Kind{stemma.KindModel}, Doc: "models it used"},
		{Name: "agent", To: []stemma.Kind{stemma.KindAgent}, Doc: "agent that ran"},
		{Name: "spawned-by", To: []stemma.Kind{stemma.KindSession}, Flow: stemma.Up, Doc: "session that started it"},
		{Name: "works-on", To: []stemma.Kind{stemma.KindTicket}, Flow: stemma.Up, Doc: "tickets it was asked to do"},
		{Name: "operator", To: []stemma.Kind{stemma.KindPerson, stemma.KindBot}, Doc: "who started it"},
		{Name: "in", To: []stemma.Kind{stemma.KindRepository}, Doc: "repository it worked in"},
		{Name: "at", To: []stemma.Kind{stemma.KindCommit}, Doc: "commits that were checked out while it worked"},
		{Name: "opened", To: []stemma.Kind{stemma.KindChange}, Flow: stemma.Down, Doc: "changes it proposed"},
	},
}
