// Package assess judges the changes of a space by the controls in force, and states how
// they stand: the verdicts are facts like all others.
//
// A change is judged when something is news that has a say in it, when a time is over for
// which evidence was waited for, when what it is judged by is another, when an advisory
// about its models or packages is out, when its repository fell silent, and once a night.
// What stands as before is not stated again. Several processes may judge one space at once:
// a verdict that was made while another one about the same change came in is made anew, and
// what concerns many changes is a shift that one of them at a time is at.
package assess

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/gather"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/storage"
)

// Source is what the verdicts say they come from.
const Source = "policy"

const (
	portion  = 200  // changes that are judged together
	perQuery = 500  // values in one query
	atOnce   = 64   // verdicts that wait for one transaction together
	again    = 10   // times that a verdict is made anew since another one came in
	maxRests = 20   // names of evidence that are kept with a finding
	maxText  = 1000 // bytes of a reason
)

// A Judge judges the changes of one space. Its methods may be called concurrently.
type Judge struct {
	Space *ingest.Space
	Set   *policy.Set
	Now   func() time.Time
	Log   *slog.Logger

	ref    stemma.Ref // of the policy, made by Open
	spoils *spoils
	rests  *atomic.Bool // another policy is in force
	many   *sync.Mutex  // held while some of many changes are judged
	signed *gather.Verifier
}

// Open makes a judge ready, and states what it judges by unless that is in force.
func Open(ctx context.Context, j Judge) (*Judge, error) {
	j.ref, j.spoils = governance.PolicyRef(j.Set.Digest()), &spoils{why: map[stemma.Ref]string{}}
	j.rests, j.many, j.signed = &atomic.Bool{}, &sync.Mutex{}, gather.NewVerifier(j.Space.Vault)
	if _, err := j.Space.Graph.Apply(ctx, j.Space.Ledger); err != nil {
		return nil, err
	}
	if ref, err := j.inForce(ctx); err != nil || ref == j.ref {
		return &j, err
	}
	p := governance.Policy{ID: j.ref, Since: stemma.At(j.Now()), Count: len(j.Set.Controls), Packs: strings.Join(j.Set.Policy.Packs, " ")}
	for _, c := range j.Set.Controls {
		p.Controls = append(p.Controls, governance.PolicyControl{Control: c.ID, Version: c.Version, Severity: string(c.Severity), Title: c.Title, Digest: c.Digest()})
	}
	f, err := p.Fact(Source, stemma.GradeA)
	if err != nil {
		return nil, fmt.Errorf("assess: stating the policy: %w", err)
	}
	return &j, j.Space.Revise(ctx, j.ref, func() (stemma.Fact, error) { return f, nil })
}

// A Result is what came of judging.
type Result struct {
	Judged int
	Stated int               // verdicts that are other than those before
	Turns  []governance.Turn // controls that stand otherwise, of changes that were judged before
}

func (r *Result) add(o Result) {
	r.Judged, r.Stated, r.Turns = r.Judged+o.Judged, r.Stated+o.Stated, append(r.Turns, o.Turns...)
}

// Changes judges changes, for a reason. One of which nothing but its name is known is
// left out until something is told. One that cannot be judged becomes a gap, and holds up no
// other.
func (j *Judge) Changes(ctx context.Context, trigger string, refs ...stemma.Ref) (all Result, err error) {
	log, err := LogState(ctx, j.Space)
	if err != nil {
		return all, err
	}
	for part := range slices.Chunk(refs, portion) {
		r, err := j.part(ctx, trigger, part, log)
		if all.add(r); err != nil {
			return all, fmt.Errorf("assess: judging %s and %d more: %w", part[0], len(part)-1, err)
		}
	}
	return all, nil
}

// errBusy means that others stated verdicts about the same changes again and again.
var errBusy = errors.New("others judged them meanwhile, again and again")

// part judges some changes until no other verdict comes in meanwhile. If one of them cannot be
// judged, it finds out which.
func (j *Judge) part(ctx context.Context, trigger string, refs []stemma.Ref, log subject.Log) (all Result, err error) {
	rest := refs
	for n := 0; len(rest) > 0 && err == nil; n++ {
		if n == again {
			return all, errBusy
		}
		var r Result
		if r, rest, err = j.some(ctx, trigger, rest, log); err == nil {
			all.add(r)
		}
	}
	switch {
	case err == nil:
		return all, j.spoils.mended(ctx, j, refs)
	case ctx.Err() != nil:
		return all, err
	case len(refs) == 1:
		return all, j.spoils.spoiled(ctx, j, refs[0], err)
	}
	for _, half := range [][]stemma.Ref{refs[:len(refs)/2], refs[len(refs)/2:]} {
		r, err := j.part(ctx, trigger, half, log)
		if all.add(r); err != nil {
			return all, err
		}
	}
	return all, nil
}

