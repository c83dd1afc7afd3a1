package gather

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/policy/subject"
)

// A changeRow is a change as the tables have it.
type changeRow struct {
	id, repository, author, merger, head, landed int64
	counted                                      bool // its lines are known
	c                                            subject.Change
	credits                                      []credit
	mended                                       []int64 // as it says itself; see mends
	base                                         int64   // the commit that it stands on, if based
	based                                        bool

	commits, runs, sessions []int64 // see all, runsOf and lineageOf
	cut                     bool    // there are more sessions above than are looked at
}

// A credit is lines of one origin.
type credit struct {
	span           subject.Span
	session, model int64
}

// carried are the commits that a change brought to its branch.
func (g *gatherer) carried(c *changeRow) []int64 {
	ids := through(g.out[c.id], "carries")
	if c.landed != 0 && !slices.Contains(ids, c.landed) {
		ids = append(ids, c.landed)
	}
	return ids
}

// shown are the commits that it showed for review.
func (g *gatherer) shown(c *changeRow) []int64 {
	ids := through(g.out[c.id], "head")
	if c.head != 0 && !slices.Contains(ids, c.head) {
		ids = append(ids, c.head)
	}
	return ids
}

// all are both, as far as they are looked at.
func (g *gatherer) all(c *changeRow) []int64 {
	if c.commits != nil {
		return c.commits
	}
	carried, shown := g.carried(c), g.shown(c)
	ids := slices.Concat(carried[:min(len(carried), maxCommits)], shown[:min(len(shown), maxCommits)], []int64{c.head, c.landed})
	slices.Sort(ids)
	c.commits = slices.DeleteFunc(slices.Compact(ids), func(id int64) bool { return id == 0 })
	return c.commits
}

// own are the commits of which a subject tells: those that came in, or of one that is
// open those that it shows.
func (g *gatherer) own(c *changeRow) []int64 {
	if ids := g.carried(c); len(ids) > 0 {
		return ids
	}
	return g.shown(c)
}

func (g *gatherer) readChanges(refs []stemma.Ref) {
	g.named(texts(refs), `SELECT c.id, COALESCE(c."repository", 0), COALESCE(c."author", 0), COALESCE(c."merged_by", 0), COALESCE(c."head", 0), COALESCE(c."merge_commit", 0),
			COALESCE(c."number", 0), COALESCE(c."title", ''), COALESCE(c."method", ''), COALESCE(c."state", ''), COALESCE(c."target", ''), COALESCE(c."intent", ''),
			COALESCE(c."opened", 0), COALESCE(c."merged", 0), COALESCE(c."added", 0), COALESCE(c."deleted", 0), CASE WHEN c."ai_lines" IS NULL THEN 0 ELSE 1 END,
			COALESCE(c."ai_lines", 0), COALESCE(c."human_lines", 0), COALESCE(c."unknown_lines", 0), COALESCE(c."attempts", 0), COALESCE(c."green", 0), COALESCE(c."reprompts", 0),
			COALESCE(c."fix_author", ''), COALESCE(c."origin_author", ''), COALESCE(c."dropped", 0), COALESCE(c."compared", 0), COALESCE(c."altered", 0),
			COALESCE((SELECT r.recorded FROM fact r WHERE r.pos = (SELECT MIN(f.pos) FROM node_fact f WHERE f.node = c.id AND f.occurred >= c."merged" - $2)), 0)
		FROM {names} CROSS JOIN node n CROSS JOIN k_change c WHERE n.ref = i.value AND c.id = n.id`, func(scan func(...any) error) error {
		r := &changeRow{}
		c := &r.c
		var opened, merged, compared, recorded int64
		err := scan(&r.id, &r.repository, &r.author, &r.merger, &r.head, &r.landed, &c.Number, &c.Title, &c.Method, &c.State, &c.Target, &c.Intent, &opened, &merged,
			&c.Added, &c.Deleted, &r.counted, &c.AILines, &c.HumanLines, &c.UnknownLines, &c.Attempts, &c.Green, &c.Reprompts, &c.FixAuthor, &c.OriginAuthor, &c.Dropped, &compared, &c.Altered, &recorded)
		if c.Compared = compared != 0 && compared == r.head; !c.Compared { // of an older head
			c.Altered = 0
		}
		c.Opened, c.Merged, c.Recorded = moment(opened), moment(merged), moment(recorded)
		g.need(r.id, r.repository, r.author, r.merger, r.head, r.landed)
		g.changes, g.change[r.id] = append(g.changes, r), r
		return err
	}, near)
}

