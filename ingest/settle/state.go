package settle

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
	"github.com/stemma-dev/stemma/spool"
)

// The state of a clone: which commits are settled, one a line with the blob of
// the note that was written, and which notes of remotes were joined. It may be
// deleted: then everything is settled again, and comes out the same.
type state struct {
	dir    string
	done   map[string]string
	merged map[string]string   // by ref
	fresh  bytes.Buffer        // lines to be added
	waits  map[string][]string // by commit, those of which a note would tell more of it
	opened map[string]string   // commits that are settled again, with the notes that they had
	again  []string            // commits of which nothing was known, and about which notes may have come
}

// recheck takes up again the commits whose notes are not there any more, because the
// ref was deleted or somebody put another in its place. A note that was removed by
// a commit of notes stays away.
func (s *state) recheck(ctx context.Context, repo *git.Repo) error {
	tip, err := notesTip(ctx, repo)
	before := s.merged[Ref]
	if err != nil || before == "" || tip == before {
		return err
	}
	if tip != "" {
		if went, err := repo.Ancestor(ctx, before, tip); err == nil && went {
			return nil
		}
	}
	var ids []string
	for commit, blob := range s.done {
		if blob != "" && blob != unbound {
			ids = append(ids, commit)
		}
	}
	there := map[string]bool{}
	if tip != "" {
		cat, err := repo.CatFile(ctx, 0)
		if err != nil {
			return err
		}
		defer cat.Kill()
		notes, err := cat.NotesOn(tip, ids)
		if err != nil {
			return err
		}
		for _, n := range notes {
			there[n.Object] = true
		}
	}
	for _, id := range ids {
		if !there[id] {
			delete(s.done, id)
		}
	}
	return nil
}

// unbound stands in the place of the note of a commit that was made elsewhere and
// of which nothing is known yet.
const unbound = "?"

// retry takes up again the commits of which nothing was known, and those of which
// notes that came tell more.
func (s *state) retry(ctx context.Context, repo *git.Repo) error {
	for commit, note := range s.done {
		if note == unbound {
			s.again = append(s.again, commit)
		}
	}
	defer func() { slices.Sort(s.again) }()
	waited := map[string][]string{}
	for commit, sources := range s.waits {
		for _, source := range sources {
			waited[source] = append(waited[source], commit)
		}
	}
	tip, err := notesTip(ctx, repo)
	if err != nil || tip == "" || len(waited) == 0 {
		return err
	}
	cat, err := repo.CatFile(ctx, 0)
	if err != nil {
		return err
	}
	defer cat.Kill()
	notes, err := cat.NotesOn(tip, slices.Sorted(maps.Keys(waited)))
	for _, n := range notes {
		for _, commit := range waited[n.Object] {
			if blob, done := s.done[commit]; done && blob != unbound {
				s.opened[commit], s.again = blob, append(s.again, commit)
				delete(s.done, commit)
			}
		}
	}
	return err
}

func stateDir(place spool.Place) string { return filepath.Join(place.Common, "stemma") }

func readState(place spool.Place) (*state, error) {
	s := &state{
		dir: stateDir(place), done: map[string]string{}, merged: map[string]string{}, waits: map[string][]string{}, opened: map[string]string{},
	}
	for commit, blob := range written(place) {
		s.done[commit] = blob
	}
	if b, err := os.ReadFile(filepath.Join(s.dir, "joined")); err == nil && json.Unmarshal(b, &s.merged) != nil {
		s.merged = map[string]string{}
	}
	if b, err := os.ReadFile(filepath.Join(s.dir, "waiting")); err == nil && json.Unmarshal(b, &s.waits) != nil {
		s.waits = map[string][]string{}
	}
	return s, nil
}

// written reads the commits that are settled, with the blobs of their notes.
func written(place spool.Place) func(func(commit, blob string) bool) {
	return func(yield func(commit, blob string) bool) {
		f, err := os.Open(filepath.Join(stateDir(place), "settled"))
		if err != nil {
			return // nothing is
		}
		defer func() { _ = f.Close() }()
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			if commit, blob, ok := strings.Cut(lines.Text(), " "); ok && !yield(commit, blob) {
				return
			}
		}
	}
}

func (s *state) has(commit string) bool {
	_, ok := s.done[commit]
	return ok
}

func (s *state) settled(commit, note string) {
	s.done[commit] = note
	fmt.Fprintf(&s.fresh, "%s %s\n", commit, note)
}

// wait remembers of which commits a note would tell more of one.
func (s *state) wait(c *bind.Commit) {
	if delete(s.waits, c.ID); len(c.Waits) > 0 {
		s.waits[c.ID] = c.Waits
	}
}

// A progress is what a work tree looked like when it was settled.
type progress struct {
	Spool   int64 // how long the spool was
	Reflog  int64 // how long the reflog
	Fetched string
	Notes   string // where those of the clone stood
}

// look tells what a work tree looks like now, at the cost of some looks at files.
func look(place spool.Place) progress {
	p := progress{size(filepath.Join(place.Dir(), "spool")), size(filepath.Join(place.GitDir, "logs", "HEAD")), "", ""}
	remotes, _ := filepath.Glob(filepath.Join(place.Common, filepath.FromSlash(Fetched), "*", "ai"))
	for _, ref := range remotes {
		b, _ := os.ReadFile(ref)
		p.Fetched += string(b)
	}
	b, _ := os.ReadFile(filepath.Join(place.Common, filepath.FromSlash(Ref)))
	p.Notes = string(b)
	return p
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// captured reports whether there is anything to settle in a clone at all.
func captured(place spool.Place) bool {
	p := look(place)
	return p.Spool > 0 || p.Fetched != ""
}

// progressOf is where the progress of a work tree is kept.
func progressOf(place spool.Place) string { return filepath.Join(place.Dir(), "progress") }

// changed reports whether something has happened in a work tree since it was
// settled.
func changed(place spool.Place) bool {
	var p progress
	b, err := os.ReadFile(progressOf(place))
	return err != nil || json.Unmarshal(b, &p) != nil || p != look(place)
}

// save keeps what was settled. What happened meanwhile is left for the next time.
func (s *state) save(place spool.Place, then progress) error {
	if err := os.MkdirAll(place.Dir(), 0o700); err != nil {
		return fmt.Errorf("settling: %w", err)
	}
	if err := errors.Join(s.write(), keep(filepath.Join(s.dir, "joined"), s.merged), keep(filepath.Join(s.dir, "waiting"), s.waits), keep(progressOf(place), then)); err != nil {
		return fmt.Errorf("settling: %w", err)
	}
	return nil
}

// write keeps which commits were settled.
func (s *state) write() error {
	f, err := os.OpenFile(filepath.Join(s.dir, "settled"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(s.fresh.Bytes())
	s.fresh.Reset()
	return errors.Join(err, f.Close())
}

// keep writes a file as a whole or not at all.
func keep(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return spool.Replace(path, b)
}

// Own tells which notes were written here: what they say was seen by hooks of
// this clone. The version changes when it does.
func Own(dir string) (own func(commit, blob string) bool, version string) {
	place, ok := find(dir)
	if !ok {
		return nil, ""
	}
	at := filepath.Join(stateDir(place), "settled")
	info, err := os.Stat(at)
	if errors.Is(err, fs.ErrNotExist) || err != nil {
		return nil, ""
	}
	var notes map[string]string
	return func(commit, blob string) bool {
		if notes == nil {
			notes = map[string]string{}
			for c, b := range written(place) {
				notes[c] = b
			}
		}
		return blob != "" && notes[commit] == blob
	}, fmt.Sprint(info.Size(), info.ModTime().UnixNano())
}
