package verdicts

import (
	"context"
	"errors"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/policy/tally"
)

// followUp is how soon an exception has to be looked at again.
const followUp = 48 * time.Hour

// An Exception is one with its clocks.
type Exception struct {
	Ref                                                 stemma.Ref
	Control, Reason, FollowUp                           string
	For, Owner, Approver                                stemma.Ref
	Emergency                                           bool
	Opened, Approved, Until, FollowedUp, Withdrawn, Due time.Time // Due: to be looked at again by then
}

// Ended says how an exception came to its end; nothing if it is open.
func (e Exception) Ended(now time.Time) string {
	switch {
	case !e.Withdrawn.IsZero():
		return "withdrawn"
	case !e.Until.IsZero() && !e.Until.After(now):
		return "expired"
	}
	return ""
}

// Overdue says what should have been done about an open exception; nothing if all was.
func (e Exception) Overdue(now time.Time) string {
	switch {
	case e.Ended(now) != "":
		return ""
	case e.FollowedUp.IsZero() && !e.Due.IsZero() && now.After(e.Due):
		return "not followed up"
	case e.Emergency && e.Approved.IsZero() && !e.Due.IsZero() && now.After(e.Due):
		return "emergency that nobody approved"
	}
	return ""
}

// maxExceptions bounds how many are looked at: people make each of them.
const maxExceptions = 5000

// Exceptions lists all that are open, those that end first at the beginning, or the latest
// that ended; both at most 5,000.
func (r *Reader) Exceptions(ctx context.Context, now time.Time, open bool) (list []Exception, err error) {
	over := `(COALESCE(k."until", 0) > 0 AND k."until" <= $1 OR COALESCE(k."withdrawn", 0) > 0)`
	statement := `SELECT n.ref FROM k_exception k CROSS JOIN node n WHERE n.id = k.id AND `
	if open {
		statement += `NOT ` + over + ` ORDER BY COALESCE(k."until", 9000000000000000000), k.id`
	} else {
		statement += over + ` ORDER BY COALESCE(k."withdrawn", k."until") DESC, k.id DESC`
	}
	return r.exceptions(ctx, statement+` LIMIT $2`, now.UnixMicro(), maxExceptions)
}

// ExceptionsIn lists the exceptions that stood at some time of a period, at most 5,000.
func (r *Reader) ExceptionsIn(ctx context.Context, from, to time.Time) ([]Exception, error) {
	return r.exceptions(ctx, `SELECT n.ref FROM k_exception k CROSS JOIN node n WHERE n.id = k.id AND COALESCE(k."opened", 0) < $2
		AND (COALESCE(k."until", 0) = 0 OR k."until" > $1) AND (COALESCE(k."withdrawn", 0) = 0 OR k."withdrawn" > $1)
		ORDER BY k."opened", k.id LIMIT $3`, from.UnixMicro(), to.UnixMicro(), maxExceptions)
}

func (r *Reader) exceptions(ctx context.Context, statement string, args ...any) (list []Exception, err error) {
	nodes, err := r.things(ctx, statement, args...)
	for _, n := range nodes {
		a := n.Attrs
		e := Exception{
			Ref: n.Ref, Control: a.Text("control"), Reason: a.Text("reason"), FollowUp: a.Text("follow_up"), For: a.Ref("change"), Owner: a.Ref("owner"), Approver: a.Ref("approver"),
			Emergency: a.Bool("emergency"), Opened: a.Time("opened"), Approved: a.Time("approved"), Until: a.Time("until"), FollowedUp: a.Time("followed_up"), Withdrawn: a.Time("withdrawn"),
		}
		if e.For == "" {
			e.For = a.Ref("repository")
		}
		if !e.Opened.IsZero() {
			e.Due = e.Opened.Add(followUp)
		}
		list = append(list, e)
	}
	return list, err
}

// A Policy is what changes were judged by from a time on.
type Policy struct {
	Ref            stemma.Ref
	Since          time.Time
	Packs, Decided string
	Controls       []governance.PolicyControl
}

