package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/policy/subject"
)

// A Set is what changes are judged by: controls, and what an organisation decided.
type Set struct {
	Controls []*Control // by their ids
	Packs    []*Pack    // in force, by their ids
	Policy   Policy
}

// Known is everything that a set can be made of.
type Known struct {
	Controls []*Control // that come with the program
	Own      []*Control // of the organisation; they are in force whatever packs are
	Packs    []*Pack
	Policy   Policy
}

// DefaultPack is in force where nobody said which.
const DefaultPack = "default"

// NewSet makes the set in force: the own controls and those of the packs that the policy
// names. It is a fault if an own control has the id of another, if a pack is there in two
// versions or names a control that nobody knows, and if the policy names no such pack.
func NewSet(k Known) (*Set, error) {
	s := &Set{Policy: k.Policy}
	var faults []error
	known, fault := register(k.Controls, k.Own)
	faults = append(faults, fault)
	packs := map[string]*Pack{}
	for _, p := range k.Packs {
		if of := packs[p.ID]; of != nil {
			faults = append(faults, p.twice(of))
			continue
		}
		packs[p.ID] = p
		faults = append(faults, p.names(known))
	}
	names := k.Policy.Packs
	if len(names) == 0 {
		names = []string{DefaultPack}
	}
	in := map[string]bool{}
	for i, name := range names {
		p := packs[name]
		switch {
		case p == nil:
			faults = append(faults, k.Policy.fault(fmt.Sprintf("packs.%d", i), "there is no pack %.60q", name))
			continue
		case slices.Contains(s.Packs, p):
			continue
		}
		s.Packs = append(s.Packs, p)
		for _, id := range p.All() {
			in[id] = true
		}
	}
	for _, c := range k.Own {
		in[c.ID] = true
	}
	for id := range in {
		if c := known[id]; c != nil {
			s.Controls = append(s.Controls, c)
		}
	}
	slices.SortFunc(s.Controls, func(a, b *Control) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(s.Packs, func(a, b *Pack) int { return strings.Compare(a.ID, b.ID) })
	for i, r := range k.Policy.Rules {
		for j, pattern := range r.Controls {
			if !fitsOne(known, pattern) {
				faults = append(faults, k.Policy.fault(fmt.Sprintf("rules.%d.controls.%d", i, j), "%.60q fits no control", pattern))
			}
		}
	}
	faults = append(faults, s.Policy.ready())
	s.Policy.retain(s.Packs)
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return s, nil
}

func fitsOne(known map[string]*Control, pattern string) bool {
	for id := range known {
		if subject.Matches(id, pattern) {
			return true
		}
	}
	return false
}

// register puts controls together by their ids.
func register(builtin, own []*Control) (map[string]*Control, error) {
	known := map[string]*Control{}
	var faults []error
	for _, c := range builtin {
		known[c.ID] = c
	}
	for _, c := range own {
		if of := known[c.ID]; of != nil {
			where := "which comes with the program"
			if slices.Contains(own, of) {
				where = "which is in " + of.Place
			}
			faults = append(faults, c.fault("id", "there is a control %s already, %s: give it another id", c.ID, where))
			continue
		}
		known[c.ID] = c
	}
	return known, errors.Join(faults...)
}

// Mode is what comes of a control for a change. The last rule of the policy that fits
// decides. If there is none, the strictest of the packs that have the control does; a pack
// that says no mode, and an own control, has that of the policy.
func (s *Set) Mode(c *Control, x *subject.Subject) Mode {
	if m, ok := s.Policy.rule(c, x); ok {
		return m
	}
	strictest := Mode("")
	for _, p := range s.Packs {
		if !slices.Contains(p.All(), c.ID) {
			continue
		}
		mode := p.Mode
		if mode == "" {
			mode = s.Policy.otherwise()
		}
		if strictest == "" || slices.Index(Modes, mode) < slices.Index(Modes, strictest) {
			strictest = mode
		}
	}
	if strictest == "" {
		return s.Policy.otherwise()
	}
	return strictest
}

// LooksBack reports whether a control looks at parts that were built in before a change too:
// otherwise it need not be read what is told of these. A function in Go may look at all that its
// control names.
func (s *Set) LooksBack() bool {
	return slices.ContainsFunc(s.Controls, func(c *Control) bool {
		names := slices.Contains(c.Inputs, "packages") || slices.Contains(c.Inputs, "vulnerabilities")
		return c.rules == nil || c.rules.back || c.Check != "" && names
	})
}

// Digest tells sets apart that may judge otherwise: by every control, and all that was
// decided.
func (s *Set) Digest() string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, c := range s.Controls {
		_ = enc.Encode(c.Digest()) // a hash takes all
	}
	for _, p := range s.Packs {
		_ = enc.Encode([]any{p.ID, p.Version, p.Mode, p.Retention, p.All()})
	}
	_ = enc.Encode([]any{s.Policy.otherwise(), s.Policy.Rules, s.Policy.usual, s.Policy.of})
	for _, r := range s.Policy.Repositories {
		_ = enc.Encode(r.Match)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// Digest tells controls apart that may judge otherwise, wherever in a file they stand.
func (c *Control) Digest() string {
	h := sha256.New()
	clauses := func(list []Clause) (texts []string) {
		for _, cl := range list {
			texts = append(texts, cl.When.Text, cl.Else)
		}
		return texts
	}
	_ = json.NewEncoder(h).Encode([]any{ // a hash takes all
		c.ID, c.Version, c.Severity, c.Stage, clauses(c.Applies), clauses(c.Knows), c.Rule.Text, c.Says.Text, c.Rests.Text, c.Check, c.Firm,
	})
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// Stage is a set of those controls that can be judged at a stage, or before it.
func (s *Set) Stage(at Stage) *Set {
	until := slices.Index(stages, at)
	of := &Set{Packs: s.Packs, Policy: s.Policy}
	for _, c := range s.Controls {
		if slices.Index(stages, c.Stage) <= until {
			of.Controls = append(of.Controls, c)
		}
	}
	return of
}
