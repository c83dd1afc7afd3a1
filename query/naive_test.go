package query

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/query/querytest"
)

// The naive evaluator: rows as maps of values, a query by walking its tree over
// every row. It shares the parser with the real thing and nothing else.

type naiveRow struct {
	id     string // ref, or ref and number of the run
	weight int64
	vals   map[string][]any // string, int64 or stemma.Ref by field
	is     map[string]bool
}

func (r *naiveRow) set(field string, vals ...any) {
	for _, v := range vals {
		switch v := v.(type) {
		case string:
			if v == "" {
				continue
			}
		case stemma.Ref:
			if v == "" {
				continue
			}
		case stemma.Moment:
			if v == 0 {
				continue
			}
			r.vals[field] = append(r.vals[field], int64(v))
			continue
		case int:
			r.vals[field] = append(r.vals[field], int64(v))
			continue
		}
		r.vals[field] = append(r.vals[field], v)
	}
}

type naive struct {
	w     *querytest.World
	names map[stemma.Ref][]string // by which a ref is known
	rows  map[string][]*naiveRow
}

func newNaive(w *querytest.World) *naive {
	n := &naive{w: w, names: map[stemma.Ref][]string{}, rows: map[string][]*naiveRow{}}
	for _, p := range w.Profiles {
		n.names[stemma.Ref(p[0])] = p[1:]
	}
	for _, x := range w.Bots {
		n.names[x.Ref()] = []string{x.Name}
	}
	for _, x := range w.Repos {
		n.names[x.Ref()] = []string{x.Name}
	}
	for _, x := range w.Models {
		n.names[x.Ref()] = []string{x.Name}
	}
	for _, x := range w.Sessions {
		n.names[x.Ref()] = []string{x.ExternalID}
	}
	for _, x := range w.Tickets {
		n.names[x.Ref()] = []string{x.Key}
	}
	for _, x := range w.Releases {
		n.names[x.Ref()] = []string{x.Name}
	}
	n.changes()
	n.commits()
	n.lines()
	n.sessions()
	return n
}

func edgesTo(list []stemma.Edge) (out []any) {
	for _, e := range list {
		out = append(out, e.To)
	}
	return out
}

func shareOf(ai, all int) (out []any) {
	if all > 0 {
		out = append(out, int64(ai*1000/all))
	}
	return out
}

// before are the commits that refs reach.
func (n *naive) before(refs ...stemma.Ref) map[stemma.Ref]bool {
	seen := map[stemma.Ref]bool{}
	for len(refs) > 0 {
		r := refs[0]
		refs = refs[1:]
		if seen[r] {
			continue
		}
		seen[r] = true
		for _, c := range n.w.Commits {
			if c.Ref() == r {
				refs = append(refs, c.Parents...)
			}
		}
	}
	return seen
}

func (n *naive) changes() {
	for _, c := range n.w.Changes {
		r := &naiveRow{id: string(c.Ref()), weight: 1, vals: map[string][]any{}, is: map[string]bool{c.AuthorClass: true, c.Intent: true, c.Method: true, "breaking": c.Breaking}}
		r.set("ref", c.Ref())
		r.set("repo", c.Repository)
		r.set("number", c.Number)
		r.set("title", c.Title)
		r.set("merged", c.Merged)
		r.set("author", c.Author)
		r.set("intent", c.Intent)
		r.set("author-class", c.AuthorClass)
		r.set("fix-author", c.FixAuthor)
		r.set("origin-author", c.OriginAuthor)
		r.set("added", c.Added)
		r.set("ai-lines", c.AI)
		r.set("ai-share", shareOf(c.AI, c.AI+c.Human+c.Unknown)...)
		r.set("ticket", edgesTo(c.Implements)...)
		for _, x := range c.Credits {
			r.set("model", x.Model)
			r.set("agent", x.Agent)
			r.set("session", x.Session)
		}
		for _, x := range c.Components {
			r.set("component", x.Path)
		}
		for _, x := range c.Commits {
			r.set("commit", x)
			for _, k := range n.w.Commits {
				if k.Ref() == x {
					for _, f := range k.Files {
						r.set("path", f.Path)
					}
				}
			}
		}
		for _, x := range n.w.Releases {
			reached := n.before(x.Target)
			if slices.ContainsFunc(c.Commits, func(r stemma.Ref) bool { return reached[r] }) {
				r.set("release", x.Ref())
			}
		}
		for _, f := range c.Fixes {
			for _, o := range n.w.Changes {
				if o.Ref() != f.Change {
					continue
				}
				if o.Author != "" && o.Author == c.Author {
					r.set("same", "author")
				}
				for _, a := range o.Credits {
					for _, b := range c.Credits {
						if a.Model != "" && a.Model == b.Model {
							r.set("same", "model")
						}
						if a.Agent != "" && a.Agent == b.Agent {
							r.set("same", "agent")
						}
					}
				}
			}
		}
		n.rows["changes"] = append(n.rows["changes"], r)
	}
}

