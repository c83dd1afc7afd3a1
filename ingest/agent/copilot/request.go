package copilot

import (
	"strings"

	"github.com/stemma-dev/stemma/ingest/agent/run"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// tell gives what a request says to its session. Its result lists each round of
// the model with its calls; an unfinished one has only the parts that are shown.
func (q *request) tell(s *run.Run) {
	s.Seen(run.Place{At: q.at, Version: q.version})
	if run.Typed(q.prompt) {
		s.Prompt(run.Message{Text: q.prompt}, q.at, true)
	}
	rounds, details := readResult(q.result)
	model := q.model[strings.LastIndexByte(q.model, '/')+1:]
	if model == "" || model == "auto" { // the result says which one it was
		model = modelShown(details)
	}
	shown := readShown(q.response)
	if len(rounds) == 0 && (shown.Text != "" || len(shown.Calls) > 0) {
		rounds = []run.Message{shown}
	}
	edits := false
	for i := range rounds {
		rounds[i].Model = model
		for _, c := range rounds[i].Calls {
			edits = edits || c.Edits
		}
	}
	if last := len(rounds) - 1; last >= 0 && !edits && len(rounds[last].Calls) == 0 {
		for _, c := range shown.Calls { // edits that no call tells of
			if c.Edits {
				rounds[last].Calls = append(rounds[last].Calls, c)
			}
		}
	}
	for _, m := range rounds {
		s.Answer(m, q.at)
	}
}

// modelShown returns the name of the model in "Claude Sonnet 4.5 • 1x", spelt as
// elsewhere: what is shown to a person has spaces and capitals.
func modelShown(details string) string {
	name, _, _ := strings.Cut(details, "\u2022")
	name = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "-")
	if strings.HasPrefix(name, "claude-") {
		name = strings.ReplaceAll(name, ".", "-")
	}
	return name
}

// readResult reads the rounds of a result, and what it says of the model.
func readResult(raw []byte) (rounds []run.Message, details string) {
	r := jsonwalk.New(raw)
	if len(raw) == 0 {
		return nil, ""
	}
	for name := range r.Object() {
		switch name {
		case "details":
			details = r.Text(200)
		case "metadata":
			for name := range r.Object() {
				switch name {
				case "resolvedModel":
					details = r.Text(200)
				case "toolCallRounds":
					for range r.Array() {
						rounds = append(rounds, readRound(r))
					}
				}
			}
		}
	}
	return rounds, details
}

func readRound(r *jsonwalk.Reader) (m run.Message) {
	for name := range r.Object() {
		switch name {
		case "id":
			m.ID = r.Text(200)
		case "response":
			m.Text = r.String()
		case "toolCalls":
			for range r.Array() {
				var id, tool string
				var args []byte
				for name := range r.Object() {
					switch name {
					case "id":
						id = r.Text(200)
					case "name":
						tool = r.Text(200)
					case "arguments":
						args = r.Raw()
					}
				}
				m.Calls = append(m.Calls, run.NewCall(id, tool, args))
			}
		}
	}
	return m
}

// readShown reads the parts of a response: text, calls and edits as they are
// shown to the person.
func readShown(parts [][]byte) (m run.Message) {
	var text strings.Builder
	for _, part := range parts {
		r := jsonwalk.New(part)
		var kind, said, tool, call, path string
		for name := range r.Object() {
			switch name {
			case "kind":
				kind = r.Text(60)
			case "value":
				said = r.String()
			case "toolId":
				tool = r.Text(200)
			case "toolCallId":
				call = r.Text(200)
			case "uri":
				for name := range r.Object() {
					switch name {
					case "fsPath", "path":
						if p := r.String(); path == "" {
							path = p
						}
					}
				}
			}
		}
		switch kind {
		case "", "markdownContent":
			text.WriteString(said)
		case "toolInvocationSerialized":
			m.Calls = append(m.Calls, run.Call{ID: call, Tool: tool})
		case "textEditGroup", "notebookEditGroup":
			if path != "" {
				m.Calls = append(m.Calls, run.Call{Tool: kind, Paths: []string{path}, Edits: true})
			}
		}
	}
	m.Text = text.String()
	return m
}
