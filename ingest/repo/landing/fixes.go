package landing

import (
	"context"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution/weave"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/ingest/repo/dag"
	"github.com/stemma-dev/stemma/ingest/words"
	"github.com/stemma-dev/stemma/storage"
)

// How a fix was tied to what it fixes, best first: a declared link stands
// before one that only lines tell.
const (
	fixDeclared = "declared" // a trailer names the commit
	fixRevert   = "revert"   // the message says which commit it takes back
	fixLines    = "lines"    // the mended lines came from there
)

// maxFixes bounds what one change is said to fix.
const maxFixes = 200

// A mending is the lines that one change took from one commit.
type mending struct {
	lines  change.Lines
	method string
}

// findFixes says what the fixes among some changes fix, by where the lines came from
// that each mends.
func (d *Landings) findFixes(ctx context.Context, steps []dag.Landing, changes []change.Change, runs [][]weave.LineRun) error {
	commits := map[string]bool{}
	for _, r := range slices.Concat(runs...) {
		commits[r.Commit] = true
	}
	if err := d.Origins.Load(ctx, commits); err != nil {
		return err
	}
	found := make([]map[string]*mending, len(steps))
	origins := map[stemma.Ref]stemma.Ref{}
	for i, l := range steps {
		var err error
		if found[i], err = d.mendings(ctx, l, runs[i]); err != nil {
			return err
		}
		for commit := range found[i] {
			origins[d.Repo.CommitRef(commit)] = ""
		}
	}
	if err := d.carriers(ctx, origins); err != nil {
		return err
	}
	classes, err := d.namedClasses(ctx, found)
	if err != nil {
		return err
	}
	for i := range changes {
		d.stateFixes(&changes[i], found[i], origins, classes)
	}
	return nil
}

// namedClasses are the lines of the commits that messages name and of which no
// line was mended: all there is to tell who wrote what was wrong.
func (d *Landings) namedClasses(ctx context.Context, found []map[string]*mending) (map[stemma.Ref]change.Lines, error) {
	bare := map[stemma.Ref]bool{}
	for _, byCommit := range found {
		for id, m := range byCommit {
			if m.method != fixLines && m.lines == (change.Lines{}) {
				bare[d.Repo.CommitRef(id)] = true
			}
		}
	}
	stats, err := d.loadStats(ctx, bare)
	if err != nil {
		return nil, err
	}
	lines := map[stemma.Ref]change.Lines{}
	for ref, st := range stats {
		lines[ref] = st.lines
	}
	return lines, nil
}

// Mends reports whether a commit or a change of an intent repairs something.
func Mends(intent string) bool {
	return intent == "fix" || intent == "security-fix" || intent == "revert"
}

// mendings adds up, by commit, the lines a landing took from others, and what
// its messages declare.
func (d *Landings) mendings(ctx context.Context, l dag.Landing, runs []weave.LineRun) (map[string]*mending, error) {
	own := map[string]bool{}
	for _, n := range l.Carried {
		own[d.graph.ID(n)] = true
	}
	found := map[string]*mending{}
	at := func(commit, method string) *mending {
		m := found[commit]
		if m == nil {
			m = &mending{method: method}
			found[commit] = m
		}
		return m
	}
	for _, n := range l.Carried {
		named, err := d.named(ctx, d.words[n])
		if err != nil {
			return nil, err
		}
		for _, link := range named {
			if !own[link.commit] {
				at(link.commit, link.method)
			}
		}
	}
	for _, r := range runs {
		if r.Unknown || own[r.Commit] {
			continue
		}
		m := at(r.Commit, fixLines)
		m.lines = m.lines.Plus(d.Origins.Count(r.Commit, r.Path, r.Line, r.Count))
	}
	return found, nil
}

// A link is a commit that a message names as the one it mends.
type link struct{ commit, method string }

// named are the commits that a message says it mends or takes back, declared
// ones first.
func (d *Landings) named(ctx context.Context, w words.Message) ([]link, error) {
	var links []link
	for _, said := range []struct {
		ids    []string
		method string
	}{{w.Fixes, fixDeclared}, {w.Purpose.Reverts, fixRevert}} {
		for _, id := range said.ids {
			whole, err := d.complete(ctx, id)
			if err != nil {
				return nil, err
			}
			if whole != "" {
				links = append(links, link{whole, said.method})
			}
		}
	}
	for _, number := range w.Purpose.RevertsNumbers {
		if merge, ok := d.taken[number]; ok {
			_, id := merge.Split()
			links = append(links, link{id, fixRevert})
		}
	}
	return links, nil
}

