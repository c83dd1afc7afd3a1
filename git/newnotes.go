package git

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/git/internal/wire"
	"github.com/stemma-dev/stemma/git/quote"
)

// A NewNote is to hang on a commit.
type NewNote struct {
	Object string // id of a commit
	Text   []byte
	Path   string // where the note stands that is replaced, if the commit may not be here
}

// AddNotes writes notes below a ref with one process, which is a commit behind
// what is there; a note that the commit has is replaced. If somebody else moves
// the ref meanwhile, nothing is written and the error says so.
//
// Besides [Repo.MergeNotes] it is the only thing that is ever written into a
// repository: nothing of it runs, no hook either.
func (r *Repo) AddNotes(ctx context.Context, ref string, notes []NewNote, subject string, at time.Time) error {
	if len(notes) == 0 {
		return nil
	}
	tip := ""
	refs, err := r.RefNames(ctx, ref)
	if err != nil {
		return err
	}
	for _, found := range refs {
		if found.Name == ref {
			tip = found.ID
		}
	}
	var in bytes.Buffer
	fmt.Fprintf(&in, "commit %s\ncommitter stemma <stemma@localhost> %d +0000\ndata %d\n%s\n", ref, at.Unix(), len(subject), subject)
	if tip != "" {
		fmt.Fprintf(&in, "from %s\n", tip)
	}
	for _, n := range notes {
		if !wire.IsID(n.Object) {
			return fmt.Errorf("git: a note on %s: not the id of a commit", quote.Line(n.Object))
		}
		if n.Path == "" {
			fmt.Fprintf(&in, "N inline %s\n", n.Object)
		} else if id := strings.ReplaceAll(n.Path, "/", ""); id == n.Object {
			fmt.Fprintf(&in, "M 100644 inline %s\n", n.Path)
		} else {
			return fmt.Errorf("git: a note on %s: %s is not its path", n.Object, quote.Line(n.Path))
		}
		fmt.Fprintf(&in, "data %d\n", len(n.Text))
		in.Write(n.Text)
		in.WriteByte('\n')
	}
	in.WriteString("done\n")
	if _, err := r.here.Output(ctx, in.Bytes(), 1<<20, "fast-import", "--quiet", "--done", "--date-format=raw"); err != nil {
		return fmt.Errorf("git: writing notes to %s: %w", quote.Line(ref), err)
	}
	return nil
}

// MergeNotes brings the notes below another ref into one, as git notes merge
// does; where both have a note on an object, that of ref stays. A ref that is not
// there becomes what the other is.
func (r *Repo) MergeNotes(ctx context.Context, ref, other string) error {
	refs, err := r.RefNames(ctx, ref, other)
	if err != nil {
		return err
	}
	ids := map[string]string{}
	for _, found := range refs {
		ids[found.Name] = found.ID
	}
	args := []string{"-c", "user.name=stemma", "-c", "user.email=stemma@localhost", "notes", "--ref", ref, "merge", "-q", "-s", "ours", other}
	if ids[ref] == "" {
		args = []string{"update-ref", ref, ids[other], ""}
	}
	if _, err := r.here.Output(ctx, nil, 1<<20, args...); err != nil {
		return fmt.Errorf("git: merging notes of %s into %s: %w", quote.Line(other), quote.Line(ref), err)
	}
	return nil
}
