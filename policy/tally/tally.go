// Package tally sums up how changes stand: by control and repository, and by control and
// day. It is kept up with the log verdict by verdict, each taking the place of the
// one before about the same change, and is at any time what a full count gives.
//
// Its tables are derived; who loses them counts anew. It never says of how many percent
// something holds without saying of how many changes nothing is known.
package tally

import (
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
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/storage"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A Tally is that of one space. It may be used concurrently, and by several processes.
type Tally struct {
	db  *storage.DB
	log *ledger.Ledger
}

// Open brings the tables up to date.
func Open(ctx context.Context, db *storage.DB, log *ledger.Ledger) (*Tally, error) {
	if err := db.Migrate(ctx, "tally", migrations); err != nil {
		return nil, err
	}
	return &Tally{db, log}, nil
}

// portion is how many facts are looked at in one transaction.
const portion = 2000

// Apply counts the verdicts that came since it did so last, and says how many that were.
func (t *Tally) Apply(ctx context.Context) (n int, err error) {
	for {
		from, err := t.place(ctx)
		if err != nil {
			return n, err
		}
		size, err := t.log.Size(ctx)
		if err != nil || from >= size {
			return n, err
		}
		verdicts, to, err := t.read(ctx, from)
		if err != nil || to == from {
			return n, err
		}
		counted, err := t.count(ctx, from, to, verdicts)
		if err != nil {
			return n, fmt.Errorf("tally: counting the verdicts of entries %d to %d: %w", from, to-1, err)
		}
		if counted {
			n += len(verdicts)
		}
	}
}

// place is up to where the log was counted.
func (t *Tally) place(ctx context.Context) (at int64, err error) {
	return at, t.db.Each(ctx, func(scan func(...any) error) error { return scan(&at) }, `SELECT place FROM tally_place WHERE one = 1`)
}

// read takes verdicts from the log, the last of each change.
func (t *Tally) read(ctx context.Context, from int64) (map[stemma.Ref]governance.Assessment, int64, error) {
	verdicts, to := map[stemma.Ref]governance.Assessment{}, from
	for e, err := range t.log.Entries(ctx, from) {
		if err != nil {
			return nil, from, err
		}
		to = e.Pos + 1
		if e.Fact.Kind == stemma.KindAssessment {
			if a, err := governance.AssessmentFromFact(e.Fact); err == nil { // else of another version of the program: one of ours follows
				verdicts[e.Fact.Subject] = a
			}
		}
		if to-from >= portion {
			break
		}
	}
	return verdicts, to, nil
}

// errMoved means that another process counted meanwhile.
var errMoved = errors.New("another process counted meanwhile")

// count adds verdicts, if nobody else did; else it is false.
func (t *Tally) count(ctx context.Context, from, to int64, verdicts map[stemma.Ref]governance.Assessment) (bool, error) {
	err := t.db.Write(ctx, func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO tally_place (one, place) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET place = excluded.place WHERE tally_place.place = $2`, to, from)
		if err != nil {
			return err
		}
		if n == 0 {
			return errMoved
		}
		s := sums{repositories: map[[3]string]int64{}, days: map[dayKey]int64{}}
		if err := s.takeAway(ctx, tx, verdicts); err != nil {
			return err
		}
		var rows [][]any
		for _, ref := range slices.Sorted(maps.Keys(verdicts)) {
			a := verdicts[ref]
			c := counted{string(a.Repository), day(a.Merged), states(a.Findings)}
			s.add(c, 1)
			rows = append(rows, []any{string(ref), c.repository, c.day, c.states})
		}
		if _, err := tx.Upsert(ctx, "tally_counted", []string{"assessment", "repository", "day", "states"},
			"ON CONFLICT (assessment) DO UPDATE SET repository = excluded.repository, day = excluded.day, states = excluded.states", slices.Values(rows)); err != nil {
			return err
		}
		return s.write(ctx, tx)
	})
	if errors.Is(err, errMoved) {
		return false, nil
	}
	return err == nil, err
}

// counted is what was counted of one change.
type counted struct {
	repository string
	day        int64
	states     string
}

// day numbers the day of a moment.
func day(m stemma.Moment) int64 {
	if m == 0 {
		return 0
	}
	return m.Time().Unix() / int64(24*time.Hour/time.Second)
}

// states writes the controls of a verdict, each with how it stands.
func states(findings []governance.Finding) string {
	var b strings.Builder
	for i, f := range findings {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(f.Control + "=" + f.State)
	}
	return b.String()
}

// each gives what states wrote.
func each(states string) iter.Seq2[string, string] {
	return func(yield func(control, state string) bool) {
		for s := range strings.FieldsSeq(states) {
			if control, state, ok := strings.Cut(s, "="); ok && !yield(control, state) {
				return
			}
		}
	}
}

// sums are what is to be added to the tables.
type sums struct {
	repositories map[[3]string]int64 // by repository, control, state
	days         map[dayKey]int64
}

type dayKey struct {
	control string
	day     int64
	state   string
}

// Every stands for all controls.
const Every = "*"

func (s *sums) add(c counted, by int64) {
	for control, state := range each(c.states) {
		s.repositories[[3]string{c.repository, control, state}] += by
		s.days[dayKey{control, c.day, state}] += by
		s.days[dayKey{Every, c.day, state}] += by
	}
}

// perQuery is how many values go into one query.
const perQuery = 500

// takeAway takes away what was counted before of the changes that are counted now.
func (s *sums) takeAway(ctx context.Context, tx *storage.Tx, verdicts map[stemma.Ref]governance.Assessment) error {
	for part := range slices.Chunk(slices.Sorted(maps.Keys(verdicts)), perQuery) {
		args, marks := make([]any, len(part)), make([]string, len(part))
		for i, ref := range part {
			args[i], marks[i] = string(ref), fmt.Sprint("$", i+1)
		}
		rows, err := tx.Query(ctx, `SELECT repository, day, states FROM tally_counted WHERE assessment IN (`+strings.Join(marks, ", ")+`)`, args...)
		if err != nil {
			return err
		}
		for rows.Next() {
			var c counted
			if err := rows.Scan(&c.repository, &c.day, &c.states); err != nil {
				return err
			}
			s.add(c, -1)
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (s *sums) write(ctx context.Context, tx *storage.Tx) error {
	var repositories, days [][]any
	for k, n := range s.repositories {
		if n != 0 {
			repositories = append(repositories, []any{k[0], k[1], k[2], n})
		}
	}
	for k, n := range s.days {
		if n != 0 {
			days = append(days, []any{k.control, k.day, k.state, n})
		}
	}
	if _, err := tx.Upsert(ctx, "tally_repository", []string{"repository", "control", "state", "n"},
		"ON CONFLICT (repository, control, state) DO UPDATE SET n = tally_repository.n + excluded.n", slices.Values(repositories)); err != nil {
		return err
	}
	_, err := tx.Upsert(ctx, "tally_day", []string{"control", "day", "state", "n"},
		"ON CONFLICT (control, day, state) DO UPDATE SET n = tally_day.n + excluded.n", slices.Values(days))
	return err
}

// Empty forgets everything, so that it is counted anew.
func (t *Tally) Empty(ctx context.Context) error {
	return t.db.Write(ctx, func(tx *storage.Tx) error {
		for _, table := range []string{"tally_place", "tally_counted", "tally_repository", "tally_day"} {
			if _, err := tx.Exec(ctx, "DELETE FROM "+table); err != nil {
				return err
			}
		}
		return nil
	})
}
