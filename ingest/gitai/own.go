package gitai

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/ingest/note"
)

// What the standard has no place for stands in a member of our own of the
// metadata, which other readers step over.

// ownMember is that member.
const ownMember = "stemma"

// A Trace is what a session's record cannot say of one of its edits: it has one
// model, no prompts and no calls.
type Trace struct {
	Basis  stemma.Basis // how it is known
	Model  string       // as the agent names it; "" if it is not known
	Prompt int          // number in the session, from 1
	Call   string       // the agent's own id of the call of the tool
}

// Recovered reports whether the lines were found by something of theirs, and nobody was seen
// to write them.
func (t Trace) Recovered() bool {
	return strings.HasPrefix(string(t.Basis), string(stemma.BasisRecovered))
}

// A Detail says more of some lines than their key: why nobody is known who wrote
// them, or whose lines they replaced.
type Detail struct {
	Path     string
	Ranges   []note.Range
	Reason   string
	Replaced note.Replaced
}

// maxDetails bounds how many ranges details may have, and what they are applied to.
const maxDetails = 200_000

type writtenOwn struct {
	Tree    string                     `json:"tree,omitempty"`
	Traces  map[string]writtenTrace    `json:"traces,omitempty"`
	Lines   map[string][]writtenDetail `json:"lines,omitempty"`
	Anchors map[string]writtenAnchor   `json:"anchors,omitempty"`
}

type writtenAnchor struct {
	Blob string `json:"blob"`
	At   string `json:"at"` // ranges, as in the attestation
	Text []byte `json:"text"`
}

type writtenTrace struct {
	Basis  stemma.Basis `json:"basis,omitempty"`
	Model  string       `json:"model,omitempty"`
	Prompt int          `json:"prompt,omitempty"`
	Call   string       `json:"call,omitempty"`
}

type writtenDetail struct {
	At       string           `json:"at"` // ranges, as in the attestation
	Reason   string           `json:"reason,omitempty"`
	Replaced *writtenReplaced `json:"replaced,omitempty"`
}

type writtenReplaced struct {
	Agent   string `json:"agent"`
	Session string `json:"session,omitempty"`
	Model   string `json:"model,omitempty"`
}

// own is the member; nil if there is nothing to say.
func (a *Authorship) own() *writtenOwn {
	if a.Tree == "" && len(a.Traces) == 0 && len(a.Details) == 0 && len(a.Anchors) == 0 {
		return nil
	}
	w := &writtenOwn{Tree: a.Tree, Traces: map[string]writtenTrace{}, Lines: map[string][]writtenDetail{}, Anchors: map[string]writtenAnchor{}}
	for _, c := range a.Anchors {
		w.Anchors[c.Path] = writtenAnchor{c.Blob, formatRanges(c.Ranges), c.Text}
	}
	for k, t := range a.Traces {
		w.Traces[k] = writtenTrace(t)
	}
	for _, d := range a.Details {
		one := writtenDetail{At: formatRanges(note.Union(slices.Clone(d.Ranges))), Reason: d.Reason}
		if d.Replaced != (note.Replaced{}) {
			one.Replaced = &writtenReplaced{d.Replaced.Agent, d.Replaced.Session, d.Replaced.ModelName}
		}
		w.Lines[d.Path] = append(w.Lines[d.Path], one)
	}
	for _, details := range w.Lines {
		slices.SortFunc(details, func(x, y writtenDetail) int { return cmp.Compare(textOf(x), textOf(y)) })
	}
	return w
}

func (a *Authorship) readOwn(r *jsonwalk.Reader) {
	for name := range r.Object() {
		switch name {
		case "tree":
			a.Tree = readID(r)
		case "anchors":
			for path := range r.Object() {
				if c := readAnchor(r, path); c.Whole() {
					a.Anchors = append(a.Anchors, c)
				}
			}
		case "traces":
			for key := range r.Object() {
				if a.Traces == nil {
					a.Traces = map[string]Trace{}
				}
				a.Traces[key] = readTrace(r)
			}
		case "lines":
			for path := range r.Object() {
				for range r.Array() {
					if d := readDetail(r, path); len(d.Ranges) > 0 {
						a.Details = append(a.Details, d)
					}
				}
			}
		}
	}
}

func readTrace(r *jsonwalk.Reader) (t Trace) {
	for name := range r.Object() {
		switch name {
		case "basis":
			if b := stemma.Basis(r.Text(40)); b.Valid() {
				t.Basis = b
			}
		case "model":
			t.Model = r.Text(200)
		case "prompt":
			t.Prompt = int(min(max(r.Int(), 0), note.MaxLine))
		case "call":
			t.Call = r.Text(200)
		}
	}
	return t
}

