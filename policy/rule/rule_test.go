package rule_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/policy/rule"
	"github.com/stemma-dev/stemma/policy/subject"
)

func one() *subject.Subject {
	return &subject.Subject{
		Change:   subject.Change{Thing: subject.Thing{Ref: "change:github.com/acme/pay#1"}, Opened: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Added: 7},
		Sessions: []subject.Session{{Thing: subject.Thing{Ref: "session:a/1"}, CostMicroUSD: 3}, {CostMicroUSD: 4}},
		Settings: subject.Settings{Protected: []string{"auth/", "*.key"}, Tags: map[string][]string{"pci": {"card/"}}},
	}
}

func TestOurFunctionsAnswer(t *testing.T) {
	for text, want := range map[string]bool{
		`known(change.opened)`:                                      true,
		`known(change.merged)`:                                      false,
		`known(now)`:                                                false,
		`known(timestamp("1970-01-01T00:00:00Z"))`:                  false,
		`known(timestamp("1970-01-01T00:00:01Z"))`:                  true,
		`sum(sessions.map(x, x.cost_micro_usd)) == 7`:               true,
		`sum([]) == 0`:                                              true,
		`fits("auth/a/b.go", settings.protected)`:                   true,
		`fits("oauth/a.go", settings.protected)`:                    false,
		`fits("", [])`:                                              false,
		`settings.tags.exists(k, fits("card/a", settings.tags[k]))`: true,
		`change.ref.startsWith("change:")`:                          true,
		`size(reviews) == 0 && reviews.all(r, r.counts)`:            true,
	} {
		r, err := rule.Compile[bool](text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := r.Eval(t.Context(), rule.Of(one())); err != nil || got != want {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
}

func TestARuleGivesTheTypeThatIsNeeded(t *testing.T) {
	if r, err := rule.Compile[[]string](`sessions.map(x, x.ref)`); err != nil {
		t.Error(err)
	} else if got, err := r.Eval(t.Context(), rule.Of(one())); err != nil || !slices.Equal(got, []string{"session:a/1", ""}) {
		t.Errorf("%v, %v", got, err)
	}
	for text, want := range map[string]string{
		`size(files)`:          "gives int, and bool is needed",
		`change.title`:         "gives string, and bool is needed",
		`change.tilte == ""`:   "undefined field 'tilte'",
		`dyn(1)`:               "", // may be anything: see below
		`chnage.added > 1`:     "undeclared reference",
		`1 +`:                  "Syntax error",
		`now.getHours() > "x"`: "no matching overload",
	} {
		_, err := rule.Compile[bool](text)
		if want == "" && err == nil {
			continue
		}
		if wrong := (*rule.Error)(nil); !errors.As(err, &wrong) || !strings.Contains(wrong.Why, want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	r, err := rule.Compile[bool](`dyn(1)`)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Eval(t.Context(), rule.Of(one())); err == nil {
		t.Errorf("a number is %v", got)
	}
}

func TestAPatternThatIsNoneIsNoAnswer(t *testing.T) {
	for _, text := range []string{
		`!fits(change.title, ["keys/["])`,
		"!files.exists(f,\n fits(f.path, [\"ok\", \"keys/[\"]))",
		"fits(\"a\", [\"ok\"] +\n [\"{a\"])",
		"fits(\"a\", change.direct ? [\"ok\"]\n : [\"\"])",
	} {
		_, err := rule.Compile[bool](text)
		if wrong := (*rule.Error)(nil); !errors.As(err, &wrong) || !strings.Contains(wrong.Why, "is not a pattern") || wrong.Line != strings.Count(text, "\n") {
			t.Errorf("%s: %v, %+v", text, err, wrong)
		}
	}
	for text, want := range map[string]string{
		`!fits("a", [change.ref + "["])`:                      `"change:github.com/acme/pay#1[" is not a pattern`,
		`fits("a", [change.title])`:                           `"" is not a pattern`, // which is not known
		`fits("a", [change.ref + "{{{{"].map(p, p))`:          "is not a pattern",
		`fits("a", [change.ref + "[", "a"])`:                  "", // one fits
		`settings.protected.exists(p, fits("auth/a/b", [p]))`: "",
	} {
		r, err := rule.Compile[bool](text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := r.Eval(t.Context(), rule.Of(one()))
		if want == "" && (err != nil || !got) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s is %v, %v, want %s", text, got, err, want)
		}
	}
}

func TestAMistakeHasItsLine(t *testing.T) {
	_, err := rule.Compile[bool]("size(files) > 0\n  && size(reviews) > 0\n  && change.nope")
	if wrong := (*rule.Error)(nil); !errors.As(err, &wrong) || wrong.Line != 2 {
		t.Errorf("%v, line %+v", err, wrong)
	}
}

func TestARuleTellsWhatItLooksAt(t *testing.T) {
	r, err := rule.Compile[bool](`reviews.exists(r, r.head == change.head) || size(reviews) > 1`)
	if err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(slices.Values(r.Looks()))
	if want := []string{"change", "reviews"}; !slices.Equal(got, want) {
		t.Errorf("it looks at %v, want %v", got, want)
	}
}

func TestARuleMayBeAskedAtOnce(t *testing.T) {
	r, err := rule.Compile[bool](`sessions.exists(x, x.cost_micro_usd == change.added)`)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			x := one()
			x.Sessions[0].CostMicroUSD = i
			if got, err := r.Eval(t.Context(), rule.Of(x)); err != nil || got != (i == 7) {
				t.Errorf("%d: %v, %v", i, got, err)
			}
		})
	}
	all.Wait()
}
