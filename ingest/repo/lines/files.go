package lines

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/attribution/weave"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/repo/clone"
	"github.com/stemma-dev/stemma/storage"
)

// A fileState is what the graph knows of a path at the tip of the branch.
type fileState struct {
	blob             string
	deleted          bool
	lines, ai, human int
	runs             uint64 // digest of the runs, if these were read
}

// source is what facts derived from all diffs say they come from.
const source = "line-weave"

const reasonNoHistory = "the history of this line is not known"

// A Branch is the default branch of a repository, of whose files the lines are
// to be stated.
type Branch struct {
	DB         *storage.DB
	Writer     *ingest.Writer
	Repo       *clone.Repo
	Repository stemma.Ref
	Weave      *weave.Weave
	Origins    *Origins
	Commit     string          // whose files the store is to show
	Before     string          // whose files it shows; "" if that is not known
	Late       map[string]bool // commits of earlier scans whose records came now
	Binary     map[string]bool // contents that are known to be binary
	Now        func() time.Time
	Progress   func(stage string, done, total int64)
}

// State states, for every path at the commit whose lines or their origins
// changed, who brought which line.
func (b *Branch) State(ctx context.Context) error {
	before, err := b.knownFiles(ctx)
	if err != nil {
		return err
	}
	versions, err := b.versionsBefore(ctx, before)
	if err != nil {
		return err
	}
	files, complete, err := b.tipFiles(ctx)
	if err != nil {
		return err
	}
	old := maps.Clone(before)
	files = slices.DeleteFunc(files, func(f weave.FileLines) bool {
		path := quote.Path(f.Path)
		delete(before, path)
		is, known := old[path]
		version, seen := versions[f.Path]
		return known && seen && version == f.Version && is.blob == f.Blob && (f.Lines < 0 || is.lines == f.Lines) && !b.anyLate(f.Runs)
	})
	if err := b.countLines(ctx, files); err != nil {
		return err
	}
	if err := b.loadOrigins(ctx, files); err != nil {
		return err
	}
	for i, f := range files {
		b.Progress("files", int64(i+1), int64(len(files)))
		is, known := old[quote.Path(f.Path)]
		_, seen := versions[f.Path]
		if err := b.stateFile(ctx, f, is, known && !seen); err != nil {
			return err
		}
	}
	if !complete {
		return nil // what is not listed may still be there
	}
	return b.stateDeleted(ctx, before)
}

// loadOrigins makes known who wrote the lines of files.
func (b *Branch) loadOrigins(ctx context.Context, files []weave.FileLines) error {
	commits := map[string]bool{}
	for _, f := range files {
		for _, r := range f.Runs {
			commits[r.Commit] = true
		}
	}
	return b.Origins.Load(ctx, commits)
}

// stateFile states a file; with compare set, only if it is not as it was.
func (b *Branch) stateFile(ctx context.Context, f weave.FileLines, old fileState, compare bool) error {
	record := b.fileRecord(f)
	if len(record.Path) > stemma.MaxIndexed {
		return b.Writer.Gap(ctx, stemma.Gap{Source: source, Place: record.Path, Reason: "the path is too long"})
	}
	if compare && old == (fileState{record.Blob, record.Deleted, record.Lines, record.AILines, record.HumanLines, runsDigest(record.Runs)}) {
		return nil
	}
	return b.Writer.Record(ctx, record, source, stemma.GradeD)
}

func (b *Branch) anyLate(runs []weave.LineRun) bool {
	return len(b.Late) > 0 && slices.ContainsFunc(runs, func(r weave.LineRun) bool { return b.Late[r.Commit] })
}

// versionsBefore are the versions of the files at the tip of the last scan. If
// that is not known, or not all of it, the runs are read into before.
func (b *Branch) versionsBefore(ctx context.Context, before map[string]fileState) (map[string]uint32, error) {
	versions := map[string]uint32{}
	if b.Before == "" || !b.Weave.Has(b.Before) {
		return versions, b.knownRuns(ctx, before)
	}
	for f, err := range b.Weave.Files(b.Before) {
		if errors.Is(err, weave.ErrIncomplete) {
			return versions, b.knownRuns(ctx, before)
		}
		if err != nil {
			return nil, fmt.Errorf("lines at %s: %w", b.Before, err)
		}
		versions[f.Path] = f.Version
	}
	return versions, nil
}

// tipFiles lists the files at the tip with their runs, and tells whether these
// are all.
func (b *Branch) tipFiles(ctx context.Context) (files []weave.FileLines, complete bool, err error) {
	for f, err := range b.Weave.Tip(b.Commit) {
		if errors.Is(err, weave.ErrIncomplete) {
			return b.listTip(ctx, files)
		}
		if err != nil {
			return nil, false, fmt.Errorf("lines at %s: %w", b.Commit, err)
		}
		files = append(files, f)
	}
	return files, true, nil
}

