package gitai

import (
	"cmp"
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
// Records and the writer are those of a where both have them.
func Merge(a, b *Authorship) *Authorship {
	m := &Authorship{
		Schema: a.Schema, Writer: a.Writer, Base: a.Base,
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
	m.Details = slices.Concat(a.Details, b.Details)
	m.Tree, m.Anchors = cmp.Or(a.Tree, b.Tree), mergeAnchors(a.Anchors, b.Anchors)
	return m
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
		text := byLine(merged[i])
		maps.Copy(text, byLine(c))
		both := note.Anchor{Path: c.Path, Blob: cmp.Or(merged[i].Blob, c.Blob), Ranges: note.Union(slices.Concat(merged[i].Ranges, c.Ranges))}
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

func joined[V any](a, b map[string]V) map[string]V {
	if len(a) == 0 && len(b) == 0 {
		return nil
	}
	m := maps.Clone(b)
	if m == nil {
		m = map[string]V{}
	}
	maps.Copy(m, a)
	return m
}
