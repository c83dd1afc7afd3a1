package gitai

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma/ingest/note"
)

// Whole reports whether [Authorship.Write] loses nothing of what was read: no
// embedded transcript, no member that is not known, nothing that could not be
// read.
func (a *Authorship) Whole() bool {
	if a.old || a.Logical != "" || len(a.Extra) > 0 || len(a.Problems) > 0 {
		return false
	}
	for _, records := range []map[string]Agent{a.Sessions, a.Prompts} {
		for _, r := range records {
			if r.Messages != nil || len(r.Extra) > 0 {
				return false
			}
		}
	}
	return true
}

// Merge is what two notes on one commit say together. Where they give a line to
// different keys both stand, and whoever reads it knows that they do not agree.
// Of two records with one key one stands. It is the same in which order two clones
// join their notes, and how often: else each of them would give the other news for ever.
func Merge(a, b *Authorship) *Authorship {
	m := &Authorship{
		Schema: max(a.Schema, b.Schema), Writer: max(a.Writer, b.Writer), Base: max(a.Base, b.Base),
		Sessions: joined(a.Sessions, b.Sessions), Prompts: joined(a.Prompts, b.Prompts), Humans: joined(a.Humans, b.Humans), Traces: joined(a.Traces, b.Traces),
	}
	at := map[string]int{}
	for _, f := range slices.Concat(a.Files, b.Files) {
		i, known := at[f.Path]
		if !known {
			i = len(m.Files)
			at[f.Path] = i
			m.Files = append(m.Files, File{Path: f.Path})
		}
		m.Files[i].Entries = append(m.Files[i].Entries, f.Entries...)
	}
	m.Details = mergeDetails(slices.Concat(a.Details, b.Details))
	m.Tree, m.Anchors = max(a.Tree, b.Tree), mergeAnchors(a.Anchors, b.Anchors)
	return m
}

// mergeDetails says of lines once what is said of them more often.
func mergeDetails(all []Detail) (merged []Detail) {
	type said struct {
		path, reason string
		replaced     note.Replaced
	}
	at := map[said]int{}
	for _, d := range all {
		what := said{d.Path, d.Reason, d.Replaced}
		i, known := at[what]
		if !known {
			i = len(merged)
			at[what] = i
			merged = append(merged, Detail{Path: d.Path, Reason: d.Reason, Replaced: d.Replaced})
		}
		merged[i].Ranges = note.Union(slices.Concat(merged[i].Ranges, d.Ranges))
	}
	return merged
}

// mergeAnchors joins those of two notes on one commit.
func mergeAnchors(a, b []note.Anchor) []note.Anchor {
	merged := slices.Clone(a)
	for _, c := range b {
		i := slices.IndexFunc(merged, func(o note.Anchor) bool { return o.Path == c.Path })
		if i < 0 {
			merged = append(merged, c)
			continue
		}
		text := joined(byLine(merged[i]), byLine(c))
		both := note.Anchor{Path: c.Path, Blob: max(merged[i].Blob, c.Blob), Ranges: note.Union(slices.Concat(merged[i].Ranges, c.Ranges))}
		for _, r := range both.Ranges {
			for line := r.Start; line <= r.End; line++ {
				both.Text = append(both.Text, text[line]...)
			}
		}
		merged[i] = both
	}
	return merged
}

// byLine is the text of an anchor by the numbers of its lines.
func byLine(c note.Anchor) map[int][]byte {
	text, rest := map[int][]byte{}, c.Text
	for _, r := range c.Ranges {
		for line := r.Start; line <= r.End; line++ {
			text[line], rest = rest[:4], rest[4:]
		}
	}
	return text
}

// joined has of two values with one key the one with the greater text, so that what is
// told stands for what is left open; of traces the lesser one, since "observed" comes
// before "recovered".
func joined[K comparable, V any](a, b map[K]V) map[K]V {
	if len(a) == 0 && len(b) == 0 {
		return nil
	}
	m := maps.Clone(b)
	if m == nil {
		m = map[K]V{}
	}
	for k, v := range a {
		if other, both := m[k]; !both || stands(v, other) {
			m[k] = v
		}
	}
	return m
}

func stands(v, other any) bool {
	if t, ok := v.(Trace); ok {
		return textOf(writtenTrace(t)) < textOf(writtenTrace(other.(Trace)))
	}
	return textOf(v) > textOf(other)
}

func textOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("gitai: a record cannot be written: " + err.Error()) // it is strings and numbers
	}
	return string(text)
}
