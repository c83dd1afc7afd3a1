package entire

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/note"
)

// Branch is the branch that holds Entire's checkpoints.
const Branch = "refs/heads/entire/checkpoints/v1"

// File is one path of the checkpoint branch, taken apart.
type File struct {
	Checkpoint string // 12 hexadecimal digits
	Session    int    // number of the session in the checkpoint, -1 at its root
	Name       string // "metadata.json", "full.jsonl", "prompt.txt", "context.md", "content_hash.txt"
}

// ParsePath takes "ab/cdef012345/0/full.jsonl" apart.
func ParsePath(path string) (File, bool) {
	parts := strings.Split(path, "/")
	if len(parts) < 3 || len(parts) > 4 || len(parts[0]) != 2 || len(parts[1]) != 10 || !note.IsHex(parts[0]+parts[1]) {
		return File{}, false
	}
	f := File{Checkpoint: parts[0] + parts[1], Session: -1, Name: parts[len(parts)-1]}
	if len(parts) == 4 {
		n, err := strconv.ParseUint(parts[2], 10, 16)
		if err != nil {
			return File{}, false
		}
		f.Session = int(n)
	}
	return f, f.Name != ""
}

// ParseShadow takes the name of a shadow branch apart:
// "entire/<commit>-<work tree>", with or without refs/heads/. Older versions
// wrote the commit alone.
func ParseShadow(branch string) (commit, worktree string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(branch, "refs/heads/"), "entire/")
	if !ok {
		return "", "", false
	}
	commit, worktree, two := strings.Cut(rest, "-")
	if len(commit) != 7 || !note.IsHex(commit) || two && (len(worktree) != 6 || !note.IsHex(worktree)) {
		return "", "", false
	}
	return commit, worktree, true
}

// HashMatches reports whether content_hash.txt names the digest of the
// transcript, and whether it could be read at all.
func HashMatches(contentHash []byte, transcript stemma.Digest) (matches, ok bool) {
	text, found := strings.CutPrefix(strings.TrimSpace(string(contentHash[:min(len(contentHash), 200)])), "sha256:")
	want, err := hex.DecodeString(text)
	if !found || err != nil || len(want) != len(transcript) {
		return false, false
	}
	return string(want) == string(transcript[:]), true
}
