// Package deployed tells what ran in an environment: its deployments in order, service by
// service, the commits that each ships, and the changes that carried commits.
package deployed

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/storage"
)

// An Ask says which deployments are meant.
type Ask struct {
	Environment string
	Service     string // "" for all
	// From and To are deployments: a ref, an id, a version, or a time, which stands for
	// the last one until then. Without From the period begins with the first deployment,
	// without To it ends with the last.
	From, To string
}

// A Deployment is one that succeeded.
type Deployment struct {
	Ref     stemma.Ref `json:"ref"`
	Service string     `json:"service,omitempty"`
	Version string     `json:"version,omitempty"`
	At      time.Time  `json:"at"`

	Commits []int64 `json:"-"` // the nodes of the commits that it ships, by [Store.Resolve]
	id      int64
}

// A Store is asked in one transaction.
type Store struct {
	tx    *storage.Tx
	doors map[string]int64
}

// In returns the store that a transaction reads.
func In(ctx context.Context, tx *storage.Tx) (*Store, error) {
	s := &Store{tx: tx, doors: map[string]int64{}}
	return s, s.Each(ctx, func(scan func(...any) error) error {
		var id int64
		var name string
		err := scan(&id, &name)
		s.doors[name] = id
		return err
	}, "SELECT id, name FROM door")
}

// Each calls take for every row.
func (s *Store) Each(ctx context.Context, take func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := s.tx.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("deployments: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := take(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Until is when a row c of k_deployment ended, for a query: when its source says that it
// did, or when the next one of the same service succeeded.
const Until = `COALESCE(c."until", (SELECT MIN(nx."at") FROM k_deployment nx WHERE nx."environment" = c."environment"
	AND COALESCE(nx."service", '') = COALESCE(c."service", '') AND nx."status" IN ('success', 'inactive') AND nx."at" > c."at"))`

// A Service is what of an environment is replaced by itself.
type Service struct {
	Before *Deployment // the last one until the period
	Period []Deployment
}

// Period finds the deployments that succeeded within what is asked, by service.
func (s *Store) Period(ctx context.Context, ask Ask) ([]Service, error) {
	all, err := s.deployments(ctx, ask)
	if err != nil {
		return nil, err
	}
	from, to := time.Time{}, all[len(all)-1].At
	if ask.To != "" {
		if to, err = moment(all, ask, ask.To, true); err != nil {
			return nil, err
		}
	}
	if ask.From != "" {
		if from, err = begin(all, ask, to); err != nil {
			return nil, err
		}
	}
	switch {
	case to.Before(from) && ask.To == "":
		return nil, stemma.WithHint(fmt.Errorf("nothing was deployed to %q since %q", ask.Environment, ask.From), "the last deployment was at %s", to.Format(time.RFC3339))
	case to.Before(from):
		return nil, stemma.WithHint(fmt.Errorf("%q comes after %q", ask.From, ask.To), "exchange --from and --to")
	}
	var names []string
	services := map[string]*Service{}
	for i, d := range all {
		of := services[d.Service]
		if of == nil {
			of = &Service{}
			names, services[d.Service] = append(names, d.Service), of
		}
		switch {
		case ask.From != "" && !d.At.After(from):
			of.Before = &all[i]
		case !d.At.After(to):
			of.Period = append(of.Period, d)
		}
	}
	slices.Sort(names)
	var list []Service
	for _, name := range names {
		list = append(list, *services[name])
	}
	return list, nil
}

// deployments are those of the environment that succeeded, in order; there is one.
func (s *Store) deployments(ctx context.Context, ask Ask) (all []Deployment, err error) {
	environment := deployment.EnvironmentRef(ask.Environment)
	err = s.Each(ctx, func(scan func(...any) error) error {
		var d Deployment
		var at int64
		if err := scan(&d.id, (*string)(&d.Ref), &d.Version, &d.Service, &at); err != nil {
			return err
		}
		if ask.Service == "" || d.Service == ask.Service {
			d.At = time.UnixMicro(at).UTC()
			all = append(all, d)
		}
		return nil
	}, `SELECT d.id, n.ref, COALESCE(d."version", ''), COALESCE(d."service", ''), d."at" FROM k_deployment d JOIN node n ON n.id = d.id JOIN node e ON e.id = d."environment"
		WHERE e.ref = $1 AND d."at" IS NOT NULL AND d."status" IN ('success', 'inactive') ORDER BY d."at", n.ref`, string(environment))
	if err != nil || len(all) > 0 {
		return all, err
	}
	var known []string
	err = s.Each(ctx, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		known = append(known, name)
		return err
	}, `SELECT DISTINCT COALESCE(e."name", '') FROM k_deployment d JOIN k_environment e ON e.id = d."environment"
		WHERE d."at" IS NOT NULL AND d."status" IN ('success', 'inactive') ORDER BY 1 LIMIT 20`)
	if err != nil {
		return nil, err
	}
	err = fmt.Errorf("nothing was deployed to environment %q%s: %w", ask.Environment, ofService(ask.Service), stemma.ErrNotFound)
	if len(known) == 0 {
		return nil, stemma.WithHint(err, "no deployment is known at all: report them with \"stemma record deploy\" or connect a forge")
	}
	return nil, stemma.WithHint(err, "something was deployed to %s", strings.Join(known, ", "))
}

func ofService(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf(", service %q", name)
}

// begin is when the period begins. A version may have come back later: the one before
// the end is meant.
func begin(all []Deployment, ask Ask, to time.Time) (time.Time, error) {
	if ask.To != "" && ask.From != ask.To {
		end := slices.IndexFunc(all, func(d Deployment) bool { return !d.At.Before(to) })
		if from, err := moment(all[:max(end, 0)], ask, ask.From, false); err == nil {
			return from, nil
		}
	}
	return moment(all, ask, ask.From, false) // also to say that it comes after the end
}

// moment is when a deployment was made that is named by its ref, its id or its version,
// the last one of several; or the time that is named, at the end of the day if it is one.
func moment(all []Deployment, ask Ask, name string, end bool) (time.Time, error) {
	for _, is := range []func(Deployment) bool{
		func(d Deployment) bool { return string(d.Ref) == name },
		func(d Deployment) bool { _, id := d.Ref.Split(); return id == name },
		func(d Deployment) bool { return d.Version == name },
	} {
		for _, d := range slices.Backward(all) {
			if is(d) {
				return d.At, nil
			}
		}
	}
	if t, err := time.Parse(time.RFC3339, name); err == nil {
		return t, nil
	}
	if day, err := time.Parse(time.DateOnly, name); err == nil {
		if end {
			return day.AddDate(0, 0, 1).Add(-time.Microsecond), nil
		}
		return day.Add(-time.Microsecond), nil
	}
	var known []string
	for _, d := range all[max(0, len(all)-5):] {
		known = append(known, string(d.Ref))
	}
	err := fmt.Errorf("environment %q has no deployment %q: %w", ask.Environment, name, stemma.ErrNotFound)
	return time.Time{}, stemma.WithHint(err, "name a ref, an id, a version or a time; the last ones are %v", known)
}

// maxSteps is how many steps lead at most from a deployment to its commits.
const maxSteps = 6

// Resolve finds the commits that a deployment ships: itself, by what was built of them,
// by the run that built it, or by a tag.
func (s *Store) Resolve(ctx context.Context, d *Deployment) error {
	seen := map[int64]bool{d.id: true}
	front := []int64{d.id}
	for range maxSteps {
		if len(front) == 0 {
			break
		}
		var next []int64
		take := func(scan func(...any) error) error {
			var id int64
			var kind string
			if err := scan(&id, &kind); err != nil || seen[id] {
				return err
			}
			seen[id] = true
			if stemma.Kind(kind) == stemma.KindCommit {
				d.Commits = append(d.Commits, id)
			} else {
				next = append(next, id)
			}
			return nil
		}
		along, back := s.Doors("ships", "from", "tags", "built-by", "of", "same-as"), s.Doors("same-as")
		err := s.Each(ctx, take, `SELECT n.id, n.kind FROM edge e JOIN node n ON n.id = e.dst WHERE e.src IN (`+List(front)+`) AND e.door IN (`+along+`)
			UNION SELECT n.id, n.kind FROM edge e JOIN node n ON n.id = e.src WHERE e.dst IN (`+List(front)+`) AND e.door IN (`+back+`) ORDER BY 1`)
		if err != nil {
			return err
		}
		front = next
	}
	return s.known(ctx, d)
}

// known drops commits that were made after the deployment: the same bytes were built of
// them later, and it did not ship these.
func (s *Store) known(ctx context.Context, d *Deployment) error {
	if len(d.Commits) < 2 || d.At.IsZero() {
		return nil
	}
	later := map[int64]bool{}
	err := s.Each(ctx, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		later[id] = true
		return err
	}, `SELECT id FROM k_commit WHERE id IN (`+List(d.Commits)+`) AND "committed" > $1`, d.At.UnixMicro())
	if err == nil && len(later) < len(d.Commits) {
		d.Commits = slices.DeleteFunc(d.Commits, func(id int64) bool { return later[id] })
	}
	return err
}

