package report

import (
	"cmp"
	"io"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/policy"
)

// OSCAL writes assessment results of OSCAL 1.1: a result a change, an observation a finding,
// and a finding of OSCAL where a control applies. Unknown and waived ones are not satisfied,
// with the reason.
func OSCAL(w io.Writer) Handler { return &oscal{w: w} }

type oscal struct {
	w   io.Writer
	run Run
	out assessment
}

// The parts of the document that are written, in the words of its schema.
type (
	assessment struct {
		UUID     string         `json:"uuid"`
		Metadata oscalMetadata  `json:"metadata"`
		Plan     oscalLink      `json:"import-ap"`
		Results  []oscalResult  `json:"results"`
		Back     map[string]any `json:"back-matter"`
	}
	oscalMetadata struct {
		Title    string `json:"title"`
		Modified string `json:"last-modified"`
		Version  string `json:"version"`
		OSCAL    string `json:"oscal-version"`
	}
	oscalLink struct {
		Href string `json:"href"`
	}
	oscalResult struct {
		UUID         string           `json:"uuid"`
		Title        string           `json:"title"`
		Description  string           `json:"description"`
		Start        string           `json:"start"`
		End          string           `json:"end"`
		Props        []oscalProp      `json:"props,omitempty"`
		Reviewed     map[string]any   `json:"reviewed-controls"`
		Observations []oscalObserved  `json:"observations,omitempty"`
		Findings     []oscalStatement `json:"findings,omitempty"`
	}
	oscalProp struct {
		Name  string `json:"name"`
		NS    string `json:"ns"`
		Value string `json:"value"`
	}
	oscalObserved struct {
		UUID        string          `json:"uuid"`
		Title       string          `json:"title"`
		Description string          `json:"description"`
		Props       []oscalProp     `json:"props,omitempty"`
		Methods     []string        `json:"methods"`
		Evidence    []oscalEvidence `json:"relevant-evidence,omitempty"`
		Collected   string          `json:"collected"`
	}
	oscalEvidence struct {
		Description string `json:"description"`
	}
	oscalStatement struct {
		UUID        string              `json:"uuid"`
		Title       string              `json:"title"`
		Description string              `json:"description"`
		Target      oscalTarget         `json:"target"`
		Related     []map[string]string `json:"related-observations"`
	}
	oscalTarget struct {
		Type    string      `json:"type"`
		ID      string      `json:"target-id"`
		Status  oscalStatus `json:"status"`
		Remarks string      `json:"remarks,omitempty"`
	}
	oscalStatus struct {
		State   string `json:"state"`
		Reason  string `json:"reason,omitempty"`
		Remarks string `json:"remarks,omitempty"`
	}
)

func (o *oscal) Begin(r Run) error {
	o.run = r
	plan := o.id("plan")
	o.out = assessment{
		UUID: o.id("results"), Plan: oscalLink{"#" + plan}, Results: []oscalResult{},
		Metadata: oscalMetadata{"How controls stand for the changes of " + said(r.Repository, "a repository"), o.when(), said(r.Version, "unknown"), "1.1.3"},
		Back: map[string]any{"resources": []map[string]string{{
			"uuid": plan, "title": "The controls in force", "description": "Rules of " + said(r.Rules, "the program") + ", " + said(r.Digest, "without a digest"),
		}}},
	}
	return nil
}

func (o *oscal) when() string { return o.run.Started.UTC().Format(time.RFC3339) }

// id is that of a part of this document.
func (o *oscal) id(parts ...string) string {
	return id(append([]string{"oscal", o.run.Repository, o.run.Asked, o.run.Digest, o.when()}, parts...)...)
}

func (o *oscal) Change(c Change) error {
	title := said(c.name()+" "+c.Title, "a change")
	res := oscalResult{
		UUID: o.id(c.Ref), Title: title, Description: "Evidence for controls over the change " + said(c.Ref, "without a name"), Start: o.when(), End: o.when(),
		Props: []oscalProp{prop("change", c.Ref)}, Reviewed: reviewed(c.Findings),
	}
	for _, f := range c.Findings {
		seen := o.observed(c, f)
		res.Observations = append(res.Observations, seen)
		if f.State != policy.NotApplicable {
			res.Findings = append(res.Findings, o.statement(c, f, seen.UUID))
		}
	}
	o.out.Results = append(o.out.Results, res)
	return nil
}

func (o *oscal) observed(c Change, f policy.Finding) oscalObserved {
	out := oscalObserved{
		UUID: o.id(c.Ref, f.Control, "observation"), Title: said(f.Control+" "+f.Title, f.Control), Description: said(string(f.State)+": "+reason(f), string(f.State)),
		Props:   []oscalProp{prop("state", string(f.State)), prop("severity", string(f.Severity)), prop("mode", cmp.Or(string(f.Mode), string(policy.Observe)))},
		Methods: []string{"TEST"}, Collected: o.when(),
	}
	if f.Grade != "" {
		out.Props = append(out.Props, prop("grade", f.Grade))
	}
	for _, r := range f.Rests {
		out.Evidence = append(out.Evidence, oscalEvidence{said(r, "something without a name")})
	}
	return out
}

func (o *oscal) statement(c Change, f policy.Finding, seen string) oscalStatement {
	status := oscalStatus{State: "not-satisfied", Reason: "other", Remarks: said(string(f.State)+": "+reason(f), string(f.State))}
	switch f.State {
	case policy.Pass:
		status = oscalStatus{State: "satisfied", Reason: "pass"}
	case policy.Fail:
		status.Reason = "fail"
	}
	return oscalStatement{
		UUID: o.id(c.Ref, f.Control, "finding"), Title: said(f.Title, f.Control), Description: said(f.Reason, "Evidence for "+f.Control),
		Target:  oscalTarget{Type: "objective-id", ID: f.Control, Status: status, Remarks: line(f.Remedy, maxReason)},
		Related: []map[string]string{{"observation-uuid": seen}},
	}
}

// reviewed names the controls that were looked at.
func reviewed(list []policy.Finding) map[string]any {
	selected := map[string]any{"include-all": map[string]any{}}
	if len(list) > 0 {
		ids := make([]map[string]string, len(list))
		for i, f := range list {
			ids[i] = map[string]string{"control-id": f.Control}
		}
		selected = map[string]any{"include-controls": ids}
	}
	return map[string]any{"control-selections": []any{selected}}
}

func prop(name, value string) oscalProp { return oscalProp{name, home, said(value, "none")} }

// said is text for a member that may not be empty.
func said(s, otherwise string) string {
	return cmp.Or(strings.TrimSpace(line(s, maxReason)), otherwise)
}

func (o *oscal) End(Summary) error {
	if len(o.out.Results) == 0 { // there has to be one
		o.out.Results = append(o.out.Results, oscalResult{
			UUID: o.id("nothing"), Title: "Nothing was judged", Description: "No change was asked for, or none was found.", Start: o.when(), End: o.when(), Reviewed: reviewed(nil),
		})
	}
	return indented(o.w, map[string]any{"assessment-results": o.out})
}
