package policy

import (
	"strings"
	"testing"
)

func TestARepositoryIsOfTheFirstTeamThatItFits(t *testing.T) {
	p, err := ParsePolicy("policy.yaml", []byte("teams:\n  - name: Payments\n    match: [acme/pay*, acme/card]\n  - name: everything else\n    match: [acme/*]\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"acme/pay": "Payments", "acme/payroll": "Payments", "acme/card": "Payments", "acme/web": "everything else", "other/pay": "", "": ""} {
		if got := p.TeamOf(name); got != want {
			t.Errorf("%q is of %q, want %q", name, got, want)
		}
	}
}

func TestNamingATeamJudgesNothingAnew(t *testing.T) {
	set := func(body string) *Set {
		p, err := ParsePolicy("policy.yaml", []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return &Set{Policy: p}
	}
	if set("mode: warn\n").Digest() != set("mode: warn\nteams: [{name: a, match: [b]}]\n").Digest() {
		t.Error("a team makes another set")
	}
}

func TestATeamThatIsNoneIsAFault(t *testing.T) {
	for body, want := range map[string]string{
		"teams:\n  - match: [a]":                                            "policy.yaml:2: a team is called by letters",
		"teams:\n  - name: '-'\n    match: [a]":                             "a team is called by letters",
		"teams:\n  - name: \"a\\u202eb\"\n    match: [a]":                   "a team is called by letters",
		"teams:\n  - name: " + strings.Repeat("x", 81) + "\n    match: [a]": "at most 80",
		"teams:\n  - name: a":                                               "match is missing",
		"teams:\n  - name: a\n    match: ['[']":                             "is not a pattern",
		"teams:\n  - {name: a, match: [a]}\n  - {name: a, match: [b]}":      `there is a team "a" already`,
		"teams:\n  - {name: a, match: [a], lead: eve}":                      `there is no member "lead"`,
	} {
		if _, err := ParsePolicy("policy.yaml", []byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}
