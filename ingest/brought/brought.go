// Package brought links deployments with the one before of the same service, which they
// replace, and with the changes that they brought: those that what they ship stands on,
// and that the one before did not. It links incidents with the deployments that were
// there when they were noticed.
//
// A deployment may be told before the commits that it ships are read, and before or
// after its neighbours. So a deployment is looked at again when something is news that
// may have a say in it: itself or one of its neighbours, or commits and changes that
// are no newer than it; and so is an incident. However the news come, the links are the
// same in the end.
package brought

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/graph/between"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/lineage/deployed"
	"github.com/stemma-dev/stemma/storage"
)

// Source is what the links say they come from.
const Source = "deployment-range"

// How it is known what a deployment brought, what it replaced, and what an incident
// suspects.
const (
	Method      = "range"
	MethodOrder = "order"
	MethodThere = "ran-when-it-opened"
)

// maxChanges bounds what one deployment brings, as the first one of an old service does:
// of more, those of the newest commits count.
const maxChanges = 2000

// Link states what deployments brought of which that is not known yet, and says of how
// many that was.
func Link(ctx context.Context, space *ingest.Space, now func() time.Time) (int, error) {
	n, err := space.Follow(ctx, Source, now, func(since int64) (int, error) {
		facts, err := news(ctx, space, since)
		if err != nil {
			return 0, err
		}
		w := ingest.NewWriter(ctx, space, now)
		for _, f := range facts {
			if err == nil {
				err = w.Put(ctx, f)
			}
		}
		return len(facts), errors.Join(err, w.Close(ctx))
	})
	if err != nil {
		return 0, fmt.Errorf("what deployments brought: %w", err)
	}
	return n, nil
}

// news are facts about what deployments brought that differ from what is known.
func news(ctx context.Context, space *ingest.Space, since int64) (facts []stemma.Fact, err error) {
	err = space.DB.Read(ctx, func(tx *storage.Tx) error {
		l := &linker{tx: tx}
		if l.store, err = deployed.In(ctx, tx); err != nil {
			return err
		}
		if l.from, err = l.first(ctx, since); err != nil || l.from.IsZero() {
			return err
		}
		if l.history, err = between.Of(ctx, tx, stemma.KindCommit, "parent", "committed"); err != nil {
			return err
		}
		environments, err := l.environments(ctx)
		if err != nil {
			return err
		}
		for _, name := range environments {
			services, err := l.store.Period(ctx, deployed.Ask{Environment: name})
			if errors.Is(err, stemma.ErrNotFound) {
				continue // it is called otherwise by who deployed there
			}
			if err != nil {
				return err
			}
			for _, s := range services {
				if err := l.service(ctx, s.Period); err != nil {
					return err
				}
			}
		}
		if err = l.withdraw(ctx); err == nil {
			err = l.incidents(ctx)
		}
		facts = l.facts
		return err
	})
	return facts, err
}

// withdraw takes back the links of deployments that turned out not to have succeeded.
func (l *linker) withdraw(ctx context.Context) error {
	var failed []deployed.Deployment
	err := l.store.Each(ctx, func(scan func(...any) error) error {
		var d deployed.Deployment
		var at int64
		err := scan((*string)(&d.Ref), &at)
		d.At = time.UnixMicro(at).UTC()
		failed = append(failed, d)
		return err
	}, `SELECT n.ref, d."at" FROM k_deployment d JOIN node n ON n.id = d.id WHERE d."at" >= $1 AND COALESCE(d."status", '') NOT IN ('success', 'inactive')
		AND (d."orphans" >= 0 OR EXISTS (SELECT 1 FROM edge e WHERE e.src = d.id AND e.method IN ($2, $3))) ORDER BY n.ref`, l.from.UnixMicro(), Method, MethodOrder)
	for i := range failed {
		if err == nil {
			err = l.link(ctx, &failed[i], nil, "")
		}
	}
	return err
}

// A linker looks at all deployments that may have changed.
type linker struct {
	tx      *storage.Tx
	store   *deployed.Store
	history *between.History
	from    time.Time // deployments before are as they were
	facts   []stemma.Fact
}

