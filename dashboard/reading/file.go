package reading

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/storage"
)

// A Tree is the files of a repository at the tip of a branch.
type Tree struct {
	Repository stemma.Ref
	Node       int64 // of the repository
	Branch     string
}

// A File is the state of a path at the tip of a branch.
type File struct {
	Node        int64
	Ref, Commit stemma.Ref
	Path, Blob  string
	Branch      string // whose tip it is
	Lines       int
	Origins     change.Lines
}

// File reads the state of a path, of another branch if the tree's own has none.
// It fails with stemma.ErrNotFound if there is none, or none any more.
func (r *Reader) File(ctx context.Context, in Tree, path string) (File, error) {
	f := File{Path: path}
	err := r.space.DB.Read(ctx, func(tx *storage.Tx) error {
		return tx.QueryRow(ctx, `SELECT f.id, n.ref, COALESCE(c.ref, ''), COALESCE(f.blob, ''), f.branch, COALESCE(f.lines, 0), COALESCE(f.ai_lines, 0), COALESCE(f.human_lines, 0), COALESCE(f.unknown_lines, 0)
			FROM k_file f JOIN node n ON n.id = f.id LEFT JOIN node c ON c.id = f."commit"
			WHERE f.path = $1 AND f.repository = $2 AND COALESCE(f.deleted, 0) = 0 ORDER BY CASE WHEN f.branch = $3 THEN 0 ELSE 1 END, f.id LIMIT 1`, path, in.Node, in.Branch).
			Scan(&f.Node, &f.Ref, &f.Commit, &f.Blob, &f.Branch, &f.Lines, &f.Origins.AI, &f.Origins.Human, &f.Origins.Unknown)
	})
	return f, err
}

// A Run is a stretch of lines of one commit and origin, and whose commit it is.
type Run struct {
	attribution.Run
	Title     string
	Author    stemma.Ref
	Committed time.Time
}

// Runs are those of a file, named by its node, in their order.
func (r *Reader) Runs(ctx context.Context, file int64) ([]Run, error) {
	return ask(ctx, r, func(f *Run) []any {
		return []any{
			&f.Start, &f.Count, &f.Origin, &f.Reason, &f.Agent, &f.ModelName,
			&f.Model, &f.Session, &f.Commit, &f.Title, &f.Author, (*micros)(&f.Committed),
		}
	}, `SELECT r.start, r."count", COALESCE(r.origin, ''), COALESCE(r.reason, ''), COALESCE(r.agent, ''), COALESCE(r.model_name, ''),
			COALESCE(m.ref, ''), COALESCE(s.ref, ''), COALESCE(c.ref, ''), COALESCE(k.title, ''), COALESCE(a.ref, ''), k.committed
		FROM k_file_run r LEFT JOIN node m ON m.id = r.model LEFT JOIN node s ON s.id = r.session LEFT JOIN node c ON c.id = r."commit"
			LEFT JOIN k_commit k ON k.id = r."commit" LEFT JOIN node a ON a.id = k.author
		WHERE r.id = $1 ORDER BY r.seq`, file)
}

// Text reads the lines of a file, without their ends. It may fail with
// ErrElsewhere or ErrUnreadable.
func (r *Reader) Text(ctx context.Context, repository stemma.Ref, blob string) ([][]byte, error) {
	path, err := r.Place(ctx, repository)
	if err != nil {
		return nil, err
	}
	data, err := r.repos.blob(ctx, path, blob)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	lines := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	for i, l := range lines {
		lines[i] = bytes.TrimSuffix(l, []byte("\r"))
	}
	return lines, nil
}

// RepositoriesWith are those that have a path: at most 100.
func (r *Reader) RepositoriesWith(ctx context.Context, path string) ([]stemma.Ref, error) {
	return ask(ctx, r, func(ref *stemma.Ref) []any { return []any{ref} },
		`SELECT DISTINCT n.ref FROM k_file f JOIN node n ON n.id = f.repository WHERE f.path = $1 AND COALESCE(f.deleted, 0) = 0 ORDER BY n.ref LIMIT 100`, path)
}

// An Entry is a file or, if it has files, a directory.
type Entry struct {
	Name, Path string
	Files      int
	Lines      change.Lines
}

// Directory adds up what lies in a directory, entry by entry: directories
// first, either in order of their names.
func (r *Reader) Directory(ctx context.Context, in Tree, dir string) ([]Entry, error) {
	prefix := dir
	if prefix != "" {
		prefix += "/"
	}
	// The text after "dir/" in byte order is "dir0": the index serves the range.
	after := strings.TrimSuffix(prefix, "/") + "0"
	found, err := ask(ctx, r, func(e *Entry) []any { return []any{&e.Path, &e.Lines.AI, &e.Lines.Human, &e.Lines.Unknown} },
		`SELECT path, COALESCE(ai_lines, 0), COALESCE(human_lines, 0), COALESCE(unknown_lines, 0) FROM k_file
		WHERE repository = $1 AND branch = $2 AND COALESCE(deleted, 0) = 0 AND ($3 = '' OR (path >= $3 AND path < $4)) ORDER BY path LIMIT 200000`, in.Node, in.Branch, prefix, after)
	var dirs, files []Entry
	for _, e := range found {
		name, _, deeper := strings.Cut(e.Path[len(prefix):], "/")
		e.Name, e.Path = name, prefix+name
		if !deeper {
			files = append(files, e)
			continue
		}
		if n := len(dirs); n > 0 && dirs[n-1].Name == name {
			last := &dirs[n-1]
			last.Files, last.Lines = last.Files+1, last.Lines.Plus(e.Lines)
			continue
		}
		e.Files = 1
		dirs = append(dirs, e)
	}
	return append(dirs, files...), err
}
