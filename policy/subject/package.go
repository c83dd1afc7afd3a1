package subject

import (
	"fmt"
	"slices"
	"time"
)

// packages finds which packages may be used, and what is wrong with those that came in.
func (s *Subject) packages() {
	began := s.began()
	for i := range s.Packages {
		p := &s.Packages[i]
		p.Listed = Matches(p.Name, s.Settings.Packages...)
		p.MadeUp = p.Told && (p.Missing || !began.IsZero() && p.First.After(began))
		p.Refused = s.refused(p, began)
		decided := s.Settings.PackageAgeDays > 0 || s.Settings.PackageMonthly > 0
		known := p.Told && !p.First.IsZero() && !began.IsZero() && (s.Settings.PackageMonthly == 0 || p.Downloads > 0)
		p.Vetted = p.Listed || decided && known && p.Refused == ""
	}
	for i := range s.Vulnerabilities {
		v := &s.Vulnerabilities[i]
		grave := v.Malicious || v.Severity == "critical" || v.Severity == "high"
		v.Grave = grave && v.Unsure == ""
		v.Open = !v.Grave && (grave || v.Severity == "")
		v.Scanned = s.scanned(v.Published) && s.scanned(v.Modified)
	}
	for i := range s.Unmatched {
		u := &s.Unmatched[i]
		u.Open, u.Scanned = !u.Known.IsZero(), s.scanned(u.Known)
	}
}

// scanned reports whether what came in was scanned after something was known.
func (s *Subject) scanned(known time.Time) bool {
	return slices.ContainsFunc(s.Scans, func(x Scan) bool { return x.Latest && !x.Secrets && !x.At.IsZero() && !x.At.Before(known) })
}

// began is when the work on the change began, as far as is known: a package that came to be
// after that was named before it was there.
func (s *Subject) began() (first time.Time) {
	for _, x := range s.Sessions {
		if !x.Started.IsZero() && (first.IsZero() || x.Started.Before(first)) {
			first = x.Started
		}
	}
	for _, t := range []time.Time{s.Change.Opened, s.Change.Merged} {
		if first.IsZero() {
			first = t
		}
	}
	return first
}

// refused says why a package may not be used: by what a registry tells of it, or since the
// list of those that may be is all that was decided.
func (s *Subject) refused(p *Package, began time.Time) string {
	age, monthly := s.Settings.PackageAgeDays, s.Settings.PackageMonthly
	switch {
	case p.Listed:
		return ""
	case p.MadeUp && p.Missing:
		return "the registry has no " + p.Name
	case p.MadeUp:
		return fmt.Sprintf("%s was first published %s, after the work on this began", p.Name, p.First.UTC().Format(time.DateOnly))
	case p.Told && age > 0 && !p.First.IsZero() && !began.IsZero() && began.Sub(p.First)/(24*time.Hour) < time.Duration(age):
		return fmt.Sprintf("%s was first published %s, less than %d days before", p.Name, p.First.UTC().Format(time.DateOnly), age)
	case p.Told && p.Downloads > 0 && p.Downloads < monthly:
		return fmt.Sprintf("%s is downloaded %d times a month, less than %d", p.Name, p.Downloads, monthly)
	case len(s.Settings.Packages) > 0 && age == 0 && monthly == 0:
		return "nobody decided on " + p.Name
	}
	return ""
}
