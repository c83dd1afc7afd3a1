// Package verdicts gathers what pages show of how changes were judged: the findings behind
// a figure, the verdicts of one change, exceptions, policies, rounds and advisories.
//
// Sums are those of package tally; a [Reader] never adds up what it lists. Lists go by
// places, the latest verdict first, so that the next page begins where the last one ended
// whatever came in between.
package verdicts

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/policy/tally"
)

// A Reader reads one space. It may be used concurrently.
type Reader struct {
	space *ingest.Space
	*tally.Tally
}

// New makes the tables of the sums ready. It does not keep them up: see [tally.Tally.Apply].
func New(ctx context.Context, space *ingest.Space) (*Reader, error) {
	t, err := tally.Open(ctx, space.DB, space.Ledger)
	return &Reader{space, t}, err
}

// A Place is one in a list: that of a verdict, and of a finding in it. The zero place is
// before all others.
type Place struct{ At, ID, Seq int64 }

// String is the place as an address has it; nothing for the zero place.
func (p Place) String() string {
	if p == (Place{}) {
		return ""
	}
	return fmt.Sprintf("%d-%d-%d", p.At, p.ID, p.Seq)
}

// ParsePlace reads what String wrote; it is false if that is none.
func ParsePlace(s string) (p Place, ok bool) {
	if s == "" {
		return p, true
	}
	parts := strings.Split(s, "-")
	if len(parts) != 3 {
		return p, false
	}
	for i, to := range []*int64{&p.At, &p.ID, &p.Seq} {
		var err error
		if *to, err = strconv.ParseInt(parts[i], 10, 64); err != nil {
			return Place{}, false
		}
	}
	return p, true
}

// An Ask says which findings, or which verdicts, are listed.
type Ask struct {
	Controls   []string // nil for all
	Repository stemma.Ref
	Among      []stemma.Ref // repositories, of which it has to be one; nil for all
	States     []string     // nil for all
	From, To   time.Time    // merged from then on, and before then; zero for whenever, or not at all
	Since      time.Time    // judged since then
	Turned     bool         // only those that stand otherwise than the time before
	Blocks     bool         // only what holds the change up
	After      Place
	Limit      int
}

// A Finding is how one control stands for one change.
type Finding struct {
	Place
	Change, Repository            stemma.Ref
	Title                         string
	Control, State, Before        string
	Severity, Mode, Reason, Grade string
	Blocks                        bool
	Evaluated, Merged             time.Time
}

// counters are the columns of a verdict that say how many of its findings are in a state.
var counters = map[string]string{"pass": "passed", "fail": "failed", "unknown": "unknown", "waived": "waived"}

// Findings lists findings, those of the latest verdicts first.
func (r *Reader) Findings(ctx context.Context, ask Ask) (list []Finding, err error) {
	w := ask.verdicts()
	if len(ask.States) > 0 {
		w.in(`f."state"`, ask.States)
	}
	if ask.Controls != nil {
		w.in(`f."control"`, ask.Controls)
	}
	if ask.Turned {
		w.and(`f."before" <> ''`)
	}
	if ask.Blocks {
		w.and(`f."blocks" = 1`)
	}
	if p := ask.After; p != (Place{}) {
		at, id := w.value(p.At), w.value(p.ID)
		w.and(`(a."evaluated" < ` + at + ` OR a."evaluated" = ` + at + ` AND (a.id < ` + id + ` OR a.id = ` + id + ` AND f.seq > ` + w.value(p.Seq) + `))`)
		w.and(`a."evaluated" <= ` + at)
	}
	return list, r.space.DB.Each(ctx, func(scan func(...any) error) error {
		var f Finding
		var merged int64
		err := scan(&f.At, &f.ID, &f.Seq, &f.Change, &f.Repository, &f.Title, &f.Control, &f.State, &f.Before, &f.Severity, &f.Mode, &f.Reason, &f.Grade, &f.Blocks, &merged)
		f.Evaluated, f.Merged = moment(f.At), moment(merged)
		list = append(list, f)
		return err
	}, `SELECT a."evaluated", a.id, f.seq, COALESCE(c.ref, ''), COALESCE(h.ref, ''), COALESCE(k."title", ''), COALESCE(f."control", ''), COALESCE(f."state", ''), COALESCE(f."before", ''),
			COALESCE(f."severity", ''), COALESCE(f."mode", ''), COALESCE(f."reason", ''), COALESCE(f."grade", ''), COALESCE(f."blocks", 0), COALESCE(a."merged", 0)
		FROM k_assessment a CROSS JOIN k_assessment_finding f LEFT JOIN node c ON c.id = a."change" LEFT JOIN node h ON h.id = a."repository" LEFT JOIN k_change k ON k.id = a."change"
		WHERE f.id = a.id`+w.text.String()+` ORDER BY a."evaluated" DESC, a.id DESC, f.seq LIMIT `+strconv.Itoa(ask.Limit), w.args...)
}

