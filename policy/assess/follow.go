package assess

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest"
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
	OnTime          = "time"
	OnDemand        = "asked"
)

// maxNews is of how many things at once it is asked what they concern; of more, all
// changes are judged.
const maxNews = 20_000

// Follow judges the changes in which facts have a say that came since it did so last.
func (j *Judge) Follow(ctx context.Context) (n int, err error) {
	return j.Space.Follow(ctx, Source, j.Now, func(since int64) (int, error) {
		news, err := j.news(ctx, since)
		if err != nil {
			return 0, err
		}
		var r Result
		if since == 0 || len(news.things) > maxNews {
			r, err = j.All(ctx, OnEvidence)
			return r.Stated, err
		}
		changes, err := concerned(ctx, j.Space.DB, news.things)
		if err != nil {
			return 0, err
		}
		tied, err := j.ofPeople(ctx, news.things)
		if err != nil {
			return 0, err
		}
		using, err := j.withPackages(ctx, news.packages)
		if err != nil {
			return 0, err
		}
		models, packages, err := j.advised(ctx, news.advisories)
		if err != nil {
			return 0, err
		}
		changes = append(append(changes, tied...), using...)
		slices.Sort(changes)
		changes = slices.Compact(changes)
		if r, err = j.Changes(ctx, OnEvidence, changes...); err != nil {
			return r.Stated, err
		}
		for trigger, of := range map[string]func(context.Context) ([]stemma.Ref, error){
			OnAdvisory:      func(ctx context.Context) ([]stemma.Ref, error) { return j.usedModels(ctx, models) },
			OnVulnerability: func(ctx context.Context) ([]stemma.Ref, error) { return j.withPackages(ctx, packages) },
			OnException:     func(ctx context.Context) ([]stemma.Ref, error) { return j.inRepositories(ctx, news.exceptions) },
		} {
			if refs, err := of(ctx); err != nil {
				return r.Stated, err
			} else if err := j.round(ctx, trigger, refs); err != nil {
				return r.Stated, err
			}
		}
		return r.Stated, nil
	})
}

// news is what facts are about that came, verdicts apart.
type news struct {
	things     []stemma.Ref // that have a say in changes by what leads to them
	packages   []string     // of which a registry told
	advisories []stemma.Ref
	exceptions []stemma.Ref
}

