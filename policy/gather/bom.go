package gather

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/artifact/purl"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/storage"
)

// A line is a part of a bill of materials as it stands there: its package URL, and after a
// space its name in one spelling; one that has no package URL begins with the space. Two
// bills are compared by their lines, so that what is in both is not taken apart.
type line string

// lines are those of a bill of materials, one text in JSON, so that an engine hands over one
// row.
const lines = `SELECT i.value, COALESCE((SELECT {array}(COALESCE(t."purl", '') || ' ' || COALESCE(t."package", COALESCE(t."name", '') || ' ' || COALESCE(t."version", '')))
	FROM k_bom_component t WHERE t.id = i.value AND t.seq <= $2){text}, '[]') FROM {ids}`

func (l line) purl() string {
	text, _, _ := strings.Cut(string(l), " ")
	return text
}

func (l line) name() string {
	_, name, _ := strings.Cut(string(l), " ")
	return name
}

// kind is the type of the package URL: deb.
func (l line) kind() string {
	kind, _, _ := strings.Cut(strings.TrimPrefix(l.purl(), "pkg:"), "/")
	return kind
}

func (l line) ofDistribution() bool { return purl.Package{Type: l.kind()}.OfDistribution() }

type bomRow struct {
	id      int64
	b       subject.Bom
	lines   []line
	sourced map[string]bool // types of packages of which it says what some were built of, see unsourced
	cut     bool
}

// readBoms reads what there is of what artifacts consist of.
func (g *gatherer) readBoms() {
	g.each(g.every(), `SELECT e.dst, b.id, COALESCE(b."format", ''), COALESCE(b."components", 0), COALESCE(b."unresolved", 0)
		FROM {ids} CROSS JOIN edge e CROSS JOIN k_bom b WHERE e.dst = i.value AND e.door IN {doors of} AND b.id = e.src`, func(scan func(...any) error) error {
		var of int64
		r := &bomRow{}
		err := scan(&of, &r.id, &r.b.Format, &r.b.Components, &r.b.Unresolved)
		a := g.artifacts[of]
		if a == nil {
			return err
		}
		if g.boms[r.id] == nil {
			g.boms[r.id] = r
		}
		g.need(r.id)
		a.boms = append(a.boms, g.boms[r.id])
		return err
	})
}

// readParts reads their lines.
func (g *gatherer) readParts() {
	query := strings.NewReplacer("{array}", "json_group_array", "{text}", "").Replace(lines)
	if g.tx.Engine() == storage.Postgres {
		query = strings.NewReplacer("{array}", "json_agg", "{text}", "::text").Replace(lines)
	}
	g.each(keys(g.boms), query, func(scan func(...any) error) error {
		var id int64
		var text string
		if err := scan(&id, &text); err != nil {
			return err
		}
		b, err := g.boms[id], error(nil)
		if b.lines, err = split(text); err != nil {
			return err
		}
		slices.Sort(b.lines)
		b.cut = len(b.lines) > maxParts || b.b.Components > len(b.lines)
		b.lines = slices.Compact(b.lines[:min(len(b.lines), maxParts)])
		return nil
	}, maxParts)
}

// split takes a list of texts in JSON apart. Where nothing is escaped they are pieces of it.
func split(text string) (list []line, err error) {
	if strings.ContainsRune(text, '\\') {
		return list, json.Unmarshal([]byte(text), &list)
	}
	list = make([]line, 0, strings.Count(text, `"`)/2)
	for {
		_, rest, found := strings.Cut(text, `"`)
		if !found {
			return list, nil
		}
		l, after, _ := strings.Cut(rest, `"`)
		list, text = append(list, line(l)), after
	}
}

