package query

import "github.com/stemma-dev/stemma/query/filter"

// spawned are the matching sessions and all that they spawned, and so on.
const spawned = `(WITH RECURSIVE tree(id) AS (SELECT ts.id FROM k_session ts WHERE ts.id IN {match}
	UNION SELECT ss.id FROM tree JOIN k_session ss ON ss."parent" = tree.id)
	SELECT tree.id FROM tree)`

// toolcalls are single calls; what they were called with is for who may read the transcript.
func toolcalls() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "toolcalls", Doc: "calls of tools by coding agents",
			Search:  []string{"tool", "path", "call"},
			Columns: []string{"session", "call", "tool", "path", "at"},
		},
		from: `k_session c JOIN k_session_tool_call t ON t.id = c.id`, id: "c.id", key: "c.id, t.seq", tie: "t.seq",
		fields: []*field{
			ref("session", "c.id", toSession, "the session that made it"),
			condition("ancestor", toSession, "made by a session that this one spawned, or that one of those spawned", `c."parent" IN `+spawned),
			condition("tree", toSession, "made by that session or by one of all that it spawned", `c.id IN `+spawned),
			value(filter.Text, "agent", `c."tool"`, "the agent's program"),
			value(filter.Text, "call", `t."call"`, "the id that the tool gives"),
			value(filter.Text, "tool", `t."tool"`, "what was called"),
			value(filter.Path, "path", `t."path"`, "file it worked on"),
			value(filter.Time, "at", `t."at"`, "when, by the tool's clock"),
			number("turn", `t."turn"`, "number of the message that made it"),
			choice("is", "shell: it ran a command; network: a program of the command is one that talks to other machines, of others nothing is known", map[string]string{
				"shell": `COALESCE(t."shell", 0) = 1`, "network": `COALESCE(t."network", 0) = 1`, "failed": `COALESCE(t."error", 0) = 1`,
			}),
		},
	}
}

func sessions() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "sessions", Doc: "runs of coding agents",
			Search:  []string{"title", "id", "ticket", "ref"},
			Columns: []string{"ref", "title", "started", "model", "turns", "prompts", "tool-calls", "tokens"},
			Order:   []filter.Order{{Name: "started", Desc: true}},
		},
		from: `k_session c`, id: "c.id", key: "c.id", driver: "started",
		fields: []*field{
			ref("ref", "c.id", toSession, "the session itself: session:claude-code/5c1e…"),
			value(filter.Text, "id", `c."external_id"`, "the id that the tool gives"),
			value(filter.Text, "tool", `c."tool"`, "the agent's program").alias("agent"),
			value(filter.Text, "version", `c."harness_version"`, "version of the tool"),
			value(filter.Words, "title", `c."title"`, "what the tool calls it"),
			value(filter.Time, "started", `c."started"`, "when it began"),
			value(filter.Time, "ended", `c."ended"`, "last sign of it"),
			ref("model", `sm."model"`, toModel, "models it used").many(`k_session_model sm`, "sm.id", ""),
			count("turns", `c."turns"`, "messages of both sides"),
			count("prompts", `c."prompts"`, "messages that a person typed"),
			count("tool-calls", `c."tool_calls"`, "calls of tools"),
			number("its", `c."iterations"`, "iterations: answers of the model until the end"),
			number("reprompts", `c."reprompts"`, "prompts after tests that it ran had failed"),
			count("tokens", `(COALESCE(c."input_tokens", 0) + COALESCE(c."output_tokens", 0))`, "tokens read anew and written"),
			number("input-tokens", `c."input_tokens"`, "tokens read anew"),
			number("output-tokens", `c."output_tokens"`, "tokens written"),
			value(filter.Int, "cost", `c."cost_micro_usd"`, "what the tokens cost, in micro-dollars; none unless all of them have a price"),
			value(filter.Text, "server", `sg."name"`, "servers of tools that it called").many(`k_session_config sg`, "sg.id", `sg."kind" = 'mcp-server'`),
			value(filter.Text, "rules", `sr."digest"`, "digests of the files of rules that it was given").many(`k_session_config sr`, "sr.id", `sr."kind" = 'rules'`),
			value(filter.Text, "call", `tc."tool"`, "tools it called").many(`k_session_tool_call tc`, "tc.id", ""),
			value(filter.Path, "path", `sf."path"`, "files it edited").many(`k_session_file sf`, "sf.id", ""),
			value(filter.Text, "branch", `c."branch"`, "branch it worked on"),
			ref("operator", "e.dst", toPerson, "who started it").many(`edge e`, "e.src", door("e.door", "operator")),
			ref("ticket", "e.dst", toTicket, "tickets it was asked to do").many(`edge e`, "e.src", door("e.door", "works-on")),
			ref("change", "e.src", toChange, "changes that came from it").many(`edge e JOIN k_change ec ON ec.id = e.src`, "e.dst",
				`e.door IN (SELECT d.id FROM door d WHERE d.name IN ('opened', 'session'))`),
			ref("commit", "e.src", toCommit, "commits that came from it").many(`edge e JOIN k_commit ec ON ec.id = e.src`, "e.dst", door("e.door", "session")),
			ref("parent", `c."parent"`, toSession, "the session that spawned it"),
			number("depth", `c."depth"`, "spawns above it"),
			condition("ancestor", toSession, "spawned by that session, or by one it spawned", `c."parent" IN `+spawned),
			condition("tree", toSession, "that session and all it spawned", `c.id IN `+spawned),
			value(filter.Text, "source", `c."origin_record"`, "where it was read from"),
			choice("is", "place in a tree", map[string]string{
				"root": `c."parent" IS NULL`, "spawned": `c."parent" IS NOT NULL`,
				"planner": `EXISTS (SELECT 1 FROM k_session w WHERE w."parent" = c.id)`,
			}),
		},
	}
}