// news are the things that facts are about from a position on: nothing the first time, and
// no more than there may be.
func (j *Judge) news(ctx context.Context, since int64) (n news, err error) {
	if since == 0 {
		return n, nil
	}
	seen := map[stemma.Ref]bool{}
	for e, err := range j.Space.Ledger.Entries(ctx, since) {
		if err != nil {
			return n, err
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
		case stemma.KindException:
			n.exceptions = append(n.exceptions, ref)
		}
		if n.things = append(n.things, ref); len(n.things) > maxNews {
			break
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

// ofPeople are the changes that people made or judged of whose accounts something is news:
// whether two are one decides whether an approval counts.
func (j *Judge) ofPeople(ctx context.Context, things []stemma.Ref) (changes []stemma.Ref, err error) {
	for _, t := range things {
		if t.Kind() != stemma.KindTie {
			continue
		}
		some, err := j.refs(ctx, `WITH who(id) AS (SELECT e.dst FROM node t JOIN edge e ON e.src = t.id JOIN node p ON p.id = e.dst WHERE t.ref = $1 AND p.kind IN ('person', 'bot'))
			SELECT n.ref FROM who CROSS JOIN k_review r JOIN node n ON n.id = r."change" WHERE r."reviewer" = who.id
			UNION SELECT n.ref FROM who CROSS JOIN edge e JOIN node n ON n.id = e.src JOIN door d ON d.id = e.door
				WHERE e.dst = who.id AND d.name IN ('author', 'driver') AND n.kind = 'change' ORDER BY 1`, string(t))
		if err != nil {
			return nil, err
		}
		changes = append(changes, some...)
	}
	return changes, nil
}

// inRepositories are changes of the repositories that exceptions are for.
func (j *Judge) inRepositories(ctx context.Context, exceptions []stemma.Ref) (changes []stemma.Ref, err error) {
	for _, e := range exceptions {
		some, err := j.refs(ctx, `SELECT n.ref FROM node x JOIN k_exception e ON e.id = x.id JOIN k_change c ON c."repository" = e."repository"
			JOIN node n ON n.id = c.id WHERE x.ref = $1 ORDER BY n.ref`, string(e))
		if err != nil {
			return nil, err
		}
		changes = append(changes, some...)
	}
	slices.Sort(changes)
	return slices.Compact(changes), nil
}

// All judges every change, page by page.
func (j *Judge) All(ctx context.Context, trigger string) (all Result, err error) {
	for last := ""; ; {
		refs, err := j.refs(ctx, `SELECT n.ref FROM node n WHERE n.kind = 'change' AND n.ref > $1 ORDER BY n.ref LIMIT `+itoa(10*portion), last)
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

// Due judges changes again of which evidence was waited for, or an exception ended.
func (j *Judge) Due(ctx context.Context) error {
	refs, err := j.refs(ctx, `SELECT n.ref FROM k_assessment a JOIN node n ON n.id = a."change" WHERE a."due" > 0 AND a."due" <= $1
		ORDER BY a."due", n.ref LIMIT `+itoa(10*portion), j.Now().Unix())
	if err != nil {
		return err
	}
	return j.round(ctx, OnTime, refs)
}

// Policy judges changes again that were judged by something else.
func (j *Judge) Policy(ctx context.Context) error {
	for last := ""; ; {
		refs, err := j.refs(ctx, `SELECT n.ref FROM k_assessment a JOIN node n ON n.id = a."change" LEFT JOIN node p ON p.id = a."policy"
			WHERE (p.ref IS NULL OR p.ref <> $1) AND n.ref > $2 ORDER BY n.ref LIMIT `+itoa(10*portion), string(j.ref), last)
		if err != nil || len(refs) == 0 {
			return err
		}
		if err := j.round(ctx, OnPolicy, refs); err != nil {
			return err
		}
		last = string(refs[len(refs)-1])
	}
}

// nightly is how many changes are judged again every night, the last that came in.
const nightly = 10_000

// Night judges the last changes again, once a day whoever does it first.
func (j *Judge) Night(ctx context.Context) error {
	const source = Source + "-night"
	now := j.Now().UTC()
	before, err := j.Space.Bookmark(ctx, source)
	today := now.Format(time.DateOnly)
	if err != nil || before.State == today || before.State != "" && now.Hour() < 2 {
		return err
	}
	moved, err := j.Space.MoveBookmark(ctx, ingest.Move{Source: source, From: before.State, To: today, Now: now})
	if err != nil || !moved {
		return err
	}
	if err = j.night(ctx); err != nil { // the next one tries again
		_, failed := j.Space.MoveBookmark(context.WithoutCancel(ctx), ingest.Move{Source: source, From: today, To: before.State, Now: now})
		return errors.Join(err, failed)
	}
	return nil
}

func (j *Judge) night(ctx context.Context) error {
	if err := j.CheckLog(ctx); err != nil {
		return err
	}
	for _, query := range []string{
		`SELECT n.ref FROM k_change c JOIN node n ON n.id = c.id WHERE c."state" = 'open' ORDER BY n.ref LIMIT ` + itoa(nightly),
		`SELECT n.ref FROM k_change c JOIN node n ON n.id = c.id WHERE c."merged" IS NOT NULL ORDER BY c."merged" DESC, n.ref LIMIT ` + itoa(nightly),
	} {
		refs, err := j.refs(ctx, query)
		if err == nil {
			err = j.round(ctx, OnTime, refs)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxTurns is how many turns are kept of one round.
const maxTurns = 500

// round judges changes for one reason, and states what that turned.
func (j *Judge) round(ctx context.Context, trigger string, refs []stemma.Ref) error {
	if len(refs) == 0 {
		return nil
	}
	started := j.Now()
	r, err := j.Changes(ctx, trigger, refs...)
	if err != nil || len(r.Turns) == 0 {
		return err
	}
	changes := map[stemma.Ref]bool{}
	for _, t := range r.Turns {
		changes[t.Change] = true
	}
	round := governance.Round{
		ID:      governance.RoundRef(trigger, fmt.Sprintf("%s-%s", started.UTC().Format("20060102T150405.000000"), digestOf(r.Turns)[:8])),
		Trigger: trigger, Started: stemma.At(started), Policy: j.ref, Judged: r.Judged, Turned: len(changes), Turns: r.Turns[:min(len(r.Turns), maxTurns)],
	}
	w := ingest.NewWriter(ctx, j.Space, j.Now)
	return errors.Join(w.Record(ctx, round, Source, stemma.GradeA), w.Close(ctx))
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
// not hold up what is news.
func (j *Judge) Run(ctx context.Context) {
	var both sync.WaitGroup
	defer both.Wait()
	both.Go(func() {
		j.again(ctx, step{"changes of which something is news", func(ctx context.Context) error { _, err := j.Follow(ctx); return err }},
			step{"changes that are due", j.Due})
	})
	j.again(ctx, step{"changes that are judged by another policy", j.Policy}, step{"the changes of the last time", j.Night})
}

// A step is something that is done again and again.
type step struct {
	what string
	do   func(context.Context) error
}

func (j *Judge) again(ctx context.Context, steps ...step) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		ours, err := j.current(ctx)
		if err != nil && ctx.Err() == nil {
			j.Log.Error("judging waits", "error", err)
		}
		for _, s := range steps {
			if !ours {
				break
			}
			if err := s.do(ctx); err != nil && ctx.Err() == nil {
				j.Log.Error("judging waits", "of", s.what, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
