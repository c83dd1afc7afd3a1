package gather

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/artifact/purl"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/storage"
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

// readPackages reads what registries and advisories tell of the packages that bills of
// materials name.
func (g *gatherer) readPackages() error {
	names := map[string]bool{}
	for _, a := range g.artifacts {
		for _, b := range a.boms {
			for _, p := range b.parts {
				names[p.Name] = true
			}
		}
	}
	list := slices.Sorted(maps.Keys(names))
	err := g.named(list, `SELECT k.id, k."purl", COALESCE(k."missing", 0), COALESCE(k."first", 0), COALESCE(k."downloads", 0), COALESCE(k."asked", 0)
		FROM {names} CROSS JOIN k_package k WHERE k."purl" = i.value`, func(scan func(...any) error) error {
		r := packageRow{p: subject.Package{Told: true}}
		var first, asked int64
		err := scan(&r.id, &r.p.Name, &r.p.Missing, &first, &r.p.Downloads, &asked)
		r.p.First, r.p.Asked = moment(first), moment(asked)
		g.need(r.id)
		g.packages[r.p.Name] = r
		return err
	})
	if err != nil {
		return err
	}
	advisories := map[int64]bool{}
	err = g.named(list, `SELECT t.id, t."package", COALESCE(t."ecosystem", ''), COALESCE(t."range", 0), COALESCE(t."event", ''), COALESCE(t."version", '')
		FROM {names} CROSS JOIN k_advisory_affects t WHERE t."package" = i.value ORDER BY t.id, t.seq`, func(scan func(...any) error) error {
		var id int64
		var name string
		var s step
		err := scan(&id, &name, &s.ecosystem, &s.span, &s.event, &s.version)
		list := g.warnings[name]
		if len(list) == 0 || list[len(list)-1].advisory != id {
			list = append(list, warning{advisory: id})
		}
		last := &list[len(list)-1]
		last.steps = append(last.steps, s)
		g.warnings[name], advisories[id] = list, true
		return err
	})
	if err != nil {
		return err
	}
	return g.each(keys(advisories), `SELECT k.id, COALESCE(k."title", ''), COALESCE(k."severity", ''), COALESCE(k."malicious", 0), COALESCE(k."published", 0)
		FROM {ids} CROSS JOIN k_advisory k WHERE k.id = i.value AND COALESCE(k."standing", '') <> 'withdrawn'`, func(scan func(...any) error) error {
		r := &vulnerabilityRow{}
		var published int64
		err := scan(&r.id, &r.v.Title, &r.v.Severity, &r.v.Malicious, &published)
		r.v.Published = moment(published)
		g.need(r.id)
		g.vulnerabilities[r.id] = r
		return err
	})
}

// named asks once about some names: in a query {names} is a table i of them.
func (g *gatherer) named(names []string, query string, take func(scan func(...any) error) error) error {
	if len(names) == 0 {
		return nil
	}
	list, err := json.Marshal(names)
	if err != nil {
		return err
	}
	query = strings.ReplaceAll(query, "{names}", g.texts())
	g.asked(query)
	return g.store.Each(g.ctx, take, query, string(list))
}

// texts is a table i of the texts of a list in JSON.
func (g *gatherer) texts() string {
	if g.tx.Engine() == storage.Postgres {
		return "json_array_elements_text(CAST(CAST($1 AS text) AS json)) i(value)"
	}
	return "json_each($1) i"
}

// A part is a version of a package.
type part struct{ name, version string }

// earlier are the packages of what was built under a name of the commit that a change
// stands on, by their names alone and with their versions; known if a bill of materials
// tells all of them.
func (g *gatherer) earlier(c *changeRow, name string) (parts map[part]bool, known bool) {
	if c.base == 0 || name == "" {
		return nil, false
	}
	var ids []int64
	for _, of := range append([]int64{c.base}, g.runsOn[c.base]...) {
		ids = append(ids, g.artifactsOf[of]...)
	}
	parts = map[part]bool{}
	for _, id := range g.built(ids) {
		a := g.artifacts[id]
		if a.a.Name != name {
			continue
		}
		for _, b := range a.boms {
			known = known || !b.cut && len(b.parts) > 0
			for _, p := range b.parts {
				parts[part{p.Name, ""}], parts[part{p.Name, p.Version}] = true, true
			}
		}
	}
	return parts, known
}