// Doors are those of these names, for a query.
func (s *Store) Doors(names ...string) string {
	ids := []int64{-1}
	for _, name := range names {
		if id, ok := s.doors[name]; ok {
			ids = append(ids, id)
		}
	}
	return List(ids)
}

// List writes numbers for a query.
func List(ids []int64) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ","), "[]")
}

// A Carried is a commit with a change that carried it.
type Carried struct {
	Commit, Change int64
	Ref            stemma.Ref // of the change
	Method         string     // how it landed
	Gone           bool       // a force push took the change away
}

// Carried tells which changes carried commits, given as [List] writes them: of one
// commit merge requests before pushes, then those first that came first. Changes that a
// force push took away count where no other carried the commit: it got there by them.
func (s *Store) Carried(ctx context.Context, commits string, tell func(Carried)) error {
	stands := int64(0) // the last commit that a change carried which still stands
	return s.Each(ctx, func(scan func(...any) error) error {
		var c Carried
		if err := scan(&c.Commit, &c.Change, (*string)(&c.Ref), &c.Method, &c.Gone); err != nil || c.Gone && stands == c.Commit {
			return err
		}
		if !c.Gone {
			stands = c.Commit
		}
		tell(c)
		return nil
	}, `SELECT x."commit", h.id, n.ref, COALESCE(h."method", ''), COALESCE(h."dropped", 0) FROM (
			SELECT e.dst AS "commit", e.src AS change FROM edge e WHERE e.dst IN (`+commits+`) AND e.door IN (`+s.Doors("carries")+`)
			UNION SELECT k."merge_commit", k.id FROM k_change k WHERE k."merge_commit" IN (`+commits+`)) x
		JOIN k_change h ON h.id = x.change JOIN node n ON n.id = h.id
		ORDER BY x."commit", COALESCE(h."dropped", 0), CASE WHEN COALESCE(h."number", 0) = 0 THEN 1 ELSE 0 END, h."merged", n.ref`)
}