// unsourced is the distribution of a package of which a bill of materials does not say what
// it was built of, as package URLs of it begin. A tool that says so of some leaves it out
// where the name is the same.
func (b *bomRow) unsourced(p purl.Package) string {
	named := strings.Contains(p.Path, "/") // else nobody says of which distribution it is
	if !p.OfDistribution() || named && (p.Source != "" || b.sources(p.Type)) {
		return ""
	}
	return p.Name[:strings.LastIndexByte(p.Name, '/')+1]
}

// sources reports whether the bill says of some package of a type which source it is of.
func (b *bomRow) sources(kind string) bool {
	if b.sourced == nil {
		b.sourced = map[string]bool{}
		for _, l := range b.lines {
			if strings.Contains(l.purl(), "upstream=") {
				b.sourced[l.kind()] = true
			}
		}
	}
	return b.sourced[kind]
}

// part is what a line names; nothing if it has no package URL that can be taken apart.
func (g *gatherer) part(l line) purl.Package {
	p, known := g.parts[l]
	if !known {
		p, _ = purl.Parse(l.purl())
		g.parts[l] = p
	}
	return p
}

// A build is what was built of a commit under a name.
type build struct {
	commit int64
	name   string
}

// A past is what bills of materials told before, in order; known if one of them tells all.
type past struct {
	lines []line
	known bool
}

// earlier are the parts of what was built under a name of the commit that a change stands
// on.
func (g *gatherer) earlier(c *changeRow, name string) *past {
	of := build{c.base, name}
	if p := g.pasts[of]; p != nil {
		return p
	}
	p := &past{}
	g.pasts[of] = p
	if c.base == 0 || name == "" {
		return p
	}
	var ids []int64
	for _, of := range append([]int64{c.base}, g.runsOn[c.base]...) {
		ids = append(ids, g.artifactsOf(of)...)
	}
	for _, id := range g.built(ids) {
		if g.artifacts[id].a.Name != name {
			continue
		}
		for _, b := range g.artifacts[id].boms {
			p.known = p.known || !b.cut && len(b.lines) > 0
			p.lines = append(p.lines, b.lines...)
		}
	}
	slices.Sort(p.lines)
	p.lines = slices.Compact(p.lines)
	return p
}

// A difference is what a bill of materials has that was there before, line by line, and what
// was not; and by the names of that what was there instead.
type difference struct {
	kept, fresh []line
	instead     map[string][]line
}

// differs compares a bill of materials with what was built before it, once.
func (g *gatherer) differs(b *bomRow, before *past) *difference {
	of := comparison{b, before}
	if d := g.differences[of]; d != nil {
		return d
	}
	d := &difference{instead: map[string][]line{}}
	g.differences[of] = d
	old := before.lines
	if !before.known {
		old = nil
	}
	for _, l := range b.lines {
		for len(old) > 0 && old[0] < l {
			old = old[1:]
		}
		if len(old) > 0 && old[0] == l {
			d.kept = append(d.kept, l)
		} else {
			d.fresh = append(d.fresh, l)
			d.instead[l.name()] = nil
		}
	}
	for _, l := range before.lines {
		if list, asked := d.instead[l.name()]; asked {
			d.instead[l.name()] = append(list, l)
		}
	}
	return d
}

type comparison struct {
	bom    *bomRow
	before *past
}

// spelled reports whether a part that is fresh was there before after all, in another spelling.
func (g *gatherer) spelled(before *past, d *difference, l line) bool {
	p := g.part(l)
	return before.known && p.Name != "" && slices.ContainsFunc(d.instead[l.name()], func(o line) bool {
		was := g.part(o)
		return was.Name == p.Name && was.Version == p.Version && was.Source == p.Source && was.SourceVersion == p.SourceVersion
	})
}

// bills goes through what artifacts of a change consist of, and what was built before them.
func (g *gatherer) bills(c *changeRow, artifacts []int64) iter.Seq2[*bomRow, *past] {
	return func(yield func(*bomRow, *past) bool) {
		for _, id := range artifacts {
			before := g.earlier(c, g.artifacts[id].a.Name)
			for _, b := range g.artifacts[id].boms {
				if !yield(b, before) {
					return
				}
			}
		}
	}
}