func readDetail(r *jsonwalk.Reader, path string) Detail {
	d := Detail{Path: path}
	for name := range r.Object() {
		switch name {
		case "at":
			d.Ranges = readRanges(r.Text(1 << 20))
		case "reason":
			d.Reason = r.Text(200)
		case "replaced":
			for name := range r.Object() {
				switch name {
				case "agent":
					d.Replaced.Agent = r.Text(100)
				case "session":
					d.Replaced.Session = r.Text(500)
				case "model":
					d.Replaced.ModelName = r.Text(200)
				}
			}
		}
	}
	return d
}

func readAnchor(r *jsonwalk.Reader, path string) note.Anchor {
	c := note.Anchor{Path: path}
	for name := range r.Object() {
		switch name {
		case "blob":
			c.Blob = readID(r)
		case "at":
			c.Ranges = readRanges(r.Text(1 << 20))
		case "text":
			c.Text, _ = base64.StdEncoding.DecodeString(r.String()) // what is damaged is not whole
		}
	}
	return c
}

// readID reads the id of an object; "" if it is none.
func readID(r *jsonwalk.Reader) string {
	id := r.Text(64)
	if b, err := hex.DecodeString(id); err != nil || len(b) != 20 && len(b) != 32 {
		return ""
	}
	return id
}

// readRanges reads ranges as [formatRanges] writes them; none of what is malformed.
func readRanges(s string) (ranges []note.Range) {
	for part := range strings.SplitSeq(s, ",") {
		from, to, isRange := strings.Cut(part, "-")
		a, err := strconv.Atoi(from)
		b := a
		if isRange && err == nil {
			b, err = strconv.Atoi(to)
		}
		if err != nil || a < 1 || b < a || b > note.MaxLine {
			return nil
		}
		ranges = append(ranges, note.Range{Start: a, End: b})
	}
	return note.Union(ranges)
}

func formatRanges(ranges []note.Range) string {
	var parts []string
	for _, r := range ranges {
		one := strconv.Itoa(r.Start)
		if r.End > r.Start {
			one += "-" + strconv.Itoa(r.End)
		}
		parts = append(parts, one)
	}
	return strings.Join(parts, ",")
}

// explain adds to the spans of a path what details say of their lines: whom they
// replaced; and spans of nobody, with the reason, where there is no other.
func explain(spans []note.ClaimedSpan, details []Detail) []note.ClaimedSpan {
	if len(details) == 0 {
		return spans
	}
	var covered []note.Range
	for _, s := range spans {
		covered = append(covered, s.Range)
	}
	covered = note.Union(covered)
	n := 0
	for _, d := range details {
		if n += len(d.Ranges); n > maxDetails {
			break
		}
		if d.Replaced != (note.Replaced{}) {
			spans = replace(spans, d)
			continue
		}
		for _, r := range d.Ranges {
			at, _ := slices.BinarySearchFunc(covered, r.Start, func(c note.Range, line int) int { return cmp.Compare(c.End, line) })
			if at == len(covered) || covered[at].Start > r.End {
				spans = append(spans, note.ClaimedSpan{Range: r, Mark: &note.Mark{Origin: stemma.OriginUnknown, Reason: d.Reason}})
			}
		}
	}
	return spans
}

// replace says of the lines of a detail, span by span, whom they replaced.
func replace(spans []note.ClaimedSpan, d Detail) []note.ClaimedSpan {
	out := make([]note.ClaimedSpan, 0, len(spans)+2*len(d.Ranges))
	for _, s := range spans {
		at, _ := slices.BinarySearchFunc(d.Ranges, s.Start, func(r note.Range, line int) int { return cmp.Compare(r.End, line) })
		for ; at < len(d.Ranges) && d.Ranges[at].Start <= s.End && len(out) < maxDetails; at++ {
			r := d.Ranges[at]
			if r.Start > s.Start {
				before := s
				before.End = r.Start - 1
				out = append(out, before)
			}
			inside := s
			mark := *s.Mark
			mark.Replaced = d.Replaced
			inside.Start, inside.End, inside.Mark = max(s.Start, r.Start), min(s.End, r.End), &mark
			out = append(out, inside)
			s.Start = inside.End + 1
		}
		if s.Start <= s.End {
			out = append(out, s)
		}
	}
	return out
}
