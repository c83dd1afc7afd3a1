package reported

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ci"
	"github.com/stemma-dev/stemma/pipeline"
)

// A Taken says what became of an envelope.
type Taken struct {
	Kind     string               `json:"kind"`
	Key      string               `json:"key"`
	Refs     []stemma.Ref         `json:"refs"`               // what the facts are about that it is for
	Snapshot *deployment.Snapshot `json:"snapshot,omitempty"` // with what explains each thing
}

// Take turns the bytes of an envelope into facts, durably when it returns. What is no
// envelope, or says what no room keeps, is a *BadError; any other error is one of the
// store, and the envelope may be given again. Only one process may take envelopes of a
// space at a time.
func Take(ctx context.Context, space *ingest.Space, now func() time.Time, raw []byte) (Taken, error) {
	e, err := Decode(raw)
	if err != nil {
		return Taken{}, err
	}
	w := ingest.NewWriter(ctx, space, now)
	t := taker{ctx: ctx, space: space, w: w, e: e, taken: Taken{Kind: e.Kind, Key: e.Key, Refs: []stemma.Ref{}}}
	if err = t.take(); err == nil {
		err = t.settle()
	}
	err = errors.Join(err, w.Close(ctx))
	var invalid *stemma.InvalidError
	if errors.As(err, &invalid) {
		return Taken{}, bad("what it says of %.200q is not kept: %s: %s", string(invalid.Ref), invalid.Field, invalid.Why)
	}
	if err != nil {
		return Taken{}, err
	}
	return t.taken, nil
}

// A taker is in the middle of one envelope.
type taker struct {
	ctx   context.Context
	space *ingest.Space
	w     *ingest.Writer
	e     *Envelope
	taken Taken

	states []stemma.Fact // how things stand, not yet stated

	run    stemma.Ref // empty outside of a pipeline
	commit stemma.Ref // empty if it is not known
}

func (t *taker) take() error {
	t.run, t.commit = t.e.Run.Ref(), commitRef(t.e.Run.Commit)
	if err := t.stateRun(); err != nil {
		return err
	}
	switch t.e.Kind {
	case KindTest:
		return t.tests()
	case KindScan:
		return t.scans()
	case KindBom:
		return t.bom()
	case KindArtifact:
		return errors.Join(t.artifacts(t.e.Artifacts, true), t.attestations())
	case KindAttestation:
		return t.attestations()
	case KindDeploy:
		return t.deploy()
	case KindIncident:
		return t.incident()
	case KindSnapshot:
		return t.snapshot()
	}
	return nil
}

// commitRef names a commit by its whole name.
func commitRef(sha string) stemma.Ref {
	if strings.Trim(sha, "0") == "" {
		return ""
	}
	return change.ShaRef(sha)
}

// grade is how good the evidence of a method is.
func grade(method string) stemma.Grade {
	if method == ci.Method {
		return stemma.GradeC
	}
	return stemma.GradeD
}

// grade is that of what the envelope says of itself.
func (t *taker) grade() stemma.Grade { return grade(cmp.Or(t.e.Method, MethodDeclared)) }

// edge leads to something that is known by a method.
func edge(to stemma.Ref, method string) stemma.Edge {
	return stemma.Edge{To: to, Grade: grade(method), Method: method}
}

// put states a record that comes once.
func (t *taker) put(r ingest.Record, g stemma.Grade) error {
	f, err := r.Fact(Source, g)
	if err != nil {
		return err
	}
	return t.w.Put(t.ctx, f)
}

// latest states how a thing stands as of a time; the zero time is for what never
// changes.
func (t *taker) latest(r ingest.Record, g stemma.Grade, asOf stemma.Moment) error {
	f, err := r.Fact(Source, g)
	if err != nil {
		return err
	}
	f.Occurred = asOf.Time()
	t.states = append(t.states, f)
	return nil
}

