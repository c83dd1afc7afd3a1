package gitai

import (
	"maps"
	"slices"
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
	return m
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
