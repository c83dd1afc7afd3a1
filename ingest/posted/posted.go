// Package posted keeps the notes that clients of Git AI send over HTTP instead of
// pushing them, gives them back byte for byte, and makes them facts.
//
// They come without the name of a repository: commits alone say where they belong.
// So a note is kept in the vault, and stated as one that nobody has compared with
// its commit: it credits no line. Whoever scans the repository that has the commit
// asks for it here and states it again, with the lines.
//
// The table posted says which note was sent last about each commit: commit_id,
// digest, number. Earlier ones stay in the ledger, with their bytes. Anybody who has
// the token may send one about any commit, so all of them are grade D.
package posted

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/records"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/vault"
)

// Source is what facts made of these notes say they come from, and Format the
// format of the records. It is not that of notes in a repository: where both speak
// of a commit both stand, and lines on which they do not agree are unknown.
const (
	Source = "git-ai-http"
	Format = "git-ai-http"
)

// Body and Media describe the bytes of a note, kept beside the fact.
const (
	Body  = "note"
	Media = "text/plain; charset=utf-8"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Notes are those of one space. The methods may be called concurrently and by
// several processes.
type Notes struct {
	space *ingest.Space
	now   func() time.Time
}

// Open returns the notes of a space and makes their table where it is missing. Now
// tells when one is received.
func Open(ctx context.Context, space *ingest.Space, now func() time.Time) (*Notes, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("posted: opening: %w", err)
	}
	if err := space.DB.Migrate(ctx, "posted", files); err != nil {
		return nil, fmt.Errorf("posted: opening: %w", err)
	}
	return &Notes{space, now}, nil
}

// owner is whose the bytes of a note are.
func owner(commit string) stemma.Ref {
	ref := change.ShaRef(commit)
	if ref == "" { // such a thing is kept for who sent it, and no fact speaks of it
		ref = change.CommitRef("hex", commit)
	}
	return attribution.Ref(ref, Format)
}

// Place is where a note was read from, as facts that compared it with its commit say.
func Place(digest stemma.Digest) string { return "posted " + digest.String() }

// Put keeps notes, durably when it returns, and states those that are new. Of
// several on one commit the last one stands. Those that cannot be kept are counted:
// their bytes were erased, so that they may not come back.
func (n *Notes) Put(ctx context.Context, notes []Note) (refused int, err error) {
	last := map[string]string{}
	for _, one := range notes {
		if err := one.Check(); err != nil {
			return 0, fmt.Errorf("posted: %w", err)
		}
		last[one.Commit] = one.Content
	}
	gone := map[string]bool{}
	for commit := range last {
		if gone[commit], err = n.space.Vault.Erased(ctx, owner(commit)); err != nil {
			return 0, fmt.Errorf("posted: %w", err)
		}
	}
	for _, one := range notes {
		if gone[one.Commit] {
			refused++
			delete(last, one.Commit)
		}
	}
	if err := n.keep(ctx, last); err != nil {
		return 0, fmt.Errorf("posted: keeping %d notes: %w", len(last), err)
	}
	return refused, nil
}

// keep keeps one note for each commit: its bytes, then a fact, and last the row by
// which it is found, so that a client that got no answer sends all of them again.
func (n *Notes) keep(ctx context.Context, notes map[string]string) error {
	known, err := n.digests(ctx, slices.Sorted(maps.Keys(notes)))
	if err != nil {
		return err
	}
	var sealed []vault.Sealed
	fresh := map[string]stemma.Digest{}
	for _, commit := range slices.Sorted(maps.Keys(notes)) {
		body := []byte(notes[commit])
		sealed = append(sealed, vault.Sealed{Owner: owner(commit), Body: body})
		if digest := stemma.Sum(body); known[commit] != digest {
			fresh[commit] = digest
		}
	}
	if _, err := n.space.Vault.PutAll(ctx, sealed...); err != nil || len(fresh) == 0 {
		return err
	}
	if err := n.state(ctx, notes, fresh); err != nil {
		return err
	}
	return n.space.DB.Write(ctx, func(tx *storage.Tx) error {
		var number int64
		if err := tx.QueryRow(ctx, "SELECT COALESCE(MAX(number), 0) FROM posted").Scan(&number); err != nil {
			return err
		}
		_, err := tx.Upsert(ctx, "posted", []string{"commit_id", "digest", "number"},
			"ON CONFLICT (commit_id) DO UPDATE SET digest = excluded.digest, number = excluded.number",
			func(yield func([]any) bool) {
				for _, commit := range slices.Sorted(maps.Keys(fresh)) {
					if number++; !yield([]any{commit, fresh[commit].String(), number}) {
						return
					}
				}
			})
		return err
	})
}