// settle states how things stand, all at once, and makes everything so far durable and
// seen.
func (t *taker) settle() error {
	states := t.states
	t.states = nil
	if err := t.w.Latest(t.ctx, states...); err != nil {
		return err
	}
	return t.w.Flush(t.ctx)
}

// about remembers what the envelope is for.
func (t *taker) about(ref stemma.Ref) { t.taken.Refs = append(t.taken.Refs, ref) }

// stateRun states the run that the report comes from, with what told it what to do and
// what it runs on.
func (t *taker) stateRun() error {
	p := t.e.Run
	if t.run == "" {
		if t.e.Kind == KindRun {
			return bad("it does not say which run it is about")
		}
		return nil
	}
	r := pipeline.Run{
		ID: t.run, System: p.System, Name: p.Name, Number: p.Number, Attempt: p.Attempt, Commit: t.commit, URL: p.URL,
		Repository: ci.RepositoryRef(p.Repository), Trigger: p.Event, Branch: p.Branch, Method: t.e.Method,
		Fork: ci.RepositoryRef(p.Fork),
	}
	if c := p.ChangeRef(); c != "" {
		r.Changes = []stemma.Ref{c}
	}
	if trial := commitRef(p.Trial); trial != "" {
		r.Trial = []stemma.Edge{edge(trial, t.e.Method)}
	}
	var err error
	if r.By, err = t.actor(p.Actor); err != nil {
		return err
	}
	if p.Runner != nil {
		if err := t.latest(p.Runner, t.grade(), 0); err != nil {
			return err
		}
		r.On = []stemma.Edge{{To: p.Runner.Ref(), Method: p.Job}}
	}
	for _, c := range p.Configs {
		config := pipeline.Config{Repository: r.Repository, Path: c.Path, Blob: c.Blob, System: p.System, SHA256: c.SHA256, Pins: c.Pins}
		if r.Repository == "" {
			break // there is no name for it
		}
		if err := t.latest(config, t.grade(), 0); err != nil {
			return err
		}
		r.Uses = append(r.Uses, config.Ref())
	}
	if err := t.latest(r, t.grade(), 0); err != nil {
		return err
	}
	return t.stateOf(r)
}

// stateOf states how the run stands, if that is what is reported.
func (t *taker) stateOf(r pipeline.Run) error {
	s := t.e.State
	if s == nil {
		return nil
	}
	t.about(r.ID)
	now := pipeline.Run{ID: r.ID, Name: s.Name, Status: s.Status, Conclusion: s.Conclusion, Started: s.Started}
	if now.Conclusion != "" {
		now.Status, now.Ended = cmp.Or(now.Status, "completed"), t.e.At
	}
	return t.latest(now, grade(MethodDeclared), t.e.At)
}

// actor names who made the run start, and remembers who it is.
func (t *taker) actor(a ci.Actor) (stemma.Ref, error) {
	if a.Login == "" && a.ID == "" {
		return "", nil
	}
	if strings.HasSuffix(strings.ToLower(a.Login), "[bot]") {
		bot := identity.Bot{Name: a.Login, Host: a.Host}
		if bot.Ref() == "" {
			return "", nil
		}
		return bot.Ref(), t.latest(bot, t.grade(), 0)
	}
	return t.w.Account(ingest.Account{Host: a.Host, ID: a.ID, Login: a.Login, Name: a.Name}), nil
}

// body keeps the report under its owner; of one whose bytes were erased nothing is kept.
func (t *taker) body(owner stemma.Ref) ([]stemma.Body, error) {
	if t.e.Report == nil {
		return nil, nil
	}
	erased, err := t.w.Erased(t.ctx, owner)
	if err != nil || erased {
		return nil, err
	}
	b, err := t.w.Body(t.ctx, owner, "report", stemma.CleanText(t.e.Report.Media, 100), t.e.Report.Body)
	if err != nil {
		return nil, err
	}
	return []stemma.Body{b}, nil
}