// complete finds the whole id of an abbreviated one, if it names one commit
// that is known.
func (d *Landings) complete(ctx context.Context, id string) (string, error) {
	if d.graph.Has(id) || len(id) == len(d.Repo.Tip) {
		return id, nil // perhaps not on this branch, but named whole
	}
	if len(id) < 7 || len(id) > len(d.Repo.Tip) {
		return "", nil
	}
	const enough = 8
	nodes, err := d.Space.Graph.LookupRef(ctx, string(d.Repo.CommitRef(id)), enough)
	if err != nil {
		return "", err
	}
	nodes = slices.DeleteFunc(nodes, func(n graph.Node) bool { return !n.Stated })
	if len(nodes) != 1 {
		return "", nil
	}
	_, whole := nodes[0].Ref.Split()
	return whole, nil
}

// carriers fills in which change carried each commit.
func (d *Landings) carriers(ctx context.Context, origins map[stemma.Ref]stemma.Ref) error {
	missing := map[stemma.Ref]bool{}
	for ref := range origins {
		_, id := ref.Split()
		if n, ok := d.graph.Find(id); ok && d.owner[n] != "" {
			origins[ref] = d.owner[n]
		} else {
			missing[ref] = true
		}
	}
	return storage.InChunks(missing, func(refs []any, marks string) error {
		return d.Space.DB.Read(ctx, func(tx *storage.Tx) error {
			rows, err := tx.Query(ctx, `SELECT n.ref, c.ref FROM node n JOIN edge e ON e.dst = n.id JOIN door d ON d.id = e.door AND d.name = 'carries' JOIN node c ON c.id = e.src
				WHERE n.ref IN (`+marks+`) AND c.kind = 'change' ORDER BY c.id DESC`, refs...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var commit, carrier string
				if err := rows.Scan(&commit, &carrier); err != nil {
					return err
				}
				origins[stemma.Ref(commit)] = stemma.Ref(carrier)
			}
			return rows.Err()
		})
	})
}

// stateFixes writes what was found into a change.
func (d *Landings) stateFixes(c *change.Change, found map[string]*mending, origins map[stemma.Ref]stemma.Ref, classes map[stemma.Ref]change.Lines) {
	if !Mends(c.Intent) {
		return
	}
	c.Fixes = []change.Fix{}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		m, commit := found[id], d.Repo.CommitRef(id)
		n := m.lines.AI + m.lines.Human + m.lines.Unknown
		c.Fixes = append(c.Fixes, change.Fix{
			Change: origins[commit], Commit: commit, Lines: n,
			AI: m.lines.AI, Human: m.lines.Human, Unknown: m.lines.Unknown, Method: m.method,
		})
	}
	slices.SortStableFunc(c.Fixes, func(a, b change.Fix) int {
		if rank := fixRank(a.Method) - fixRank(b.Method); rank != 0 {
			return rank
		}
		return b.Lines - a.Lines
	})
	if len(c.Fixes) > maxFixes {
		c.Fixes = c.Fixes[:maxFixes]
	}
	if len(c.Fixes) == 0 {
		return
	}
	c.FixMethod, c.FixAuthor, c.OriginAuthor = c.Fixes[0].Method, c.AuthorClass, originClass(c.Fixes, classes)
	for _, f := range c.Fixes {
		target, door := f.Commit, &c.Repairs
		if f.Change != "" && f.Change != c.Ref() {
			target = f.Change
		}
		edge := stemma.Edge{To: target, Method: f.Method}
		if f.Method == fixLines {
			edge.Basis = stemma.Basis(string(stemma.BasisRecovered) + "lines")
		}
		if f.Method == fixRevert && f.Change != "" {
			door = &c.Reverts
		}
		if !slices.ContainsFunc(*door, func(e stemma.Edge) bool { return e.To == target }) {
			*door = append(*door, edge)
		}
	}
}

// originClass is who wrote what a fix mends: the mended lines of the best links,
// or, if none of these lost a line, all lines of the commits that are named.
func originClass(fixes []change.Fix, classes map[stemma.Ref]change.Lines) string {
	var mended, all change.Lines
	for _, f := range fixes {
		if f.Method != fixes[0].Method {
			break
		}
		mended = mended.Plus(change.Lines{AI: f.AI, Human: f.Human, Unknown: f.Unknown})
		all = all.Plus(classes[f.Commit])
	}
	if mended == (change.Lines{}) {
		return all.Class()
	}
	return mended.Class()
}

func fixRank(method string) int {
	return slices.Index([]string{fixDeclared, fixRevert, fixLines}, method)
}
