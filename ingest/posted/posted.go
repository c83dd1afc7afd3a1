// Package posted keeps records of line origin that come from outside of repositories:
// the notes that clients of Git AI send over HTTP instead of pushing them, and what
// other tools wrote into files. It gives them back byte for byte, and makes them
// facts.
//
// They come without the name of a repository: commits alone say where they belong.
// So a record is kept in the vault, and stated as one that nobody has compared with
// its commit: it credits no line. Whoever scans the repository that has the commit
// asks for it here and states it again, with the lines.
//
// The table posted_record says which records there are: commit_id, format, entry,
// digest, number. Of the notes of Git AI the one that was sent last about a commit
// counts; earlier ones stay in the ledger, with their bytes. Records of files all
// stand. Anybody who has the token, or a file, may tell of any commit, so all of
// them are grade D.
package posted

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/vault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Notes are the records of one space. The methods may be called concurrently and by
// several processes.
type Notes struct {
	space *ingest.Space
	now   func() time.Time
}

// Open returns the notes of a space and makes their table where it is missing. Now
// tells when one is received.
func Open(ctx context.Context, space *ingest.Space, now func() time.Time) (*Notes, error) {
	if err := space.DB.Migrate(ctx, "posted", migrations); err != nil {
		return nil, fmt.Errorf("posted: opening: %w", err)
	}
	return &Notes{space, now}, nil
}

// A slot is where a record is kept. Notes of Git AI have no entry, so that there is
// one about a commit; records of files are entries by their digest.
type slot struct{ commit, format, entry string }

func compareSlots(a, b slot) int {
	return cmp.Or(strings.Compare(a.commit, b.commit), strings.Compare(a.format, b.format), strings.Compare(a.entry, b.entry))
}

// owner is whose the bytes of records are.
func owner(commit, format string) stemma.Ref {
	ref := change.ShaRef(commit)
	if ref == "" { // such a thing is kept for who sent it, and no fact speaks of it
		ref = change.CommitRef("hex", commit)
	}
	return attribution.Ref(ref, format)
}

// Put keeps notes, durably when it returns, and states those that are new. Of
// several on one commit the last one stands. Those that cannot be kept are counted:
// their bytes were erased, so that they may not come back.
func (n *Notes) Put(ctx context.Context, notes []Note) (refused int, err error) {
	last := map[slot][]byte{}
	for _, one := range notes {
		if err := one.Check(); err != nil {
			return 0, fmt.Errorf("posted: %w", err)
		}
		last[slot{commit: one.Commit, format: Format}] = []byte(one.Content)
	}
	gone, err := n.dropErased(ctx, last)
	if err != nil {
		return 0, fmt.Errorf("posted: %w", err)
	}
	for _, one := range notes {
		if gone[one.Commit] {
			refused++
		}
	}
	if _, err := n.keep(ctx, last); err != nil {
		return 0, fmt.Errorf("posted: keeping %d notes: %w", len(last), err)
	}
	return refused, nil
}

// dropErased takes records out of bodies whose bytes were erased, so that they may
// not come back, and tells about which commits they are.
func (n *Notes) dropErased(ctx context.Context, bodies map[slot][]byte) (gone map[string]bool, err error) {
	gone = map[string]bool{}
	for at := range bodies {
		erased, err := n.space.Vault.Erased(ctx, owner(at.commit, at.format))
		if err != nil {
			return nil, err
		}
		if erased {
			gone[at.commit] = true
			delete(bodies, at)
		}
	}
	return gone, nil
}

// keep keeps records: their bytes, then facts, and last the rows by which they are
// found, so that a client that got no answer sends all of them again. It tells how
// many were not there before.
func (n *Notes) keep(ctx context.Context, bodies map[slot][]byte) (fresh int, err error) {
	slots := slices.SortedFunc(maps.Keys(bodies), compareSlots)
	commits := make([]string, len(slots))
	for i, at := range slots {
		commits[i] = at.commit
	}
	known, err := n.digests(ctx, slices.Compact(commits))
	if err != nil {
		return 0, err
	}
	var sealed []vault.Sealed
	added := map[slot]stemma.Digest{}
	for _, at := range slots {
		body := bodies[at]
		sealed = append(sealed, vault.Sealed{Owner: owner(at.commit, at.format), Body: body})
		if digest := stemma.Sum(body); known[at] != digest {
			added[at] = digest
		}
	}
	if _, err := n.space.Vault.PutAll(ctx, sealed...); err != nil || len(added) == 0 {
		return 0, err
	}
	maps.Copy(known, added)
	if err := n.state(ctx, added, known, bodies); err != nil {
		return 0, err
	}
	return len(added), n.space.DB.Write(ctx, func(tx *storage.Tx) error {
		var number int64
		if err := tx.QueryRow(ctx, "SELECT COALESCE(MAX(number), 0) FROM posted_record").Scan(&number); err != nil {
			return err
		}
		_, err := tx.Upsert(ctx, "posted_record", []string{"commit_id", "format", "entry", "digest", "number"},
			"ON CONFLICT (commit_id, format, entry) DO UPDATE SET digest = excluded.digest, number = excluded.number",
			func(yield func([]any) bool) {
				for _, at := range slices.SortedFunc(maps.Keys(added), compareSlots) {
					if number++; !yield([]any{at.commit, at.format, at.entry, added[at].String(), number}) {
						return
					}
				}
			})
		return err
	})
}

