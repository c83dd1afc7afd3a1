package govern

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/patch"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/catalogue"
)

// own is where an organisation keeps its controls and what it decided.
const own = ".stemma"

// Bounds of what is read there.
const (
	maxOwnFile  = 1 << 20
	maxOwnFiles = 1000
)

// readHere are the ends of the names of files that are read: rules, and the keys and roots that
// a policy names.
var readHere = []string{".yaml", ".yml", ".pem", ".pub", ".json", ".jsonl"}

// rules are a set in force, and where it comes from.
type rules struct {
	*policy.Set
	packs []string
	from  string
}

// rulesOf are those of a directory if one is named, else those that stand in a commit:
// never those of the work tree, whose author is to be judged.
func rulesOf(ctx context.Context, r *git.Repo, dir, commit, name string, packs []string) (rules, error) {
	switch {
	case dir != "":
		info, err := os.Stat(dir)
		if err != nil {
			return rules{}, fmt.Errorf("the policy: %w", err)
		}
		if !info.IsDir() {
			return rules{}, stemma.WithHint(fmt.Errorf("--policy names a directory, and %s is a file", terminal.OneLine(dir)), "name the directory that has policy.yaml, controls/ and packs/")
		}
		return inForce(os.DirFS(dir), packs, terminal.OneLine(dir))
	case commit == "":
		return inForce(nil, packs, "the program")
	}
	files, err := committed(ctx, r, commit)
	if err != nil {
		return rules{}, fmt.Errorf("reading %s of %s: %w", own, terminal.OneLine(name), err)
	}
	from := fmt.Sprintf("%s of %s (%.12s)", own, terminal.OneLine(name), commit)
	if files == nil {
		from = fmt.Sprintf("the program, as %s (%.12s) has no %s", terminal.OneLine(name), commit, own)
	}
	return inForce(files, packs, from)
}

// inForce puts the controls that come with the program together with those of an
// organisation, and with what it decided.
func inForce(files fs.FS, packs []string, from string) (rules, error) {
	set, err := catalogue.Load(files, packs...)
	if err != nil {
		return rules{}, stemma.WithHint(err, "the rules are those of %s", from)
	}
	return rules{set, set.Policy.Packs, from}, nil
}

// committed is the directory as it stands in a commit; nil if it is not there.
func committed(ctx context.Context, r *git.Repo, commit string) (fs.FS, error) {
	var files []git.TreeEntry
	var ids []string
	links := map[string]bool{}
	for e, err := range r.Tree(ctx, commit, own, true) {
		if err != nil {
			return nil, err
		}
		name, below := strings.CutPrefix(e.Path, own+"/")
		isLink := e.Mode == patch.ModeLink
		if e.Path == own || (isLink || e.Type == "commit" || name == "controls" || name == "packs") && catalogue.Ours(name) {
			return nil, notItself(e) // of a tree nothing but what is in it is listed
		}
		if isLink {
			links[name] = true
			continue
		}
		if e.Type != "blob" || !slices.Contains(readHere, strings.ToLower(path.Ext(e.Path))) || !below {
			continue
		}
		if len(files) == maxOwnFiles {
			return nil, fmt.Errorf("there are more than %d files", maxOwnFiles)
		}
		files, ids = append(files, e), append(ids, e.ID)
	}
	if len(files) == 0 {
		return nil, nil
	}
	var packed bytes.Buffer // a zip in memory is a file system
	w := zip.NewWriter(&packed)
	i := 0
	for o, err := range r.Objects(ctx, slices.Values(ids), maxOwnFile) {
		if err != nil {
			return nil, err
		}
		name := files[i].Path
		i++
		if o.Missing || o.TooBig {
			return nil, fmt.Errorf("%s cannot be read, or has more than %d bytes", terminal.OneLine(name), maxOwnFile)
		}
		f, err := w.Create(strings.TrimPrefix(name, own+"/"))
		if err == nil {
			_, err = f.Write(o.Data)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	read, err := zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	return unlinked{read, links}, err
}

// notItself says of a part of the directory that a commit has something else in its place. Of a
// symbolic link it has the text alone, and where that leads was never looked at by anybody.
func notItself(e git.TreeEntry) error {
	what := "no directory"
	if e.Mode == patch.ModeLink {
		what = "a symbolic link, which is not followed"
	}
	return stemma.WithHint(fmt.Errorf("%s is %s: no rules can be read there", terminal.OneLine(e.Path), what), "commit what it stands for in its place, or name the directory with --policy DIR")
}

// toFile gives a form somewhere to write to: a file, or standard output for "-".
func toFile(name string, out io.Writer) (io.WriteCloser, error) {
	if name == "-" {
		return nopCloser{out}, nil
	}
	return os.Create(name)
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