// first is from when on deployments are looked at again; zero for none.
func (l *linker) first(ctx context.Context, since int64) (time.Time, error) {
	first, some := int64(0), false
	err := l.store.Each(ctx, func(func(...any) error) error { some = true; return nil }, `SELECT id FROM k_deployment LIMIT 1`)
	if err != nil || !some {
		return time.Time{}, err
	}
	for _, query := range []string{
		`SELECT MIN(d."at") FROM k_deployment d JOIN node n ON n.id = d.id WHERE n.last_pos >= $1`,
		`SELECT MIN(c."committed") FROM k_commit c JOIN node n ON n.id = c.id WHERE n.last_pos >= $1`,
		`SELECT MIN(c."merged") FROM k_change c JOIN node n ON n.id = c.id WHERE n.last_pos >= $1`,
		`SELECT MIN(d."at") FROM k_artifact a JOIN node n ON n.id = a.id JOIN edge e ON e.dst = a.id JOIN k_deployment d ON d.id = e.src WHERE n.last_pos >= $1`,
		`SELECT MIN(d."at") FROM k_artifact a JOIN node n ON n.id = a.id JOIN edge s ON s.src = a.id AND s.door IN (` + l.store.Doors("same-as") + `)
			JOIN edge e ON e.dst = s.dst JOIN k_deployment d ON d.id = e.src WHERE n.last_pos >= $1`,
		`SELECT MIN(i."opened") FROM k_incident i JOIN node n ON n.id = i.id WHERE n.last_pos >= $1`,
		`SELECT MIN(1) FROM k_release r JOIN node n ON n.id = r.id WHERE n.last_pos >= $1`,
	} {
		err := l.store.Each(ctx, func(scan func(...any) error) error {
			var at *int64
			if err := scan(&at); err != nil || at == nil {
				return err
			}
			if first == 0 || *at < first {
				first = max(*at, 1)
			}
			return nil
		}, query, since)
		if err != nil {
			return time.Time{}, err
		}
	}
	if first == 0 {
		return time.Time{}, nil
	}
	return time.UnixMicro(first).UTC(), nil
}

// environments are those to which something was deployed since.
func (l *linker) environments(ctx context.Context) (names []string, err error) {
	return names, l.store.Each(ctx, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		names = append(names, name)
		return err
	}, `SELECT DISTINCT e."name" FROM k_deployment d JOIN k_environment e ON e.id = d."environment" WHERE d."at" >= $1 AND d."status" IN ('success', 'inactive')
		AND e."name" IS NOT NULL ORDER BY e."name"`, l.from.UnixMicro())
}

// service links the deployments of one service, which are in order, and the one behind
// the first that changed.
func (l *linker) service(ctx context.Context, list []deployed.Deployment) error {
	at := slices.IndexFunc(list, func(d deployed.Deployment) bool { return !d.At.Before(l.from) })
	if at < 0 {
		return nil
	}
	var before []int64
	for i := max(at-1, 0); i < len(list); i++ {
		d := &list[i]
		if err := l.store.Resolve(ctx, d); err != nil {
			return err
		}
		if i >= at {
			var replaced stemma.Ref
			if i > 0 {
				replaced = list[i-1].Ref
			}
			if err := l.link(ctx, d, before, replaced); err != nil {
				return err
			}
		}
		if len(d.Commits) > 0 {
			before = d.Commits
		}
	}
	return nil
}

// link compares what a deployment brought and replaced with what is known of it.
func (l *linker) link(ctx context.Context, d *deployed.Deployment, before []int64, replaced stemma.Ref) error {
	found, err := l.history.Difference(ctx, d.Commits, before)
	if err != nil {
		return err
	}
	brought, counts, err := l.changes(ctx, found.IDs)
	if err != nil {
		return err
	}
	if len(d.Commits) == 0 {
		counts = uncounted // it is not known what it ships
	}
	edges := make([]stemma.Edge, 0, len(brought)+1)
	for _, to := range brought {
		edges = append(edges, stemma.Edge{Door: "brings", To: to, Method: Method})
	}
	if replaced != "" {
		edges = append(edges, stemma.Edge{Door: "replaces", To: replaced, Method: MethodOrder})
	}
	return l.compare(ctx, d.Ref, d.At, edges, &counts)
}