func (n *naive) commits() {
	for _, c := range n.w.Commits {
		r := &naiveRow{id: string(c.Ref()), weight: 1, vals: map[string][]any{}, is: map[string]bool{c.AuthorClass: true, "merge": c.Merge, "revert": len(c.Reverts) > 0, "root": c.ParentCount == 0}}
		r.set("sha", c.SHA)
		r.set("ref", c.Ref())
		r.set("repo", c.Repository)
		r.set("author", c.Author)
		r.set("title", c.Title)
		r.set("message", c.Message)
		r.set("author-class", c.AuthorClass)
		r.set("committed", c.Committed)
		r.set("deleted", c.Deleted)
		r.set("ai-share", shareOf(c.AI, c.AI+c.Human+c.Unknown)...)
		r.set("ticket", edgesTo(c.Implements)...)
		r.set("session", edgesTo(c.Sessions)...)
		for _, x := range c.Coauthors {
			r.set("coauthor", x)
		}
		for _, x := range c.Files {
			r.set("path", x.Path)
		}
		for _, x := range c.Trailers {
			r.set("trailer", x)
		}
		for _, a := range n.w.Notes {
			if a.Commit == c.Ref() {
				for _, x := range a.Credits {
					r.set("model", x.Model)
					r.set("agent", x.Agent)
				}
			}
		}
		for _, o := range n.w.Commits {
			r.is["reverted"] = r.is["reverted"] || slices.Contains(o.Reverts, c.Ref())
		}
		for _, x := range n.w.Changes {
			if slices.Contains(x.Commits, c.Ref()) {
				r.set("change", x.Ref())
			}
		}
		for _, x := range n.w.Releases {
			if n.before(x.Target)[c.Ref()] {
				r.set("release", x.Ref())
			}
		}
		n.rows["commits"] = append(n.rows["commits"], r)
	}
}

func (n *naive) lines() {
	for _, f := range n.w.Files {
		for i, run := range f.Runs {
			r := &naiveRow{id: fmt.Sprintf("%s %d", f.Ref(), i), weight: int64(run.Count), vals: map[string][]any{}, is: map[string]bool{run.Origin: true}}
			r.set("repo", f.Repository)
			r.set("path", f.Path)
			r.set("count", run.Count)
			r.set("origin", run.Origin)
			r.set("basis", run.Basis)
			r.set("agent", run.Agent)
			r.set("model", run.Model)
			r.set("commit", run.Commit)
			r.set(" branch", f.Branch)
			for _, c := range n.w.Commits {
				if c.Ref() == run.Commit {
					r.set("committed", c.Committed)
					r.set("author", c.Author)
				}
			}
			n.rows["lines"] = append(n.rows["lines"], r)
		}
	}
}

