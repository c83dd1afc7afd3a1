package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/policy/subject"
)

// A Policy is what an organisation decided, in .stemma/policy.yaml.
type Policy struct {
	Packs        []string            `yaml:"packs,omitempty"` // whose controls are in force; default if there are none
	Default      Mode                `yaml:"mode,omitempty"`  // observe, if nothing is said
	Rules        []Scope             `yaml:"rules,omitempty"` // the last that fits decides
	Settings     Document            `yaml:"settings,omitempty"`
	Classes      map[string]Document `yaml:"classes,omitempty"`      // settings by the class of the data, over those of all
	Repositories []OfOne             `yaml:"repositories,omitempty"` // settings of some, over those of their class
	Teams        []Team              `yaml:"teams,omitempty"`        // who looks after which; the first that fits counts
	Place        string              `yaml:"-"`
	lines        Lines
	beside       Beside
	usual        subject.Settings
	layered      bool // the settings were read
	of           []subject.Settings
}

// A Scope gives some controls a mode where it fits.
type Scope struct {
	Controls     []string `yaml:"controls"`               // patterns of ids
	Mode         Mode     `yaml:"mode"`                   // what comes of them
	Repositories []string `yaml:"repositories,omitempty"` // patterns of names: acme/pay*
	Paths        []string `yaml:"paths,omitempty"`        // of which the change touches one
	Severity     Severity `yaml:"severity,omitempty"`     // and graver ones only
	RiskFrom     int      `yaml:"risk_from,omitempty"`    // of the change, from there on
	RiskBelow    int      `yaml:"risk_below,omitempty"`   // and below; 0: however high
}

// OfOne are settings of some repositories.
type OfOne struct {
	Match    []string `yaml:"match"` // patterns of names
	Settings Document `yaml:"settings"`
}

// Beside reads a file that lies beside a policy and is named in it.
type Beside func(name string) ([]byte, error)

// ParsePolicy reads a policy and checks it. A file without anything in it decides nothing.
func ParsePolicy(place string, body []byte) (Policy, error) {
	return ParsePolicyBeside(place, body, nil)
}

