package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/stemma-dev/stemma/policy/subject"
)

// A Policy is what an organisation decided, in .stemma/policy.yaml.
type Policy struct {
	Packs        []string `yaml:"packs,omitempty"` // whose controls are in force; default if there are none
	Default      Mode     `yaml:"mode,omitempty"`  // observe, if nothing is said
	Rules        []Scope  `yaml:"rules,omitempty"` // the last that fits decides
	Settings     Document `yaml:"settings,omitempty"`
	Repositories []OfOne  `yaml:"repositories,omitempty"` // settings of some, over those of all
	Place        string   `yaml:"-"`
	lines        lines
	usual        subject.Settings
	of           []subject.Settings
}

// A Scope gives some controls a mode where it fits.
type Scope struct {
	Controls     []string `yaml:"controls"`               // patterns of ids
	Mode         Mode     `yaml:"mode"`                   // what comes of them
	Repositories []string `yaml:"repositories,omitempty"` // patterns of names: acme/pay*
	Paths        []string `yaml:"paths,omitempty"`        // of which the change touches one
	Severity     Severity `yaml:"severity,omitempty"`     // and graver ones only
}

// OfOne are settings of some repositories.
type OfOne struct {
	Match    []string `yaml:"match"` // patterns of names
	Settings Document `yaml:"settings"`
}

// ParsePolicy reads a policy and checks it. A file without anything in it decides nothing.
func ParsePolicy(place string, body []byte) (Policy, error) {
	p := Policy{Place: place}
	seen := false
	err := read(place, body, func(dec *yaml.Decoder, at lines) error {
		if seen {
			return &Fault{Place: place, Line: at[""], Why: "a policy is one document"}
		}
		seen, p.lines = true, at
		return dec.Decode(&p)
	})
	if err != nil {
		return p, err
	}
	return p, p.ready()
}

// ready checks a policy and reads its settings.
func (p *Policy) ready() error {
	var faults []error
	wrong := func(path, format string, args ...any) {
		faults = append(faults, p.fault(path, format, args...))
	}
	if p.Default == "" {
		p.Default = Observe
	}
	if !slices.Contains(Modes, p.Default) {
		wrong("mode", "the mode %.40q is none of %v", p.Default, Modes)
	}
	for i, r := range p.Rules {
		at := fmt.Sprintf("rules.%d", i)
		if !slices.Contains(Modes, r.Mode) {
			wrong(at+".mode", "the mode %.40q is none of %v", r.Mode, Modes)
		}
		if len(r.Controls) == 0 && r.Severity == "" {
			wrong(at, "a rule says neither controls nor a severity, and so would change all: say controls: [\"*\"] for that")
		}
		if r.Severity != "" && !slices.Contains(Severities, r.Severity) {
			wrong(at+".severity", "the severity %.40q is none of %v", r.Severity, Severities)
		}
		for name, list := range map[string][]string{"controls": r.Controls, "repositories": r.Repositories, "paths": r.Paths} {
			for j, pattern := range list {
				if !subject.Valid(pattern) {
					wrong(fmt.Sprintf("%s.%s.%d", at, name, j), "%.80q is not a pattern", pattern)
				}
			}
		}
	}
	var fault error
	p.usual, fault = p.settings("settings", p.Settings, subject.Usual())
	faults = append(faults, fault)
	p.of = nil
	for i, r := range p.Repositories {
		at := fmt.Sprintf("repositories.%d", i)
		if len(r.Match) == 0 {
			wrong(at, "it does not say which repositories: match is missing")
		}
		for j, pattern := range r.Match {
			if !subject.Valid(pattern) {
				wrong(fmt.Sprintf("%s.match.%d", at, j), "%.80q is not a pattern", pattern)
			}
		}
		of, fault := p.settings(at+".settings", r.Settings, p.usual.Clone())
		faults = append(faults, fault)
		p.of = append(p.of, of)
	}
	return errors.Join(faults...)
}

// settings are those of a document, over others.
func (p *Policy) settings(path string, d Document, over subject.Settings) (subject.Settings, error) {
	if d.IsZero() {
		return over, nil
	}
	if err := d.into(&over); err != nil {
		var f *Fault
		errors.As(err, &f)
		f.Place = p.Place
		return over, f
	}
	var faults []error
	for name, list := range over.Patterns() {
		for _, pattern := range list {
			if !subject.Valid(pattern) {
				faults = append(faults, p.fault(path+"."+strings.ReplaceAll(name, " ", "."), "%s: %.80q is not a pattern", name, pattern))
			}
		}
	}
	for name, n := range over.Numbers() {
		if n < 0 {
			faults = append(faults, p.fault(path+"."+name, "%s is %d, and cannot be less than none", name, n))
		}
	}
	return over, errors.Join(faults...)
}

// retain makes packs in force ask for the time that records are kept.
func (p *Policy) retain(packs []*Pack) {
	days := 0
	for _, pack := range packs {
		days = max(days, pack.Retention)
	}
	p.usual.RetentionNeeded = max(p.usual.RetentionNeeded, days)
	for i := range p.of {
		p.of[i].RetentionNeeded = max(p.of[i].RetentionNeeded, days)
	}
}

// fault is one at a part of the policy, or in it if it has no such part.
func (p *Policy) fault(path, format string, args ...any) *Fault {
	return &Fault{Place: p.Place, Line: p.lines[path], Why: fmt.Sprintf(format, args...)}
}

// SettingsOf are those of a repository, by its name: those of the last entry that it fits.
func (p *Policy) SettingsOf(repository string) subject.Settings {
	for i, r := range slices.Backward(p.Repositories) {
		if i < len(p.of) && subject.Matches(repository, r.Match...) {
			return p.of[i]
		}
	}
	if p.usual.GraceMinutes == 0 && p.usual.BuildLevel == 0 {
		return subject.Usual()
	}
	return p.usual
}

// rule is the mode that the last rule which fits gives a control for a change.
func (p *Policy) rule(c *Control, x *subject.Subject) (Mode, bool) {
	for _, r := range slices.Backward(p.Rules) {
		switch {
		case len(r.Controls) > 0 && !subject.Matches(c.ID, r.Controls...),
			r.Severity != "" && !c.Severity.AtLeast(r.Severity),
			len(r.Repositories) > 0 && !subject.Matches(x.Repository.Name, r.Repositories...),
			len(r.Paths) > 0 && !slices.ContainsFunc(x.Files, func(f subject.File) bool { return subject.Matches(f.Path, r.Paths...) }):
			continue
		}
		return r.Mode, true
	}
	return "", false
}

// otherwise is the mode of what nothing else is said of.
func (p *Policy) otherwise() Mode {
	if p.Default == "" {
		return Observe
	}
	return p.Default
}