// state states what records say as they came, not compared with their commits: about
// each commit and of each format of which one was added, all that are known.
func (n *Notes) state(ctx context.Context, added, known map[slot]stemma.Digest, bodies map[slot][]byte) error {
	told := map[slot][]slot{}
	for _, at := range slices.SortedFunc(maps.Keys(known), compareSlots) {
		group := slot{commit: at.commit, format: at.format}
		told[group] = append(told[group], at)
	}
	w := ingest.NewWriter(ctx, n.space, n.now)
	stated := map[slot]bool{}
	for _, at := range slices.SortedFunc(maps.Keys(added), compareSlots) {
		group := slot{commit: at.commit, format: at.format}
		if stated[group] {
			continue
		}
		stated[group] = true
		err := n.stateAbout(ctx, w, group, told[group], func(at slot) ([]byte, error) {
			if body, here := bodies[at]; here {
				return body, nil
			}
			return n.space.Vault.Get(ctx, owner(at.commit, at.format), known[at])
		})
		if err != nil {
			return errors.Join(err, w.Close(ctx))
		}
	}
	return w.Close(ctx)
}

// stateAbout states the records of one format about one commit.
func (n *Notes) stateAbout(ctx context.Context, w *ingest.Writer, group slot, slots []slot, read func(slot) ([]byte, error)) error {
	ref := change.ShaRef(group.commit)
	if ref == "" {
		return nil
	}
	var told []note.Claims
	var places []string
	var bodies []stemma.Body
	for _, at := range slots {
		body, err := read(at)
		if errors.Is(err, vault.ErrErased) {
			continue
		}
		if err != nil {
			return fmt.Errorf("the record of %s: %w", at.commit, err)
		}
		told, places = append(told, Claims(at.format, body)), append(places, stemma.Sum(body).String())
		bodies = append(bodies, Bodies(at.format, body)...)
	}
	c := note.Combine(told...)
	c.Format = group.format
	made := note.Convert(c, note.Commit{Ref: ref, Note: "received " + strings.Join(places, " "), Committed: n.now()}).Attribution
	made.Bodies = bodies
	return w.Record(ctx, made, group.format, stemma.GradeD)
}

// A Kept record is one that was sent, as it came.
type Kept struct {
	Commit, Format string
	Body           []byte
}

// About gives the records of the formats, or of all without any, about those of the
// commits that have some: one at a time since each may be large, in the order of the
// commits' names. An error is the last thing that comes.
func (n *Notes) About(ctx context.Context, commits []string, formats ...string) iter.Seq2[Kept, error] {
	return func(yield func(Kept, error) bool) {
		digests, err := n.digests(ctx, commits)
		if err != nil {
			yield(Kept{}, fmt.Errorf("posted: %w", err))
			return
		}
		for _, at := range slices.SortedFunc(maps.Keys(digests), compareSlots) {
			if len(formats) > 0 && !slices.Contains(formats, at.format) {
				continue
			}
			body, err := n.space.Vault.Get(ctx, owner(at.commit, at.format), digests[at])
			switch {
			case errors.Is(err, vault.ErrErased):
			case err != nil:
				yield(Kept{}, fmt.Errorf("posted: the record of %s: %w", at.commit, err))
				return
			case !yield(Kept{at.commit, at.format, body}, nil):
				return
			}
		}
	}
}

// digests tells which records there are about each of the commits.
func (n *Notes) digests(ctx context.Context, commits []string) (found map[slot]stemma.Digest, err error) {
	found = map[slot]stemma.Digest{}
	for chunk := range slices.Chunk(commits, 400) {
		args, marks := make([]any, len(chunk)), ""
		for i, commit := range chunk {
			args[i] = commit
			marks += fmt.Sprintf(",$%d", i+1)
		}
		err = n.space.DB.Each(ctx, func(scan func(...any) error) error {
			var at slot
			var digest string
			if err := scan(&at.commit, &at.format, &at.entry, &digest); err != nil {
				return err
			}
			found[at], err = stemma.ParseDigest(digest)
			return err
		}, "SELECT commit_id, format, entry, digest FROM posted_record WHERE commit_id IN ("+marks[1:]+")", args...)
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Last is the number of the record that came last; 0 if none ever did.
func (n *Notes) Last(ctx context.Context) (last int64, err error) {
	err = n.space.DB.Each(ctx, func(scan func(...any) error) error { return scan(&last) }, "SELECT COALESCE(MAX(number), 0) FROM posted_record")
	if err != nil {
		return 0, fmt.Errorf("posted: %w", err)
	}
	return last, nil
}

// Since tells which records came after the given number, by the whole names of their
// commits; and the number of the last one of all.
func (n *Notes) Since(ctx context.Context, number int64) (digests map[string][]stemma.Digest, last int64, err error) {
	digests, last = map[string][]stemma.Digest{}, number
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
		one, err := stemma.ParseDigest(digest)
		digests[commit] = append(digests[commit], one)
		return err
	}, "SELECT commit_id, digest, number FROM posted_record WHERE number > $1", number)
	if err != nil {
		return nil, 0, fmt.Errorf("posted: %w", err)
	}
	return digests, last, nil
}
