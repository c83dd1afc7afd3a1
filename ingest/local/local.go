// Package local is the transcripts that agents keep on this machine: where they
// lie, which of them belong to a repository, and how one is opened that may be
// anything by now. It writes nothing, runs nothing, and what it finds is named
// by paths that are for this machine only.
package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// MaxSize is how long a transcript may be that is read.
const MaxSize = 1 << 30

// ErrNoFile means: what is there is no file that can be read as a transcript.
var ErrNoFile = errors.New("no regular file")

// Open opens a transcript: a regular file that is not too long, and no link.
// Nothing that lies there instead holds the caller up. Errors do not name the
// path, which is the caller's.
func Open(path string) (*os.File, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("local: opening a transcript: %w", ErrNoFile)
	}
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("local: opening a transcript: %w", unnamed(err))
	}
	f, err := os.OpenFile(path, os.O_RDONLY|flags, 0)
	if err != nil {
		return nil, fmt.Errorf("local: opening a transcript: %w", unnamed(err))
	}
	switch info, err := f.Stat(); {
	case err != nil || !info.Mode().IsRegular(): // it became something else meanwhile
		_ = f.Close()
		return nil, fmt.Errorf("local: opening a transcript: %w", unnamed(err))
	case info.Size() > MaxSize:
		_ = f.Close()
		return nil, fmt.Errorf("local: a transcript of %d bytes, more than %d", info.Size(), int64(MaxSize))
	}
	return f, nil
}

// unnamed is an error without the path in it.
func unnamed(err error) error {
	var where *fs.PathError
	switch {
	case err == nil:
		return ErrNoFile
	case errors.As(err, &where):
		return where.Err
	}
	return err
}

// Subagent is where a sub-agent of a session writes, by the transcript of the
// session and the agent's own ids: beside it, as Claude Code has it. It is "" for
// ids that no file is named by.
func Subagent(transcript, session, id string) string {
	for _, part := range []string{session, id} {
		if part == "" || !filepath.IsLocal(part) || strings.ContainsAny(part, `/\`) {
			return ""
		}
	}
	return filepath.Join(filepath.Dir(transcript), session, "subagents", "agent-"+id+".jsonl")
}
