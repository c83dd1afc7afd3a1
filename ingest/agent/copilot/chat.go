package copilot

import (
	"io"
	"strconv"
	"time"

	"github.com/stemma-dev/stemma/ingest/agent/run"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// Chat reads a chat of GitHub Copilot as VS Code keeps it: a document, or the
// same document as rows of which the first is its state and each other one a
// change of it. Only what becomes of its requests is followed.
type Chat struct {
	*run.Stream
	document  bool
	id, title string
	requests  []*request
	told      bool // the requests were given to the stream
}

// A request is a prompt and what came of it.
type request struct {
	prompt, model, version string
	at                     time.Time
	response               [][]byte // its parts
	result                 []byte
}

// NewChat returns a reader of rows, or of a document, that has read nothing.
func NewChat(o run.Options, document bool) *Chat {
	return &Chat{Stream: run.NewStream(Tool, o), document: document}
}

// Read reads rows to the end of the stream, or the whole document.
func (v *Chat) Read(r io.Reader) error {
	v.told = false
	if !v.document {
		return v.Lines(r, v.row)
	}
	v.requests = nil
	return v.Whole(r, func(data []byte) {
		if jsonwalk.Valid(data) != nil {
			v.Problem("damaged JSON")
			return
		}
		v.Row("chat")
		v.state(jsonwalk.New(data))
	})
}

// Transcripts returns the session as its requests stand.
func (v *Chat) Transcripts() []run.Transcript {
	if v.told || len(v.requests) == 0 {
		return v.Stream.Transcripts()
	}
	v.told = true
	v.Forget()
	if s := v.Run(v.id, ""); s != nil {
		s.Session.Title = v.title
		for _, q := range v.requests {
			q.tell(s)
		}
	}
	return v.Stream.Transcripts()
}

// row reads {"kind": 0, "v": state}, {"kind": 1, "k": path, "v": new value},
// {"kind": 2, "k": path, "v": what is added to a list, "i": how much of the list
// stays before that} or {"kind": 3, "k": path} of what is removed.
func (v *Chat) row(line []byte) {
	kind, keep := int64(-1), int64(-1)
	var path []string
	var value []byte
	r := jsonwalk.New(line)
	for name := range r.Object() {
		switch name {
		case "kind":
			kind = r.Int()
		case "k":
			for range r.Array() {
				if len(path) < 8 {
					path = append(path, step(r))
				}
			}
		case "i":
			keep = r.Int()
		case "v":
			value = append([]byte(nil), r.Raw()...)
		}
	}
	if r.End() != nil || kind < 0 {
		v.Problem(run.BadRow(r, ""))
		return
	}
	v.Row([]string{"state", "set", "add", "remove", "other"}[min(kind, 4)])
	r = jsonwalk.New(value)
	switch {
	case kind == 0 && value != nil:
		v.requests = nil
		v.state(r)
	case kind > 3 || len(path) == 0:
	case len(path) == 1 && path[0] == "customTitle":
		if v.title = ""; value != nil {
			v.title = r.Text(500)
		}
	case len(path) == 1 && path[0] == "requests":
		v.requests = kept(v.requests, kind, keep)
		if value != nil {
			v.add(r)
		}
	case len(path) == 3 && path[0] == "requests":
		v.change(path[1], path[2], kind, keep, value)
	}
}

// kept returns what stays of a list when it is changed.
func kept[T any](list []T, kind, keep int64) []T {
	if kind != 2 {
		return nil
	}
	if keep >= 0 && keep < int64(len(list)) {
		return list[:keep]
	}
	return list
}

// step reads a name or a number of a path.
func step(r *jsonwalk.Reader) string {
	if r.Kind() == '"' {
		return r.Text(100)
	}
	return string(r.Raw())
}

func (v *Chat) state(r *jsonwalk.Reader) {
	for name := range r.Object() {
		switch name {
		case "sessionId":
			v.id = r.Text(200)
		case "customTitle":
			v.title = r.Text(500)
		case "requests":
			v.add(r)
		}
	}
}

// maxRequests bounds the requests of one chat.
const maxRequests = 20_000

func (v *Chat) add(r *jsonwalk.Reader) {
	for range r.Array() {
		if len(v.requests) >= maxRequests {
			v.Problem("a request beyond the limit of one session")
			return
		}
		q := &request{}
		for name := range r.Object() {
			q.member(name, r)
		}
		v.requests = append(v.requests, q)
	}
}

func (q *request) member(name string, r *jsonwalk.Reader) {
	switch name {
	case "message":
		for name := range r.Object() {
			if name == "text" {
				q.prompt = r.String()
			}
		}
	case "timestamp":
		q.at = run.Milliseconds(r)
	case "modelId":
		q.model = r.Text(200)
	case "agent":
		for name := range r.Object() {
			if name == "extensionVersion" {
				q.version = r.Text(60)
			}
		}
	case "response":
		for range r.Array() {
			q.response = append(q.response, append([]byte(nil), r.Raw()...))
		}
	case "result":
		q.result = append([]byte(nil), r.Raw()...)
	}
}

// change applies a change to one member of a request.
func (v *Chat) change(number, member string, kind, keep int64, value []byte) {
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 || i >= len(v.requests) {
		v.Problem("a change of a request that is not there")
		return
	}
	q := v.requests[i]
	switch member {
	case "response":
		q.response = kept(q.response, kind, keep)
	case "result":
		q.result = nil
	}
	if value != nil {
		q.member(member, jsonwalk.New(value))
	}
}
