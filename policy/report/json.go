package report

import (
	"encoding/json"
	"io"
)

// JSON writes one object: run, changes, summary.
func JSON(w io.Writer) Handler { return &object{w: w} }

type object struct {
	w    io.Writer
	Run  Run      `json:"run"`
	List []Change `json:"changes"`
	Sum  Summary  `json:"summary"`
}

func (o *object) Begin(r Run) error {
	o.Run, o.List = r, []Change{}
	return nil
}

func (o *object) Change(c Change) error {
	o.List = append(o.List, c)
	return nil
}

func (o *object) End(s Summary) error {
	o.Sum = s
	return indented(o.w, o)
}

// indented writes a value as JSON for programs, in lines that people can read too.
func indented(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// Lines writes a JSON object a line as things come: {"run":…}, then {"change":…} for each,
// then {"summary":…}.
func Lines(w io.Writer) Handler {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return lines{enc}
}

type lines struct{ enc *json.Encoder }

func (l lines) Begin(r Run) error     { return l.enc.Encode(map[string]any{"run": r}) }
func (l lines) Change(c Change) error { return l.enc.Encode(map[string]any{"change": c}) }
func (l lines) End(s Summary) error   { return l.enc.Encode(map[string]any{"summary": s}) }
