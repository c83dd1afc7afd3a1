package gitai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/ingest/note"
)

// SchemaV3 is the schema that [Authorship.Write] writes.
const SchemaV3 = "authorship/3.0.0"

type writtenNote struct {
	Schema   string                  `json:"schema_version"`
	Writer   string                  `json:"git_ai_version,omitempty"`
	Base     string                  `json:"base_commit_sha"`
	Prompts  map[string]writtenAgent `json:"prompts"`
	Humans   map[string]writtenHuman `json:"humans,omitempty"`
	Sessions map[string]writtenAgent `json:"sessions,omitempty"`
	Own      *writtenOwn             `json:"stemma,omitempty"`
}

type writtenHuman struct {
	Author string `json:"author"`
}

type writtenAgent struct {
	Agent       writtenAgentID    `json:"agent_id"`
	HumanAuthor string            `json:"human_author,omitempty"`
	MessagesURL string            `json:"messages_url,omitempty"`
	Additions   *int64            `json:"total_additions,omitempty"`
	Deletions   *int64            `json:"total_deletions,omitempty"`
	Accepted    *int64            `json:"accepted_lines,omitempty"`
	Overridden  *int64            `json:"overriden_lines,omitempty"`
	Custom      map[string]string `json:"custom_attributes,omitempty"`
}

type writtenAgentID struct {
	Tool  string `json:"tool"`
	ID    string `json:"id"`
	Model string `json:"model"`
}

// Write returns the note in its canonical form: Git AI Standard 3.0.0, paths
// and keys in byte order, each once, ranges ascending and joined. Embedded
// messages and members that no specification names are left out. It refuses
// what the format cannot carry.
func (a *Authorship) Write() ([]byte, error) {
	byPath := map[string]map[string][]note.Range{}
	for _, f := range a.Files {
		if byPath[f.Path] == nil {
			byPath[f.Path] = map[string][]note.Range{}
		}
		for _, e := range f.Entries {
			byPath[f.Path][e.Key] = append(byPath[f.Path][e.Key], e.Ranges...)
		}
	}
	var b bytes.Buffer
	for _, path := range slices.Sorted(maps.Keys(byPath)) {
		if len(byPath[path]) == 0 {
			continue
		}
		quoted, err := quotePath(path)
		if err != nil {
			return nil, err
		}
		b.WriteString(quoted + "\n")
		for _, key := range slices.Sorted(maps.Keys(byPath[path])) {
			if err := writeEntry(&b, key, note.Union(byPath[path][key])); err != nil {
				return nil, err
			}
		}
	}
	b.WriteString("---\n")
	meta := writtenNote{Schema: SchemaV3, Writer: a.Writer, Base: a.Base, Prompts: map[string]writtenAgent{}}
	for k, p := range a.Prompts {
		w := p.written()
		w.Additions, w.Deletions, w.Accepted, w.Overridden = &p.Additions, &p.Deletions, &p.Accepted, &p.Overridden
		meta.Prompts[k] = w
	}
	if len(a.Sessions) > 0 {
		meta.Sessions = map[string]writtenAgent{}
		for k, s := range a.Sessions {
			meta.Sessions[k] = s.written()
		}
	}
	if len(a.Humans) > 0 {
		meta.Humans = map[string]writtenHuman{}
		for k, h := range a.Humans {
			meta.Humans[k] = writtenHuman{h}
		}
	}
	meta.Own = a.own()
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(meta); err != nil {
		return nil, fmt.Errorf("note: writing the metadata: %w", err)
	}
	return b.Bytes(), nil
}

func (r Agent) written() writtenAgent {
	return writtenAgent{
		Agent:       writtenAgentID{Tool: r.Tool, ID: r.ID, Model: r.Model},
		HumanAuthor: r.HumanAuthor, MessagesURL: r.MessagesURL, Custom: r.Custom,
	}
}

// quotePath wraps a path in quotes where the layout would misread it. Nothing
// is escaped, so a line of the path that ends with a quote cannot be written.
func quotePath(path string) (string, error) {
	if path == "" {
		return "", fmt.Errorf("note: writing a path: it is empty")
	}
	if path != "---" && path != "---\r" && path[0] != '"' && path != "\r" && !strings.ContainsAny(path, " \t\n") {
		return path, nil
	}
	lines := strings.Split(path, "\n")
	for _, l := range lines[:len(lines)-1] {
		if strings.HasSuffix(l, `"`) || l == "---" || l == "---\r" {
			return "", fmt.Errorf("note: writing path %.200q: the format cannot carry it", path)
		}
	}
	if len(lines) > maxPathLines {
		return "", fmt.Errorf("note: writing path %.200q: too many lines", path)
	}
	return `"` + path + `"`, nil
}

func writeEntry(b *bytes.Buffer, key string, ranges []note.Range) error {
	if key == "" || strings.ContainsAny(key, " \n\r") {
		return fmt.Errorf("note: writing key %.100q: it is empty or has a space", key)
	}
	if len(ranges) == 0 {
		return fmt.Errorf("note: writing key %.100q: no lines", key)
	}
	for _, r := range ranges {
		if r.Start < 1 || r.End < r.Start || r.End > note.MaxLine {
			return fmt.Errorf("note: writing key %.100q: lines %d-%d", key, r.Start, r.End)
		}
	}
	b.WriteString("  " + key + " " + formatRanges(ranges))
	b.WriteByte('\n')
	return nil
}
