package report

import (
	"cmp"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/stemma-dev/stemma/policy"
)

// SARIF writes SARIF 2.1.0. What passes and what does not apply is in it only if all is
// asked for, since readers take every result for a problem. An exception that holds
// suppresses its result.
func SARIF(w io.Writer, all bool) Handler { return &findings{w: w, all: all} }

type findings struct {
	w     io.Writer
	all   bool
	run   *sarif.Run
	rules map[string]int
}

func (s *findings) Begin(r Run) error {
	s.run = sarif.NewRunWithInformationURI("stemma", home)
	s.run.Tool.Driver.WithVersion(line(r.Version, maxTitle))
	s.run.WithColumnKind("utf16CodeUnits")
	s.run.WithAutomationDetails(sarif.NewRunAutomationDetails().WithID("stemma/check/"))
	s.run.AddInvocation(sarif.NewInvocation().WithExecutionSuccessful(true).WithStartTimeUtc(r.Started.UTC().Format(time.RFC3339)))
	s.run.WithProperties(sarif.NewPropertyBag().Add("digest", r.Digest).Add("rules", line(r.Rules, maxTitle)))
	s.rules = map[string]int{}
	for i, c := range r.Controls {
		s.rules[c.ID] = i
		rule := s.run.AddRule(c.ID).WithName(line(c.Title, maxTitle)).WithDescription(line(c.Title, maxTitle))
		rule.WithFullDescription(sarif.NewMultiformatMessageString().WithText(line(c.Why, maxReason)))
		help := line(c.Why+" "+c.Remedy, 2*maxReason)
		rule.WithHelp(sarif.NewMultiformatMessageString().WithText(help).WithMarkdown(escaped(help)))
		rule.WithProperties(sarif.NewPropertyBag().Add("security-severity", security[c.Severity]).Add("severity", string(c.Severity)).WithTags([]string{"governance"}))
	}
	return nil
}

// security are the scores by which code scanning orders what it is told.
var security = map[policy.Severity]string{policy.Critical: "9.5", policy.High: "8.0", policy.Medium: "5.0", policy.Low: "2.0"}

func (s *findings) Change(c Change) error {
	for _, f := range ordered(c.Findings) {
		if met(f) && !s.all {
			continue
		}
		s.run.AddResult(s.result(c, f))
	}
	return nil
}

func (s *findings) result(c Change, f policy.Finding) *sarif.Result {
	text := line(c.name()+" "+c.Title, maxTitle) + ": " + line(f.Title, maxTitle) + ": " + string(f.State)
	if why := reason(f); why != "" {
		text += ": " + why
	}
	r := sarif.NewRuleResult(f.Control).WithMessage(sarif.NewTextMessage(text)).WithLevel([...]string{sarif.LevelError, sarif.LevelWarning, sarif.LevelNote}[levelOf(f)])
	r.WithKind("fail")
	switch f.State {
	case policy.Pass:
		r.WithKind("pass").WithLevel(sarif.LevelNone)
	case policy.NotApplicable:
		r.WithKind("notApplicable").WithLevel(sarif.LevelNone)
	case policy.Waived:
		r.AddSuppression(sarif.NewSuppression().WithKind("external").WithStatus("accepted").WithJustification(reason(f)))
	}
	if i, ok := s.rules[f.Control]; ok {
		r.WithRuleIndex(i)
	}
	r.WithPartialFingerprints(map[string]string{"stemma/v1": mark(c, f)})
	where := sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewSimpleArtifactLocation(relative(c.Place))).WithRegion(sarif.NewRegion().WithStartLine(1))
	r.AddLocation(sarif.NewLocationWithPhysicalLocation(where))
	of := sarif.NewPropertyBag().Add("change", line(c.Ref, maxTitle)).Add("state", string(f.State)).Add("mode", string(f.Mode))
	if f.Grade != "" {
		of.Add("grade", f.Grade)
	}
	if len(f.Rests) > 0 {
		of.Add("rests", f.Rests)
	}
	r.WithProperties(of)
	return r
}

// relative is a path in the repository as a reference; the repository itself if there is
// none.
func relative(path string) string {
	if path == "" {
		return "./"
	}
	parts := strings.Split(strings.TrimLeft(strings.ToValidUTF8(path, "\uFFFD"), "/"), "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(url.PathEscape(p), ":", "%3A")
	}
	return cmp.Or(strings.Join(parts, "/"), "./")
}

func (s *findings) End(Summary) error {
	r := sarif.NewReport()
	r.AddRun(s.run)
	return r.PrettyWrite(s.w)
}
