package gitai

import (
	"cmp"
	"slices"

	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/ingest/note"
)

// readOldStore reads the JSON that git-ai kept under refs/ai/authorship before
// it used notes: for each file a list of authors by display name, with single
// lines and [from, to] pairs. An author becomes a key; whether the name is an
// agent's is decided when the key is resolved.
func (a *Authorship) readOldStore(b []byte, bad *note.Problems) {
	a.old = true
	r := jsonwalk.New(b)
	known := false
	for name := range r.Object() {
		switch name {
		case "schema_version":
			a.Schema = r.Text(100)
		case "files":
			known = true
			for path := range r.Object() {
				a.Files = append(a.Files, File{Path: path, Entries: a.readOldAuthors(r, path, bad)})
			}
		default:
			a.Extra = jsonwalk.Remember(a.Extra, name)
		}
	}
	if err := r.End(); err != nil {
		bad.Add("damaged JSON", "%v", err)
	} else if !known {
		bad.Add("neither an authorship log nor an older record", "start of note")
	}
}

func (a *Authorship) readOldAuthors(r *jsonwalk.Reader, path string, bad *note.Problems) []Entry {
	var entries []Entry
	for member := range r.Object() {
		if member != "authors" {
			continue
		}
		for range r.Array() {
			var e Entry
			for part := range r.Object() {
				switch part {
				case "author":
					e.Key = r.Text(200)
				case "lines":
					e.Ranges = readOldLines(r, path, bad)
				}
			}
			if len(e.Ranges) == 0 {
				continue
			}
			if !slices.IsSortedFunc(e.Ranges, func(x, y note.Range) int { return cmp.Compare(x.End, y.Start) }) {
				a.Unordered++
			}
			e.Ranges = note.Union(e.Ranges)
			if a.Prompts == nil {
				a.Prompts = map[string]Agent{}
			}
			if agent, ok := identity.FindAgent(e.Key); ok {
				a.Prompts[e.Key] = Agent{Tool: agent.Name}
			}
			entries = append(entries, e)
		}
	}
	return entries
}

func readOldLines(r *jsonwalk.Reader, path string, bad *note.Problems) []note.Range {
	var list []note.Range
	for range r.Array() {
		var one note.Range
		if r.Kind() == 0 {
			n := r.Int()
			one = note.Range{Start: int(n), End: int(n)}
		} else {
			for n := range r.Array() {
				v := int(r.Int())
				if n == 0 {
					one.Start = v
				}
				one.End = v
			}
		}
		if one.Start < 1 || one.End < one.Start || one.End > note.MaxLine {
			bad.Add("a range that is not one or two line numbers", "%s", path)
			continue
		}
		list = append(list, one)
	}
	return list
}