// putPackages gives a change the packages of what was built of it, what is told of them,
// and which of them were there before. It reports whether there are more than are looked at.
func (g *gatherer) putPackages(s *subject.Subject, c *changeRow, artifacts []int64) (more bool) {
	found, kept := map[string]*subject.Package{}, map[part]bool{}
	parts := map[part]purl.Package{}
	for _, id := range artifacts {
		before, known := g.earlier(c, g.artifacts[id].a.Name)
		for _, b := range g.artifacts[id].boms {
			for _, p := range b.parts {
				for _, key := range []part{{p.Name, ""}, {p.Name, p.Version}} {
					was, met := kept[key]
					kept[key] = known && before[key] && (was || !met)
				}
				parts[part{p.Name, p.Version}] = p
				if found[p.Name] == nil {
					x := g.packages[p.Name]
					x.p.Thing, x.p.Name = g.thing(x.id), p.Name
					found[p.Name] = &x.p
				}
			}
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(parts), func(a, b part) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.version, b.version)) }) {
		p := found[key.name]
		if key.version != "" {
			p.Versions = append(p.Versions, key.version)
		}
		for _, w := range g.warnings[key.name] {
			r := g.vulnerabilities[w.advisory]
			if r == nil {
				continue
			}
			hit, unsure := affects(w.steps, parts[key])
			if !hit && unsure == "" {
				continue
			}
			v := r.v
			v.Thing, v.Package, v.Version, v.Unsure, v.Kept = g.thing(r.id), key.name, key.version, unsure, kept[key]
			s.Vulnerabilities = append(s.Vulnerabilities, v)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		p := *found[name]
		p.Kept = kept[part{name, ""}]
		s.Packages = append(s.Packages, p)
	}
	// What came in is looked at first, what is worst before the rest.
	slices.SortStableFunc(s.Packages, func(a, b subject.Package) int { return order(a.Kept, b.Kept) })
	slices.SortStableFunc(s.Vulnerabilities, func(a, b subject.Vulnerability) int {
		return cmp.Or(order(a.Kept, b.Kept), order(!a.Malicious, !b.Malicious), cmp.Compare(rank(a.Severity), rank(b.Severity)), cmp.Compare(a.Ref, b.Ref))
	})
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

// A step is a step on the way to which versions of a package are affected, as an advisory
// has it.
type step struct {
	ecosystem, event, version string
	span                      int
}

// affects reports whether a version of a package is one that steps are about. Where that
// cannot be told it says why.
func affects(steps []step, p purl.Package) (hit bool, unsure string) {
	spans := map[int][]step{}
	for _, s := range steps {
		switch is, known := p.OfRelease(s.ecosystem); {
		case known && !is:
			continue
		case !known:
			unsure = "of which release of a distribution it is, is not known"
			continue
		case p.Version == "":
			unsure = "its version is not known"
			continue
		}
		switch s.event {
		case "version":
			if same(s, p.Version) {
				return true, ""
			}
		case "unknown":
			unsure = "the advisory does not say which versions are affected"
		default:
			spans[s.span] = append(spans[s.span], s)
		}
	}
	for _, span := range spans {
		switch in, known := within(span, p.Version); {
		case in && known:
			return true, ""
		case !known:
			unsure = "the order of its versions is not known"
		}
	}
	return false, unsure
}

// same reports whether a version is the one that a step names.
func same(s step, version string) bool {
	if s.version == version {
		return true
	}
	order, known := purl.Compare(s.ecosystem, s.version, version)
	return known && order == 0
}

// within reports whether a version is in a range: a step introduced what no other one ended
// since, up to that version.
func within(span []step, version string) (in, known bool) {
	known = slices.ContainsFunc(span, func(s step) bool { return s.event == "introduced" })
	compare := func(s step, with string) int {
		if s.version == "0" || with == "0" { // before all versions
			return cmp.Compare(s.version, with)
		}
		order, ok := purl.Compare(s.ecosystem, s.version, with)
		known = known && ok
		return order
	}
	for _, from := range span {
		if from.event != "introduced" || compare(from, version) > 0 {
			continue
		}
		in = in || !slices.ContainsFunc(span, func(end step) bool {
			return end.event == "fixed" && compare(end, version) <= 0 && compare(end, from.version) > 0 ||
				end.event == "last-affected" && compare(end, version) < 0 && compare(end, from.version) >= 0
		})
	}
	return in, known
}