// Idle says why an exception that is open waives nothing, as far as it can be told by itself;
// nothing if it may. One that was taken in an emergency need not be granted before its time is
// over.
func (e Exception) Idle(now time.Time) string {
	switch {
	case e.Approver == e.Owner && e.Owner != "":
		return "waives nothing: who asked for it granted it"
	case e.Approver != "" || e.Emergency && now.Before(e.Due):
		return ""
	}
	return "waives nothing until it is granted"
}

// Policies lists what was put in force, the latest first. One that came back is there each time.
func (r *Reader) Policies(ctx context.Context, limit int) (list []Policy, err error) {
	var since []time.Time
	var refs []stemma.Ref
	err = r.space.DB.Each(ctx, func(scan func(...any) error) error {
		var ref stemma.Ref
		var at int64
		err := scan(&ref, &at)
		refs, since = append(refs, ref), append(since, time.UnixMicro(at).UTC())
		return err
	}, `SELECT n.ref, COALESCE(f.occurred, 0) FROM k_policy k CROSS JOIN node n CROSS JOIN node_fact f WHERE n.id = k.id AND f.node = k.id
		ORDER BY 2 DESC, f.pos DESC LIMIT $1`, limit)
	if err != nil {
		return nil, err
	}
	versions, err := r.versions(ctx, refs)
	for i, ref := range refs {
		p := versions[ref]
		p.Since = since[i]
		list = append(list, p)
	}
	return list, err
}

// versions are policies by their names.
func (r *Reader) versions(ctx context.Context, refs []stemma.Ref) (map[stemma.Ref]Policy, error) {
	nodes, err := r.space.Graph.Nodes(ctx, refs...)
	if err == nil {
		err = r.space.Graph.Fill(ctx, nodes)
	}
	if err != nil {
		return nil, err
	}
	all := map[stemma.Ref]Policy{}
	for _, n := range nodes {
		p := Policy{Ref: n.Ref, Packs: n.Attrs.Text("packs"), Decided: n.Attrs.Text("decided")}
		rows, err := r.space.Graph.List(ctx, n, "control")
		if err != nil {
			return nil, err
		}
		for _, a := range rows {
			version, _ := a.Int("version")
			p.Controls = append(p.Controls, governance.PolicyControl{
				Control: a.Text("control"), Version: int(version), Severity: a.Text("severity"), Title: a.Text("title"), Digest: a.Text("digest"),
			})
		}
		all[n.Ref] = p
	}
	return all, nil
}

// Named is a control as the latest policy has it that names it; it is false if none does.
func (r *Reader) Named(ctx context.Context, control string) (c governance.PolicyControl, ok bool, err error) {
	return c, ok, r.space.DB.Each(ctx, func(scan func(...any) error) error {
		ok = true
		return scan(&c.Control, &c.Version, &c.Severity, &c.Title)
	}, `SELECT c."control", COALESCE(c."version", 0), COALESCE(c."severity", ''), COALESCE(c."title", '') FROM k_policy_control c JOIN k_policy k ON k.id = c.id
		WHERE c."control" = $1 ORDER BY k."since" DESC, k.id DESC LIMIT 1`, control)
}

// A Round is changes that were judged again for one reason.
type Round struct {
	Place
	Ref, Policy    stemma.Ref
	Trigger        string
	Started        time.Time
	Judged, Turned int64
}

// Rounds lists rounds that started since a time, the latest first.
func (r *Reader) Rounds(ctx context.Context, since time.Time, after Place, limit int) (list []Round, err error) {
	w := &where{}
	if !since.IsZero() {
		w.and(`k."started" >= ` + w.value(since.UnixMicro()))
	}
	if after != (Place{}) {
		at := w.value(after.At)
		w.and(`(k."started" < ` + at + ` OR k."started" = ` + at + ` AND k.id < ` + w.value(after.ID) + `)`)
	}
	nodes, err := r.things(ctx, `SELECT n.ref FROM k_round k CROSS JOIN node n WHERE n.id = k.id`+w.text.String()+` ORDER BY k."started" DESC, k.id DESC LIMIT `+w.value(limit), w.args...)
	for _, n := range nodes {
		list = append(list, round(n))
	}
	return list, err
}

func round(n graph.Node) Round {
	at := n.Attrs.Time("started")
	v := Round{Place: Place{At: at.UnixMicro(), ID: n.ID}, Ref: n.Ref, Policy: n.Attrs.Ref("policy"), Trigger: n.Attrs.Text("trigger"), Started: at}
	v.Judged, _ = n.Attrs.Int("judged")
	v.Turned, _ = n.Attrs.Int("turned")
	return v
}