func (n *naive) sessions() {
	byRef := map[stemma.Ref]stemma.Ref{} // to the parent
	for _, s := range n.w.Sessions {
		byRef[s.Ref()] = s.Parent
	}
	for _, s := range n.w.Sessions {
		r := &naiveRow{id: string(s.Ref()), weight: 1, vals: map[string][]any{}, is: map[string]bool{"root": s.Parent == "", "spawned": s.Parent != ""}}
		r.set("ref", s.Ref())
		r.set("id", s.ExternalID)
		r.set("tool", s.Tool)
		r.set("title", s.Title)
		r.set("started", s.Started)
		r.set("turns", s.TurnCount)
		r.set("tokens", s.InputTokens+s.OutputTokens)
		if s.Cost > 0 {
			r.set("cost", s.Cost)
		}
		r.set("parent", s.Parent)
		r.set("ticket", edgesTo(s.WorksOn)...)
		for _, m := range s.Models {
			r.set("model", m.Model)
		}
		for _, f := range s.Files {
			r.set("path", f.Path)
		}
		for _, o := range n.w.Sessions {
			r.is["planner"] = r.is["planner"] || o.Parent == s.Ref()
		}
		r.set("tree", s.Ref())
		for up := s.Parent; up != ""; up = byRef[up] {
			r.set("tree", up)
			r.set("ancestor", up)
		}
		n.rows["sessions"] = append(n.rows["sessions"], r)
	}
}

// answer is the ids of the rows that q finds, sorted, and what they weigh.
func (n *naive) answer(q *Query) (ids []string, weight int64, groups map[string]int64) {
	groups = map[string]int64{}
	for _, r := range n.rows[q.kind.Name] {
		if q.kind.branch != "" && !n.branch(q, r) || q.filter.Where != nil && !n.holds(q.filter.Where, r) {
			continue
		}
		ids = append(ids, r.id)
		weight += r.weight
		keys := []string{""}
		for _, g := range q.filter.Group {
			vals := r.vals[g.Field.Name]
			if len(vals) == 0 {
				vals = []any{""}
			}
			var next []string
			seen := map[string]bool{}
			for _, v := range vals {
				s := fmt.Sprint(v)
				if g.Bucket == "month" && s != "" {
					s = naiveMonth(v.(int64))
				}
				if g.Bucket == "week" && s != "" {
					s = naiveWeek(v.(int64))
				}
				if seen[s] {
					continue
				}
				seen[s] = true
				for _, k := range keys {
					next = append(next, k+"|"+s)
				}
			}
			keys = next
		}
		for _, k := range keys {
			groups[k] += r.weight
		}
	}
	slices.Sort(ids)
	return ids, weight, groups
}

func naiveWeek(v int64) string {
	y, w := Cell{Int: v}.Time().ISOWeek()
	return fmt.Sprintf("%d-W%02d", y, w)
}

func naiveMonth(v int64) string { return Cell{Int: v}.Time().Format("2006-01") }

func (n *naive) branch(q *Query, r *naiveRow) bool {
	want := q.filter.At
	for _, repo := range n.w.Repos {
		if want == "" && repo.Ref() == r.vals["repo"][0] {
			want = repo.DefaultBranch
		}
	}
	return r.vals[" branch"][0] == want
}

func (n *naive) holds(e filter.Expr, r *naiveRow) bool {
	switch e := e.(type) {
	case filter.And:
		return !slices.ContainsFunc(e, func(x filter.Expr) bool { return !n.holds(x, r) })
	case filter.Or:
		return slices.ContainsFunc(e, func(x filter.Expr) bool { return n.holds(x, r) })
	case filter.Not:
		return !n.holds(e.X, r)
	case *filter.Word:
		return n.holds(e.In, r)
	case *filter.Term:
		return n.term(e, r)
	}
	panic("unknown")
}

func (n *naive) term(t *filter.Term, r *naiveRow) bool {
	vals := r.vals[t.Field.Name]
	there := slices.ContainsFunc(vals, func(v any) bool { return t.Field.Type != filter.Int || v != int64(0) })
	switch {
	case t.Op == filter.Has:
		return there
	case t.Op == filter.No:
		return !there
	case t.Field.Name == "is":
		return r.is[t.Value.Raw]
	case t.Op == filter.Within:
		if t.Field.Type == filter.Int && len(vals) == 0 && t.Field.Name != "number" && t.Field.Name != "cost" {
			vals = []any{int64(0)}
		}
		return slices.ContainsFunc(vals, func(v any) bool { return v.(int64) >= t.Lo && v.(int64) < t.Hi })
	}
	return slices.ContainsFunc(vals, func(v any) bool { return n.like(t, v) })
}

