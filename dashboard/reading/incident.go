package reading

import (
	"context"
	"time"

	"github.com/stemma-dev/stemma"
)

// A Placed deployment is one with its time.
type Placed struct {
	Ref             stemma.Ref
	Version, Status string
	Service         string
	At              time.Time
}

// Placed are the deployments into an environment, or into any where none is named, in a
// stretch of time: the last 20 of it, the earliest first.
func (r *Reader) Placed(ctx context.Context, environment stemma.Ref, from, to time.Time) ([]Placed, error) {
	return ask(ctx, r, func(d *Placed) []any { return []any{&d.Ref, &d.Version, &d.Status, &d.Service, (*micros)(&d.At)} },
		`SELECT t.ref, t.version, t.status, t.service, t."at" FROM (SELECT n.ref, COALESCE(d."version", '') AS version, COALESCE(d."status", '') AS status, COALESCE(d."service", '') AS service, d."at"
			FROM k_deployment d JOIN node n ON n.id = d.id LEFT JOIN node e ON e.id = d."environment"
			WHERE d."at" BETWEEN $1 AND $2 AND ($3 = '' OR e.ref = $3) ORDER BY d."at" DESC, n.ref DESC LIMIT 20) t ORDER BY t."at", t.ref`,
		from.UnixMicro(), to.UnixMicro(), string(environment))
}
