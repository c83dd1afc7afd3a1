// Package opencode reads what OpenCode writes down about its sessions: records
// of sessions, messages and parts of messages, each a JSON object, which it kept
// in files of their own and keeps in a database now. Whoever has them adds them
// in any order; what `opencode export` prints is read as a whole. The package
// opens no file and reads no clock; its database is read by
// ingest/agent/opencode/database.
package opencode

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/ingest/agent/run"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/session"
)

// Tool is the agent in refs of its sessions.
const Tool = "opencode"

// maxRecords bounds the records of one reader.
const maxRecords = 1_000_000

// Reader gathers records. It is for one goroutine.
type Reader struct {
	*run.Stream
	sessions map[string]about
	messages map[string]message
	parts    map[string][]part // by message
	count    int
	told     bool
}

type about struct {
	parent, title, directory, version string
}

type message struct {
	id, session string
	at          time.Time
	role        string
	directory   string
	model       string
	tokens      run.Tokens
}

type part struct {
	id   string
	text string
	call run.Call
	res  run.Result
}

// New returns a reader that has read nothing.
func New(o run.Options) *Reader {
	return &Reader{Stream: run.NewStream(Tool, o), sessions: map[string]about{}, messages: map[string]message{}, parts: map[string][]part{}}
}

// Read reads what `opencode export` prints: a document with "info", the
// session, and "messages", each with its own "info" and its "parts".
func (o *Reader) Read(r io.Reader) error {
	return o.Whole(r, func(data []byte) {
		*o = *New(o.Options)
		d := jsonwalk.New(data)
		var info, list []byte
		for name := range d.Object() {
			switch name {
			case "info":
				info = d.Raw()
			case "messages":
				list = d.Raw()
			}
		}
		if d.End() != nil || info == nil {
			o.Problem(run.BadRow(d, "export"))
			return
		}
		o.Session("", info)
		o.export(list)
	})
}

func (o *Reader) export(list []byte) {
	d := jsonwalk.New(list)
	for range d.Array() {
		var info []byte
		var parts [][]byte
		for name := range d.Object() {
			switch name {
			case "info":
				info = d.Raw()
			case "parts":
				for range d.Array() {
					parts = append(parts, d.Raw())
				}
			}
		}
		o.Message("", "", info)
		for _, p := range parts {
			o.Part("", "", p)
		}
	}
}

// full counts a record, and reports whether there are too many.
func (o *Reader) full(kind string) bool {
	o.told = false
	if o.count++; o.count > maxRecords {
		o.Problem("a record beyond the limit of one reader")
		return true
	}
	o.Row(kind)
	return false
}

// Session adds the record of a session. What a database keeps beside a record
// may be given beside it, here and in the other methods: the id.
func (o *Reader) Session(id string, data []byte) {
	if o.full("session") {
		return
	}
	var a about
	r := jsonwalk.New(data)
	for name := range r.Object() {
		switch name {
		case "id":
			id = r.Text(200)
		case "parentID", "parent_id":
			a.parent = r.Text(200)
		case "title":
			a.title = r.Text(500)
		case "directory":
			a.directory = r.String()
		case "version":
			a.version = r.Text(60)
		}
	}
	if r.End() != nil || id == "" {
		o.Problem(run.BadRow(r, id))
		return
	}
	o.sessions[id] = a
}

// Message adds the record of a message.
func (o *Reader) Message(id, of string, data []byte) {
	if o.full("message") {
		return
	}
	m := message{id: id, session: of}
	r := jsonwalk.New(data)
	for name := range r.Object() {
		switch name {
		case "id":
			m.id = r.Text(200)
		case "sessionID":
			m.session = r.Text(200)
		case "role":
			m.role = r.Text(40)
		case "modelID":
			m.model = r.Text(200)
		case "time":
			for name := range r.Object() {
				if name == "created" {
					m.at = run.Milliseconds(r)
				}
			}
		case "path":
			for name := range r.Object() {
				if name == "cwd" {
					m.directory = r.String()
				}
			}
		case "tokens":
			m.tokens = tokens(r)
		}
	}
	if r.End() != nil || m.id == "" || m.session == "" {
		o.Problem(run.BadRow(r, m.session))
		return
	}
	o.messages[m.id] = m
}

