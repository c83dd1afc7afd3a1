package subject

import "iter"

// Things are all that a subject names with a grade.
func (s *Subject) Things() iter.Seq[Thing] {
	return func(yield func(Thing) bool) {
		each := func(list ...Thing) bool {
			for _, t := range list {
				if t.Ref != "" && !yield(t) {
					return false
				}
			}
			return true
		}
		_ = each(s.Change.Thing, s.Repository.Thing, s.Repository.Protection.Thing) &&
			all(s.Commits, func(x Commit) bool { return each(x.Thing) }) &&
			all(s.Sessions, func(x Session) bool { return each(x.Thing) }) &&
			all(s.Reviews, func(x Review) bool {
				return each(x.Thing) && all(x.Roles, func(r Role) bool { return each(r.Thing) })
			}) &&
			all(s.Runs, func(x Run) bool { return each(x.Thing) }) &&
			all(s.Tests, func(x Test) bool { return each(x.Thing) }) &&
			all(s.Scans, func(x Scan) bool { return each(x.Thing) }) &&
			all(s.Artifacts, func(x Artifact) bool {
				return each(x.Thing) && all(x.Attestations, func(a Attestation) bool { return each(a.Thing) }) &&
					all(x.Boms, func(b Bom) bool { return each(b.Thing) })
			}) &&
			all(s.Packages, func(x Package) bool { return each(x.Thing) }) &&
			all(s.Vulnerabilities, func(x Vulnerability) bool { return each(x.Thing) }) &&
			all(s.Deployments, func(x Deployment) bool { return each(x.Thing) }) &&
			all(s.Incidents, func(x Incident) bool { return each(x.Thing) }) &&
			all(s.Tickets, func(x Ticket) bool { return each(x.Thing) }) &&
			all(s.Requirements, func(x Requirement) bool { return each(x.Thing) }) &&
			all(s.Exceptions, func(x Exception) bool { return each(x.Thing) }) &&
			all(s.Advisories, func(x Advisory) bool { return each(x.Thing) })
	}
}

// all reports whether something holds of all elements, and stops where it does not.
func all[T any](list []T, is func(T) bool) bool {
	for _, x := range list {
		if !is(x) {
			return false
		}
	}
	return true
}