// Round is one of them, and what it turned, as far as it says.
func (r *Reader) Round(ctx context.Context, ref stemma.Ref) (Round, []governance.Turn, error) {
	n, err := r.node(ctx, ref, stemma.KindRound)
	if err != nil {
		return Round{}, nil, err
	}
	rows, err := r.space.Graph.List(ctx, n, "turn")
	var turns []governance.Turn
	for _, a := range rows {
		turns = append(turns, governance.Turn{Change: a.Ref("change"), Control: a.Text("control"), Was: a.Text("was"), State: a.Text("state")})
	}
	return round(n), turns, err
}

// node is what is known of a thing of a kind.
func (r *Reader) node(ctx context.Context, ref stemma.Ref, kind stemma.Kind) (graph.Node, error) {
	n, err := r.space.Graph.Node(ctx, ref)
	if err == nil && (n.Kind != kind || len(n.Attrs) == 0) {
		err = stemma.ErrNotFound
	}
	return n, err
}

// An Advisory says what is wrong with a model. Of those about packages there are many; what
// they are about is told where a change consists of it.
type Advisory struct {
	Ref                         stemma.Ref
	Model, Title, Severity, URL string
	Since, Published, Withdrawn time.Time
}

const maxAdvisories = 1000

// Advisories lists them, the latest first: at most 1,000.
func (r *Reader) Advisories(ctx context.Context) (list []Advisory, err error) {
	nodes, err := r.things(ctx, `SELECT n.ref FROM k_advisory k CROSS JOIN node n WHERE k."model" > '' AND n.id = k.id ORDER BY COALESCE(k."published", 0) DESC, k.id DESC LIMIT $1`, maxAdvisories)
	for _, n := range nodes {
		a := n.Attrs
		list = append(list, Advisory{
			Ref: n.Ref, Model: a.Text("model"), Title: a.Text("title"), Severity: a.Text("severity"), URL: a.Text("url"),
			Since: a.Time("since"), Published: a.Time("published"), Withdrawn: a.Time("withdrawn"),
		})
	}
	return list, err
}

// A Stated verdict is one as it was told, at a position of the log.
type Stated struct {
	governance.Assessment
	Pos      int64
	Recorded time.Time
}

// historyShown bounds the verdicts of one change that are read.
const historyShown = 30

// History are the verdicts on a change, the latest first: at most 30, and how many there
// were before them. Without any the error is stemma.ErrNotFound.
func (r *Reader) History(ctx context.Context, change stemma.Ref) (list []Stated, more int, err error) {
	var positions []int64
	for pos, err := range r.space.Ledger.Positions(ctx, governance.AssessmentRef(change)) {
		if err != nil {
			return nil, 0, err
		}
		positions = append(positions, pos)
	}
	for i := len(positions) - 1; i >= 0 && len(list) < historyShown; i-- {
		e, err := r.space.Ledger.Entry(ctx, positions[i])
		if err != nil {
			return nil, 0, err
		}
		if e.Erased() || e.Fact.Kind != stemma.KindAssessment {
			continue
		}
		a, err := governance.AssessmentFromFact(e.Fact)
		if err != nil {
			return nil, 0, err
		}
		list, more = append(list, Stated{a, e.Pos, e.Recorded}), i
	}
	if len(list) == 0 {
		return nil, 0, stemma.ErrNotFound
	}
	return list, more, nil
}

// Count is how the controls stand for a change, by its last verdict; it is false if there is
// none.
func (r *Reader) Count(ctx context.Context, change stemma.Ref) (c tally.Count, ok bool, err error) {
	n, err := r.node(ctx, governance.AssessmentRef(change), stemma.KindAssessment)
	if errors.Is(err, stemma.ErrNotFound) {
		return c, false, nil
	}
	if err != nil {
		return c, false, err
	}
	for name, to := range map[string]*int64{"passed": &c.Pass, "failed": &c.Fail, "unknown": &c.Unknown, "waived": &c.Waived} {
		*to, _ = n.Attrs.Int(name)
	}
	return c, true, nil
}