// state states notes as they came, not compared with their commits.
func (n *Notes) state(ctx context.Context, notes map[string]string, fresh map[string]stemma.Digest) error {
	w := ingest.NewWriter(ctx, n.space, n.now)
	for _, commit := range slices.Sorted(maps.Keys(fresh)) {
		ref := change.ShaRef(commit)
		if ref == "" {
			continue
		}
		body := []byte(notes[commit])
		c := Claims(body)
		made := note.Convert(c, note.Commit{Ref: ref, Note: "received " + fresh[commit].String(), Committed: n.now()}).Attribution
		made.Bodies = Bodies(body)
		if err := w.Record(ctx, made, Source, stemma.GradeD); err != nil {
			return errors.Join(err, w.Close(ctx))
		}
	}
	return w.Close(ctx)
}

// Claims are what a note says about lines. Who says so is somebody else.
func Claims(body []byte) note.Claims {
	c := records.ParseGitAI(body)
	c.Format = Format
	c.Foreign()
	return c
}

// Bodies describe the bytes of a note to a fact about it.
func Bodies(body []byte) []stemma.Body {
	return []stemma.Body{{Name: Body, Media: Media, Digest: stemma.Sum(body), Size: int64(len(body))}}
}

// A Kept note is one that was sent, as it came.
type Kept struct {
	Commit string
	Body   []byte
}

// About gives the notes on those of the commits that have one, one at a time since
// each may be large, in the order of the commits' names. An error is the last thing
// that comes.
func (n *Notes) About(ctx context.Context, commits []string) iter.Seq2[Kept, error] {
	return func(yield func(Kept, error) bool) {
		digests, err := n.digests(ctx, commits)
		if err != nil {
			yield(Kept{}, fmt.Errorf("posted: %w", err))
			return
		}
		for _, commit := range slices.Sorted(maps.Keys(digests)) {
			body, err := n.space.Vault.Get(ctx, owner(commit), digests[commit])
			switch {
			case errors.Is(err, vault.ErrErased):
			case err != nil:
				yield(Kept{}, fmt.Errorf("posted: the note on %s: %w", commit, err))
				return
			case !yield(Kept{commit, body}, nil):
				return
			}
		}
	}
}

// digests tells which note was sent last about each of the commits.
func (n *Notes) digests(ctx context.Context, commits []string) (found map[string]stemma.Digest, err error) {
	found = map[string]stemma.Digest{}
	for chunk := range slices.Chunk(commits, 400) {
		args, marks := make([]any, len(chunk)), ""
		for i, commit := range chunk {
			args[i] = commit
			marks += fmt.Sprintf(",$%d", i+1)
		}
		err = n.space.DB.Each(ctx, func(scan func(...any) error) error {
			var commit, digest string
			if err := scan(&commit, &digest); err != nil {
				return err
			}
			found[commit], err = stemma.ParseDigest(digest)
			return err
		}, "SELECT commit_id, digest FROM posted WHERE commit_id IN ("+marks[1:]+")", args...)
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Last is the number of the note that was sent last; 0 if none ever was.
func (n *Notes) Last(ctx context.Context) (last int64, err error) {
	err = n.space.DB.Each(ctx, func(scan func(...any) error) error { return scan(&last) }, "SELECT COALESCE(MAX(number), 0) FROM posted")
	if err != nil {
		return 0, fmt.Errorf("posted: %w", err)
	}
	return last, nil
}

// Since tells which note was sent last about each commit, by its whole name, of
// which one was sent after the given number; and the number of the last one of all.
func (n *Notes) Since(ctx context.Context, number int64) (digests map[string]stemma.Digest, last int64, err error) {
	digests, last = map[string]stemma.Digest{}, number
	err = n.space.DB.Each(ctx, func(scan func(...any) error) error {
		var commit, digest string
		var at int64
		if err := scan(&commit, &digest, &at); err != nil {
			return err
		}
		last = max(last, at)
		if change.ShaRef(commit) == "" {
			return nil // kept for who sent it
		}
		digests[commit], err = stemma.ParseDigest(digest)
		return err
	}, "SELECT commit_id, digest, number FROM posted WHERE number > $1", number)
	if err != nil {
		return nil, 0, fmt.Errorf("posted: %w", err)
	}
	return digests, last, nil
}
