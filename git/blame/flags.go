package blame

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/internal/wire"
	"github.com/stemma-dev/stemma/git/quote"
)

// Flags checks flags of git blame and returns those that change which commit a
// line is given to. Flags that only change the look are accepted and left out;
// all others are an error.
func Flags(flags []string) ([]string, error) {
	var out []string
	for i := 0; i < len(flags); i++ {
		f := flags[i]
		name, value, joined := strings.Cut(f, "=")
		if slices.Contains(valued, name) {
			if !joined {
				if i++; i == len(flags) {
					return nil, fmt.Errorf("git: blame flag %s needs a value", f)
				}
				value = flags[i]
			}
			if strings.ContainsAny(value, "\x00\n") {
				return nil, fmt.Errorf("git: blame flag %s has a value of several lines", name)
			}
			if name == "--ignore-revs-file" && value != "" {
				value, _ = filepath.Abs(value)
			}
			if name == "-L" {
				out = append(out, "-L"+value)
			} else {
				out = append(out, name+"="+value)
			}
			continue
		}
		switch {
		case slices.Contains(looks, name):
		case slices.Contains(plainFlags, f), scored(f), strings.HasPrefix(f, "-L") && !strings.ContainsAny(f, "\x00\n"):
			out = append(out, f)
		default:
			return nil, fmt.Errorf("git: blame flag %s is not known", quote.Line(f))
		}
	}
	return out, nil
}

var (
	valued     = []string{"-L", "--since", "--after", "--ignore-rev", "--ignore-revs-file"}
	plainFlags = []string{"-w", "--root", "--first-parent", "--minimal"}
	looks      = []string{
		"-p", "--porcelain", "--line-porcelain", "-s", "-e", "--show-email", "-l", "-t", "-n", "--show-number",
		"-f", "--show-name", "-b", "-c", "--abbrev", "--date",
	}
)

// scored: -M or -C with or without a number.
func scored(f string) bool {
	return len(f) >= 2 && len(f) < 12 && (f[:2] == "-M" || f[:2] == "-C") && strings.Trim(f[2:], "0123456789") == ""
}

// The flags that name a commit and a file of names of commits, as [Flags]
// returns them.
const (
	ignoreRev      = "--ignore-rev="
	ignoreRevsFile = "--ignore-revs-file="
)

// Basis is a digest of all that decides what [Lines] tells of a committed file
// beside the file and its history: the flags and what they name, the mailmap,
// where the history is cut off, where the blame stops and then also where it
// begins. It is "" when the time of day or where a name points decides too.
func Basis(r *git.Repo, o Options) (string, error) {
	flags, err := Flags(o.Flags)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, f := range flags {
		fmt.Fprintf(h, "%s\x00", f)
		rev, named := strings.CutPrefix(f, ignoreRev)
		if named && !wire.IsID(rev) || strings.HasPrefix(f, "--since=") || strings.HasPrefix(f, "--after=") {
			return "", nil
		}
		if name, ok := strings.CutPrefix(f, ignoreRevsFile); ok && name != "" {
			b, err := os.ReadFile(name)
			if err != nil {
				return "", nil // git will say it better
			}
			fmt.Fprintf(h, "%d %s\x00", len(b), b)
		}
	}
	b, err := mailmap(r)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(h, "%d %s\x00", len(b), b)
	for _, id := range slices.Sorted(maps.Keys(r.Edge)) {
		fmt.Fprintf(h, "%s\x00", id)
	}
	for i, id := range o.Not {
		if i == 0 { // of two commits with the same file, one may lie where it stops
			fmt.Fprintf(h, "%s\x00", cmp.Or(o.Rev, r.Head))
		}
		if !wire.IsID(id) {
			return "", nil
		}
		fmt.Fprintf(h, "^%s\x00", id)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// maxMailmap bounds the mailmap of a work tree.
const maxMailmap = 16 << 20

// mailmap is that of the work tree, whether or not it is committed, as git has
// it; nothing in a bare repository, where git reads the one of HEAD.
func mailmap(r *git.Repo) ([]byte, error) {
	if r.Bare || r.WorkTree == "" {
		return nil, nil
	}
	name := filepath.Join(r.WorkTree, ".mailmap")
	if st, err := os.Lstat(name); err != nil || !st.Mode().IsRegular() || st.Size() > maxMailmap {
		return nil, nil
	}
	return os.ReadFile(name)
}

// mailmapFlags are the settings by which git reads it from a copy of our own:
// it would follow a link.
func mailmapFlags(r *git.Repo) ([]string, error) {
	if r.Bare || r.WorkTree == "" {
		return []string{"-c", "mailmap.blob=" + r.Head + ":.mailmap"}, nil
	}
	b, err := mailmap(r)
	if err != nil || b == nil {
		return nil, err
	}
	name := filepath.Join(r.Apart().Dir, "mailmap")
	return []string{"-c", "mailmap.file=" + name}, os.WriteFile(name, b, 0o600)
}
