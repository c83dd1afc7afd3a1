package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"
)

// A Pack puts controls together, and says what they are evidence for. That they hold is
// evidence; whether somebody meets a framework is for others to say.
type Pack struct {
	ID           string        `yaml:"id" json:"id"`
	Version      int           `yaml:"version" json:"version"`
	Title        string        `yaml:"title" json:"title"`
	Dated        string        `yaml:"dated" json:"dated"`                             // day on which it was last held against its source
	Status       string        `yaml:"status" json:"status"`                           // law, standard, guidance, practice
	Standing     string        `yaml:"standing" json:"standing"`                       // whom it binds, in a sentence or two
	Effective    []Effect      `yaml:"effective,omitempty" json:"effective,omitempty"` // from when on what applies
	Source       string        `yaml:"source" json:"source"`                           // of the text
	Mode         Mode          `yaml:"mode,omitempty" json:"mode,omitempty"`           // of its controls, if it says one
	Retention    int           `yaml:"retention,omitempty" json:"retention,omitempty"` // days for which it asks records to be kept
	Controls     []string      `yaml:"controls,omitempty" json:"controls,omitempty"`   // beside those of its requirements
	Requirements []Requirement `yaml:"requirements,omitempty" json:"requirements,omitempty"`

	Place string `yaml:"-" json:"-"`
	Ours  bool   `yaml:"-" json:"-"` // it comes with the program
	lines Lines
}

// An Effect is something that applies from a day on.
type Effect struct {
	From string `yaml:"from" json:"from"`
	What string `yaml:"what" json:"what"`
}

// A Requirement is one part of a framework, in words of our own.
type Requirement struct {
	ID       string   `yaml:"id" json:"id"`
	Title    string   `yaml:"title" json:"title"`
	Text     string   `yaml:"text" json:"text"`
	Section  string   `yaml:"section" json:"section"`                       // of the source
	Controls []string `yaml:"controls,omitempty" json:"controls,omitempty"` // that are evidence for it
	Beyond   string   `yaml:"beyond,omitempty" json:"beyond,omitempty"`     // what no control here can tell of it
}

// Ref names a pack in its version.
func (p *Pack) Ref() string { return fmt.Sprintf("%s@%d", p.ID, p.Version) }

// All are the ids of its controls, each once, in order.
func (p *Pack) All() []string {
	list := slices.Clone(p.Controls)
	for _, r := range p.Requirements {
		list = append(list, r.Controls...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// For are the requirements that a control is evidence for.
func (p *Pack) For(control string) []Requirement {
	var list []Requirement
	for _, r := range p.Requirements {
		if slices.Contains(r.Controls, control) {
			list = append(list, r)
		}
	}
	return list
}

// ParsePacks reads a file of packs, one document each, and checks them but for the
// controls that they name: see [NewSet].
func ParsePacks(place string, body []byte) ([]*Pack, error) {
	var list []*Pack
	err := Documents(place, body, func(dec *yaml.Decoder, at Lines) error {
		p := &Pack{Place: place, lines: at}
		if err := dec.Decode(p); err != nil {
			return err
		}
		if len(at) <= 1 {
			return nil
		}
		if err := p.check(); err != nil {
			return err
		}
		list = append(list, p)
		return nil
	})
	return list, err
}

var packID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`) })

// statuses say what kind of text a pack is about.
var statuses = []string{"law", "standard", "guidance", "practice"}

// claims are words that say more than controls can.
var claims = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(complian(t|ce) with|complies with|comply with|certified|guarantees?|conforms? (to|with)|in conformity)\b`)
})

