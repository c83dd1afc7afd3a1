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
	"github.com/stemma-dev/stemma/ingest/words"
)

// A Record is one record of line origin, read but not yet compared with the
// commit it speaks of.
type Record struct {
	note.Claims
	Place  string        // the object it was read from
	Own    bool          // this clone wrote it, by what its hooks saw
	Source string        // "" for a record in the repository
	Bodies []stemma.Body // of a record that no repository keeps
}

// Take hands over the records about a commit, one for each format.
func (r *Reader) Take(commit string) []Record {
	records := byFormat(r.claims[commit])
	delete(r.claims, commit)
	return records
}

// Drop forgets the records about a commit.
func (r *Reader) Drop(commit string) { delete(r.claims, commit) }

// Left are the commits whose records nobody took.
func (r *Reader) Left() []string { return slices.Sorted(maps.Keys(r.claims)) }

// person names people to the conversion of records; an error of it is failed.
func (r *Reader) person(ctx context.Context, failed *error) func(name, mail string) stemma.Ref {
	return func(name, mail string) stemma.Ref {
		ref, err := r.Writer.Account(ctx, words.Fit(name), words.Fit(mail))
		if err != nil {
			*failed = err
		}
		return ref
	}
}

// name notes the sessions that a record names: they are stated before any record
// is. Where a record stands its sessions do, too, so that a scan that was
// interrupted need not read it again.
func (r *Reader) name(ctx context.Context, c Record) (failed error) {
	for _, x := range note.SessionsOf(c.Claims, r.person(ctx, &failed)) {
		r.Sessions.Add(x)
	}
	return failed
}

// State states what one record says about a commit.
func (r *Reader) State(ctx context.Context, c Record, at note.Commit) (a attribution.Attribution, failed error) {
	at.Person = r.person(ctx, &failed)
	made := note.Convert(c.Claims, at)
	if failed != nil {
		return a, failed
	}
	made.Attribution.Bodies = c.Bodies
	return made.Attribution, r.state(ctx, c, made)
}

// state states what a record came to.
func (r *Reader) state(ctx context.Context, c Record, made note.Result) error {
	source := cmp.Or(c.Source, records.Source)
	for _, p := range made.Problems {
		gap := stemma.Gap{Source: source, Place: "note " + c.Place + " " + p.Place, Reason: p.Reason, Count: int64(p.Count), About: made.Attribution.Commit}
		if err := r.Writer.Gap(ctx, gap); err != nil {
			return err
		}
	}
	grade := stemma.GradeD
	if c.Own {
		grade = stemma.GradeC
	}
	return r.Writer.Record(ctx, made.Attribution, source, grade)
}

// An orphan is a record whose commit is not in this repository any more:
// rewritten, squashed, or never fetched. It may be bound later by content; until
// then it credits nobody's lines.
type orphan struct {
	record Record
	made   note.Result
}

// addOrphan keeps what a record comes to without its commit. One that came from
// outside is stated like that already.
func (r *Reader) addOrphan(commit string, c Record) {
	if c.Source != "" {
		return
	}
	r.Orphans++
	made := note.Convert(c.Claims, note.Commit{Ref: r.Repo.CommitRef(commit), Note: c.Place, Committed: r.Now()})
	c.Claims = note.Claims{} // there may be ten thousands of them
	r.orphans = append(r.orphans, orphan{c, made})
}

// StateOrphans states the records that nobody took.
func (r *Reader) StateOrphans(ctx context.Context) error {
	for _, commit := range r.Left() {
		for _, c := range r.claims[commit] {
			r.addOrphan(commit, c)
		}
	}
	clear(r.claims)
	for _, o := range r.orphans {
		if err := r.state(ctx, o.record, o.made); err != nil {
			return err
		}
	}
	r.orphans = nil
	return nil
}

// maxPlace bounds what is kept of where joined records were read from.
const maxPlace = 16 << 10

// byFormat makes one record of those about a commit that have the same format,
// in order of the formats.
func byFormat(records []Record) []Record {
	slices.SortStableFunc(records, func(a, b Record) int {
		return cmp.Or(strings.Compare(a.Format, b.Format), strings.Compare(a.Place, b.Place))
	})
	var joined []Record
	for _, one := range records {
		if n := len(joined) - 1; n >= 0 && joined[n].Format == one.Format {
			writer := joined[n].Writer
			joined[n] = Record{
				Claims: note.Combine(joined[n].Claims, one.Claims), Place: words.Short(joined[n].Place+" "+one.Place, maxPlace), Own: joined[n].Own && one.Own,
				Source: joined[n].Source, Bodies: slices.Concat(joined[n].Bodies, one.Bodies), // what came from outside has formats of its own
			}
			joined[n].Format, joined[n].Writer = one.Format, cmp.Or(writer, one.Writer)
			continue
		}
		joined = append(joined, one)
	}
	return joined
}
