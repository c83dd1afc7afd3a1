package alert

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/storage"
)

// A Rule says how many results of a question are too many or too few.
type Rule struct {
	Name   string        `yaml:"name"`
	Kind   string        `yaml:"kind"`   // of the query language
	Filter string        `yaml:"filter"` // what is counted
	Of     *string       `yaml:"of"`     // what it is a share of; nil: it is a number
	Above  *float64      `yaml:"above"`  // one of both, a number or percent
	Below  *float64      `yaml:"below"`
	Every  time.Duration `yaml:"every"`  // how often it is looked at
	Remind time.Duration `yaml:"remind"` // how often it is said again
	To     []string      `yaml:"to"`     // names of receivers
}

// A Value is how many results a question has, and of how many.
type Value struct {
	Part, Whole int64
	Share       bool
}

// Known reports whether there is a value: there is no share of nothing.
func (v Value) Known() bool { return !v.Share || v.Whole > 0 }

// Number is the value as people know it: how many, or percent with one decimal, rounded
// down.
func (v Value) Number() float64 {
	if !v.Share {
		return float64(v.Part)
	}
	if v.Whole == 0 {
		return 0
	}
	return float64(v.Part*1000/v.Whole) / 10
}

// String is the value for people.
func (v Value) String() string {
	switch {
	case !v.Known():
		return "none"
	case v.Share:
		return fmt.Sprintf("%.1f %% (%d of %d)", v.Number(), v.Part, v.Whole)
	}
	return fmt.Sprint(v.Part)
}

// Crossed reports whether a value that is known is above or below what the rule says.
func (r *Rule) Crossed(v Value) bool {
	part, whole := v.Part, int64(1)
	if v.Share {
		part, whole = v.Part*1000, v.Whole
	}
	threshold := func(x float64) int64 {
		if v.Share {
			x *= 10
		}
		return int64(math.Round(x)) * whole
	}
	if r.Above != nil {
		return part > threshold(*r.Above)
	}
	return part < threshold(*r.Below)
}

// Threshold is what the rule says, for people.
func (r *Rule) Threshold() string {
	unit := ""
	if r.Of != nil {
		unit = " %"
	}
	if r.Above != nil {
		return fmt.Sprintf("above %v%s", *r.Above, unit)
	}
	return fmt.Sprintf("below %v%s", *r.Below, unit)
}

// judged are the findings that a share can be of: what does not apply, or is waived, is
// no part of it, and what is unknown is not met.
const judged = "state:pass OR state:fail OR state:unknown"

// questions are what is counted, and what that is a share of.
func (r *Rule) questions(now time.Time) (part, whole *query.Query, err error) {
	if r.Of == nil {
		part, err = query.Parse(r.Kind, r.Filter, now)
		return part, nil, err
	}
	of := []string{*r.Of}
	if r.Kind == "findings" {
		of = append(of, judged)
	}
	if whole, err = query.Parse(r.Kind, both(of...), now); err != nil {
		return nil, nil, err
	}
	part, err = query.Parse(r.Kind, both(append(of, r.Filter)...), now)
	return part, whole, err
}

// both is the filter that asks for what all of them ask for.
func both(filters ...string) string {
	var parts []string
	for _, f := range filters {
		if strings.TrimSpace(f) != "" {
			parts = append(parts, "("+f+")")
		}
	}
	return strings.Join(parts, " ")
}

// asked is the filter of what is counted.
func (r *Rule) asked() string {
	if part, _, err := r.questions(time.Unix(0, 0)); err == nil && r.Of != nil {
		return part.String()
	}
	return r.Filter
}

// Measure counts.
func (r *Rule) Measure(ctx context.Context, db *storage.DB, now time.Time) (v Value, err error) {
	part, whole, err := r.questions(now)
	if err != nil {
		return v, err
	}
	v.Share = whole != nil
	return v, db.Read(ctx, func(tx *storage.Tx) error {
		if v.Part, err = query.Count(ctx, tx, part); err != nil || whole == nil {
			return err
		}
		v.Whole, err = query.Count(ctx, tx, whole)
		return err
	})
}
