package claims

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/records"
	"github.com/stemma-dev/stemma/storage"
)

// A knownRecord is a record of line origin as it was stated last.
type knownRecord struct {
	format, place string
	withdrawn     bool
}

// stands reports whether one of records was read from that place and still holds.
func stands(records []knownRecord, place string) bool {
	return slices.ContainsFunc(records, func(k knownRecord) bool { return !k.withdrawn && strings.Contains(k.place, place) })
}

// knownRecords are the records that are known, by commit.
func (r *Reader) knownRecords(ctx context.Context) (map[string][]knownRecord, error) {
	known := map[string][]knownRecord{}
	if r.First {
		return known, nil
	}
	err := r.DB.Read(ctx, func(tx *storage.Tx) error {
		rows, err := tx.Query(ctx, `SELECT n.ref, a.format, COALESCE(a.note, ''), COALESCE(a.withdrawn, 0)
			FROM k_attribution a JOIN node n ON n.id = a."commit" WHERE a.note IS NOT NULL OR a.format = $1`, note.FormatRecovered)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var ref stemma.Ref
			var k knownRecord
			var withdrawn int
			if err := rows.Scan((*string)(&ref), &k.format, &k.place, &withdrawn); err != nil {
				return err
			}
			k.withdrawn = withdrawn != 0
			_, commit := ref.Split()
			if k.format == note.FormatRecovered {
				r.recovered[commit] = !k.withdrawn
				continue
			}
			known[commit] = append(known[commit], k)
		}
		return rows.Err()
	})
	for commit, records := range known {
		r.reckon(commit, records)
	}
	return known, err
}

// reckon notes whether any of the known records of a commit stands.
func (r *Reader) reckon(commit string, records []knownRecord) {
	stands := slices.ContainsFunc(records, func(k knownRecord) bool { return !k.withdrawn })
	r.standing[commit], r.withdrawn[commit] = stands, !stands
}

// A noteID is one version of the note on a commit.
type noteID struct{ commit, blob string }

// compareRecords holds the notes of this clone against what was read before, ref
// by ref. It returns the notes that count, each once, and those taken away.
//
// A ref of notes is a history. What it gained or lost since the last state that
// both sides share is news; the rest only tells how far this clone has come. That
// state is the one read last, where this very clone showed it, else the merge
// base. So a clone that lags behind takes nothing away and brings nothing back.
func (r *Reader) compareRecords(ctx context.Context, found map[string][]foundNote, known map[string][]knownRecord) (kept []foundNote, gone []noteID, err error) {
	names := map[string]string{} // to where the ref points; "" if this clone has it no more
	for name := range r.Before.Records {
		names[name] = ""
	}
	for _, ref := range r.Repo.Refs {
		if _, ok := found[ref.Name]; ok {
			names[ref.Name], r.shown[ref.Name] = ref.ID, ref.ID
		} else if records.ParserOf(ref.Name) != nil {
			delete(names, ref.Name) // it cannot be read
		}
	}
	maps.Copy(r.records, r.Known)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		base, err := r.commonRecords(ctx, name, names[name])
		if err != nil {
			return nil, nil, err
		}
		for _, n := range found[name] {
			id := noteID{n.commit, n.blob}
			if !base[id] || stands(known[n.commit], n.blob) || len(known[n.commit]) == 0 {
				kept = append(kept, n)
			}
			delete(base, id)
		}
		gone = slices.AppendSeq(gone, maps.Keys(base))
	}
	slices.SortFunc(gone, func(a, b noteID) int {
		return cmp.Or(strings.Compare(a.commit, b.commit), strings.Compare(a.blob, b.blob))
	})
	slices.SortFunc(kept, func(a, b foundNote) int {
		return cmp.Or(strings.Compare(a.commit, b.commit), strings.Compare(a.blob, b.blob))
	})
	return slices.CompactFunc(kept, func(a, b foundNote) bool { return a.commit == b.commit && a.blob == b.blob }), gone, nil
}

// commonRecords are the notes that a ref held in the last state which this clone
// and what was read before have in common; none if they share nothing. It also
// notes where the ref stands now, if this clone has news of it.
func (r *Reader) commonRecords(ctx context.Context, name, now string) (map[noteID]bool, error) {
	last, seen := r.Known[name], r.Before.Records[name]
	switch {
	case last == "" || last == now:
		r.records[name] = now
		return nil, nil
	case seen == last && now == "":
		delete(r.records, name)
		return r.notesAt(ctx, name, last)
	case seen == last:
		r.records[name] = now
		return r.notesAt(ctx, name, last)
	case now == "":
		return nil, nil // another clone has read on since, and nobody knows what this one knew of it
	case seen == now || strings.HasPrefix(name, records.AuthorshipRefs):
		return r.notesAt(ctx, name, now) // nothing happened here, or there is no history to tell
	}
	base, err := r.Repo.MergeBase(ctx, last, now)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		base = now // this clone has never been as far as the one read before
	}
	if base != now {
		r.records[name] = now
	}
	return r.notesAt(ctx, name, base)
}

// notesAt lists the notes of one state of a ref. If that is not in this copy any
// more, what was taken away cannot be told, and that is said.
func (r *Reader) notesAt(ctx context.Context, name, id string) (map[noteID]bool, error) {
	all := map[noteID]bool{}
	if commit, ok := strings.CutPrefix(name, records.AuthorshipRefs); ok {
		all[noteID{commit, id}] = true
		return all, nil
	}
	if id == "" {
		return all, nil
	}
	notes, _, err := r.Repo.Notes(ctx, id)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, r.Writer.Gap(ctx, stemma.Gap{Source: records.Source, Place: name + " at " + id, Reason: reasonLost})
	}
	for _, n := range notes {
		all[noteID{n.Object, n.Blob}] = true
	}
	return all, nil
}

// reasonLost: the difference to what was read before cannot be seen.
const reasonLost = "what the ref held before is not in this copy: records that were taken away cannot be told"

// withdraw states that records are gone, and sees to it that the commits they
// spoke of are stated again. A note that some ref still holds is not gone.
func (r *Reader) withdraw(ctx context.Context, gone []noteID, found map[string][]foundNote, known map[string][]knownRecord, wanted map[string]bool) error {
	if len(gone) == 0 {
		return nil
	}
	for _, id := range gone {
		r.gone[id.blob] = true
	}
	held := map[noteID]bool{}
	formats := map[[2]string]bool{} // by commit: of which format there still is a note
	for ref, notes := range found {
		for _, n := range notes {
			held[noteID{n.commit, n.blob}] = true
			delete(r.gone, n.blob)
			formats[[2]string{n.commit, records.FormatOf(ref)}] = true
		}
	}
	for _, id := range gone {
		before := known[id.commit]
		for i, k := range before {
			if held[id] || k.withdrawn || !strings.Contains(k.place, id.blob) {
				continue
			}
			wanted[id.commit] = true
			if formats[[2]string{id.commit, k.format}] {
				continue // it is read again without this one
			}
			record := attribution.Attribution{
				Commit: r.Repo.CommitRef(id.commit), Format: k.format, Basis: string(stemma.BasisUnknown), Withdrawn: true,
				Occurred: stemma.At(r.Now()),
			}
			if err := r.Writer.Record(ctx, record, records.Source, stemma.GradeD); err != nil {
				return err
			}
			r.claims[id.commit] = nil
			before[i].withdrawn = true
			r.reckon(id.commit, before)
		}
	}
	return r.Writer.Flush(ctx) // what stands of these commits is read from the graph
}
