package policy

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/policy/subject"
)

// A Factor is one reason why a change may go wrong, and how much of it is there.
type Factor struct {
	Name   string   `json:"name"`
	Weight float64  `json:"weight"`           // what it counts at most, 0 to 1
	Signal *float64 `json:"signal,omitempty"` // how much of it is there, 0 to 1; nil if that is not known
	Text   string   `json:"text"`
}

// unknownSignal is what a factor counts of which nothing is known: not nothing.
const unknownSignal = 0.5

// Risk is how much may go wrong with a change, from 0 to 100, and why: 100·(1−∏(1−w·s))
// over the weight and the signal of each factor, so that each adds to what is left by the
// others. It is an order of what to look at first, and no probability.
func Risk(x *subject.Subject) (score int, factors []Factor) {
	for _, f := range []struct {
		name   string
		weight float64
		of     func(*subject.Subject) (signal float64, known bool, text string)
	}{
		{"AI in sensitive paths", 0.35, sensitive},
		{"boundaries crossed", 0.30, boundaries},
		{"model", 0.25, models},
		{"weak review", 0.30, weakReview},
		{"weak tests", 0.20, weakTests},
		{"size", 0.20, size},
		{"untrusted content", 0.20, untrusted},
	} {
		signal, known, text := f.of(x)
		factor := Factor{Name: f.name, Weight: f.weight, Text: text}
		if known {
			factor.Signal = &signal
		}
		factors = append(factors, factor)
	}
	return Score(factors), factors
}

// Score is that of some factors.
func Score(factors []Factor) int {
	left := 1.0
	for _, f := range factors {
		signal := unknownSignal
		if f.Signal != nil {
			signal = min(max(*f.Signal, 0), 1)
		}
		left *= 1 - f.Weight*signal
	}
	return int(math.Round(100 * (1 - left)))
}

func sensitive(x *subject.Subject) (float64, bool, string) {
	if len(x.Settings.Tags) == 0 {
		return 0, false, "nobody said which paths are sensitive"
	}
	added, ai := 0, 0
	for _, f := range x.Files {
		if f.Sensitive {
			added, ai = added+f.Added, ai+f.AILines
		}
	}
	switch {
	case added == 0 && x.Change.MoreFiles:
		return 0, false, "no sensitive path is among the files that are looked at, and there are more"
	case added == 0:
		return 0, true, "no sensitive path is touched"
	case x.Change.UnknownLines > 0 && ai == 0:
		return 0, false, fmt.Sprintf("%d lines in sensitive paths, of unknown origin", added)
	}
	return float64(ai) / float64(added), true, fmt.Sprintf("%d of %d lines in sensitive paths are by AI", ai, added)
}

func boundaries(x *subject.Subject) (float64, bool, string) {
	n := len(x.Change.Tags)
	switch {
	case len(x.Settings.Tags) == 0:
		return 0, false, "nobody said where the boundaries are"
	case n == 0 && x.Change.MoreFiles:
		return 0, false, "none among the files that are looked at, and there are more"
	case n == 0:
		return 0, true, "none"
	}
	return 1 - math.Pow(0.5, float64(n)), true, strings.Join(x.Change.Tags, ", ")
}

func models(x *subject.Subject) (float64, bool, string) {
	for _, a := range x.Advisories {
		if a.Applies {
			return 1, true, "an advisory is out: " + a.Title
		}
	}
	if !x.Change.AI {
		return 0, true, "no AI took part"
	}
	for _, s := range x.Sessions {
		for _, m := range s.Models {
			if !m.Named {
				return 0, false, fmt.Sprintf("%q does not say which model it is", m.Name)
			}
		}
	}
	if !slices.ContainsFunc(x.Sessions, func(s subject.Session) bool { return len(s.Models) > 0 }) {
		return 0, false, "it is not known which model"
	}
	return 0, true, "no advisory is out"
}

func weakReview(x *subject.Subject) (float64, bool, string) {
	approvals, comments := 0, 0
	for _, r := range x.Reviews {
		comments += r.Comments
		if r.Counts {
			approvals++
		}
	}
	switch {
	case !x.Repository.Forge && len(x.Reviews) == 0:
		return 0, false, "nobody tells of reviews"
	case approvals == 0:
		return 1, true, "nobody approved what was merged"
	case approvals == 1 && comments == 0:
		return 0.5, true, "one approval, without a remark"
	case approvals == 1:
		return 0.25, true, "one approval"
	}
	return 0, true, fmt.Sprintf("%d approvals", approvals)
}

func weakTests(x *subject.Subject) (float64, bool, string) {
	green, seen := 0, 0
	for _, t := range x.Tests {
		if t.OnHead {
			seen++
			if t.Status == "passed" {
				green++
			}
		}
	}
	code, tests := 0, 0
	for _, f := range x.Files {
		if f.Test {
			tests += f.Added
		} else {
			code += f.Added
		}
	}
	switch {
	case code == 0 && !x.Change.MoreFiles:
		return 0, true, "no code but tests is added"
	case seen == 0 && len(x.Runs) == 0:
		return 0, false, "nobody tells of tests"
	case green < seen:
		return 1, true, fmt.Sprintf("%d of %d suites did not pass", seen-green, seen)
	case tests == 0:
		return 0.5, true, "no test comes with it"
	}
	return 0, true, "tests come with it"
}

// largeChange is how many added lines are very many for one change.
const largeChange = 1000

func size(x *subject.Subject) (float64, bool, string) {
	return min(float64(x.Change.Added)/largeChange, 1), true, fmt.Sprintf("%d lines added in %d files", x.Change.Added, len(x.Files))
}

func untrusted(x *subject.Subject) (float64, bool, string) {
	if !x.Change.AI {
		return 0, true, "no AI took part"
	}
	told := false
	for _, s := range x.Sessions {
		told = told || len(s.Tools) > 0
		for _, t := range s.Tools {
			if t.Untrusted {
				return 1, true, fmt.Sprintf("%s brought text from outside into a session", t.Name)
			}
		}
	}
	if !told {
		return 0, false, "it is not known which tools were used"
	}
	return 0, true, "no tool brought text from outside"
}