// fileRecord divides the runs of a file further by origin.
func (b *Branch) fileRecord(f weave.FileLines) attribution.File {
	record := attribution.File{
		Repository: b.Repository, Branch: b.Repo.BranchName(), Path: quote.Path(f.Path), Blob: f.Blob,
		Commit: b.Repo.CommitRef(b.Commit), Lines: max(f.Lines, 0), Occurred: stemma.At(b.Now()), Runs: []attribution.Run{},
	}
	for _, r := range f.Runs {
		if r.Unknown {
			record.UnknownLines += r.Count
			record.Runs = append(record.Runs, attribution.Run{
				Start: r.Start, Count: r.Count, Origin: string(stemma.OriginUnknown),
				Basis: string(stemma.BasisUnknown), Reason: reasonNoHistory,
			})
			continue
		}
		path := quote.Path(r.Path)
		for _, piece := range b.Origins.split(r.Commit, path, r.Line, r.Count) {
			run := attribution.Run{
				Start: r.Start + piece.start - r.Line, Count: piece.count, Commit: b.Repo.CommitRef(r.Commit), Line: piece.start,
				Origin: string(piece.Origin), Basis: string(piece.Basis), Reason: piece.Reason,
				Agent: piece.Agent, Model: piece.Model, ModelName: piece.ModelName, Session: piece.Session,
			}
			if path != record.Path {
				run.Path = path
			}
			switch piece.Origin {
			case stemma.OriginAI:
				record.AILines += piece.count
			case stemma.OriginHuman:
				record.HumanLines += piece.count
			default:
				record.UnknownLines += piece.count
			}
			record.Runs = append(record.Runs, run)
		}
	}
	return record
}

// knownFiles are the files of the branch as they were stated last.
func (b *Branch) knownFiles(ctx context.Context) (map[string]fileState, error) {
	known := map[string]fileState{}
	err := b.DB.Read(ctx, func(tx *storage.Tx) error {
		rows, err := tx.Query(ctx, `SELECT f.path, COALESCE(f.blob, ''), COALESCE(f.deleted, 0), f.lines, f.ai_lines, f.human_lines
			FROM k_file f JOIN node r ON r.id = f.repository
			WHERE r.ref = $1 AND f.branch = $2`, string(b.Repository), b.Repo.BranchName())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var path string
			var f fileState
			if err := rows.Scan(&path, &f.blob, &f.deleted, &f.lines, &f.ai, &f.human); err != nil {
				return err
			}
			known[path] = f
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("files of %s: %w", b.Repository, err)
	}
	return known, nil
}

// knownRuns adds to files the digests of their runs.
func (b *Branch) knownRuns(ctx context.Context, files map[string]fileState) error {
	if len(files) == 0 {
		return nil
	}
	runs := map[string][]attribution.Run{}
	err := b.DB.Read(ctx, func(tx *storage.Tx) error {
		rows, err := tx.Query(ctx, `SELECT f.path, u.start, u.count, COALESCE(c.ref, ''), COALESCE(u.path, ''), COALESCE(u.line, 0), u.origin,
				COALESCE(u.basis, ''), COALESCE(u.reason, ''), COALESCE(u.agent, ''), COALESCE(m.ref, ''), COALESCE(u.model_name, ''), COALESCE(t.ref, '')
			FROM k_file f JOIN node r ON r.id = f.repository JOIN k_file_run u ON u.id = f.id
			LEFT JOIN node c ON c.id = u."commit" LEFT JOIN node m ON m.id = u.model LEFT JOIN node t ON t.id = u.session
			WHERE r.ref = $1 AND f.branch = $2 ORDER BY u.id, u.seq`, string(b.Repository), b.Repo.BranchName())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var path string
			var u attribution.Run
			if err := rows.Scan(&path, &u.Start, &u.Count, (*string)(&u.Commit), &u.Path, &u.Line, &u.Origin,
				&u.Basis, &u.Reason, &u.Agent, (*string)(&u.Model), &u.ModelName, (*string)(&u.Session)); err != nil {
				return err
			}
			runs[path] = append(runs[path], u)
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("lines of %s: %w", b.Repository, err)
	}
	for path, f := range files {
		f.runs = runsDigest(runs[path])
		files[path] = f
	}
	return nil
}

// runsDigest is equal for equal runs.
func runsDigest(runs []attribution.Run) uint64 {
	h := fnv.New64a()
	for _, r := range runs {
		fmt.Fprintf(h, "%+v\x00", r)
	}
	return h.Sum64()
}

// stateDeleted states that the paths which are left are not there any more.
func (b *Branch) stateDeleted(ctx context.Context, gone map[string]fileState) error {
	for path, f := range gone {
		if f.deleted {
			continue // stated as deleted before
		}
		record := attribution.File{
			Repository: b.Repository, Branch: b.Repo.BranchName(), Path: path, Commit: b.Repo.CommitRef(b.Commit), Deleted: true,
			Occurred: stemma.At(b.Now()), Runs: []attribution.Run{},
		}
		if err := b.Writer.Record(ctx, record, source, stemma.GradeD); err != nil {
			return err
		}
	}
	return nil
}