// verdicts judges subjects, on all processors: rules are most of the work.
func (j *Judge) verdicts(subjects []*subject.Subject, trigger string, now time.Time) []verdict {
	list := make([]verdict, len(subjects))
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for n := range workers {
		wg.Go(func() {
			for i := n; i < len(subjects); i += workers {
				list[i] = j.verdict(subjects[i], trigger, now)
			}
		})
	}
	wg.Wait()
	return list
}

// settings are those of a repository, by its ref: a policy knows it by its name.
func (j *Judge) settings(repository string) subject.Settings {
	_, name := stemma.Ref(repository).Split()
	return j.Set.Policy.SettingsOf(name)
}

// A verdict is how one change stands now.
type verdict struct {
	governance.Assessment
	known bool // it was judged before
}

// some judges some changes on one state of the graph; rest are those about which another
// verdict came in meanwhile.
func (j *Judge) some(ctx context.Context, trigger string, refs []stemma.Ref, log subject.Log) (r Result, rest []stemma.Ref, err error) {
	size, err := j.Space.Ledger.Size(ctx)
	if err != nil {
		return r, nil, err
	}
	if _, err := j.Space.Graph.Apply(ctx, j.Space.Ledger); err != nil {
		return r, nil, err
	}
	now := j.Now()
	var subjects []*subject.Subject
	var before map[stemma.Ref]*before
	err = j.Space.DB.Read(ctx, func(tx *storage.Tx) error {
		refs, err := told(ctx, tx, refs)
		if err != nil || len(refs) == 0 {
			return err
		}
		if subjects, err = gather.Changes(ctx, tx, refs, gather.Options{Settings: j.settings, Now: now, Log: log, New: !j.Set.LooksBack()}); err != nil {
			return err
		}
		before, err = standing(ctx, tx, refs)
		return err
	})
	if err == nil {
		err = j.signed.Verify(ctx, subjects)
	}
	if err != nil {
		return r, nil, err
	}
	var verdicts []verdict
	for _, v := range j.verdicts(subjects, trigger, now) {
		r.Judged++
		if v.turn(before[v.ID]) {
			v.Log = int(size)
			verdicts = append(verdicts, v)
		}
	}
	stated, err := j.state(ctx, verdicts, size)
	if err != nil {
		return r, nil, err
	}
	for i, v := range verdicts {
		if !stated[i] {
			rest = append(rest, v.Change)
			r.Judged--
			continue
		}
		r.Stated++
		if v.known {
			r.Turns = append(r.Turns, v.turns()...)
		}
	}
	_, err = j.Space.Graph.Apply(ctx, j.Space.Ledger)
	return r, rest, err
}

// state appends verdicts that were made when the log had a size, and says which were: many
// wait together, so that they share a transaction.
func (j *Judge) state(ctx context.Context, verdicts []verdict, size int64) ([]bool, error) {
	stated, errs := make([]bool, len(verdicts)), make([]error, len(verdicts))
	var wg sync.WaitGroup
	turns := make(chan struct{}, atOnce)
	for i, v := range verdicts {
		f, err := v.Fact(Source, stemma.GradeA)
		if err != nil {
			return nil, err
		}
		wg.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			switch err := j.Space.Ledger.AppendFirst(ctx, f, size); {
			case errors.Is(err, ledger.ErrOvertaken):
			case err != nil:
				errs[i] = err
			default:
				stated[i] = true
			}
		})
	}
	wg.Wait()
	return stated, errors.Join(errs...)
}

// verdict judges one change.
func (j *Judge) verdict(x *subject.Subject, trigger string, now time.Time) verdict {
	set := j.Set
	if x.Change.Merged.IsZero() && x.Change.State != "merged" {
		set = set.Stage(policy.AtHead)
	}
	change := stemma.Ref(x.Change.Ref)
	a := governance.Assessment{
		State: x.Change.State,
		ID:    governance.AssessmentRef(change), Change: change, Repository: stemma.Ref(x.Repository.Ref), Head: stemma.Ref(x.Change.Head), Landed: stemma.Ref(x.Change.Landed), Policy: j.ref, Evaluated: stemma.At(now),
		Merged: stemma.At(x.Change.Merged), Trigger: trigger,
	}
	if n := len(x.Change.Queued); n > 0 {
		a.Queued = stemma.Ref(x.Change.Queued[n-1])
	}
	score, factors := policy.Risk(x)
	a.Score = score
	for _, f := range factors {
		g := governance.Factor{Name: f.Name, Weight: int(100 * f.Weight), Text: stemma.CleanText(f.Text, maxText)}
		if f.Signal != nil {
			percent := int(100 * *f.Signal)
			g.Signal = &percent
		}
		a.Factors = append(a.Factors, g)
	}
	due := int64(0)
	soon := func(unix int64) {
		if unix > now.Unix() && (due == 0 || unix < due) {
			due = unix
		}
	}
	for _, f := range set.Judge(x) {
		switch f.State {
		case policy.Pass:
			a.Passed++
		case policy.Fail:
			a.Failed++
		case policy.Unknown:
			a.Unknown++
		case policy.Waived:
			a.Waived++
			a.WaivedBy = append(a.WaivedBy, stemma.Ref(f.Exception))
		case policy.NotApplicable:
		}
		a.Blocks = a.Blocks || f.Blocks
		soon(f.Due)
		a.Findings = append(a.Findings, finding(f))
	}
	for _, e := range x.Exceptions {
		soon(policy.Until(e.Until))
		soon(policy.Until(e.Opened.Add(subject.FollowUp)))
	}
	a.Due = int(due)
	slices.Sort(a.WaivedBy)
	a.WaivedBy = slices.Compact(a.WaivedBy)
	a.Digest = digest(a)
	return verdict{Assessment: a}
}