// compare states the links of a deployment or of an incident if others are known, in the
// order of their doors and of what they lead to, or other counts if there are some.
func (l *linker) compare(ctx context.Context, ref stemma.Ref, at time.Time, links []stemma.Edge, counts *deployment.Brought) error {
	known, others, err := l.edges(ctx, ref)
	if err != nil {
		return err
	}
	attrs := any(struct{}{})
	if counts != nil {
		before, err := l.counts(ctx, ref)
		if err != nil {
			return err
		}
		if before == *counts {
			counts = nil
		} else {
			attrs = counts
		}
	}
	if counts == nil && slices.EqualFunc(known, links, same) {
		return nil
	}
	p := stemma.Provenance{Source: Source, Occurred: at, Grade: stemma.GradeD, Edges: links}
	if slices.ContainsFunc(known, func(e stemma.Edge) bool {
		return !slices.ContainsFunc(links, func(o stemma.Edge) bool { return same(e, o) })
	}) {
		p.Edges, p.Whole = append(links, others...), true // else what is wrong stays
	}
	f, err := stemma.NewFact(ref, attrs, p)
	l.facts = append(l.facts, f)
	return err
}

func same(a, b stemma.Edge) bool { return a.Door == b.Door && a.To == b.To }

// uncounted is of what nobody counted.
var uncounted = deployment.Brought{Orphans: -1, Direct: -1}

// counts are those that were stated of a deployment.
func (l *linker) counts(ctx context.Context, ref stemma.Ref) (known deployment.Brought, err error) {
	known = uncounted
	return known, l.store.Each(ctx, func(scan func(...any) error) error { return scan(&known.Orphans, &known.Direct) },
		`SELECT COALESCE(d."orphans", -1), COALESCE(d."direct", -1) FROM node n JOIN k_deployment d ON d.id = n.id WHERE n.ref = $1`, string(ref))
}

// changes are those that carried the commits, in order, and how many commits none did. A
// push of what a merge request carried too is no push that nobody was asked about. Of
// more changes than are linked nobody counts.
func (l *linker) changes(ctx context.Context, commits []int64) (list []stemma.Ref, counts deployment.Brought, err error) {
	const chunk = 500
	seen, pushes, carried := map[stemma.Ref]bool{}, map[stemma.Ref]bool{}, map[int64]bool{}
	for part := range slices.Chunk(commits, chunk) {
		err := l.store.Carried(ctx, deployed.List(part), func(c deployed.Carried) {
			if !carried[c.Commit] && c.Method == change.MethodDirect {
				pushes[c.Ref] = true
			}
			carried[c.Commit] = true
			if !seen[c.Ref] && len(list) < maxChanges {
				seen[c.Ref] = true
				list = append(list, c.Ref)
			}
		})
		if err != nil {
			return nil, counts, err
		}
		if len(list) == maxChanges {
			slices.Sort(list)
			return list, uncounted, nil
		}
	}
	slices.Sort(list)
	return list, deployment.Brought{Orphans: len(commits) - len(carried), Direct: len(pushes)}, nil
}

// edges are the links that were stated of a deployment or an incident, in the order of
// their doors and of what they lead to, and all else that it leads to.
func (l *linker) edges(ctx context.Context, ref stemma.Ref) (known, others []stemma.Edge, err error) {
	ours := map[string]string{"brings": Method, "replaces": MethodOrder, "suspects": MethodThere}
	err = l.store.Each(ctx, func(scan func(...any) error) error {
		var e stemma.Edge
		if err := scan(&e.Door, (*string)(&e.To), (*string)(&e.Grade), (*string)(&e.Basis), &e.Method); err != nil {
			return err
		}
		if method, is := ours[e.Door]; is && method == e.Method {
			known = append(known, e)
		} else {
			others = append(others, e)
		}
		return nil
	}, `SELECT o.name, t.ref, e.grade, e.basis, e.method FROM node n JOIN edge e ON e.src = n.id JOIN door o ON o.id = e.door JOIN node t ON t.id = e.dst
		WHERE n.ref = $1 ORDER BY t.ref`, string(ref))
	slices.SortFunc(known, func(a, b stemma.Edge) int { return cmp.Or(strings.Compare(a.Door, b.Door), cmp.Compare(a.To, b.To)) })
	return known, others, err
}
