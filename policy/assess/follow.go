package assess

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
)

// Why changes are judged.
const (
	OnHead          = "head"
	OnMerge         = "merge"
	OnEvidence      = "evidence"
	OnPolicy        = "policy"
	OnAdvisory      = "advisory"
	OnVulnerability = "vulnerability"
	OnException     = "exception"
	OnRepository    = "repository"
	OnTime          = "time"
	OnDemand        = "asked"
)

// maxNews is of how many things at once it is asked what they concern; of more, all
// changes are judged.
var maxNews = 20_000

// Follow judges the changes in which facts have a say that came since it did so last. What
// concerns many changes is left to the others: see [Judge.Everything] and [Judge.Feeds].
func (j *Judge) Follow(ctx context.Context) (n int, err error) {
	return j.Space.Follow(ctx, Source, j.Now, func(since int64) (int, error) {
		news, err := j.news(ctx, since, math.MaxInt64)
		if err != nil {
			return 0, err
		}
		if since == 0 || len(news.things)+len(news.wide) > maxNews {
			return 0, j.wish(ctx)
		}
		lacking, err := j.lacking(ctx, news.wide)
		if err != nil {
			return 0, err
		}
		changes, err := concerned(ctx, j.Space.DB, append(news.things, lacking...))
		if err != nil {
			return 0, err
		}
		r, err := j.Changes(ctx, OnEvidence, changes...)
		return r.Stated, err
	})
}

// news is what facts are about that came, verdicts apart.
type news struct {
	things     []stemma.Ref // that have a say in changes by what leads to them
	packages   []string     // of which a registry told
	advisories []stemma.Ref
	ties       []stemma.Ref // of accounts
	exceptions []stemma.Ref
	wide       []stemma.Ref // gaps and rules about branches: of whole repositories, if not of one thing

	environments []stemma.Ref
}

// closed reports whether a fact says that a gap is.
func closed(f stemma.Fact) bool {
	var g struct{ Closed bool }
	return f.Subject.Kind() == stemma.KindGap && json.Unmarshal(f.Attrs, &g) == nil && g.Closed
}

// news are the things that facts are about from a position on and before another: nothing the
// first time, and no more than there may be.
func (j *Judge) news(ctx context.Context, since, until int64) (n news, err error) {
	if since == 0 {
		return n, nil
	}
	seen := map[stemma.Ref]bool{}
	for e, err := range j.Space.Ledger.Entries(ctx, since) {
		if err != nil {
			return n, err
		}
		if e.Pos >= until {
			break
		}
		ref := e.Fact.Subject
		if seen[ref] {
			continue
		}
		seen[ref] = true
		switch ref.Kind() {
		case stemma.KindAssessment, stemma.KindPolicy, stemma.KindRound:
			continue
		case stemma.KindAdvisory:
			n.advisories = append(n.advisories, ref)
			continue
		case stemma.KindPackage:
			if p, err := artifact.PackageFromFact(e.Fact); err == nil {
				n.packages = append(n.packages, p.PURL)
			}
			continue
		case stemma.KindTie:
			n.ties = append(n.ties, ref)
			continue
		case stemma.KindException:
			n.exceptions = append(n.exceptions, ref)
		case stemma.KindGap, stemma.KindProtection:
			if e.Fact.Source != Source || closed(e.Fact) {
				n.wide = append(n.wide, ref)
			} else { // of a change that it could not judge; when it can, that is news
				delete(seen, ref)
			}
			continue
		case stemma.KindEnvironment:
			n.environments = append(n.environments, ref)
			continue
		}
		if len(n.things) <= maxNews {
			n.things = append(n.things, ref)
		}
	}
	return n, nil
}

// refs are the names that a query gives.
func (j *Judge) refs(ctx context.Context, query string, args ...any) (refs []stemma.Ref, err error) {
	return refs, j.Space.DB.Each(ctx, func(scan func(...any) error) error {
		var ref string
		err := scan(&ref)
		refs = append(refs, stemma.Ref(ref))
		return err
	}, query, args...)
}

// among asks about some at a time of what may be many: a query has {these} in their place.
func among[T ~string](ctx context.Context, j *Judge, these []T, query string) (all []stemma.Ref, err error) {
	for part := range slices.Chunk(these, perQuery) {
		args, marks := make([]any, len(part)), make([]string, len(part))
		for i, of := range part {
			args[i], marks[i] = string(of), "$"+itoa(i+1)
		}
		some, err := j.refs(ctx, strings.ReplaceAll(query, "{these}", strings.Join(marks, ", ")), args...)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return unique(all), nil
}

// All judges every change, page by page.
func (j *Judge) All(ctx context.Context, trigger string) (all Result, err error) {
	for last := ""; ; {
		refs, err := j.refs(ctx, everything+itoa(10*portion), last)
		if err != nil || len(refs) == 0 {
			return all, err
		}
		r, err := j.Changes(ctx, trigger, refs...)
		if all.add(r); err != nil {
			return all, err
		}
		last = string(refs[len(refs)-1])
	}
}

// inForce is the policy that was put in force last, in the order of the log: clocks may be wrong.
func (j *Judge) inForce(ctx context.Context) (stemma.Ref, error) {
	refs, err := j.refs(ctx, `SELECT n.ref FROM k_policy p JOIN node n ON n.id = p.id ORDER BY n.last_pos DESC LIMIT 1`)
	if err != nil || len(refs) == 0 {
		return "", err
	}
	return refs[0], nil
}

// current reports whether the policy of this judge is in force, and tells when that turns: while
// servers are replaced one after the other, those of before judge nothing any more.
func (j *Judge) current(ctx context.Context) (bool, error) {
	ref, err := j.inForce(ctx)
	if err != nil {
		return false, err
	}
	ours := ref == "" || ref == j.ref
	switch rested := j.rests.Swap(!ours); {
	case !ours && !rested:
		j.Log.Warn("another policy is in force than the one of this process, which judges nothing until it is started again", "policy", string(j.ref), "in force", string(ref))
	case ours && rested:
		j.Log.Info("the policy of this process is in force again", "policy", string(j.ref))
	}
	return ours, nil
}

// poll is how often it is looked whether something has come.
const poll = 500 * time.Millisecond

// Run judges as facts come and time goes by, until ctx ends. What concerns many changes does
// not hold up what is news, nor does one such reason hold up another.
func (j *Judge) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, s := range []step{
		{"changes of which something is news", func(ctx context.Context) error { _, err := j.Follow(ctx); return err }},
		{"changes that are due", j.Due},
		{"all changes", j.Everything},
		{"changes that a feed concerns", j.Feeds},
		{"changes of repositories", j.Repositories},
		{"changes that are judged by another policy", j.Policy},
		{"the changes of the last time", j.Night},
	} {
		all.Go(func() { j.again(ctx, s) })
	}
	all.Wait()
}

// A step is something that is done again and again.
type step struct {
	what string
	do   func(context.Context) error
}

func (j *Judge) again(ctx context.Context, s step) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		ours, err := j.current(ctx)
		if err == nil && ours {
			err = s.do(ctx)
		}
		if err != nil && ctx.Err() == nil {
			j.Log.Error("judging waits", "of", s.what, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
