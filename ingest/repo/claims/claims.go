// Package claims reads the records of line origin that tools keep in a
// repository: those that are new or have changed, and which were taken away. It
// states what they say about a commit once it is known what the commit added.
package claims

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution/weave"
	"github.com/stemma-dev/stemma/ingest/posted"
	"github.com/stemma-dev/stemma/ingest/repo/clone"
	"github.com/stemma-dev/stemma/ingest/repo/names"
	"github.com/stemma-dev/stemma/ingest/repo/sessions"
	"github.com/stemma-dev/stemma/storage"
)

// A Reader reads the records that one clone of a repository shows.
type Reader struct {
	DB       *storage.DB
	Writer   *names.Writer
	Repo     *clone.Repo
	Weave    *weave.Weave // tells which commits were read
	Sessions *sessions.Book
	Posted   *posted.Notes                  // those that came from outside, about any repository
	First    bool                           // nothing of the repository was read before
	Known    map[string]string              // by ref, where it pointed where it was furthest
	Before   clone.Sight                    // what this clone showed when it was read last
	Own      func(commit, blob string) bool // notes that this clone wrote; nil for none
	Now      func() time.Time
	Progress func(stage string, done, total int64)

	// Notes counts the records read, Orphans those of them about commits that are
	// not here.
	Notes, Orphans int64

	claims    map[string][]Record // by commit
	orphans   []orphan
	records   map[string]string // where the refs stand after this scan
	shown     map[string]string // where they stand in this clone
	standing  map[string]bool   // commits that have a record of an earlier scan
	withdrawn map[string]bool   // commits that have no record any more
	recovered map[string]bool   // commits of which lines were found by content
	gone      map[string]bool   // notes, by their objects, that were taken away
}

// Furthest tells where the refs of records pointed where they were furthest.
func (r *Reader) Furthest() map[string]string { return r.records }

// Shown tells where the refs of records point in this clone.
func (r *Reader) Shown() map[string]string { return r.shown }

// Standing reports whether an earlier scan read a record about a commit that
// still holds.
func (r *Reader) Standing(commit string) bool { return r.standing[commit] }

// Withdrawn reports whether all records about a commit were taken away.
func (r *Reader) Withdrawn(commit string) bool { return r.withdrawn[commit] }

// Recovered reports whether an earlier scan found lines of a commit by content, and
// that still holds.
func (r *Reader) Recovered(commit string) bool { return r.recovered[commit] }

// Gone reports whether the place of a gap is a note that was taken away.
func (r *Reader) Gone(place string) bool {
	note, ok := strings.CutPrefix(place, "note ")
	return ok && slices.ContainsFunc(strings.Fields(note), func(word string) bool { return r.gone[word] })
}

// Read reads the records of line origin about commits that were not read yet, and
// all records about a commit of which one is new or has changed. One process
// lists them per ref, two find out which are wanted, two read them.
func (r *Reader) Read(ctx context.Context) error {
	r.claims, r.records, r.shown = map[string][]Record{}, map[string]string{}, map[string]string{}
	r.standing, r.withdrawn, r.gone, r.recovered = map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	byRef, err := r.findNotes(ctx)
	if err != nil {
		return err
	}
	known, err := r.knownRecords(ctx)
	if err != nil {
		return err
	}
	found, gone, err := r.compareRecords(ctx, byRef, known)
	if err != nil {
		return err
	}
	traces, err := r.findAgentTraces(ctx)
	if err != nil {
		return err
	}
	sent, _, err := r.Posted.Since(ctx, 0)
	if err != nil {
		return err
	}
	wanted, err := r.wantedRecords(ctx, found, traces, sent, known)
	if err != nil {
		return err
	}
	if err := r.withdraw(ctx, gone, byRef, known, wanted); err != nil {
		return err
	}
	for commit, records := range traces {
		if wanted[commit] {
			r.Notes += int64(len(records))
			r.claims[commit] = records
			for _, one := range records {
				if err := r.name(ctx, one); err != nil {
					return err
				}
			}
		}
	}
	if err := r.readPosted(ctx, sent, wanted); err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(n foundNote) bool { return !wanted[n.commit] })
	if len(found) == 0 {
		return nil
	}
	here, err := r.arrange(ctx, found)
	if err != nil {
		return err
	}
	return r.parseNotes(ctx, found, here)
}

// wantedRecords tells about which commits the records must be read. What came from
// outside may be about commits of any repository.
func (r *Reader) wantedRecords(ctx context.Context, found []foundNote, traces map[string][]Record, sent map[string][]stemma.Digest, known map[string][]knownRecord) (map[string]bool, error) {
	wanted := map[string]bool{}
	var elsewhere []string // perhaps about commits that are here, of which no scan has read the records
	look := func(commit, place string) {
		switch {
		case !stands(known[commit], place):
			wanted[commit] = true
		case !r.Weave.Has(commit):
			elsewhere = append(elsewhere, commit)
		}
	}
	for _, n := range found {
		look(n.commit, n.blob)
	}
	for commit, records := range traces {
		for _, one := range records {
			look(commit, one.Place)
		}
	}
	for commit, digests := range sent {
		all := !slices.ContainsFunc(digests, func(d stemma.Digest) bool { return !stands(known[commit], posted.Place(d)) })
		if !all || !r.Weave.Has(commit) {
			elsewhere = append(elsewhere, commit)
		}
	}
	here, err := r.Repo.Commits(ctx, elsewhere)
	if err != nil {
		return nil, err
	}
	maps.Copy(wanted, here) // they or their records have come since, or the last scan was interrupted
	return wanted, nil
}
