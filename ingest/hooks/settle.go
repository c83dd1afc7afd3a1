package hooks

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/ingest/event/system"
)

const (
	poll    = time.Second         // how often to look for what other processes accepted
	patient = 5 * time.Second     // after an error of the store
	keep    = 30 * 24 * time.Hour // how long the key of a delivery that is done is remembered
	// portion is how many deliveries become facts together: few enough that those who
	// deliver meanwhile do not wait for the database long.
	portion = 40
	// polite is how many times as long as a portion took the work rests while others
	// deliver: whoever waits for an answer goes first, facts may come later.
	polite = 4
)

// Run makes facts of deliveries until ctx ends, whenever this process holds the lease.
// It also writes down what was turned away.
func (h *Hooks) Run(ctx context.Context) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		_, err := h.Settle(ctx)
		err = errors.Join(err, h.Flush(ctx))
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			h.c.Log.Error("deliveries wait", "error", err)
			pause(ctx, patient)
			continue
		}
		select {
		case <-ctx.Done():
		case <-h.wake:
		case <-tick.C:
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := errors.Join(h.Flush(last), h.c.Inbox.Release(last, h.c.Holder)); err != nil {
		h.c.Log.Warn("ending the work on deliveries", "error", err)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// Settle makes facts of all deliveries that wait, if no other process does, and says
// how many that were.
func (h *Hooks) Settle(ctx context.Context) (settled int, err error) {
	sources, err := h.sources(ctx)
	if err != nil {
		return 0, err
	}
	after := int64(0)
	for {
		page, err := h.c.Inbox.Pending(ctx, after)
		if err != nil || len(page) == 0 {
			return settled, errors.Join(err, h.forget(ctx))
		}
		after = page[len(page)-1].ID
		for len(page) > 0 {
			some := page[:min(len(page), portion)]
			page = page[len(some):]
			begun, accepted := time.Now(), h.accepted.Load()
			n, held, err := h.settle(ctx, sources, some)
			settled += n
			if err != nil || !held {
				return settled, err
			}
			if h.accepted.Load() != accepted {
				pause(ctx, polite*time.Since(begun))
			}
		}
	}
}

// A source is one whose deliveries are read.
type source struct {
	system.System
	host string // see inbox.Source
}

// sources are all of them, also those that are not configured any more.
func (h *Hooks) sources(ctx context.Context) (map[string]source, error) {
	all := map[string]source{}
	known, err := h.c.Inbox.Sources(ctx)
	for name, k := range known {
		if x, ok := system.Find(k.System); ok {
			all[name] = source{x, k.Host}
		}
	}
	return all, err
}

// forget drops old keys, some of them every hour.
func (h *Hooks) forget(ctx context.Context) error {
	now := h.c.Now()
	if now.Sub(h.forgot) < time.Hour {
		return nil
	}
	n, err := h.c.Inbox.Forget(ctx, now.Add(-keep))
	if n == 0 && err == nil {
		h.forgot = now
	}
	return err
}

// settle makes facts of some deliveries.
func (h *Hooks) settle(ctx context.Context, sources map[string]source, page []inbox.Delivery) (n int, held bool, err error) {
	if held, err = h.hold(ctx); !held || err != nil {
		return 0, false, err
	}
	// Whoever is slower than the lease must not go on as if it held it.
	ctx, cancel := context.WithTimeout(ctx, h.c.Lease/2)
	defer cancel()
	w := ingest.NewWriter(ctx, h.c.Space, h.c.Now)
	outcomes, err := h.state(ctx, w, sources, page)
	if err = errors.Join(err, w.Close(ctx)); err != nil {
		return 0, true, fmt.Errorf("hooks: settling %d deliveries: %w", len(page), err)
	}
	err = h.c.Inbox.SettleAs(ctx, h.c.Holder, outcomes...)
	if errors.Is(err, inbox.ErrNotHeld) {
		h.held = time.Time{}
		return 0, false, nil // the other one reads them again, and finds the facts
	}
	return len(outcomes), true, err
}

// hold takes the lease, or keeps it; it is written again when a quarter of it is over.
func (h *Hooks) hold(ctx context.Context) (bool, error) {
	now := h.c.Now()
	if now.Before(h.held.Add(-h.c.Lease * 3 / 4)) {
		return true, nil
	}
	held, err := h.c.Inbox.Hold(ctx, h.c.Holder, h.c.Lease)
	if held && err == nil {
		h.held = now.Add(h.c.Lease)
	}
	return held, err
}

// state states what deliveries say and returns what became of each. Deliveries of
// sources that are no systems are others' to settle.
func (h *Hooks) state(ctx context.Context, w *ingest.Writer, sources map[string]source, page []inbox.Delivery) ([]inbox.Outcome, error) {
	var outcomes []inbox.Outcome
	var facts []stemma.Fact
	var gaps []stemma.Gap
	for _, d := range page {
		s, ok := sources[d.Source]
		if !ok {
			continue
		}
		var met []ingest.Account
		r := Read(s.System, d, func(a event.Account) stemma.Ref {
			met = append(met, ingest.Account{Host: a.Host, ID: a.ID, Login: a.Login, Name: a.Name, Mail: a.Mail})
			return h.c.Space.Pseudonym(met[len(met)-1])
		})
		var err error
		if sources[d.Source], err = h.learn(ctx, s, d, r.Homes); err != nil {
			return nil, err
		}
		if err := sources[d.Source].vouches(d.Source, r.Homes); err != nil {
			r, met = Result{Outcome: inbox.Outcome{ID: d.ID, Refused: true, Reason: err.Error()}}, nil
		}
		for _, a := range met {
			w.Account(a)
		}
		facts = append(facts, r.Facts...)
		gap := stemma.Gap{Source: d.Source, Place: "delivery " + d.Key}
		if r.Outcome.Refused {
			gap.Reason = r.Outcome.Reason
			gaps = append(gaps, gap)
		}
		if d.Reason != "" && d.Reason != r.Outcome.Reason {
			gap.Reason, gap.Closed, gap.Seen = d.Reason, true, h.c.Now()
			gaps = append(gaps, gap)
		}
		outcomes = append(outcomes, r.Outcome)
	}
	if err := w.Latest(ctx, facts...); err != nil {
		return nil, err
	}
	for _, g := range gaps {
		if err := w.Gap(ctx, g); err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}

// learn binds a source whose host nobody named to that of its first delivery. What came
// in on somebody's word alone teaches nothing.
func (h *Hooks) learn(ctx context.Context, s source, d inbox.Delivery, homes []event.Home) (source, error) {
	if s.host != inbox.Unlearnt || len(homes) == 0 || d.Grade != stemma.GradeA && d.Grade != stemma.GradeB {
		return s, nil
	}
	s.host = homes[0].Host
	h.c.Log.Warn("a source speaks for one host from now on", "source", d.Source, "host", s.host)
	return s, h.c.Inbox.Learn(ctx, d.Source, s.host)
}

// vouches is an error if a delivery comes from another host than that of its source:
// whoever knows the secret of one forge knows nothing about others.
func (s source) vouches(name string, homes []event.Home) error {
	for _, home := range homes {
		if s.host != "" && s.host != inbox.Unlearnt && home.Host != s.host {
			return fmt.Errorf("it speaks of %.100s, and the source %s of %s alone: stemma serve --hook-host %s=HOST says which host it is", home.Host, name, s.host, name)
		}
	}
	return nil
}

// A Result is what was read of one delivery.
type Result struct {
	Facts   []stemma.Fact
	Homes   []event.Home
	Outcome inbox.Outcome
}

// Read reads one delivery of a system and states nothing. What can be stated is told, also
// if other parts cannot be read; it is refused then, so that it can be read again.
func Read(s system.System, d inbox.Delivery, who func(event.Account) stemma.Ref) Result {
	r, err := reading(s, d, who)
	out := Result{Outcome: inbox.Outcome{ID: d.ID}}
	if err != nil {
		out.Outcome.Refused, out.Outcome.Reason = true, err.Error()
		return out
	}
	out.Homes = r.Homes
	if r.Skipped != "" {
		out.Outcome.Reason = r.Skipped
	}
	grade := d.Grade
	if !grade.Valid() {
		grade = stemma.GradeD
	}
	for _, st := range r.Statements {
		f, err := st.Fact(s.Name, grade)
		if err != nil {
			r.Problem(string(st.Record.Ref()), "%v", err)
			continue
		}
		out.Facts = append(out.Facts, f)
	}
	if len(r.Problems) > 0 {
		var why []string
		for _, p := range r.Problems {
			why = append(why, p.Place+": "+p.Reason)
		}
		out.Outcome.Refused, out.Outcome.Reason = true, stemma.CleanText(strings.Join(why, "; "), maxReason)
	}
	return out
}

const maxReason = 1000 // bytes of why a delivery was refused

// reading calls the reader. One that fails on something nobody thought of spoils one
// delivery and not the work.
func reading(s system.System, d inbox.Delivery, who func(event.Account) stemma.Ref) (r *event.Reading, err error) {
	defer func() {
		if p := recover(); p != nil {
			r, err = nil, fmt.Errorf("the reader of %s failed: %v", s.Title, p)
		}
	}()
	return s.Read(event.Delivery{Event: d.Event, Body: d.Raw, Received: stemma.At(d.Received)}, who)
}
