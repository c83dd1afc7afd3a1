// Package policy judges one change at a time: it holds controls against the change's
// lineage and says of each what follows.
//
// A control is data: a few rules in CEL (cel.dev) over the types of package subject, or, where a rule
// cannot say it, the name of a Go function. It never decides by what is missing: a rule
// that fails, that costs too much or that has nothing to go by gives unknown, and unknown is
// never a pass. The package does no I/O and reads no clock.
package policy

import (
	"fmt"
	"slices"

	"github.com/stemma-dev/stemma/policy/subject"
)

// A State is how a control stands for one change.
type State string

// The states.
const (
	Pass          State = "pass"
	Fail          State = "fail"
	Unknown       State = "unknown" // evidence is missing, or has not come yet
	NotApplicable State = "not-applicable"
	Waived        State = "waived" // it would fail or be unknown, and an exception holds
)

// States are all of them, in the order in which they are shown.
var States = []State{Pass, Fail, Unknown, Waived, NotApplicable}

// A Severity says how much depends on a control.
type Severity string

// The severities.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
)

// Severities are all of them, the gravest first.
var Severities = []Severity{Critical, High, Medium, Low}

// AtLeast reports whether a severity is as grave as another.
func (s Severity) AtLeast(than Severity) bool {
	return slices.Index(Severities, s) <= slices.Index(Severities, than)
}

// A Mode says what comes of a control that is not met.
type Mode string

// The modes.
const (
	Enforce Mode = "enforce" // it holds the change up
	Warn    Mode = "warn"    // it is said where the change is looked at
	Observe Mode = "observe" // it is counted
)

// Modes are all of them, the strictest first.
var Modes = []Mode{Enforce, Warn, Observe}

// A Stage is when a control can first be judged.
type Stage string

// The stages, in the order of the way to production.
const (
	AtHead       Stage = "head" // of a merge request that is open
	AtMerge      Stage = "merge"
	AtDeployment Stage = "deployment"
	AtIncident   Stage = "incident"
)

var stages = []Stage{AtHead, AtMerge, AtDeployment, AtIncident}

// A Control is one thing that has to hold of a change.
type Control struct {
	ID       string   `yaml:"id"`      // REV-01
	Version  int      `yaml:"version"` // counts up whenever what it says does
	Title    string   `yaml:"title"`
	Why      string   `yaml:"why"`
	Severity Severity `yaml:"severity"`
	Stage    Stage    `yaml:"stage"`
	Inputs   []string `yaml:"inputs"` // members of the subject that it looks at
	Applies  []Clause `yaml:"applies,omitempty"`
	Knows    []Clause `yaml:"knows,omitempty"` // what has to be known for it to be judged
	Rule     Expr     `yaml:"rule,omitempty"`  // it is met
	Says     Expr     `yaml:"says,omitempty"`  // why it is not, a text
	Rests    Expr     `yaml:"rests,omitempty"` // the names of what the finding rests on
	Check    string   `yaml:"check,omitempty"` // a Go function in the place of rule, says and rests
	Remedy   string   `yaml:"remedy"`
	Firm     bool     `yaml:"firm,omitempty"` // no exception waives it
	Cases    []Case   `yaml:"cases,omitempty"`

	Place string `yaml:"-"` // the file that it was read from
	lines Lines
	rules *rules
}

// A Clause is a condition, and what is said where it does not hold.
type Clause struct {
	When Expr   `yaml:"when"`
	Else string `yaml:"else"`
}

// A Case is an example of a subject, and how the control has to stand for it.
type Case struct {
	Name    string   `yaml:"name"`
	Base    string   `yaml:"base,omitempty"` // name of an earlier case of this control that it differs from
	Subject Document `yaml:"subject,omitempty"`
	State   State    `yaml:"state"`
	Says    string   `yaml:"says,omitempty"` // a part of the reason
}

// A Finding is how one control stands for one change.
type Finding struct {
	Control   string   `json:"control"`
	Version   int      `json:"version"`
	Title     string   `json:"title"`
	Severity  Severity `json:"severity"`
	Mode      Mode     `json:"mode,omitempty"`
	State     State    `json:"state"`
	Reason    string   `json:"reason,omitempty"`
	Remedy    string   `json:"remedy,omitempty"`
	Rests     []string `json:"rests,omitempty"`     // names of what it rests on
	Grade     string   `json:"grade,omitempty"`     // the least of theirs
	Exception string   `json:"exception,omitempty"` // that waives it
	Blocks    bool     `json:"blocks,omitempty"`    // it holds the change up
	Due       int64    `json:"due,omitempty"`       // of an unknown: until when evidence may still come, in Unix seconds
}

// An Outcome is what the Go function of a control says.
type Outcome struct {
	State  State
	Reason string
	Rests  []string
}

// A Function judges what rules cannot say.
type Function func(s *subject.Subject) Outcome

// Ref names a control in its version.
func (c *Control) Ref() string { return fmt.Sprintf("%s@%d", c.ID, c.Version) }
