// Package standing tells what stands in an environment now: of each service the last
// deployment that succeeded, what it ships, and who wrote what it brought.
//
// What no deployment tells of is not here: snapshots show it. The package reads the
// tables of package graph and writes nothing.
package standing

import (
	"context"
	"fmt"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/lineage/deployed"
	"github.com/stemma-dev/stemma/storage"
)

// maxServices bounds what is told of one environment.
const maxServices = 200

// A Service is what of an environment is replaced by itself.
type Service struct {
	Name       string       `json:"service"`
	Deployment stemma.Ref   `json:"deployment"` // the last that succeeded
	Version    string       `json:"version,omitempty"`
	Status     string       `json:"status"` // "success", or "inactive" where it was taken down
	Since      time.Time    `json:"since"`
	Actor      stemma.Ref   `json:"actor,omitempty"` // who made it so
	Artifacts  []stemma.Ref `json:"artifacts"`
	Commits    []stemma.Ref `json:"commits"`
	Changes    int64        `json:"changes"` // that it brought
	Lines      change.Lines `json:"lines"`   // that these added
}

// In tells what stands in an environment, by the names of the services.
func In(ctx context.Context, tx *storage.Tx, environment stemma.Ref) ([]Service, error) {
	s, err := deployed.In(ctx, tx)
	if err != nil {
		return nil, err
	}
	var all []Service
	var ids []int64
	at := map[int64]int{}
	err = s.Each(ctx, func(scan func(...any) error) error {
		var id, since int64
		x := Service{Artifacts: []stemma.Ref{}, Commits: []stemma.Ref{}}
		err := scan(&id, (*string)(&x.Deployment), &x.Name, &x.Version, &x.Status, &since, (*string)(&x.Actor))
		if n := len(all); n > 0 && all[n-1].Name == x.Name {
			return err // at the same time as the one before
		}
		x.Since = time.UnixMicro(since).UTC()
		at[id], ids, all = len(all), append(ids, id), append(all, x)
		return err
	}, `WITH d AS (SELECT k.*, COALESCE(k."service", '') AS named FROM k_deployment k
			WHERE k."environment" = (SELECT e.id FROM node e WHERE e.ref = $1) AND k."at" IS NOT NULL AND k."status" IN ('success', 'inactive')),
		newest AS (SELECT d.named, MAX(d."at") AS moment FROM d GROUP BY d.named)
		SELECT d.id, n.ref, d.named, COALESCE(d."version", ''), d."status", d."at", COALESCE(a.ref, '')
		FROM newest CROSS JOIN d JOIN node n ON n.id = d.id LEFT JOIN node a ON a.id = d."actor"
		WHERE d."at" = newest.moment AND d.named = newest.named ORDER BY d.named, n.ref DESC LIMIT $2`, string(environment), maxServices)
	if err != nil || len(all) == 0 {
		return all, err
	}
	for _, read := range []func(context.Context, *deployed.Store, string, func(id int64) *Service) error{ships, brought} {
		if err := read(ctx, s, deployed.List(ids), func(id int64) *Service { return &all[at[id]] }); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ships reads what deployments ship, and of which commits that was built.
func ships(ctx context.Context, s *deployed.Store, ids string, of func(id int64) *Service) error {
	ship := `edge e WHERE e.src IN (` + ids + `) AND e.door IN (` + s.Doors("ships") + `)`
	return s.Each(ctx, func(scan func(...any) error) error {
		var id int64
		var ref stemma.Ref
		err := scan(&id, (*string)(&ref))
		switch x := of(id); ref.Kind() {
		case stemma.KindArtifact:
			x.Artifacts = append(x.Artifacts, ref)
		case stemma.KindCommit:
			x.Commits = append(x.Commits, ref)
		}
		return err
	}, `SELECT t.src, n.ref FROM (SELECT e.src, e.dst FROM `+ship+`
			UNION SELECT t.src, f.dst FROM (SELECT e.src, e.dst FROM `+ship+`) t JOIN edge f ON f.src = t.dst AND f.door IN (`+s.Doors("from", "tags")+`)
			UNION SELECT t.src, r."commit" FROM (SELECT e.src, e.dst FROM `+ship+`) t JOIN edge b ON b.src = t.dst AND b.door IN (`+s.Doors("built-by")+`)
				JOIN k_run r ON r.id = b.dst) t
		JOIN node n ON n.id = t.dst ORDER BY t.src, n.ref LIMIT 2000`)
}

// brought adds up the changes that deployments brought.
func brought(ctx context.Context, s *deployed.Store, ids string, of func(id int64) *Service) error {
	return s.Each(ctx, func(scan func(...any) error) error {
		var id int64
		var x Service
		err := scan(&id, &x.Changes, &x.Lines.AI, &x.Lines.Human, &x.Lines.Unknown)
		of(id).Changes, of(id).Lines = x.Changes, x.Lines
		return err
	}, `SELECT e.src, COUNT(*), CAST(COALESCE(SUM(c."ai_lines"), 0) AS BIGINT), CAST(COALESCE(SUM(c."human_lines"), 0) AS BIGINT), CAST(COALESCE(SUM(c."unknown_lines"), 0) AS BIGINT)
		FROM edge e JOIN k_change c ON c.id = e.dst WHERE e.src IN (`+ids+`) AND e.door IN (`+s.Doors("brings")+`) AND COALESCE(c."dropped", 0) = 0 GROUP BY e.src`)
}

// Back tells which earlier deployment one went back to: the last of the same version, if
// another version of the service came between them. There is none if it went on.
func Back(ctx context.Context, tx *storage.Tx, deployment stemma.Ref) (to stemma.Ref, err error) {
	s, err := deployed.In(ctx, tx)
	if err != nil {
		return "", err
	}
	return to, s.Each(ctx, func(scan func(...any) error) error { return scan((*string)(&to)) },
		`SELECT o.ref FROM node n JOIN k_deployment d ON d.id = n.id JOIN k_deployment b ON `+before("b")+` AND b."version" = d."version" JOIN node o ON o.id = b.id
			WHERE n.ref = $1 AND d."version" <> '' AND EXISTS (SELECT 1 FROM k_deployment m WHERE `+before("m")+` AND m."at" > b."at" AND m."version" <> d."version")
			ORDER BY b."at" DESC, o.ref DESC LIMIT 1`, string(deployment))
}

// before is true of a deployment x of the same service that succeeded before d.
func before(x string) string {
	return fmt.Sprintf(`%[1]s."environment" = d."environment" AND COALESCE(%[1]s."service", '') = COALESCE(d."service", '')
		AND %[1]s."at" < d."at" AND %[1]s."status" IN ('success', 'inactive')`, x)
}
