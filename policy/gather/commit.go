package gather

import (
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/policy/subject"
)

// A commitRow is a commit as the tables have it.
type commitRow struct {
	id, author, committer, first, repository int64
	tree, bot                                string
	human, files                             int
	c                                        subject.Commit
}

func (g *gatherer) readCommits() {
	for _, c := range g.changes {
		for _, id := range g.all(c) {
			g.commits[id] = &commitRow{id: id, files: -1} // it may be only named
		}
		g.need(g.mends(c)...)
	}
	g.date(keys(g.commits)...)
	g.each(keys(g.commits), `SELECT c.id, COALESCE(c."author", 0), COALESCE(c."committer", 0), COALESCE(c."first_parent", 0), COALESCE(c."repository", 0), COALESCE(c."tree", ''),
			COALESCE(b."name", ''), COALESCE(c."human_lines", 0), COALESCE(c."committed", 0), COALESCE(c."title", ''), COALESCE(c."signature", ''), COALESCE(c."added", 0), COALESCE(c."deleted", 0),
			COALESCE(c."ai_lines", 0), COALESCE(c."unknown_lines", 0), COALESCE(c."merge", 0), COALESCE(c."bytes_binary", 0), COALESCE(c."on_default", 0), COALESCE(c."files", -1)
		FROM {ids} CROSS JOIN k_commit c LEFT JOIN k_bot b ON b.id = c."author" WHERE c.id = i.value`, func(scan func(...any) error) error {
		r := &commitRow{}
		c := &r.c
		var committed int64
		err := scan(&r.id, &r.author, &r.committer, &r.first, &r.repository, &r.tree, &r.bot, &r.human, &committed, &c.Title, &c.Signature, &c.Added, &c.Deleted,
			&c.AILines, &c.UnknownLines, &c.Merge, &c.BinaryBytes, &c.OnDefault, &r.files)
		c.Committed = moment(committed)
		g.need(r.author, r.committer, r.first)
		g.commits[r.id] = r
		return err
	})
}

// readNext reads what commits of changes and deployments that brought them lead to.
func (g *gatherer) readNext() {
	g.links(slices.Concat(keys(g.commits), g.bringing()), g.out, away, "session implements assisted-by ships replaces run")
}

// base is the commit that a change stands on, 0 if it is not known.
func (g *gatherer) base(c *changeRow) int64 {
	if !c.based {
		c.base, c.based = g.baseOf(c), true
	}
	return c.base
}

// bases are the commits that changes stand on.
func (g *gatherer) bases() (ids []int64) {
	for _, c := range g.changes {
		if base := g.base(c); base != 0 {
			ids = append(ids, base)
		}
	}
	g.need(ids...)
	return ids
}

// baseOf is the commit that a change stands on: that before the first one that it carries.
func (g *gatherer) baseOf(c *changeRow) int64 {
	carried := g.carried(c)
	at := c.landed
	if at == 0 && len(carried) == 1 {
		at = carried[0]
	}
	for range carried {
		k := g.commits[at]
		if k == nil {
			return 0
		}
		if at = k.first; !slices.Contains(carried, at) {
			return at
		}
	}
	return 0
}

// ownAI reports whether an agent's own account wrote a commit, or its message names one.
func (g *gatherer) ownAI(r *commitRow) bool {
	return r.bot != "" && identity.Recognise(r.bot, "").AI() || len(through(g.out[r.id], "assisted-by")) > 0
}

func (g *gatherer) putCommits(s *subject.Subject, c *changeRow) {
	own := g.own(c)
	ids := most(s, own, maxCommits, "commits")
	s.Change.MoreCommits = len(own) > maxCommits || len(g.shown(c)) > maxCommits
	ids = g.byTime(slices.Clone(ids), g.committed)
	for _, id := range ids {
		r := g.commits[id]
		k := r.c
		k.Thing, k.Recorded = g.thing(id), g.recorded[id]
		k.Author, k.Committer = g.people[r.author], g.people[r.committer]
		k.Sessions = g.refs(g.sessionsOf(r))
		k.AIAuthor, k.UsesCapture = g.ownAI(r), g.captured[pair{r.author, r.repository}]
		g.attributed(&k, r)
		s.Commits = append(s.Commits, k)
	}
}

// sessionsOf are those that a commit names, or records of its lines.
func (g *gatherer) sessionsOf(r *commitRow) []int64 {
	ids := through(g.out[r.id], "session")
	for _, x := range g.records[r.id] {
		for _, l := range x.stretches {
			if n := len(ids); n == 0 || ids[n-1] != l.session {
				ids = append(ids, l.session)
			}
		}
	}
	slices.Sort(ids)
	return slices.DeleteFunc(slices.Compact(ids), func(id int64) bool { return id == 0 })
}

func (g *gatherer) committed(id int64) time.Time {
	if k := g.commits[id]; k != nil {
		return k.c.Committed
	}
	return time.Time{}
}

// attributed adds what records say of the lines of a commit.
func (g *gatherer) attributed(k *subject.Commit, r *commitRow) {
	k.Unattributed = k.AILines + r.human + k.UnknownLines
	for _, x := range g.records[r.id] {
		if x.declared() {
			continue
		}
		if !k.HasRecord {
			k.RecordWriter = x.writer
		}
		k.HasRecord = true
		k.Unattributed = min(k.Unattributed, max(0, k.AILines+r.human+k.UnknownLines-x.claimed+x.misplaced))
	}
}

