package local

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/ingest/agent"
	"github.com/stemma-dev/stemma/ingest/hook"
	"github.com/stemma-dev/stemma/spool"
)

// A File is a transcript on this machine.
type File struct {
	Path     string
	Size     int64
	Modified time.Time
	Named    bool // a hook of the repository was told of it
}

// A Machine says where agents keep things.
type Machine struct {
	Home string
	Env  func(name string) string // of the environment; nil for none
}

// A nest is where one agent keeps transcripts.
type nest struct {
	variable string   // of the environment that names the directory instead
	dir      string   // from the home
	below    []string // patterns of files in it, with SLUG or HASH for what stands for a work tree
}

// nests are those that keep in their rows where the session worked, or name
// directories for it.
var nests = []nest{
	{variable: "CLAUDE_CONFIG_DIR", dir: ".claude", below: []string{"projects/SLUG/*.jsonl", "projects/SLUG/*/subagents/agent-*.jsonl"}},
	{variable: "CODEX_HOME", dir: ".codex", below: []string{"sessions/*/*/*/rollout-*.jsonl", "sessions/rollout-*.jsonl", "archived_sessions/rollout-*.jsonl"}},
	{dir: ".gemini", below: []string{"tmp/HASH/chats/session-*.json", "tmp/HASH/chats/session-*.jsonl"}},
	{variable: "COPILOT_HOME", dir: ".copilot", below: []string{"session-state/*/events.jsonl"}},
	{dir: ".factory", below: []string{"sessions/*.jsonl", "sessions/*/*.jsonl"}},
	{dir: ".local/share/amp", below: []string{"threads/T-*.json"}},
	{dir: ".continue", below: []string{"sessions/*.json"}},
	{dir: ".pi", below: []string{"agent/sessions/*/*.jsonl"}},
}

// maxDocument is how much is read of a document to see where it worked.
const maxDocument = 8 << 20

// maxFiles bounds how many transcripts are looked into, the newest.
const maxFiles = 20_000

// Find lists the transcripts that belong to a repository, by its work trees:
// those that its hooks were told of, and those in the usual places of agents that
// say that they worked in it. Those that known reports are not looked into again.
// They are sorted by path, so that a session comes before its sub-agents.
func Find(m Machine, trees []spool.Place, known func(path string) bool) []File {
	found := map[string]File{}
	for _, path := range named(trees) {
		if f, ok := stat(path); ok && (known(path) || belongs(path, trees, true)) {
			f.Named = true
			found[path] = f
		}
	}
	all := m.usual(trees)
	slices.SortFunc(all, func(a, b candidate) int { return b.Modified.Compare(a.Modified) })
	for _, f := range all[:min(len(all), maxFiles)] {
		if _, ok := found[f.Path]; !ok && (known(f.Path) || belongs(f.Path, trees, f.placed)) {
			found[f.Path] = f.File
		}
	}
	list := make([]File, 0, len(found))
	for _, f := range found {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return list
}

// stat looks at a path that may be a transcript.
func stat(path string) (File, bool) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > MaxSize {
		return File{}, false
	}
	return File{Path: path, Size: info.Size(), Modified: info.ModTime()}, true
}

// named are the transcripts that hooks were told of, with those of sub-agents
// beside them.
func named(trees []spool.Place) []string {
	var list []string
	seen := map[string]bool{}
	add := func(path string) {
		if !seen[path] {
			seen[path] = true
			list = append(list, path)
		}
	}
	for _, t := range trees {
		reading, err := t.Read(0)
		if err != nil {
			continue
		}
		for _, e := range reading.Entries {
			var event hook.Event
			if json.Unmarshal(e.Event, &event) != nil || event.Transcript == "" {
				continue
			}
			path := filepath.FromSlash(event.Transcript)
			if seen[path] || !filepath.IsAbs(path) {
				continue
			}
			add(path)
			beside, _ := filepath.Glob(filepath.Join(quoted(strings.TrimSuffix(path, filepath.Ext(path))), "subagents", "agent-*.jsonl"))
			for _, p := range beside {
				add(p)
			}
		}
	}
	return list
}

// quoted is a path in which nothing is a pattern.
func quoted(path string) string {
	if filepath.Separator != '/' {
		return path
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// A candidate is a file that may belong to a repository.
type candidate struct {
	File
	placed bool // where it lies says that it does
}

// usual are the files in the usual places that may belong to the work trees.
func (m Machine) usual(trees []spool.Place) (list []candidate) {
	if m.Home == "" {
		return nil
	}
	for _, n := range nests {
		dir := filepath.Join(m.Home, filepath.FromSlash(n.dir))
		if m.Env != nil && n.variable != "" && filepath.IsAbs(m.Env(n.variable)) {
			dir = m.Env(n.variable)
		}
		seen := map[string]bool{}
		for _, pattern := range n.below {
			for _, p := range fill(pattern, trees) {
				paths, _ := filepath.Glob(filepath.Join(quoted(dir), filepath.FromSlash(p)))
				for _, path := range paths {
					if f, ok := stat(path); ok && !seen[path] {
						seen[path] = true
						list = append(list, candidate{f, strings.Contains(pattern, "HASH")})
					}
				}
			}
		}
	}
	return list
}

// fill puts into a pattern what stands for a work tree in it: SLUG, which is the
// beginning of the name of what is in the work tree too, or HASH.
func fill(pattern string, trees []spool.Place) (list []string) {
	if !strings.Contains(pattern, "SLUG") && !strings.Contains(pattern, "HASH") {
		return []string{pattern}
	}
	for _, t := range trees {
		sum := sha256.Sum256([]byte(t.WorkTree))
		p := strings.ReplaceAll(pattern, "HASH", hex.EncodeToString(sum[:]))
		list = append(list, strings.ReplaceAll(p, "SLUG", quoted(slug(t.WorkTree))+"*"))
	}
	return list
}

// slug is how Claude Code names what it keeps for a directory.
func slug(dir string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, dir)
}

// belongs reports whether the sessions at the beginning of a transcript say that
// they worked in one of the work trees. One that does not say where is taken to
// have where somebody else says that it did.
func belongs(path string, trees []spool.Place, said bool) bool {
	f, err := Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	limit := int64(agent.MaxHead)
	if filepath.Ext(path) == ".json" { // a document says in any place where it worked
		limit = maxDocument
	}
	head, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return false
	}
	format, ok := agent.Detect(head)
	if !ok {
		return false
	}
	reader := format.New(agent.Options{Session: Name(path), Growing: true})
	if err := reader.Read(bytes.NewReader(head)); err != nil {
		return false
	}
	worked := false
	for _, x := range reader.Transcripts() {
		for _, dir := range x.Directories {
			worked = true
			if Within(dir, trees) {
				return true
			}
		}
	}
	return said && !worked
}

// Within reports whether a directory lies in a work tree, and in no other
// repository inside of it.
func Within(dir string, trees []spool.Place) bool {
	dir = filepath.FromSlash(dir)
	if !filepath.IsAbs(dir) {
		return false
	}
	at, err := spool.Find(dir)
	return err == nil && slices.ContainsFunc(trees, func(t spool.Place) bool { return t.GitDir == at.GitDir })
}

// Name is the id that the name of a transcript's file says its session has, for
// those that do not say so themselves.
func Name(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

// Gone reports whether there is nothing any more where a transcript was.
func Gone(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}