// ParsePolicyBeside is ParsePolicy of one that may name files.
func ParsePolicyBeside(place string, body []byte, beside Beside) (Policy, error) {
	p := Policy{Place: place, beside: beside}
	seen := false
	err := Documents(place, body, func(dec *yaml.Decoder, at Lines) error {
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
		switch {
		case r.Mode == "":
			wrong(at, "rule %d, of %s, does not say what comes of it: mode is missing, one of %v", i+1, r.of(), Modes)
		case !slices.Contains(Modes, r.Mode):
			wrong(at+".mode", "the mode %.40q is none of %v", r.Mode, Modes)
		}
		if len(r.Controls) == 0 && r.Severity == "" {
			wrong(at, "a rule says neither controls nor a severity, and so would change all: say controls: [\"*\"] for that")
		}
		if r.Severity != "" && !slices.Contains(Severities, r.Severity) {
			wrong(at+".severity", "the severity %.40q is none of %v", r.Severity, Severities)
		}
		if r.RiskFrom < 0 || r.RiskFrom > 100 || r.RiskBelow < 0 || r.RiskBelow > 100 {
			wrong(at, "a risk is from 0 to 100, and not from %d to below %d", r.RiskFrom, r.RiskBelow)
		}
		if r.RiskBelow > 0 && r.RiskFrom >= r.RiskBelow {
			wrong(at, "no risk is from %d on and below %d: the rule never fits", r.RiskFrom, r.RiskBelow)
		}
		faults = append(faults, p.patterns(at+".controls", r.Controls), p.names(at+".repositories", r.Repositories), p.paths(at+".paths", r.Paths))
	}
	return errors.Join(append(append(faults, p.teams()...), p.layer())...)
}

// of is what a rule is of, as people wrote it.
func (r Scope) of() string {
	switch {
	case len(r.Controls) > 0:
		return fmt.Sprintf("%.60q", strings.Join(r.Controls, ", "))
	case r.Severity != "":
		return fmt.Sprintf("severity %.40q", r.Severity)
	}
	return "all controls"
}

// layer puts settings over each other: those of all, of a class of data, of a repository.
func (p *Policy) layer() error {
	all, err := p.settings("settings", p.Settings, subject.Usual())
	faults := []error{err}
	for _, class := range slices.Sorted(maps.Keys(p.Classes)) {
		_, fault := p.settings("classes."+class, p.Classes[class], all.Clone())
		faults = append(faults, fault)
	}
	var fault error
	p.usual, fault = p.classed(all, "settings", Document{})
	faults, p.of, p.layered = append(faults, fault), nil, true
	for i, r := range p.Repositories {
		at := fmt.Sprintf("repositories.%d", i)
		if len(r.Match) == 0 {
			faults = append(faults, p.fault(at, "it does not say which repositories: match is missing"))
		}
		faults = append(faults, p.names(at+".match", r.Match))
		of, fault := p.classed(all, at+".settings", r.Settings)
		p.of, faults = append(p.of, of), append(faults, fault)
	}
	return errors.Join(faults...)
}

// classed are settings over those of all, and between them those of the class of data that
// they name.
func (p *Policy) classed(all subject.Settings, path string, d Document) (subject.Settings, error) {
	plain, err := p.settings(path, d, all.Clone())
	class, ok := p.Classes[plain.DataClass]
	switch {
	case err != nil || plain.DataClass == "" || len(p.Classes) == 0:
		return plain, err
	case !ok:
		return plain, p.fault(path+".data_class", "the class %.40q is none of %v", plain.DataClass, slices.Sorted(maps.Keys(p.Classes)))
	}
	over, err := p.settings("classes."+plain.DataClass, class, all.Clone())
	if err != nil {
		return plain, nil // it was told where the classes are
	}
	return p.settings(path, d, over)
}

// ofPaths are the settings whose patterns are of paths.
var ofPaths = []string{"protected", "forbidden", "tags", "owners"}

// said reports whether a part stands there itself: what settings take over from others is told of
// where it stands.
func (p *Policy) said(path string) bool { return p.lines == nil || p.lines[path] > 0 }

// settings are those of a document, over others.
func (p *Policy) settings(path string, d Document, over subject.Settings) (subject.Settings, error) {
	if d.IsZero() {
		return over, nil
	}
	if d.has("trust") {
		over.Trust = nil // lists of objects would be read into each other
	}
	if d.has("builders") {
		over.Builders = nil // who is trusted elsewhere is not trusted here
	}
	if err := d.into(&over); err != nil {
		var f *Fault
		errors.As(err, &f)
		f.Place = p.Place
		return over, f
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(d.values)) {
		if lower := strings.ToLower(name); name != lower { // JSON would take it, and nothing else would find it
			faults = append(faults, p.fault(path+"."+name, "there is no member %.40q: write %.40s", name, lower))
		}
	}
	patterns, numbers := over.Patterns(), over.Numbers()
	for _, name := range slices.Sorted(maps.Keys(patterns)) {
		member, rest, _ := strings.Cut(name, " ")
		at, look := strings.TrimSuffix(path+"."+member+"."+rest, "."), p.patterns
		if member == "trust" { // its number, and what is in it
			at = path + "." + strings.ReplaceAll(name, " ", ".")
		}
		if slices.Contains(ofPaths, member) {
			look = p.paths
		}
		if p.said(at) {
			faults = append(faults, look(at, patterns[name]))
		}
	}
	most := subject.Most()
	for _, name := range slices.Sorted(maps.Keys(numbers)) {
		n, bound := numbers[name], most[name]
		switch at := path + "." + name; {
		case !p.said(at):
		case bound > 0 && (n < 0 || n > bound):
			faults = append(faults, p.fault(at, "%s is from 0 to %d, and not %d", name, bound, n))
		case n < 0:
			faults = append(faults, p.fault(at, "%s is %d, and cannot be less than none", name, n))
		}
	}
	for _, pattern := range over.Packages {
		if strings.HasPrefix(pattern, "pkg:") && strings.Contains(pattern, "/@") {
			faults = append(faults, p.fault(path+".packages", "%.80q never fits: a package URL writes the @ of a scope as %%40", pattern))
		}
	}
	for _, builder := range slices.Sorted(maps.Keys(over.Builders)) {
		if n := over.Builders[builder]; n < 0 || n > 3 {
			faults = append(faults, p.fault(path+".builders", "%.80q has the level %d: SLSA Build has 0 to 3", builder, n))
		}
	}
	if d.has("trust") {
		faults = append(faults, p.trust(path+".trust", over.Trust))
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
		if i < len(p.of) && called(repository, r.Match) {
			return p.of[i]
		}
	}
	if !p.layered {
		s := subject.Usual()
		s.RetentionNeeded = p.usual.RetentionNeeded
		return s
	}
	return p.usual
}

// nameOf is the name that a policy knows a repository by: that of its ref, by which settings are
// found too. What a forge or a remote calls it may differ from it in case, or be missing.
func nameOf(r subject.Repository) string {
	if ref := stemma.Ref(r.Ref); ref.Kind() == stemma.KindRepository {
		if _, name := ref.Split(); name != "" {
			return name
		}
	}
	return r.Name
}

// called reports whether a repository is called by one of some patterns: without regard to case,
// as forges tell names apart.
func called(name string, patterns []string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(patterns, func(p string) bool { return subject.Matches(name, strings.ToLower(p)) })
}

// touches reports whether a change touches a path of the scope. Where its files are not known,
// or not all of them, a scope that enforces fits: it must not be switched off by silence.
func (r Scope) touches(x *subject.Subject) bool {
	if r.Mode == Enforce && (len(x.Files) == 0 || x.Change.MoreFiles) {
		return true
	}
	return slices.ContainsFunc(x.Files, func(f subject.File) bool { return subject.MatchesPath(f.Path, r.Paths...) })
}

// rule is the mode that the last rule which fits gives a control for a change.
func (p *Policy) rule(c *Control, x *subject.Subject) (Mode, bool) {
	for _, r := range slices.Backward(p.Rules) {
		switch {
		case len(r.Controls) > 0 && !subject.Matches(c.ID, r.Controls...),
			r.Severity != "" && !c.Severity.AtLeast(r.Severity),
			len(r.Repositories) > 0 && !called(nameOf(x.Repository), r.Repositories),
			len(r.Paths) > 0 && !r.touches(x),
			x.Risk < r.RiskFrom, r.RiskBelow > 0 && x.Risk >= r.RiskBelow:
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
