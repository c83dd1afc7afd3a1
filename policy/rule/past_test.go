package rule_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stemma-dev/stemma/policy/rule"
	"github.com/stemma-dev/stemma/policy/subject"
)

// parts is a subject with what came in, and with what was there before or without it.
func parts(before bool) *subject.Subject {
	s := &subject.Subject{
		Packages:        []subject.Package{{Name: "new", Came: true}, {Name: "newer", Kept: true, Came: true}, {Name: "first"}},
		Vulnerabilities: []subject.Vulnerability{{Package: "new", Severity: "high", Grave: true}, {Package: "first", Open: true}},
	}
	if before {
		s.Packages = append(s.Packages, subject.Package{Name: "old", Kept: true, Refused: "no"})
		s.Vulnerabilities = append(s.Vulnerabilities, subject.Vulnerability{Package: "old", Severity: "critical", Grave: true, Kept: true})
	}
	return s
}

func TestARuleThatPassesOverWhatWasThereBeforeSaysSo(t *testing.T) {
	for text, back := range map[string][]string{
		`packages.exists(p, !p.kept && p.refused != "")`:                                          nil,
		`packages.exists(p, p.came)`:                                                              nil,
		`packages.exists(p, p.refused != "" && (p.came && p.told || !p.kept))`:                    nil,
		`packages.all(p, p.kept || p.vetted)`:                                                     nil,
		`packages.all(p, p.kept || p.refused == "" && p.vetted)`:                                  nil,
		`packages.all(p, !(p.came || !p.kept) || p.vetted)`:                                       nil,
		`packages.exists_one(p, !p.kept)`:                                                         nil,
		`packages.filter(p, !p.kept).size() > 0`:                                                  nil,
		`packages.filter(p, !p.kept).map(p, p.name).join("") == ""`:                               nil,
		`packages.map(p, p.came, p.name).exists(n, n == "old")`:                                   nil,
		`vulnerabilities.all(v, v.kept || !v.open)`:                                               nil,
		`vulnerabilities.exists(v, !v.kept && v.grave) || packages.exists(p, true && !p.kept)`:    nil,
		`sessions.all(x, x.turns > 0)`:                                                            nil,
		`vulnerabilities.exists(v, v.grave)`:                                                      {"vulnerabilities"},
		`vulnerabilities.exists(v, v.kept && v.grave)`:                                            {"vulnerabilities"},
		`vulnerabilities.all(v, !v.kept || v.grave)`:                                              {"vulnerabilities"},
		`size(packages) < 4`:                                                                      {"packages"},
		`packages.all(p, p.vetted)`:                                                               {"packages"},
		`packages.all(p, !p.kept)`:                                                                {"packages"},
		`packages.exists(p, !p.kept || p.refused != "")`:                                          {"packages"},
		`packages.exists(p, !p.came && p.refused != "")`:                                          {"packages"},
		`packages.filter(p, p.kept).size() > 1`:                                                   {"packages"},
		`packages.map(p, p.name).exists(n, n == "old")`:                                           {"packages"},
		`packages.exists(p, !p.kept) && packages[0].kept`:                                         {"packages"},
		`files.exists(f, packages.exists(p, p.name == f.path))`:                                   {"packages"},
		`packages.exists(p, vulnerabilities.exists(v, !p.kept && v.kept))`:                        {"packages", "vulnerabilities"},
		`packages.filter(p, !p.kept).all(p, vulnerabilities.all(v, v.package != p.name))`:         {"vulnerabilities"},
		`packages.all(p, packages.exists(q, !q.kept && q.name == p.name))`:                        {"packages"},
		`packages.exists(p, has(p.kept) && !p.vetted)`:                                            {"packages"},
		`(size(files) > 0 ? packages : packages.filter(p, !p.kept)).exists(p, !p.kept && p.came)`: {"packages"},
	} {
		r, err := rule.Compile[bool](text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := slices.Sorted(slices.Values(r.LooksBack()))
		if !slices.Equal(got, back) {
			t.Errorf("%s looks back at %v, want %v", text, got, back)
		}
		with, fault := r.Eval(t.Context(), rule.Of(parts(true)))
		without, other := r.Eval(t.Context(), rule.Of(parts(false)))
		if len(got) == 0 && (with != without || fmt.Sprint(fault) != fmt.Sprint(other)) {
			t.Errorf("%s is %v, %v with what was there before, and %v, %v without it", text, with, fault, without, other)
		}
	}
}