// readCredits reads whose the lines of changes are, what they mend, and which components they
// touch.
func (g *gatherer) readCredits() {
	g.each(g.ids(), `SELECT t.id, 0, t.seq, COALESCE(t."origin", ''), COALESCE(t."agent", ''), COALESCE(t."model_name", ''), COALESCE(t."model", 0), COALESCE(t."session", 0), COALESCE(t."lines", 0)
			FROM {ids} CROSS JOIN k_change_credit t WHERE t.id = i.value
		UNION ALL SELECT t.id, 1, t.seq, '', '', '', COALESCE(t."change", 0), COALESCE(t."commit", 0), 0 FROM {ids} CROSS JOIN k_change_fixes t WHERE t.id = i.value
		UNION ALL SELECT t.id, 2, t.seq, COALESCE(t."path", ''), '', '', 0, 0, 0 FROM {ids} CROSS JOIN k_change_component t WHERE t.id = i.value
		ORDER BY 1, 2, 3`, func(scan func(...any) error) error {
		var id, table, seq, first, second int64
		var x credit
		err := scan(&id, &table, &seq, &x.span.Origin, &x.span.Agent, &x.span.ModelName, &first, &second, &x.span.Lines)
		switch r := g.change[id]; table {
		case 0:
			x.model, x.session = first, second
			g.need(x.model, x.session)
			r.credits = append(r.credits, x)
		case 1:
			r.mended = append(r.mended, first, second)
		default:
			r.c.Components = append(r.c.Components, x.span.Origin)
		}
		return err
	})
}

// near is how far apart two sources may say that one landing was: of a change it is told when
// the first fact came in that says when it landed, and not one that tells of it while it was open.
const near = 60 * 1_000_000

func (g *gatherer) ids() (ids []int64) {
	for _, c := range g.changes {
		ids = append(ids, c.id)
	}
	return ids
}

// readLinks reads what changes lead to, and what leads to them.
func (g *gatherer) readLinks() {
	g.links(g.ids(), g.out, away, "carries head driver implements satisfies fixes session opened")
	g.links(g.ids(), g.in, back, "of-change brings")
}

// mends are the changes and commits that a change mends.
func (g *gatherer) mends(c *changeRow) []int64 {
	ids := slices.Concat(c.mended, through(g.out[c.id], "fixes"))
	slices.Sort(ids)
	return slices.DeleteFunc(slices.Compact(ids), func(id int64) bool { return id == 0 })
}

func (g *gatherer) putChange(s *subject.Subject, r *changeRow) {
	c := &s.Change
	*c = r.c
	c.Components = slices.Clone(r.c.Components)
	c.Thing = g.thing(r.id)
	c.Author, c.Merger = g.people[r.author], g.people[r.merger]
	if _, login := stemma.Ref(c.Author.Ref).Split(); !c.Author.Bot || !identity.Alone(login) {
		c.Drivers = g.crowd(through(g.out[r.id], "driver"))
	}
	c.Head, c.Landed, c.Mends = g.ref(r.head), g.ref(r.landed), g.refs(g.mends(r))
	c.Queued = g.queued(r)
	if head := g.commits[r.head]; head != nil {
		c.HeadTree = head.tree
	}
	if c.Target == "" {
		c.Target = s.Repository.DefaultBranch
	}
	shown := map[int64]bool{}
	for _, id := range g.shown(r) {
		if k := g.commits[id]; k != nil && k.author != 0 && (!k.c.Merge || k.c.Own() > 0) {
			shown[k.author] = true
		}
	}
	c.Shown = g.crowd(keys(shown))
	if !r.counted {
		for _, id := range g.own(r) {
			if k := g.commits[id]; k != nil {
				c.AILines, c.HumanLines, c.UnknownLines = c.AILines+k.c.AILines, c.HumanLines+k.human, c.UnknownLines+k.c.UnknownLines
			}
		}
	}
}

// queued are the commits that a merge queue made of a change, as they were told.
func (g *gatherer) queued(r *changeRow) (refs []string) {
	var links []link
	for _, l := range g.out[r.id] {
		if l.door == "head" && l.method == "merge-group" {
			links = append(links, l)
		}
	}
	slices.SortFunc(links, func(a, b link) int { return cmp.Or(cmp.Compare(a.pos, b.pos), cmp.Compare(a.to, b.to)) })
	for _, l := range links {
		refs = append(refs, g.ref(l.to))
	}
	return refs
}

// A repositoryRow is a repository as the tables have it.
type repositoryRow struct {
	id int64
	r  subject.Repository
}

func (g *gatherer) repositories() []int64 {
	ids := map[int64]bool{}
	for _, c := range g.changes {
		if c.repository != 0 {
			ids[c.repository] = true
		}
	}
	return keys(ids)
}

// latest are the last changes of a repository.
const latest = `(SELECT c.id, c."state" FROM k_change c WHERE c."repository" = i.value ORDER BY c.id DESC LIMIT $2) c`

