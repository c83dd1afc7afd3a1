package alert

import (
	"context"
	"errors"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// A Status is how a rule stands.
type Status struct {
	Rule     *Rule
	Value    Value // now
	Measured bool  // whether there is a value
	Crossed  bool  // by that value
	Firing   bool  // as it was told
	Since    time.Time
	Looked   time.Time // when it was measured last to be told
	Error    string    // why it could not be measured then, or now
	Waiting  []Waiting
}

// A Waiting is a receiver that was not told yet.
type Waiting struct {
	Receiver string `json:"receiver"`
	Tries    int64  `json:"tries"`
	Error    string `json:"error,omitempty"`
}

// Statuses are those of all rules, as they stand now.
func (a *Alerter) Statuses(ctx context.Context) (list []Status, err error) {
	for _, r := range a.c.File.Rules {
		s := Status{Rule: r}
		if err := a.recall(ctx, &s); err != nil {
			return nil, err
		}
		v, err := r.Measure(ctx, a.c.DB, a.c.Now())
		if err != nil && ctx.Err() != nil {
			return nil, err
		}
		if err != nil {
			s.Error = stemma.CleanText(err.Error(), 500)
		}
		s.Value, s.Measured = v, err == nil && v.Known()
		s.Crossed = s.Measured && r.Crossed(v)
		list = append(list, s)
	}
	return list, nil
}

// recall reads what was written down of a rule.
func (a *Alerter) recall(ctx context.Context, s *Status) error {
	var since, looked int64
	err := a.c.DB.Read(ctx, func(tx *storage.Tx) error {
		return tx.QueryRow(ctx, `SELECT since, looked, error FROM alert_rule WHERE name = $1`, s.Rule.Name).Scan(&since, &looked, &s.Error)
	})
	if errors.Is(err, stemma.ErrNotFound) {
		return nil // nobody looked at it yet
	}
	if err != nil {
		return err
	}
	if since != 0 {
		s.Firing, s.Since = true, time.UnixMicro(since).UTC()
	}
	if looked != 0 {
		s.Looked = time.UnixMicro(looked).UTC()
	}
	return a.c.DB.Each(ctx, func(scan func(...any) error) error {
		var w Waiting
		err := scan(&w.Receiver, &w.Tries, &w.Error)
		if a.senders[w.Receiver] != nil { // else it was taken out of the file
			s.Waiting = append(s.Waiting, w)
		}
		return err
	}, `SELECT receiver, tries, error FROM alert_message WHERE rule = $1 AND due > 0 ORDER BY receiver`, s.Rule.Name)
}
