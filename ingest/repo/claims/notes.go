package claims

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/records"
)

// A foundNote is a note that waits to be read.
type foundNote struct {
	commit, blob string
	parse        records.Parser
}

// arrange puts notes in the order in which they are read best, and tells which
// of the commits they speak of are in this repository: the others' notes need
// not wait for the history.
func (r *Reader) arrange(ctx context.Context, found []foundNote) (here map[string]bool, err error) {
	commits, blobs := make([]string, len(found)), make([]string, len(found))
	for i, n := range found {
		commits[i], blobs[i] = n.commit, n.blob
	}
	if here, err = r.Repo.Commits(ctx, commits); err != nil {
		return nil, err
	}
	place := map[string]int{}
	for i, id := range r.Repo.PackOrder(blobs) {
		place[id] = i
	}
	slices.SortStableFunc(found, func(a, b foundNote) int { return cmp.Compare(place[a.blob], place[b.blob]) })
	return here, nil
}

// A job is a note that is being parsed.
type job struct {
	foundNote
	object git.Object
	claims chan note.Claims // nil if it cannot be read
}

// parseNotes parses on several processors while git reads on.
func (r *Reader) parseNotes(ctx context.Context, found []foundNote, here map[string]bool) error {
	ctx, cancel := context.WithCancel(ctx)
	const ahead = 16 // notes of which the claims are in memory
	order := make(chan job, ahead)
	end := make(chan error, 1)
	go func() {
		defer close(order)
		end <- r.readNotes(ctx, found, order)
	}()
	defer func() {
		cancel()
		for range order { // nothing: only wait for the end
		}
	}()
	for j := range order {
		if j.claims == nil {
			if err := r.Writer.Gap(ctx, stemma.Gap{
				Source: records.Source, Place: "note " + j.blob, Reason: records.Unreadable(j.object), About: r.Repo.CommitRef(j.commit), Object: records.Lost(j.object),
			}); err != nil {
				return err
			}
			continue
		}
		r.Notes++
		r.Progress("records of origin", r.Notes, int64(len(found)))
		c := Record{Claims: <-j.claims, Place: j.blob}
		if c.Own = r.Own != nil && r.Own(j.commit, j.blob); !c.Own {
			c.Foreign()
		}
		r.Sessions.See(j.blob, c.Claims)
		if err := r.name(ctx, c); err != nil {
			return err
		}
		if here[j.commit] {
			r.claims[j.commit] = append(r.claims[j.commit], c)
		} else {
			r.addOrphan(j.commit, c)
		}
	}
	return <-end
}

// readNotes reads notes and has them parsed, and tells of each in its turn.
func (r *Reader) readNotes(ctx context.Context, found []foundNote, order chan<- job) error {
	const workers = 2
	work := make(chan job)
	defer close(work)
	var spare memory
	for range workers {
		go func() {
			for j := range work {
				j.claims <- j.parse(j.object.Data)
				spare.giveBack(j.object.Data)
			}
		}()
	}
	blobs := make([]string, len(found))
	for i, n := range found {
		blobs[i] = n.blob
	}
	i := 0
	for o, err := range r.Repo.Many(ctx, blobs, note.MaxRecord, spare.take) {
		if err != nil {
			return err
		}
		j := job{foundNote: found[i], object: o}
		i++
		if readable := (o.Data != nil || o.Size == 0) && !o.Missing; readable {
			j.claims = make(chan note.Claims, 1)
			select {
			case work <- j:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		j.object.Data = nil
		select {
		case order <- j:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// findNotes lists the notes of every ref of records that can be read.
func (r *Reader) findNotes(ctx context.Context) (map[string][]foundNote, error) {
	found := map[string][]foundNote{}
	for _, ref := range r.Repo.Refs {
		if commit, ok := strings.CutPrefix(ref.Name, records.AuthorshipRefs); ok && ref.Type == "blob" {
			found[ref.Name] = []foundNote{{commit, ref.ID, records.ParseGitAI}}
			continue
		}
		parse := records.ParserOf(ref.Name)
		if parse == nil || ref.Type == "" {
			continue
		}
		notes, others, err := r.Repo.Notes(ctx, ref.ID)
		if err != nil {
			if err := r.Writer.Gap(ctx, stemma.Gap{Source: records.Source, Place: ref.Name, Reason: err.Error(), Object: r.Repo.LostTree(ctx, ref.ID, err)}); err != nil {
				return nil, err
			}
			continue
		}
		if others > 0 {
			gap := stemma.Gap{Source: records.Source, Place: ref.Name, Reason: "entries that are no notes", Count: int64(others)}
			if err := r.Writer.Gap(ctx, gap); err != nil {
				return nil, err
			}
		}
		list := make([]foundNote, 0, len(notes))
		for _, n := range notes {
			list = append(list, foundNote{n.Object, n.Blob, parse})
		}
		found[ref.Name] = list
	}
	return found, nil
}