// A Verdict is how all controls stand for one change.
type Verdict struct {
	Place
	Change, Repository              stemma.Ref
	Title, Trigger                  string
	Passed, Failed, Unknown, Waived int64
	Score                           int64
	Evaluated, Merged               time.Time
}

// Blocked lists verdicts that hold their changes up, the latest first.
func (r *Reader) Blocked(ctx context.Context, after Place, limit int) (list []Verdict, err error) {
	var w where
	if after != (Place{}) {
		at := w.value(after.At)
		w.and(`(a."evaluated" < ` + at + ` OR a."evaluated" = ` + at + ` AND a.id < ` + w.value(after.ID) + `)`)
	}
	return list, r.space.DB.Each(ctx, func(scan func(...any) error) error {
		var v Verdict
		var merged int64
		err := scan(&v.At, &v.ID, &v.Change, &v.Repository, &v.Title, &v.Trigger, &v.Passed, &v.Failed, &v.Unknown, &v.Waived, &v.Score, &merged)
		v.Evaluated, v.Merged = moment(v.At), moment(merged)
		list = append(list, v)
		return err
	}, `SELECT a."evaluated", a.id, COALESCE(c.ref, ''), COALESCE(h.ref, ''), COALESCE(k."title", ''), COALESCE(a."trigger", ''), COALESCE(a."passed", 0), COALESCE(a."failed", 0),
			COALESCE(a."unknown", 0), COALESCE(a."waived", 0), COALESCE(a."score", 0), COALESCE(a."merged", 0)
		FROM k_assessment a LEFT JOIN node c ON c.id = a."change" LEFT JOIN node h ON h.id = a."repository" LEFT JOIN k_change k ON k.id = a."change"
		WHERE a."blocks" = 1`+w.text.String()+` ORDER BY a."evaluated" DESC, a.id DESC LIMIT `+strconv.Itoa(limit), w.args...)
}

// CountBlocked is how many changes are held up; an index answers it.
func (r *Reader) CountBlocked(ctx context.Context) (n int64, err error) {
	return n, r.space.DB.Each(ctx, func(scan func(...any) error) error { return scan(&n) }, `SELECT COUNT(*) FROM k_assessment WHERE "blocks" = 1`)
}

// verdicts are the conditions on verdicts alone: they spare looking into the others.
func (ask Ask) verdicts() *where {
	w := &where{}
	if ask.Repository != "" {
		w.and(`a."repository" = (SELECT id FROM node WHERE ref = ` + w.value(string(ask.Repository)) + `)`)
	}
	if ask.Among != nil {
		w.and(`a."repository" IN (SELECT id FROM node WHERE ref IN (` + list(w, ask.Among) + `))`)
	}
	if !ask.From.IsZero() {
		w.and(`a."merged" >= ` + w.value(ask.From.UnixMicro()))
	}
	if !ask.To.IsZero() {
		w.and(`a."merged" < ` + w.value(ask.To.UnixMicro()))
	}
	if !ask.Since.IsZero() {
		w.and(`a."evaluated" >= ` + w.value(ask.Since.UnixMicro()))
	}
	if ask.Turned {
		w.and(`a."turned" > 0`)
	}
	if ask.Blocks {
		w.and(`a."blocks" = 1`)
	}
	if len(ask.States) == 1 {
		if column := counters[ask.States[0]]; column != "" {
			w.and(`a."` + column + `" > 0`)
		}
	}
	return w
}

// A where is the end of a statement, and its values.
type where struct {
	text strings.Builder
	args []any
}

func (w *where) and(condition string) { w.text.WriteString(" AND " + condition) }

func (w *where) value(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

func (w *where) in(column string, values []string) { w.and(column + " IN (" + list(w, values) + ")") }

// list writes values, of which there may be none.
func list[S ~string](w *where, values []S) string {
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = w.value(string(v))
	}
	return strings.Join(append(marks, "NULL"), ", ")
}

func moment(micro int64) time.Time {
	if micro == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}

// things are the nodes that a statement names, with their attributes, in its order. The
// statement crosses the table of a kind with that of nodes, in this order: SQLite then begins
// with the kind, of which there is little, whatever it believes of either.
func (r *Reader) things(ctx context.Context, statement string, args ...any) ([]graph.Node, error) {
	var refs []stemma.Ref
	err := r.space.DB.Each(ctx, func(scan func(...any) error) error {
		var ref stemma.Ref
		err := scan(&ref)
		refs = append(refs, ref)
		return err
	}, statement, args...)
	if err != nil {
		return nil, err
	}
	nodes, err := r.space.Graph.Nodes(ctx, refs...)
	if err == nil {
		err = r.space.Graph.Fill(ctx, nodes)
	}
	return nodes, err
}
