package policy_test

import (
	"testing"

	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/subject"
)

func signal(f float64) *float64 { return &f }

func TestScoreAddsToWhatIsLeftByTheOthers(t *testing.T) {
	for _, c := range []struct {
		factors []policy.Factor
		want    int
	}{
		{nil, 0},
		{[]policy.Factor{{Weight: 0.5, Signal: signal(1)}}, 50},
		{[]policy.Factor{{Weight: 0.5, Signal: signal(1)}, {Weight: 0.5, Signal: signal(1)}}, 75},
		{[]policy.Factor{{Weight: 0.5}}, 25}, // what is not known counts half
		{[]policy.Factor{{Weight: 0.5, Signal: signal(7)}, {Weight: 0.5, Signal: signal(-1)}}, 50},
	} {
		if got := policy.Score(c.factors); got != c.want {
			t.Errorf("%v: %d, want %d", c.factors, got, c.want)
		}
	}
}

func TestRiskNamesEachFactorAndSaysWhatIsNotKnown(t *testing.T) {
	x := &subject.Subject{
		Change:   subject.Change{Added: 500, AILines: 100, HumanLines: 400},
		Files:    []subject.File{{Path: "pay/charge.go", Added: 400, AILines: 100}, {Path: "pay/charge_test.go", Added: 100}},
		Sessions: []subject.Session{{Thing: subject.Thing{Ref: "session:a/1"}, Models: []subject.Model{{Name: "m-1", Named: true}}, Tools: []subject.Tool{{Name: "WebFetch"}}}},
		Settings: subject.Usual(),
	}
	x.Settings.Tags = map[string][]string{"payments": {"pay/"}, "auth": {"auth/"}}
	x.Derive()
	score, factors := policy.Risk(x)
	want := map[string]string{
		"AI in sensitive paths": "100 of 500 lines in sensitive paths are by AI", "boundaries crossed": "payments", "model": "no advisory is out",
		"weak review": "?nobody tells of reviews", "weak tests": "?nobody tells of tests", "size": "500 lines added in 2 files",
		"untrusted content": "WebFetch brought text from outside into a session",
	}
	for _, f := range factors {
		text := f.Text
		if f.Signal == nil {
			text = "?" + text
		}
		if want[f.Name] != text {
			t.Errorf("%s: %q, want %q", f.Name, text, want[f.Name])
		}
		delete(want, f.Name)
	}
	if len(want) > 0 || score != policy.Score(factors) || score < 50 || score > 70 {
		t.Errorf("the score is %d, without %v", score, want)
	}
}

func TestWhatIsNotAmongTheFilesThatAreLookedAtIsNotKnownNotToBeThere(t *testing.T) {
	x := &subject.Subject{Files: []subject.File{{Path: "a_test.go", Added: 1}}, Settings: subject.Usual()}
	x.Settings.Tags = map[string][]string{"payments": {"pay/"}}
	for _, more := range []bool{false, true} {
		x.Change.MoreFiles = more
		x.Derive()
		_, factors := policy.Risk(x)
		for _, f := range factors {
			switch f.Name {
			case "AI in sensitive paths", "boundaries crossed", "weak tests":
				if (f.Signal == nil) != more {
					t.Errorf("with more files %v, %s is %v: %s", more, f.Name, f.Signal, f.Text)
				}
			}
		}
	}
}