func (n *naive) like(t *filter.Term, v any) bool {
	pattern := naivePattern(t.Value)
	text, literal := t.Value.Literal()
	switch t.Field.Type {
	case filter.Words:
		return glob(slices.Concat([]rune{star}, fold(pattern), []rune{star}), fold([]rune(v.(string))))
	case filter.Path:
		return naivePath(pattern, v.(string))
	case filter.Hash:
		return strings.HasPrefix(v.(string), strings.ToLower(text))
	case filter.Trailer:
		x := v.(change.Trailer)
		key, value, hasValue := strings.Cut(string(pattern), "=")
		switch {
		case !strings.EqualFold(key, x.Key):
			return false
		case !hasValue || glob([]rune(value), []rune(x.Value)):
			return true
		}
		_, text, _ = strings.Cut(text, "=")
		return x.Person != "" && n.means(x.Person, []rune(value), text, !strings.ContainsAny(value, string([]rune{star, one})))
	case filter.Ref:
		return n.means(v.(stemma.Ref), pattern, text, literal)
	}
	return glob(pattern, []rune(v.(string)))
}

// means reports whether a value, as pattern and as text, names a thing.
func (n *naive) means(ref stemma.Ref, pattern []rune, text string, literal bool) bool {
	kind := string(ref.Kind())
	if literal && strings.HasPrefix(text, kind+":") {
		return string(ref) == text
	}
	for _, name := range n.names[ref] {
		switch {
		case kind == "person" || kind == "bot":
			if glob(fold(pattern), fold([]rune(name))) {
				return true
			}
		case kind == "repository" && literal:
			if name == text || strings.HasSuffix(name, "/"+text) {
				return true
			}
		default:
			if glob(pattern, []rune(name)) {
				return true
			}
		}
	}
	if kind == "commit" {
		_, sha := ref.Split()
		if literal && filter.IsHex(text) && len(text) >= 4 && strings.HasPrefix(sha, strings.ToLower(text)) || !literal && glob(pattern, []rune(sha)) {
			return true
		}
	}
	if literal {
		return ref == stemma.NewRef(ref.Kind(), text)
	}
	full := []rune(string(pattern))
	if !strings.HasPrefix(string(pattern), kind+":") {
		full = []rune(kind + ":" + string(pattern))
	}
	return glob(full, []rune(string(ref)))
}

// Patterns as private runes, so that literal stars stay stars.
const (
	star = '\uE000'
	one  = '\uE001'
)

func naivePattern(v filter.Value) []rune {
	return []rune(strings.NewReplacer("*", string(star), "?", string(one)).Replace(v.Raw) + v.Text)
}

func fold(r []rune) []rune { return []rune(lowerASCII(string(r))) }

func glob(p, s []rune) bool {
	switch {
	case len(p) == 0:
		return len(s) == 0
	case p[0] == star:
		return glob(p[1:], s) || len(s) > 0 && glob(p, s[1:])
	case len(s) == 0:
		return false
	}
	return (p[0] == one || p[0] == s[0]) && glob(p[1:], s[1:])
}

func naivePath(pattern []rune, path string) bool {
	deep := string([]rune{star, star})
	p := string(pattern)
	switch {
	case strings.HasPrefix(p, "/"):
		p = p[1:]
	case !strings.Contains(p, "/"):
		p = deep + "/" + p
	}
	if strings.HasSuffix(p, "/") {
		p += deep
	}
	var walk func(p, s []string) bool
	walk = func(p, s []string) bool {
		switch {
		case len(p) == 0:
			return len(s) == 0
		case p[0] == deep && len(p) == 1:
			return len(s) > 0
		case p[0] == deep:
			return walk(p[1:], s) || len(s) > 0 && walk(p, s[1:])
		}
		return len(s) > 0 && glob([]rune(p[0]), []rune(s[0])) && walk(p[1:], s[1:])
	}
	return walk(strings.Split(p, "/"), strings.Split(path, "/"))
}
