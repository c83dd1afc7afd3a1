package landing

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/repo/dag"
	"github.com/stemma-dev/stemma/ingest/words"
)

// maxComponents bounds the list of directories that a change touched.
const maxComponents = 50

// stateChange states a change, and the tickets and requirements it names.
func (d *Landings) stateChange(ctx context.Context, c change.Change, l dag.Landing) error {
	for _, n := range l.Carried {
		if err := d.Writer.Intents(ctx, d.words[n]); err != nil {
			return err
		}
	}
	return d.Writer.Record(ctx, c, sourceLanding, stemma.GradeD)
}

// assemble puts a change together from what its commits say and did.
func (d *Landings) assemble(l dag.Landing, stats map[stemma.Ref]*commitStats) change.Change {
	w := d.words[l.Commit]
	merge := d.Repo.CommitRef(d.graph.ID(l.Commit))
	c := change.Change{
		Repository: d.Record.ID, Method: w.Landing.Method, Platform: w.Landing.Platform,
		Branch: words.Short(w.Landing.Branch, words.MaxTitle), Target: d.Repo.BranchName(), URL: words.Fit(w.Landing.URL),
		Title: words.Short(cmp.Or(w.Landing.Title, w.Title), words.MaxTitle), Merged: stemma.At(w.Committed),
		MergeCommit: merge, CommitCount: len(l.Carried), Size: &change.Size{}, Author: d.author(l, stats), Dropped: new(bool),
	}
	if n := d.number(w, merge); n > 0 {
		c.Number = n
		if c.Method == change.MethodDirect { // nothing says so but the silence of the message
			c.Method = ""
		}
		c.URL = cmp.Or(c.URL, d.requestURL(n))
		if d.told[merge].opened { // who wrote the commits says less
			c.Author = ""
		}
	}
	d.sum(&c, l, stats)
	d.judge(&c, l)
	for _, n := range l.Carried {
		c.Commits = append(c.Commits, d.Repo.CommitRef(d.graph.ID(n)))
		c.Implements = append(c.Implements, d.words[n].Tickets...)
		c.Satisfies = append(c.Satisfies, d.words[n].Requirements...)
	}
	return c
}

// number is that of the merge request: the forge knows best; of those that the message
// names it is one that no other landing has, since a title may end with the number of
// something else, and none of which the forge says that it did not come in so: anybody who
// may push writes any message.
func (d *Landings) number(w words.Message, merge stemma.Ref) int {
	if r, ok := d.told[merge]; ok {
		d.taken[r.number] = merge
		return r.number
	}
	for _, n := range w.Landing.Numbers {
		if at, told := d.stand[n]; told && at != merge {
			continue
		}
		if by, taken := d.taken[n]; !taken || by == merge {
			d.taken[n] = merge
			return n
		}
	}
	return 0
}

// requestURL is where a forge shows a merge request.
func (d *Landings) requestURL(number int) string {
	n := strconv.Itoa(number)
	switch {
	case d.Record.URL == "":
		return ""
	case d.Record.Host == "github.com":
		return d.Record.URL + "/pull/" + n
	case strings.Contains(d.Record.Host, "gitlab"):
		return d.Record.URL + "/-/merge_requests/" + n
	case d.Record.Host == "codeberg.org":
		return d.Record.URL + "/pulls/" + n
	case d.Record.Host == "bitbucket.org":
		return d.Record.URL + "/pull-requests/" + n
	}
	return ""
}

// author is whoever wrote most of the commits, the first of several; of a
// squash, its author.
func (d *Landings) author(l dag.Landing, stats map[stemma.Ref]*commitStats) stemma.Ref {
	votes := map[stemma.Ref]int{}
	var order []stemma.Ref
	for _, n := range l.Carried {
		st := stats[d.Repo.CommitRef(d.graph.ID(n))]
		if st == nil || st.author == "" || st.merge && len(l.Carried) > 1 {
			continue
		}
		if votes[st.author]++; votes[st.author] == 1 {
			order = append(order, st.author)
		}
	}
	var best stemma.Ref
	for _, author := range order {
		if best == "" || votes[author] > votes[best] {
			best = author
		}
	}
	return best
}