func finding(f policy.Finding) governance.Finding {
	rests := f.Rests
	if len(rests) > maxRests {
		rests = rests[:maxRests]
	}
	g := governance.Finding{
		Control: f.Control, Version: f.Version, Severity: string(f.Severity), Mode: string(f.Mode), State: string(f.State), Grade: f.Grade,
		Rests: strings.Join(rests, " "), Exception: stemma.Ref(f.Exception), Blocks: f.Blocks, Waits: f.Due > 0,
		Reason: stemma.CleanText(f.Reason, maxText),
	}
	return g
}

// digest tells verdicts apart that say something else, whenever and why they were made.
func digest(a governance.Assessment) string {
	a.Evaluated, a.Trigger = 0, ""
	return digestOf(a)
}

// told are the changes of which more than the name is known.
func told(ctx context.Context, tx *storage.Tx, refs []stemma.Ref) (list []stemma.Ref, err error) {
	args, marks := make([]any, len(refs)), make([]string, len(refs))
	for i, r := range refs {
		args[i], marks[i] = string(r), "$"+itoa(i+1)
	}
	rows, err := tx.Query(ctx, `SELECT n.ref FROM node n JOIN k_change c ON c.id = n.id WHERE n.ref IN (`+strings.Join(marks, ", ")+`) ORDER BY n.ref`, args...)
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var ref string
		if err := rows.Scan(&ref); err != nil {
			return nil, err
		}
		list = append(list, stemma.Ref(ref))
	}
	return list, rows.Err()
}

// A before is how a change stood.
type before struct {
	digest string
	merged bool
	states map[string]string // by control
}

// standing is how changes stand, by the names of their assessments.
func standing(ctx context.Context, tx *storage.Tx, changes []stemma.Ref) (map[stemma.Ref]*before, error) {
	all, byID := map[stemma.Ref]*before{}, map[int64]*before{}
	var args []any
	var marks []string
	for i, c := range changes {
		args, marks = append(args, string(governance.AssessmentRef(c))), append(marks, "$"+itoa(i+1))
	}
	rows, err := tx.Query(ctx, `SELECT a.id, n.ref, COALESCE(a."digest", ''), COALESCE(a."merged", 0) FROM node n JOIN k_assessment a ON a.id = n.id WHERE n.ref IN (`+strings.Join(marks, ", ")+`)`, args...)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for rows.Next() {
		var id int64
		var ref string
		var merged int64
		b := &before{states: map[string]string{}}
		if err := rows.Scan(&id, &ref, &b.digest, &merged); err != nil {
			return nil, err
		}
		b.merged = merged != 0
		ids = append(ids, id)
		all[stemma.Ref(ref)], byID[id] = b, b
	}
	if err := rows.Err(); err != nil || len(ids) == 0 {
		return all, err
	}
	if rows, err = tx.Query(ctx, `SELECT id, "control", "state" FROM k_assessment_finding WHERE id IN (`+list(ids)+`)`); err != nil {
		return nil, err
	}
	for rows.Next() {
		var id int64
		var control, state string
		if err := rows.Scan(&id, &control, &state); err != nil {
			return nil, err
		}
		byID[id].states[control] = state
	}
	return all, rows.Err()
}

// turn compares a verdict with the one before, notes what stands otherwise, and reports
// whether it is to be stated.
func (v *verdict) turn(b *before) bool {
	if v.Trigger == OnEvidence && v.Merged == 0 {
		v.Trigger = OnHead
	}
	if v.Trigger == OnEvidence && (b == nil || !b.merged) {
		v.Trigger = OnMerge
	}
	if b == nil {
		return true
	}
	v.known = true
	if b.digest == v.Digest {
		return false
	}
	for i := range v.Findings {
		f := &v.Findings[i]
		if was := b.states[f.Control]; was != "" && was != f.State {
			f.Before = was
			v.Turned++
		}
	}
	return true
}

// turns are the controls that stand otherwise than before.
func (v *verdict) turns() (list []governance.Turn) {
	for _, f := range v.Findings {
		if f.Before != "" {
			list = append(list, governance.Turn{Change: v.Change, Control: f.Control, Was: f.Before, State: f.State})
		}
	}
	return list
}

func itoa(n int) string { return strconv.Itoa(n) }

func list(ids []int64) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(id, 10))
	}
	return cmp.Or(b.String(), "-1")
}
