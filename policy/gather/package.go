package gather

import (
	"cmp"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma/policy/subject"
)

// A packageRow is what a registry tells of a package as the tables have it.
type packageRow struct {
	id int64
	p  subject.Package
}

// A vulnerabilityRow is an advisory about packages as the tables have it.
type vulnerabilityRow struct {
	id int64
	v  subject.Vulnerability
}

// A warning is what an advisory says of one package.
type warning struct {
	advisory int64
	steps    []step
}

// A find is an advisory that is about a part, or why that is not known.
type find struct {
	advisory int64
	unsure   string
}

// readPackages reads what registries tell of the packages that came in, and what advisories
// do of these and of others that are looked at.
func (g *gatherer) readPackages() {
	named, registered, unsourced, blind := map[string]bool{}, map[string]bool{}, map[string]bool{}, false
	for _, c := range g.changes {
		artifacts := g.artifactsBy(c)
		names := g.freshNames(c, artifacts)
		for b, before := range g.bills(c, artifacts) {
			blind = blind || b.cut
			d := g.differs(b, before)
			for _, l := range g.kept(d, names) {
				if !l.ofDistribution() {
					named[l.name()] = true
					continue
				}
				p := g.part(l)
				named[p.Name], named[p.Source] = true, true
			}
			for _, l := range d.fresh {
				p := g.part(l)
				named[p.Name], named[p.Source], registered[p.Name] = true, true, true
				unsourced[b.unsourced(p)] = true
				blind = blind || p.Name == ""
			}
		}
	}
	for _, list := range []map[string]bool{named, registered, unsourced} {
		delete(list, "")
	}
	g.readRegistered(registered)
	g.readWarnings(named)
	if blind || len(unsourced) > 0 {
		g.readKnown(unsourced)
	}
}

// readVulnerabilities reads the advisories that are about parts.
func (g *gatherer) readVulnerabilities() {
	advisories := map[int64]bool{}
	for _, c := range g.changes {
		for l := range g.came(c, g.artifactsBy(c)).lines {
			for _, f := range g.warned(l) {
				advisories[f.advisory] = true
			}
		}
	}
	g.need(keys(advisories)...)
	g.each(keys(advisories), `SELECT k.id, COALESCE(k."title", ''), COALESCE(k."severity", ''), COALESCE(k."malicious", 0), COALESCE(k."published", 0), COALESCE(k."modified", 0)
		FROM {ids} CROSS JOIN k_advisory k WHERE k.id = i.value AND COALESCE(k."standing", '') <> 'withdrawn'`, func(scan func(...any) error) error {
		r := &vulnerabilityRow{}
		var published, modified int64
		err := scan(&r.id, &r.v.Title, &r.v.Severity, &r.v.Malicious, &published, &modified)
		r.v.Published, r.v.Modified = moment(published), moment(modified)
		g.vulnerabilities[r.id] = r
		return err
	})
}

func (g *gatherer) readRegistered(names map[string]bool) {
	g.named(names, `SELECT k.id, k."purl", COALESCE(k."missing", 0), COALESCE(k."first", 0), COALESCE(k."downloads", 0), COALESCE(k."asked", 0)
		FROM {names} CROSS JOIN k_package k WHERE k."purl" = i.value`, func(scan func(...any) error) error {
		r := packageRow{p: subject.Package{Told: true}}
		var first, asked int64
		err := scan(&r.id, &r.p.Name, &r.p.Missing, &first, &r.p.Downloads, &asked)
		r.p.First, r.p.Asked = moment(first), moment(asked)
		g.need(r.id)
		g.packages[r.p.Name] = r
		return err
	})
}

func (g *gatherer) readWarnings(names map[string]bool) {
	// Sorting is left to whoever needs it: the rows of one package lie together.
	g.named(names, `SELECT t.id, t.seq, t."package", COALESCE(t."ecosystem", ''), COALESCE(t."range", 0), COALESCE(t."event", ''), COALESCE(t."version", '')
		FROM {names} CROSS JOIN k_advisory_affects t WHERE t."package" = i.value`, func(scan func(...any) error) error {
		var id int64
		var name string
		var s step
		err := scan(&id, &s.seq, &name, &s.ecosystem, &s.span, &s.event, &s.version)
		list := g.warnings[name]
		i := slices.IndexFunc(list, func(w warning) bool { return w.advisory == id })
		if i < 0 {
			i, list = len(list), append(list, warning{advisory: id})
		}
		list[i].steps = append(list[i].steps, s)
		g.warnings[name] = list
		return err
	})
}

