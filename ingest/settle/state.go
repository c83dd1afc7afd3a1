package settle

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stemma-dev/stemma/spool"
)

// The state of a clone: which commits are settled, one a line with the blob of
// the note that was written, and how far each work tree was read. It may be
// deleted: then everything is settled again, and comes out the same.
type state struct {
	dir   string
	done  map[string]string
	fresh bytes.Buffer // lines to be added
}

// A progress is how far a work tree was read.
type progress struct {
	Spool, Reflog int64
}

func openState(place spool.Place) (*state, error) {
	s := &state{dir: filepath.Join(place.Common, "stemma"), done: map[string]string{}}
	f, err := os.Open(filepath.Join(s.dir, "settled"))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("settling: %w", err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if commit, note, ok := strings.Cut(lines.Text(), " "); ok {
			s.done[commit] = note
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("settling: %w", err)
	}
	return s, nil
}

func (s *state) has(commit string) bool {
	_, ok := s.done[commit]
	return ok
}

func (s *state) settled(commit, note string) {
	s.done[commit] = note
	fmt.Fprintf(&s.fresh, "%s %s\n", commit, note)
}

// progressOf is where the progress of a work tree is kept.
func progressOf(place spool.Place) string { return filepath.Join(place.Dir(), "progress") }

// current reports whether nothing has happened in a work tree since it was
// settled.
func (s *state) current(place spool.Place) bool {
	var p progress
	b, err := os.ReadFile(progressOf(place))
	if err != nil || json.Unmarshal(b, &p) != nil {
		return false
	}
	return p == progress{size(filepath.Join(place.Dir(), "spool")), size(filepath.Join(place.GitDir, "logs", "HEAD"))}
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// save keeps what was settled.
func (s *state) save(place spool.Place, spooled, logged int64) error {
	f, err := os.OpenFile(filepath.Join(s.dir, "settled"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("settling: %w", err)
	}
	_, err = f.Write(s.fresh.Bytes())
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("settling: %w", err)
	}
	b, err := json.Marshal(progress{spooled, logged})
	if err != nil {
		return fmt.Errorf("settling: %w", err)
	}
	return os.WriteFile(progressOf(place), b, 0o600)
}
