package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/stemma-dev/stemma/policy/subject"
)

// A Set is what changes are judged by: controls, and what an organisation decided.
type Set struct {
	Controls []*Control // by their ids
	Policy   Policy
}

// A Policy is what an organisation decided, in .stemma/policy.yaml.
type Policy struct {
	Packs        []string `yaml:"packs,omitempty"` // whose controls are in force; default if there are none
	Default      Mode     `yaml:"mode,omitempty"`  // observe, if nothing is said
	Rules        []Scope  `yaml:"rules,omitempty"` // the last that fits decides
	Settings     Document `yaml:"settings,omitempty"`
	Repositories []OfOne  `yaml:"repositories,omitempty"` // settings of some, over those of all
	Place        string   `yaml:"-"`
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

// ParsePolicy reads a policy and checks it.
func ParsePolicy(place string, body []byte) (Policy, error) {
	p := Policy{Place: place}
	if len(body) > maxFile {
		return p, &Fault{Place: place, Why: fmt.Sprintf("the file is larger than %d bytes", maxFile)}
	}
	dec := yaml.NewDecoder(bytes.NewReader(body))
	dec.KnownFields(true)
	if err := dec.Decode(&p); err != nil && !errors.Is(err, io.EOF) {
		return p, &Fault{Place: place, Why: strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	return p, p.ready()
}

// ready checks a policy and reads its settings.
func (p *Policy) ready() error {
	var faults []error
	wrong := func(line int, format string, args ...any) {
		faults = append(faults, &Fault{Place: p.Place, Line: line, Why: fmt.Sprintf(format, args...)})
	}
	modes := []Mode{Enforce, Warn, Observe}
	if p.Default == "" {
		p.Default = Observe
	}
	if !slices.Contains(modes, p.Default) {
		wrong(0, "the mode %.40q is none of %v", p.Default, modes)
	}
	patterns := func(where string, list []string) {
		for _, pattern := range list {
			if !subject.Valid(pattern) {
				wrong(0, "%s: %.80q is not a pattern", where, pattern)
			}
		}
	}
	for _, r := range p.Rules {
		if !slices.Contains(modes, r.Mode) {
			wrong(0, "rules: the mode %.40q is none of %v", r.Mode, modes)
		}
		if len(r.Controls) == 0 && r.Severity == "" {
			wrong(0, "rules: one says neither controls nor a severity, and so would change all: say controls: [\"*\"] for that")
		}
		if r.Severity != "" && !slices.Contains(Severities, r.Severity) {
			wrong(0, "rules: the severity %.40q is none of %v", r.Severity, Severities)
		}
		patterns("rules", slices.Concat(r.Controls, r.Repositories, r.Paths))
	}
	p.usual = subject.Usual()
	settings := func(d Document, over subject.Settings) subject.Settings {
		if d.IsZero() {
			return over
		}
		if err := d.into(&over); err != nil {
			var f *Fault
			errors.As(err, &f)
			f.Place = p.Place
			faults = append(faults, f)
		}
		for name, list := range over.Patterns() {
			patterns(name, list)
		}
		return over
	}
	p.usual = settings(p.Settings, p.usual)
	p.of = nil
	for _, r := range p.Repositories {
		if len(r.Match) == 0 {
			wrong(r.Settings.line, "repositories: match is missing")
		}
		patterns("repositories", r.Match)
		p.of = append(p.of, settings(r.Settings, p.usual.Clone()))
	}
	return errors.Join(faults...)
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

// Mode is what comes of a control for a change.
func (p *Policy) Mode(c *Control, x *subject.Subject) Mode {
	for _, r := range slices.Backward(p.Rules) {
		switch {
		case len(r.Controls) > 0 && !subject.Matches(c.ID, r.Controls...),
			r.Severity != "" && !c.Severity.AtLeast(r.Severity),
			len(r.Repositories) > 0 && !subject.Matches(x.Repository.Name, r.Repositories...),
			len(r.Paths) > 0 && !slices.ContainsFunc(x.Files, func(f subject.File) bool { return subject.Matches(f.Path, r.Paths...) }):
			continue
		}
		return r.Mode
	}
	if p.Default == "" {
		return Observe
	}
	return p.Default
}

// Digest tells sets apart that may judge otherwise: by every control, and all that was
// decided.
func (s *Set) Digest() string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, c := range s.Controls {
		_ = enc.Encode([]any{c.ID, c.Version, c.Severity, c.Stage, c.Applies, c.Knows, c.Rule.Text, c.Says.Text, c.Rests.Text, c.Check, c.Firm}) // a hash takes all
	}
	_ = enc.Encode([]any{s.Policy.Default, s.Policy.Rules, s.Policy.usual, s.Policy.of})
	for _, r := range s.Policy.Repositories {
		_ = enc.Encode(r.Match)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// Stage is a set of those controls that can be judged at a stage, or before it.
func (s *Set) Stage(at Stage) *Set {
	until := slices.Index(stages, at)
	of := &Set{Policy: s.Policy}
	for _, c := range s.Controls {
		if slices.Index(stages, c.Stage) <= until {
			of.Controls = append(of.Controls, c)
		}
	}
	return of
}
