package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// patient is how long a question may take.
const patient = time.Minute

// standing is how a rule stands, in microseconds since 1970; 0 is never.
type standing struct {
	since, told int64
	known       string
}

// A verdict is how a rule stands next, and what is told of that.
type verdict struct {
	standing
	to  []string
	say *Message // nil: nothing
}

// Look looks at every rule whose time has come.
func (a *Alerter) Look(ctx context.Context) error {
	due, err := a.due(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, r := range a.c.File.Rules {
		if !due(r.Name, r.Every) {
			continue
		}
		failed = append(failed, a.look(ctx, r.Name, r.Every, func(ctx context.Context, now time.Time) (func(standing) verdict, error) {
			v, err := r.Measure(ctx, a.c.DB, now)
			return func(s standing) verdict { return a.judge(r, s, v, now) }, err
		}))
	}
	if len(a.c.File.Exceptions) > 0 && due(builtIn, usualEvery) {
		failed = append(failed, a.look(ctx, builtIn, usualEvery, func(ctx context.Context, now time.Time) (func(standing) verdict, error) {
			list, err := pressing(ctx, a.c.DB, now)
			return func(s standing) verdict { return a.remind(s, list, now) }, err
		}))
	}
	return errors.Join(failed...)
}

// due tells of a rule that is looked at every so often whether its time may have come,
// without holding up who writes.
func (a *Alerter) due(ctx context.Context) (func(name string, every time.Duration) bool, error) {
	at, now := map[string]int64{}, a.c.Now()
	err := a.c.DB.Each(ctx, func(scan func(...any) error) error {
		var name string
		var due int64
		err := scan(&name, &due)
		at[name] = due
		return err
	}, `SELECT name, due FROM alert_rule`)
	return func(name string, every time.Duration) bool {
		due, there := at[name]
		return there && (due <= now.UnixMicro() || due > now.Add(every).UnixMicro())
	}, err
}

// look claims a rule that is due, measures it and writes down what follows, unless another
// process measured it meanwhile. A rule that cannot be measured stands as it stood.
func (a *Alerter) look(ctx context.Context, name string, every time.Duration, measure func(ctx context.Context, now time.Time) (func(standing) verdict, error)) error {
	now := a.c.Now()
	turn, err := a.claim(ctx, name, every, now)
	if err != nil || turn == 0 {
		return err
	}
	asking, stop := context.WithTimeout(ctx, patient)
	defer stop()
	judge, fault := measure(asking, now)
	if fault != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	err = a.c.DB.Write(ctx, func(tx *storage.Tx) error {
		if fault != nil {
			_, err := tx.Exec(ctx, `UPDATE alert_rule SET error = $1 WHERE name = $2 AND turn = $3`, stemma.CleanText(fault.Error(), 500), name, turn)
			return err
		}
		var s standing
		err := tx.QueryRow(ctx, `SELECT since, told, known FROM alert_rule WHERE name = $1 AND turn = $2`, name, turn).Scan(&s.since, &s.told, &s.known)
		if errors.Is(err, stemma.ErrNotFound) {
			return nil // overtaken
		}
		if err != nil {
			return err
		}
		v := judge(s)
		if _, err := tx.Exec(ctx, `UPDATE alert_rule SET since = $1, told = $2, known = $3, looked = $4, error = '' WHERE name = $5`,
			v.since, v.told, v.known, now.UnixMicro(), name); err != nil || v.say == nil {
			return err
		}
		v.say.ID = fmt.Sprintf("%s-%d", name, turn)
		return note(ctx, tx, v.to, *v.say, now)
	})
	if err = errors.Join(fault, err); err != nil {
		return fmt.Errorf("alert: %s: %w", name, err)
	}
	return nil
}

// claim gives the number of the turn if the rule is due, else 0. A time that is further
// away than it can be is one of a clock that was wrong.
func (a *Alerter) claim(ctx context.Context, name string, every time.Duration, now time.Time) (turn int64, err error) {
	return turn, a.c.DB.Write(ctx, func(tx *storage.Tx) error {
		next := now.Add(every).UnixMicro()
		n, err := tx.Exec(ctx, `UPDATE alert_rule SET turn = turn + 1, due = $1 WHERE name = $2 AND (due <= $3 OR due > $1)`, next, name, now.UnixMicro())
		if err != nil || n == 0 {
			return err
		}
		return tx.QueryRow(ctx, `SELECT turn FROM alert_rule WHERE name = $1`, name).Scan(&turn)
	})
}

// judge is how a rule stands with a value, and what is told: that it fires, that it still
// does when the time for that has come, that it is over. Where there is no value it stands
// as it stood.
func (a *Alerter) judge(r *Rule, s standing, v Value, now time.Time) verdict {
	if !v.Known() {
		return verdict{standing: s}
	}
	at, state := now.UnixMicro(), ""
	began := s.since
	switch crossed := r.Crossed(v); {
	case crossed && s.since == 0:
		s.since, s.told, state = at, at, firing
		began = at
	case crossed:
		s, state = s.lasts(at, r.Remind)
	case s.since != 0:
		s.since, s.told, state = 0, 0, over
	}
	if state == "" {
		return verdict{standing: s}
	}
	m := a.message(r, v, state, time.UnixMicro(began), now)
	return verdict{s, r.To, &m}
}

// lasts is how something stands that goes on, and whether it is said again. What was told
// later than now was told by a clock that was wrong, and is told as of now.
func (s standing) lasts(at int64, remind time.Duration) (standing, string) {
	s.since = min(s.since, at)
	if s.told > at {
		s.told = at
	}
	if at-s.told < remind.Microseconds() {
		return s, ""
	}
	s.told = at
	return s, reminder
}

// note writes down that receivers are to be told, in the place of what they were not told
// yet. Where they are being told, or wait after a failure, that time is kept.
func note(ctx context.Context, tx *storage.Tx, to []string, m Message, now time.Time) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	for _, receiver := range to {
		if _, err := tx.Exec(ctx, `INSERT INTO alert_message (rule, receiver, serial, body, due) VALUES ($1, $2, 1, $3, $4)
			ON CONFLICT (rule, receiver) DO UPDATE SET serial = alert_message.serial + 1, body = excluded.body,
				due = CASE WHEN alert_message.due > excluded.due THEN alert_message.due ELSE excluded.due END`, m.Rule, receiver, string(body), now.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}
