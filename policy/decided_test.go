package policy

import (
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/policy/subject"
)

func TestZeroIsADecision(t *testing.T) {
	p, err := ParsePolicy("policy.yaml", []byte("settings: {grace_minutes: 0, build_level: 0, models: [claude-*], forbidden: [secrets/]}"))
	if err != nil {
		t.Fatal(err)
	}
	if s := p.SettingsOf("acme/pay"); s.GraceMinutes != 0 || s.BuildLevel != 0 || len(s.Models) != 1 || len(s.Forbidden) != 1 {
		t.Errorf("%+v", s)
	}
}

func TestBuildersOfARepositoryTakeThePlaceOfThoseOfAll(t *testing.T) {
	p, err := ParsePolicy("policy.yaml", []byte("settings: {builders: {theirs: 3, ours: 2}}\nrepositories: [{match: [acme/pay], settings: {builders: {ours: 1}}}]"))
	if err != nil {
		t.Fatal(err)
	}
	if s := p.SettingsOf("acme/pay"); len(s.Builders) != 1 || s.Builders["ours"] != 1 {
		t.Errorf("%+v", s.Builders)
	}
}

func TestALowRiskMayFlowAndAHighOneIsHeldUp(t *testing.T) {
	p, err := ParsePolicy("policy.yaml", []byte("rules:\n  - {controls: [OWN-*], mode: enforce}\n  - {controls: [OWN-*], risk_below: 20, mode: observe}\n  - {controls: [OWN-02], risk_from: 60, mode: enforce}\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := ruled(t, "false")
	x := &subject.Subject{Settings: subject.Usual(), Files: []subject.File{{Path: "a.go"}}}
	set := &Set{Controls: []*Control{c}, Policy: p}
	risky := set.Judge(x)[0] // nothing is known of it, which counts half
	if score, _ := Risk(x); score < 20 || risky.Mode != Enforce || !risky.Blocks {
		t.Errorf("of risk %d: %+v", score, risky)
	}
	for risk, want := range map[int]Mode{0: Observe, 19: Observe, 20: Enforce, 100: Enforce} {
		if got := set.Mode(c, &subject.Subject{Risk: risk}); got != want {
			t.Errorf("a risk of %d gives %s", risk, got)
		}
	}
	for _, bad := range []string{"risk_from: 101", "risk_below: -1", "risk_from: 30, risk_below: 30"} {
		if _, err := ParsePolicy("policy.yaml", []byte("rules: [{controls: [OWN-*], mode: warn, "+bad+"}]")); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

func TestWhatNeverFitsIsAFault(t *testing.T) {
	_, err := ParsePolicy("policy.yaml", []byte("settings:\n  packages: [\"pkg:npm/@acme/*\"]\n  builders: {ci: 9}\n"))
	for _, want := range []string{`policy.yaml:2: "pkg:npm/@acme/*" never fits`, `policy.yaml:3: "ci" has the level 9`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
}