// kept are the lines of a bill of materials that were there before and are looked at: all, or
// if only new parts are, those of packages that came in in other versions.
func (g *gatherer) kept(d *difference, came map[string]bool) (list []line) {
	if !g.opt.New {
		return d.kept
	}
	for _, l := range d.kept {
		if came[l.name()] {
			list = append(list, l)
		}
	}
	return list
}

// freshNames are the names of the parts of a change that were not there before, line by line.
func (g *gatherer) freshNames(c *changeRow, artifacts []int64) map[string]bool {
	names := map[string]bool{}
	for b, before := range g.bills(c, artifacts) {
		for name := range g.differs(b, before).instead {
			names[name] = true
		}
	}
	return names
}

// An arrival is what came in with a change.
type arrival struct {
	lines     map[line]bool            // that came in, and, with false, those there before of which an advisory tells something
	names     map[string]bool          // that came in
	after     map[line]bool            // that came in, of which it is known what was there before
	cut       int                      // parts that are not looked at
	unsourced map[string]map[line]bool // by distribution
}

// came compares what was built of a change with what was built before it.
func (g *gatherer) came(c *changeRow, artifacts []int64) arrival {
	a := arrival{lines: map[line]bool{}, names: map[string]bool{}, after: map[line]bool{}, unsourced: map[string]map[line]bool{}}
	names := g.freshNames(c, artifacts)
	for b, before := range g.bills(c, artifacts) {
		if b.cut {
			a.cut = max(a.cut, b.b.Components-len(b.lines), 1)
		}
		d := g.differs(b, before)
		kept := g.kept(d, names)
		for _, l := range d.fresh {
			if g.spelled(before, d, l) {
				kept = append(kept[:len(kept):len(kept)], l)
				continue
			}
			if from := b.unsourced(g.part(l)); from != "" {
				if a.unsourced[from] == nil {
					a.unsourced[from] = map[line]bool{}
				}
				a.unsourced[from][l] = true
			}
			a.lines[l] = true
			if before.known {
				a.after[l] = true
			}
			if !before.known || len(d.instead[l.name()]) == 0 {
				a.names[l.name()] = true
			}
		}
		for _, l := range kept {
			if !a.lines[l] && len(g.warned(l)) > 0 {
				a.lines[l] = false
			}
		}
	}
	return a
}

// maxNamed is how many parts are named of those that no advisory can be matched with.
const maxNamed = 10

// unmatched are the parts that came in and that no advisory can be matched with.
func (g *gatherer) unmatched(a arrival) (list []subject.Unmatched) {
	add := func(u subject.Unmatched, of map[line]bool, call func(line) string) {
		parts := slices.Sorted(maps.Keys(of))
		u.Count = len(parts)
		for _, l := range parts[:min(len(parts), maxNamed)] {
			u.Parts = append(u.Parts, call(l))
		}
		list = append(list, u)
	}
	nameless := map[line]bool{}
	for l, fresh := range a.lines {
		if fresh && g.part(l).Name == "" {
			nameless[l] = true
		}
	}
	if len(nameless) > 0 {
		add(subject.Unmatched{Reason: "it has no package URL that can be read", Nameless: true, Known: g.known}, nameless, func(l line) string { return strings.TrimSpace(string(l)) })
	}
	if a.cut > 0 {
		list = append(list, subject.Unmatched{Reason: "the bill of materials lists more than is looked at", Count: a.cut, Known: g.known})
	}
	for _, from := range slices.Sorted(maps.Keys(a.unsourced)) {
		u := subject.Unmatched{Reason: "of which source package of " + from + " it was built is not known"}
		if g.covered[from] {
			u.Known = g.known
		}
		add(u, a.unsourced[from], func(l line) string { return g.part(l).Name })
	}
	return list
}
