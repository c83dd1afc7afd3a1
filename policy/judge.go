package policy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stemma-dev/stemma/policy/rule"
	"github.com/stemma-dev/stemma/policy/subject"
)

// Judge holds controls against a subject, which is derived and knows the time. The
// findings are in the order of the controls.
func (s *Set) Judge(of *subject.Subject) []Finding {
	findings, _ := s.JudgeWithin(context.Background(), of) // which has no end
	return findings
}

// JudgeWithin is [Set.Judge] that ends with its context, whose error it then gives, and no findings: what
// was not judged in time is not unknown.
func (s *Set) JudgeWithin(ctx context.Context, of *subject.Subject) ([]Finding, error) {
	y := *of
	x := &y
	x.Risk, _ = Risk(x)
	on := rule.Of(x)
	grades := things(x)
	findings := make([]Finding, 0, len(s.Controls))
	for _, c := range s.Controls {
		f := Finding{Control: c.ID, Version: c.Version, Title: c.Title, Severity: c.Severity, Mode: s.Mode(c, x)}
		out := exempt(x)
		if out.State == "" {
			out = c.judge(ctx, x, on)
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("judging by %s: %w", c.ID, err)
		}
		f.State, f.Reason, f.Rests = out.State, short(out.Reason), unique(out.Rests)
		f.Grade = least(grades, f.Rests)
		if f.State == Fail || f.State == Unknown {
			f.Remedy = c.Remedy
			if !c.Firm {
				waive(&f, x)
			}
		}
		f.Blocks, f.Due = blocks(f, c.Stage, x)
		findings = append(findings, f)
	}
	return findings, nil
}

// Until is a time in whole seconds, and none of them too early: who waits for it finds it over.
func Until(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

// exempt says of a change that no control concerns why that is so.
func exempt(x *subject.Subject) Outcome {
	since := x.Settings.Since
	switch c := &x.Change; {
	case c.State == "closed":
		return Outcome{State: NotApplicable, Reason: "it was closed and nothing came in"}
	case c.Dropped && len(x.Deployments) == 0:
		return Outcome{State: NotApplicable, Reason: "its branch does not have it any more, and it was deployed nowhere"}
	case !c.Merged.IsZero() && c.Merged.Before(since):
		return Outcome{State: NotApplicable, Reason: "it came in before " + since.UTC().Format(time.DateOnly) + ", from when on changes are judged"}
	}
	return Outcome{}
}

// judge gives the state of one control. Whatever its rules do, they never make it pass by
// failing.
func (c *Control) judge(ctx context.Context, x *subject.Subject, on rule.Input) (out Outcome) {
	if c.rules == nil {
		return Outcome{State: Unknown, Reason: "the control was not made ready"}
	}
	defer func() {
		if fault := recover(); fault != nil {
			out = broken(fmt.Errorf("%v", fault))
		}
	}()
	for i, p := range c.rules.applies {
		ok, err := p.Eval(ctx, on)
		if err != nil {
			return broken(err)
		}
		if !ok {
			return Outcome{State: NotApplicable, Reason: c.Applies[i].Else}
		}
	}
	if c.rules.rests != nil {
		rests, err := c.rules.rests.Eval(ctx, on)
		if err != nil {
			return broken(err)
		}
		out.Rests = rests
	}
	for i, p := range c.rules.knows {
		ok, err := p.Eval(ctx, on)
		if err != nil {
			return broken(err)
		}
		if !ok {
			out.State, out.Reason = Unknown, c.Knows[i].Else
			return out
		}
	}
	if c.Check != "" {
		if out = functions[c.Check](x); !slices.Contains(States, out.State) || out.State == Waived {
			return Outcome{State: Unknown, Reason: "the check gave no state"}
		}
		return out
	}
	ok, err := c.rules.rule.Eval(ctx, on)
	switch {
	case err != nil:
		return broken(err)
	case ok:
		out.State = Pass
		return out
	}
	out.State, out.Reason = Fail, c.Title+": it does not hold"
	if c.rules.says == nil {
		return out
	}
	switch says, err := c.rules.says.Eval(ctx, on); {
	case err != nil: // that it fails is certain all the same
		out.Reason += ", and why could not be said: " + err.Error()
	case strings.TrimSpace(says) != "":
		out.Reason = says
	}
	return out
}

// maxReason bounds what a finding says: a rule may name every file of a large change.
const maxReason = 1000

func short(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= maxReason {
		return text
	}
	end := maxReason
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + " …"
}

func broken(err error) Outcome {
	return Outcome{State: Unknown, Reason: "the rule could not be evaluated: " + err.Error()}
}

// waive applies an exception that holds.
func waive(f *Finding, x *subject.Subject) {
	for _, e := range x.Exceptions {
		if e.Control != f.Control && e.Control != "*" {
			continue
		}
		switch {
		case e.Holds:
			f.Reason = fmt.Sprintf("%s; waived until %s: %s", f.Reason, e.Until.UTC().Format(time.DateOnly), e.Reason)
			f.State, f.Exception = Waived, e.Ref
			return
		case !e.Withdrawn.IsZero():
			f.Reason += fmt.Sprintf("; the exception %s was withdrawn %s", e.Ref, e.Withdrawn.UTC().Format(time.DateOnly))
		case !e.Until.IsZero() && !x.Now.Before(e.Until):
			f.Reason += fmt.Sprintf("; the exception %s ended %s", e.Ref, e.Until.UTC().Format(time.DateOnly))
		case e.SelfGranted:
			f.Reason += fmt.Sprintf("; the exception %s was not granted by somebody else", e.Ref)
		}
	}
}

// blocks reports whether a finding holds a change up, and until when evidence of an unknown
// one may still come.
func blocks(f Finding, stage Stage, x *subject.Subject) (held bool, due int64) {
	if f.State == Unknown && f.Severity.AtLeast(High) {
		end := begun(stage, x).Add(time.Duration(x.Settings.GraceMinutes) * time.Minute)
		if x.Now.Before(end) {
			return false, Until(end)
		}
		return f.Mode == Enforce, 0
	}
	return f.State == Fail && f.Mode == Enforce, 0
}

// begun is when the last of what a control waits for evidence of took place. A time that
// has not come yet is told by a clock that is wrong, and counts for nothing.
func begun(stage Stage, x *subject.Subject) time.Time {
	var last time.Time
	after := func(t time.Time) {
		if t.After(last) && !t.After(x.Now) {
			last = t
		}
	}
	after(x.Change.Opened)
	after(x.Change.Merged)
	after(x.Change.Recorded)
	if x.Change.Merged.IsZero() {
		for _, k := range x.Commits {
			after(k.Recorded)
		}
	}
	if stage == AtDeployment {
		for _, d := range x.Deployments {
			after(d.At)
		}
	}
	if stage == AtIncident {
		for _, i := range x.Incidents {
			after(i.Opened)
		}
	}
	return last
}

// least is the least grade of what a finding rests on; that of something that has none is
// D.
func least(grades map[string]string, rests []string) string {
	worst := ""
	for _, r := range rests {
		g, ok := grades[r]
		if !ok || g == "" {
			g = "D"
		}
		worst = max(worst, g)
	}
	return worst
}

func unique(list []string) []string {
	list = slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
	slices.Sort(list)
	return slices.Compact(list)
}

// things are the grades of all that a subject names.
func things(x *subject.Subject) map[string]string {
	grades := map[string]string{}
	for t := range x.Things() {
		if g, ok := grades[t.Ref]; !ok || t.Grade != "" && (g == "" || t.Grade < g) {
			grades[t.Ref] = t.Grade
		}
	}
	return grades
}