func (p *Pack) check() error {
	var faults []error
	wrong := func(path, format string, args ...any) {
		faults = append(faults, p.fault(path, format, args...))
	}
	if !packID().MatchString(p.ID) || len(p.ID) > 60 {
		wrong("id", "the id %.60q is not one: write it like pci-dss-6", p.ID)
	}
	if p.Version < 1 {
		wrong("version", "the version has to be 1 or more")
	}
	for _, text := range []struct{ name, text string }{{"title", p.Title}, {"standing", p.Standing}, {"source", p.Source}} {
		if strings.TrimSpace(text.text) == "" {
			wrong(text.name, "%s is missing", text.name)
		}
		if found := claims().FindString(text.text); found != "" {
			wrong(text.name, "%q says more than controls can: say what they are evidence for", found)
		}
	}
	if !slices.Contains(statuses, p.Status) {
		wrong("status", "the status %.40q is none of %v", p.Status, statuses)
	}
	if p.Mode != "" && !slices.Contains(Modes, p.Mode) {
		wrong("mode", "the mode %.40q is none of %v", p.Mode, Modes)
	}
	if p.Retention < 0 {
		wrong("retention", "the days of retention are fewer than none")
	}
	if _, err := time.Parse(time.DateOnly, p.Dated); err != nil {
		wrong("dated", "the day %.40q is not one: write it like 2026-11-27", p.Dated)
	}
	for i, e := range p.Effective {
		if _, err := time.Parse(time.DateOnly, e.From); err != nil {
			wrong(fmt.Sprintf("effective.%d.from", i), "the day %.40q is not one: write it like 2026-11-27", e.From)
		}
		if e.What == "" {
			wrong(fmt.Sprintf("effective.%d", i), "it is not said what applies from then on")
		}
	}
	if len(p.All()) == 0 {
		wrong("controls", "it has no controls")
	}
	return errors.Join(append(faults, p.checkRequirements())...)
}

func (p *Pack) checkRequirements() error {
	var faults []error
	seen := map[string]bool{}
	for i, r := range p.Requirements {
		at := fmt.Sprintf("requirements.%d", i)
		switch {
		case r.ID == "" || r.Title == "" || r.Text == "" || r.Section == "":
			faults = append(faults, p.fault(at, "a requirement needs id, title, text and section"))
		case seen[r.ID]:
			faults = append(faults, p.fault(at+".id", "the requirement %.60q is there twice", r.ID))
		case len(r.Controls) == 0 && r.Beyond == "":
			faults = append(faults, p.fault(at, "the requirement %.60q has no controls, and beyond does not say why", r.ID))
		}
		seen[r.ID] = true
		if found := claims().FindString(r.Title + "\n" + r.Text + "\n" + r.Beyond); found != "" {
			faults = append(faults, p.fault(at, "%q says more than controls can: say what they are evidence for", found))
		}
	}
	return errors.Join(faults...)
}

// fault is one at a part of the pack, or where it begins if it has no such part.
func (p *Pack) fault(path, format string, args ...any) *Fault {
	line := p.lines[path]
	if line == 0 {
		line = p.lines[""]
	}
	return &Fault{Place: p.Place, Line: line, Why: fmt.Sprintf(format, args...)}
}

// twice is a fault of a pack that has the id of another.
func (p *Pack) twice(of *Pack) *Fault {
	if of.Ours {
		return p.fault("id", "there is a pack %s already, which comes with the program: give yours another id", of.ID)
	}
	return p.fault("id", "the pack %s is there as %s too, in %s: one of them has to go", p.Ref(), of.Ref(), of.Place)
}

// names looks whether every control that a pack names is known.
func (p *Pack) names(known map[string]*Control) error {
	var faults []error
	one := func(path, id string) {
		if known[id] == nil {
			faults = append(faults, p.fault(path, "there is no control %.60q", id))
		}
	}
	for i, id := range p.Controls {
		one(fmt.Sprintf("controls.%d", i), id)
	}
	for i, r := range p.Requirements {
		for j, id := range r.Controls {
			one(fmt.Sprintf("requirements.%d.controls.%d", i, j), id)
		}
	}
	return errors.Join(faults...)
}