// A pair is who wrote a commit, and where.
type pair struct{ author, repository int64 }

// readCapture finds whether sessions of the authors of commits are known in their
// repository, among the last ones of each account: they say so, or commits of it were
// checked out while they worked, or came from them.
func (g *gatherer) readCapture() {
	known := map[pair]bool{}
	var ids []int64
	for id, k := range g.commits {
		if k.author != 0 && k.repository != 0 && !known[pair{k.author, k.repository}] {
			known[pair{k.author, k.repository}] = true
			ids = append(ids, id)
		}
	}
	g.each(ids, `SELECT t.author, t.repository FROM (SELECT c."author" AS author, c."repository" AS repository FROM {ids} CROSS JOIN k_commit c WHERE c.id = i.value) t
		WHERE EXISTS (SELECT 1 FROM (SELECT e.src AS id FROM (SELECT t.author AS id UNION SELECT b.id FROM same a JOIN same b ON b.self = a.self WHERE a.id = t.author) p
				CROSS JOIN edge e WHERE e.dst = p.id AND e.door IN {doors operator} ORDER BY e.src DESC LIMIT $2) o
			WHERE EXISTS (SELECT 1 FROM edge w WHERE w.src = o.id AND w.door IN {doors in} AND w.dst = t.repository)
				OR EXISTS (SELECT 1 FROM edge w CROSS JOIN k_commit k WHERE w.src = o.id AND w.door IN {doors at} AND k.id = w.dst AND k."repository" + 0 = t.repository)
				OR EXISTS (SELECT 1 FROM edge w CROSS JOIN k_commit k WHERE w.dst = o.id AND w.door IN {doors session} AND k.id = w.src AND k."repository" + 0 = t.repository)
				OR EXISTS (SELECT 1 FROM edge w CROSS JOIN k_change k WHERE w.dst = o.id AND w.door IN {doors session} AND k.id = w.src AND k."repository" + 0 = t.repository))`,
		func(scan func(...any) error) error {
			var p pair
			err := scan(&p.author, &p.repository)
			g.captured[p] = true
			return err
		}, lately)
}

func (g *gatherer) readFiles() {
	g.each(keys(g.commits), `SELECT f.id, f."path", COALESCE(f."old_path", ''), COALESCE(f."status", ''), COALESCE(f."added", 0), COALESCE(f."deleted", 0) FROM {ids} CROSS JOIN k_commit_file f
		WHERE f.id = i.value AND f."path" IS NOT NULL AND f.seq <= $2 ORDER BY f.id, f.seq`, func(scan func(...any) error) error {
		var id int64
		var f fileRow
		err := scan(&id, &f.Path, &f.old, &f.Status, &f.Added, &f.Deleted)
		g.files[id] = append(g.files[id], f)
		return err
	}, MaxFiles)
}

// A fileRow is a file of a commit as the tables have it.
type fileRow struct {
	subject.File
	old string // path before it was renamed or copied
}

// touched are the files of a commit, after the paths that renames took files from: what is
// there in the commit says the last word of a path.
func touched(rows []fileRow) (files []subject.File) {
	for _, f := range rows {
		if f.old != "" && f.old != f.Path && f.Status != "C" {
			files = append(files, subject.File{Path: f.old, Status: "R", MovedTo: f.Path})
		}
	}
	for _, f := range rows {
		files = append(files, f.File)
	}
	return files
}

// putFiles adds up what the commits did to each file, in their order.
func (g *gatherer) putFiles(s *subject.Subject, c *changeRow) {
	at := map[string]int{}
	ids := g.own(c)
	ids = g.byTime(slices.Clone(ids[:min(len(ids), maxCommits)]), g.committed)
	var files []subject.File
	for _, id := range ids {
		byAI := g.commits[id].c.AILines > 0 || g.ownAI(g.commits[id]) // who deletes adds no line
		for _, f := range touched(g.files[id]) {
			i, known := at[f.Path]
			if !known {
				i = len(files)
				at[f.Path], files = i, append(files, subject.File{Path: f.Path, Status: f.Status})
			}
			x := &files[i]
			x.Added, x.Deleted, x.MovedTo, x.ByAI = x.Added+f.Added, x.Deleted+f.Deleted, f.MovedTo, x.ByAI || byAI
			if x.Status != "A" || f.Status == "D" {
				x.Status = f.Status // what came with the change is new, whatever became of it after
			}
		}
	}
	// Of a commit that is not looked at, or was not read, no file is, and of a name that is
	// too long to be kept only that there is one. A head that was replaced brings nothing.
	landed := len(g.carried(c)) > 0
	PutFiles(s, files, len(g.own(c)) > maxCommits || slices.ContainsFunc(ids, func(id int64) bool {
		k := g.commits[id]
		unread := k.files < 0 && len(g.files[id]) == 0 && !k.c.Merge
		return k.files > len(g.files[id]) || unread && len(files) > 0 && (landed || id == c.head)
	}))
}

// PutFiles gives a subject its files, each path once, as many as are looked at; more says
// that it touches others besides.
func PutFiles(s *subject.Subject, files []subject.File, more bool) {
	slices.SortFunc(files, func(a, b subject.File) int { return strings.Compare(a.Path, b.Path) })
	s.Change.MoreFiles = more || len(files) > MaxFiles
	s.Files = most(s, files, MaxFiles, "files")
}
