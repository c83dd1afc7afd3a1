package otlp

import (
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// A talk gathers what was said around one span: the last that was asked, since models
// are told all that was said before again and again, and all that was answered.
type talk struct{ asked, answered string }

// The sides of a talk.
const (
	user      = "user"
	assistant = "assistant"
)

// sides are how the sides are called.
var sides = map[string]string{user: user, "human": user, assistant: assistant, "model": assistant, "ai": assistant}

// add takes a message that stands where one side's are. What the other one said before is
// told there, too, and what harnesses say: that is left out.
func (w *talk) add(side, role, text string) {
	if text = strings.TrimSpace(text); text == "" || sides[role] != side {
		return
	}
	if side == user {
		w.asked = text
	} else {
		w.answered = join(w.answered, text)
	}
}

// read takes messages that stand where one side's are: a list of them, one alone, or bare
// text. Role is whose they are where they do not say so.
func (w *talk) read(side, role, s string) {
	r := jsonwalk.New([]byte(s))
	if jsonwalk.Valid([]byte(s)) != nil {
		w.add(side, role, s)
		return
	}
	switch r.Kind() {
	case '[':
		for range r.Array() {
			w.message(side, role, r)
		}
	case '{':
		w.message(side, role, r)
	case '"':
		w.add(side, role, r.String())
	default:
		w.add(side, role, s)
	}
}

// message takes one message: its text is in its parts, or its content, which may be a
// list of parts again.
func (w *talk) message(side, role string, r *jsonwalk.Reader) {
	if r.Kind() == '"' {
		w.add(side, role, r.String())
		return
	}
	var text string
	for name := range r.Object() {
		switch name {
		case "role":
			role = r.Text(40)
		case "parts", "content", "text":
			text = join(text, content(r))
		case "message": // of a choice
			w.message(side, role, r)
		}
	}
	w.add(side, role, text)
}

// content is text, or the text of a list of parts.
func content(r *jsonwalk.Reader) (text string) {
	if r.Kind() == '"' {
		return r.String()
	}
	for range r.Array() {
		if r.Kind() == '"' {
			text = join(text, r.String())
			continue
		}
		kind, said := "text", ""
		for name := range r.Object() {
			switch name {
			case "type":
				kind = r.Text(40)
			case "content", "text":
				said = r.String()
			}
		}
		if kind == "text" {
			text = join(text, said)
		}
	}
	return text
}

// join puts text behind text, until there is more than is kept.
func join(a, b string) string {
	switch {
	case len(a) > maxSaid:
		return a
	case a == "" || b == "":
		return a + b
	}
	return a + "\n" + b
}

// maxNumbered is how many messages are looked for that are attributes each.
const maxNumbered = 2000

// numbered takes messages that are attributes each: gen_ai.prompt.0.role and .content.
func (w *talk) numbered(a attributes, prefix, side string) {
	for n := range maxNumbered {
		front := prefix + strconv.Itoa(n) + "."
		v := a.first(front + "content")
		if v == nil && a.first(front+"role") == nil {
			return
		}
		whose := a.name(front + "role")
		if whose == "" {
			whose = side
		}
		if s := text(v); jsonwalk.Valid([]byte(s)) == nil && strings.HasPrefix(s, "[") {
			w.read(side, whose, s)
		} else {
			w.add(side, whose, s)
		}
	}
}

// event takes a message that is an event of its span.
func (w *talk) event(name string, a attributes) {
	switch name {
	case "gen_ai.content.prompt":
		w.value(user, a.first("gen_ai.prompt"))
	case "gen_ai.content.completion":
		w.value(assistant, a.first("gen_ai.completion"))
	case "gen_ai.user.message":
		w.value(user, a.first("content"))
	case "gen_ai.assistant.message": // said before, and told again
	case "gen_ai.choice":
		w.value(assistant, a.first("message", "content"))
	case "gen_ai.client.inference.operation.details":
		w.value(user, a.first("gen_ai.input.messages"))
		w.value(assistant, a.first("gen_ai.output.messages"))
	}
}