// sum adds up what the commits of a landing did.
func (d *Landings) sum(c *change.Change, l dag.Landing, stats map[stemma.Ref]*commitStats) {
	paths, dirs := map[string]bool{}, map[string]bool{}
	credits := map[change.Credit]int{}
	lines := change.Lines{}
	assisted := false
	for _, n := range l.Carried {
		st := stats[d.Repo.CommitRef(d.graph.ID(n))]
		if st == nil {
			continue
		}
		c.Added += st.added
		c.Deleted += st.deleted
		lines.AI += st.lines.AI
		lines.Human += st.lines.Human
		lines.Unknown += st.lines.Unknown
		assisted = assisted || st.class == change.ClassMixed || st.class == change.ClassAI
		for _, f := range st.files {
			paths[f.path] = true
			dir, _, deeper := strings.Cut(f.path, "/")
			if !deeper {
				dir = "."
			}
			dirs[dir] = true
		}
		for _, cr := range st.credits {
			n := cr.Lines
			cr.Lines = 0
			credits[cr] += n
			if cr.Session != "" {
				c.Sessions = append(c.Sessions, stemma.Edge{To: cr.Session, Method: "line-record"})
			}
		}
	}
	c.FileCount, c.Lines, c.AuthorClass = len(paths), &lines, lines.Class()
	if c.AuthorClass == change.ClassUnknown && assisted {
		c.AuthorClass = change.ClassMixed
	}
	c.Credits = make([]change.Credit, 0, len(credits))
	for cr, n := range credits {
		cr.Lines = n
		c.Credits = append(c.Credits, cr)
	}
	slices.SortFunc(c.Credits, compareCredits)
	for dir := range dirs {
		c.Components = append(c.Components, change.Component{Path: dir})
	}
	slices.SortFunc(c.Components, func(a, b change.Component) int { return strings.Compare(a.Path, b.Path) })
	if len(c.Components) > maxComponents {
		c.Components = c.Components[:maxComponents]
	}
}

// compareCredits orders by lines, most first, then by name.
func compareCredits(a, b change.Credit) int {
	if a.Lines != b.Lines {
		return b.Lines - a.Lines
	}
	key := func(c change.Credit) string {
		return strings.Join([]string{c.Origin, c.Agent, c.ModelName, string(c.Session)}, "\x00")
	}
	return strings.Compare(key(a), key(b))
}

// judge says what a change was meant for.
func (d *Landings) judge(c *change.Change, l dag.Landing) {
	best, by := d.purpose(l)
	c.Intent, c.IntentMethod, c.Breaking = best.Intent, best.Method, best.Breaking
	c.Evidence = []change.Evidence{}
	for _, e := range best.Evidence {
		e.Text = words.Short(words.WithoutAddresses(e.Text), words.MaxTitle)
		if by != l.Commit {
			e.Text += " (" + d.graph.ID(by)[:10] + ")"
		}
		c.Evidence = append(c.Evidence, e)
	}
}

// purpose is what a landing was meant for, and the commit that tells. What the landing
// says stands before what its commits say, and they decide only where most of them
// declare the same: the first word of one commit's subject says nothing about the whole.
func (d *Landings) purpose(l dag.Landing) (best change.Purpose, by int32) {
	best, by = d.words[l.Commit].Purpose, l.Commit
	if best.Intent != change.IntentUnknown && best.Intent != change.IntentOther {
		return best, by
	}
	votes, voters := map[string]int{}, 0
	for _, n := range l.Carried {
		if n == l.Commit && len(l.Carried) > 1 {
			continue
		}
		voters++
		p := d.words[n].Purpose
		if p.Intent == change.IntentUnknown || p.Method == change.MethodSubjectWord {
			continue
		}
		if votes[p.Intent]++; 2*votes[p.Intent] > voters {
			best, by = p, n
		}
	}
	if 2*votes[best.Intent] <= voters {
		return d.words[l.Commit].Purpose, l.Commit
	}
	return best, by
}