// tokens reads counts in which what was thought is apart from what was said.
func tokens(r *jsonwalk.Reader) run.Tokens {
	var t run.Tokens
	for name := range r.Object() {
		switch name {
		case "input":
			t.In = run.Count(r)
		case "output", "reasoning":
			t.Out += run.Count(r)
		case "cache":
			for name := range r.Object() {
				switch name {
				case "read":
					t.CacheRead = run.Count(r)
				case "write":
					t.CacheWrite = run.Count(r)
				}
			}
		}
	}
	return t
}

// Part adds the record of a part of a message.
func (o *Reader) Part(id, of string, data []byte) {
	if o.full("part") {
		return
	}
	p := part{id: id}
	var kind, tool, call, text string
	var input, output []byte
	var failed, synthetic bool
	r := jsonwalk.New(data)
	for name := range r.Object() {
		switch name {
		case "id":
			p.id = r.Text(200)
		case "messageID":
			of = r.Text(200)
		case "type":
			kind = r.Text(60)
		case "text":
			text = r.String()
		case "synthetic":
			synthetic = r.Bool()
		case "tool":
			tool = r.Text(200)
		case "callID":
			call = r.Text(200)
		case "state":
			for name := range r.Object() {
				switch name {
				case "status":
					failed = r.String() == "error"
				case "input":
					input = r.Raw()
				case "output":
					output = r.Raw()
				}
			}
		}
	}
	if r.End() != nil || of == "" {
		o.Problem(run.BadRow(r, of))
		return
	}
	switch {
	case kind == "text" && !synthetic:
		p.text = text
	case kind == "tool" && tool != "":
		p.call = run.NewCall(call, tool, input)
		p.res = run.Result{Call: call, Error: failed, Raw: slices.Clone(output)}
	default:
		return
	}
	o.parts[of] = append(o.parts[of], p)
}

// Transcripts returns the sessions as their records stand.
func (o *Reader) Transcripts() []run.Transcript {
	if !o.told {
		o.told = true
		o.Forget()
		o.tell()
	}
	return o.Stream.Transcripts()
}

// tell gives the records to the sessions, in the order of their ids, which
// grow with time.
func (o *Reader) tell() {
	list := slices.SortedFunc(maps.Values(o.messages), func(a, b message) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.id, b.id))
	})
	for _, m := range list {
		s := o.Run(m.session, "")
		if s == nil {
			continue
		}
		a := o.sessions[m.session]
		s.Session.Title = a.title
		if a.parent != "" && a.parent != m.session {
			s.Session.Parent, s.Session.Depth = session.Ref(Tool, a.parent), 1
		}
		s.Seen(run.Place{Version: a.version, Directory: a.directory})
		s.Seen(run.Place{At: m.at, Directory: m.directory})
		o.say(s, m, a.parent == "")
	}
}

func (o *Reader) say(s *run.Run, m message, person bool) {
	parts := o.parts[m.id]
	slices.SortStableFunc(parts, func(a, b part) int { return strings.Compare(a.id, b.id) })
	said := run.Message{ID: m.id, Model: m.model, Tokens: m.tokens}
	var texts []string
	for _, p := range parts {
		if p.text != "" {
			texts = append(texts, p.text)
		}
		if p.call.Tool != "" {
			said.Calls = append(said.Calls, p.call)
			said.Results = append(said.Results, p.res)
		}
	}
	said.Text = strings.Join(texts, "\n")
	switch m.role {
	case "assistant":
		s.Answer(said, m.at)
		s.Results(said.Results, m.at)
	case "user":
		if run.Typed(said.Text) {
			s.Prompt(said, m.at, person)
		}
	}
}