func (g *gatherer) readRepositories() {
	g.each(g.repositories(), `SELECT i.value, COALESCE(k."name", ''), COALESCE(k."host", ''), COALESCE(k."default_branch", ''), CASE WHEN k."tip" IS NULL THEN 0 ELSE 1 END,
			CASE WHEN EXISTS (SELECT 1 FROM k_push p WHERE p."repository" = i.value) OR EXISTS (SELECT 1 FROM `+latest+` WHERE c."state" IS NOT NULL) THEN 1 ELSE 0 END,
			CASE WHEN EXISTS (SELECT 1 FROM `+latest+` WHERE EXISTS (SELECT 1 FROM edge e WHERE e.src = c.id AND e.door IN {doors session})) THEN 1 ELSE 0 END
		FROM {ids} LEFT JOIN k_repository k ON k.id = i.value`, func(scan func(...any) error) error {
		x := &repositoryRow{}
		err := scan(&x.id, &x.r.Name, &x.r.Host, &x.r.DefaultBranch, &x.r.Scanned, &x.r.Forge, &x.r.Captured)
		g.repository[x.id] = x
		return err
	}, lately)
}

func (g *gatherer) putRepository(s *subject.Subject, c *changeRow) {
	if x := g.repository[c.repository]; x != nil {
		s.Repository = x.r
	}
	r := &s.Repository
	r.Thing = g.thing(c.repository)
	host, name := stemma.Ref(r.Ref).Split()
	if r.Host == "" && r.Name == "" {
		r.Host, r.Name = host, name
	}
	r.Forge = r.Forge || c.c.State != ""
	target := c.c.Target
	if target == "" {
		target = r.DefaultBranch
	}
	r.Protection = g.protected(c.repository, target, c.c.Merged)
}

// A protectionFact is what was told of a rule about branches.
type protectionFact struct {
	id       int64
	occurred time.Time
	p        change.Protection
}

// maxRules bounds what is read of the rules about the branches of one repository.
const maxRules = 2_000

// readProtections reads the rules about branches from the log: the graph only knows how
// they are now.
func (g *gatherer) readProtections() {
	g.each(g.repositories(), `SELECT p."repository", p.id, COALESCE(f.occurred, 0), r.canonical FROM {ids} CROSS JOIN k_protection p CROSS JOIN node_fact f CROSS JOIN fact r
		WHERE p."repository" = i.value AND f.node = p.id AND r.pos = f.pos AND r.canonical IS NOT NULL ORDER BY p."repository", COALESCE(f.occurred, 0), f.pos`,
		func(scan func(...any) error) error {
			var repository, occurred int64
			var x protectionFact
			var canonical []byte
			if err := scan(&repository, &x.id, &occurred, &canonical); err != nil || len(g.protection[repository]) >= maxRules {
				return err
			}
			f, err := stemma.DecodeFact(canonical)
			if err != nil {
				return err
			}
			x.p, err = change.ProtectionFromFact(f)
			x.occurred = moment(occurred)
			g.need(x.id)
			g.protection[repository] = append(g.protection[repository], x)
			return err
		})
}

// protected is the rule about a branch as it was at a time, or is now if that is zero: that
// which names the branch, or else the one with the longest pattern.
func (g *gatherer) protected(repository int64, branch string, at time.Time) subject.Protection {
	rules, deleted := map[int64]*subject.Protection{}, map[int64]bool{}
	pattern := map[int64]string{}
	for _, x := range g.protection[repository] {
		name := strings.TrimPrefix(x.p.Pattern, "refs/heads/")
		if branch == "" || !at.IsZero() && x.occurred.After(at) || name != branch && !subject.Matches(branch, name) {
			continue
		}
		r := rules[x.id]
		if r == nil {
			r = &subject.Protection{Thing: g.thing(x.id), Known: true}
			rules[x.id], pattern[x.id] = r, name
		}
		overlay(r, x.p)
		r.Changed, deleted[x.id] = x.occurred, x.p.Deleted
	}
	best := subject.Protection{}
	rank := func(id int64) int {
		switch {
		case deleted[id]:
			return 0
		case pattern[id] == branch:
			return 1 << 30
		}
		return 1 + len(pattern[id])
	}
	ids := keys(rules)
	slices.SortFunc(ids, func(a, b int64) int { return cmp.Or(cmp.Compare(rank(b), rank(a)), cmp.Compare(g.ref(a), g.ref(b))) })
	if len(ids) == 0 {
		return best
	}
	best = *rules[ids[0]]
	if deleted[ids[0]] {
		best = subject.Protection{Thing: best.Thing, Known: true, Changed: best.Changed}
	}
	return best
}

// overlay adds what a fact says to what others said before.
func overlay(r *subject.Protection, p change.Protection) {
	if p.Approvals != nil {
		r.Approvals = *p.Approvals
	}
	for to, from := range map[*bool]*bool{
		&r.Owners: p.Owners, &r.StaleDismissed: p.StaleDismissed, &r.Checks: p.Checks, &r.ForAdmins: p.ForAdmins, &r.ForcePushes: p.ForcePushes,
	} {
		if from != nil {
			*to = *from
		}
	}
}