// readKnown reads when the last advisory about packages was published or changed, and of
// which distributions there are any.
func (g *gatherer) readKnown(distributions map[string]bool) {
	g.ask(`SELECT k."modified" FROM k_advisory k WHERE k."modified" IS NOT NULL AND COALESCE(k."model", '') = '' ORDER BY k."modified" DESC LIMIT 1`, func(scan func(...any) error) error {
		var at int64
		err := scan(&at)
		g.known = moment(at)
		return err
	})
	g.named(distributions, `SELECT i.value FROM {names} WHERE EXISTS (SELECT 1 FROM k_advisory_affects t WHERE t."package" > i.value AND t."package" < i.value || '~')`,
		func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			g.covered[name] = true
			return err
		})
}

// warned is what advisories say of a part that they name.
func (g *gatherer) warned(l line) []find {
	if list, done := g.finds[l]; done {
		return list
	}
	var list []find
	p, parsed := g.parts[l]
	if !parsed && len(g.warnings[l.name()]) > 0 {
		p = g.part(l)
	}
	for _, w := range g.warnings[p.Name] {
		slices.SortFunc(w.steps, func(a, b step) int { return cmp.Compare(a.seq, b.seq) })
		if hit, unsure := affects(w.steps, p); hit || unsure != "" {
			list = append(list, find{w.advisory, unsure})
		}
	}
	source := p
	source.Version = p.SourceVersion
	for _, w := range g.warnings[p.Source] {
		slices.SortFunc(w.steps, func(a, b step) int { return cmp.Compare(a.seq, b.seq) })
		hit, unsure := affects(w.steps, source)
		if i := slices.IndexFunc(list, func(f find) bool { return f.advisory == w.advisory }); i >= 0 {
			if hit {
				list[i].unsure = ""
			}
		} else if hit || unsure != "" {
			list = append(list, find{w.advisory, unsure})
		}
	}
	g.finds[l] = list
	return list
}

// putPackages gives a change the packages that came in with what was built of it, and those
// of which an advisory tells something, with what is told of them. It reports whether there
// are more than are looked at.
func (g *gatherer) putPackages(s *subject.Subject, c *changeRow, artifacts []int64) (more bool) {
	came := g.came(c, artifacts)
	found := map[string]*subject.Package{}
	for _, l := range slices.Sorted(maps.Keys(came.lines)) {
		p, fresh := g.parts[l], came.lines[l]
		if p.Name == "" {
			continue // see unmatched
		}
		list := g.warned(l)
		for _, f := range list {
			if r := g.vulnerabilities[f.advisory]; r != nil {
				v := r.v
				v.Thing, v.Package, v.Version, v.Unsure, v.Kept = g.thing(r.id), p.Name, p.Version, f.unsure, !fresh
				s.Vulnerabilities = append(s.Vulnerabilities, v)
			}
		}
		x := found[p.Name]
		if x == nil {
			row := g.packages[p.Name]
			x = &row.p
			x.Thing, x.Name, x.Kept = g.thing(row.id), p.Name, true
			found[p.Name] = x
		}
		x.Kept, x.Came = x.Kept && !came.names[l.name()], x.Came || came.after[l]
		if p.Version != "" && !slices.Contains(x.Versions, p.Version) {
			x.Versions = append(x.Versions, p.Version)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		slices.Sort(found[name].Versions)
		s.Packages = append(s.Packages, *found[name])
	}
	s.Unmatched = g.unmatched(came)
	// What came in is looked at first, what is worst before the rest.
	slices.SortStableFunc(s.Packages, func(a, b subject.Package) int { return order(a.Kept, b.Kept) })
	slices.SortFunc(s.Vulnerabilities, func(a, b subject.Vulnerability) int {
		return cmp.Or(order(a.Kept, b.Kept), order(!a.Malicious, !b.Malicious), cmp.Compare(rank(a.Severity), rank(b.Severity)), cmp.Compare(a.Ref, b.Ref),
			cmp.Compare(a.Package, b.Package), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Unsure, b.Unsure))
	})
	s.Vulnerabilities = slices.Compact(s.Vulnerabilities)
	more = len(s.Packages) > maxPackages
	s.Packages = most(s, s.Packages, maxPackages, "packages")
	s.Vulnerabilities = most(s, s.Vulnerabilities, maxVulnerabilities, "vulnerabilities")
	return more
}

// order puts what is not so before what is.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// rank puts the worst severity first, and one that is not known before those that are low.
func rank(severity string) int {
	return slices.Index([]string{"critical", "high", "", "medium", "low"}, severity)
}
