package brought

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
)

// maxSuspects is how many deployments an incident suspects, the last ones.
const maxSuspects = 20

// incidents links those that were noticed since something changed: the last deployment of
// each service where it broke is suspected. That it was there is all that is known.
func (l *linker) incidents(ctx context.Context) error {
	suspects, opened := map[stemma.Ref][]stemma.Edge{}, map[stemma.Ref]time.Time{}
	var order []stemma.Ref
	err := l.store.Each(ctx, func(scan func(...any) error) error {
		var ref, suspect stemma.Ref
		var at int64
		if err := scan((*string)(&ref), &at, (*string)(&suspect)); err != nil {
			return err
		}
		if opened[ref].IsZero() {
			order, opened[ref] = append(order, ref), time.UnixMicro(at).UTC()
		}
		if suspect != "" && len(suspects[ref]) < maxSuspects {
			suspects[ref] = append(suspects[ref], stemma.Edge{Door: "suspects", To: suspect, Method: MethodThere})
		}
		return nil
	}, `SELECT i.ref, c."opened", COALESCE(n.ref, '') FROM k_incident c JOIN node i ON i.id = c.id
		LEFT JOIN k_deployment d ON d."environment" = c."environment" AND d."at" <= c."opened" AND d."status" IN ('success', 'inactive')
			AND COALESCE(d."until", c."opened" + 1) > c."opened" AND NOT EXISTS (SELECT 1 FROM k_deployment x WHERE x."environment" = d."environment"
				AND COALESCE(x."service", '') = COALESCE(d."service", '') AND x."status" IN ('success', 'inactive') AND x."at" <= c."opened" AND x."at" > d."at")
		LEFT JOIN node n ON n.id = d.id
		WHERE c."opened" >= $1 AND c."environment" IS NOT NULL ORDER BY i.ref, d."at" DESC, n.ref`, l.from.UnixMicro())
	if err != nil {
		return err
	}
	for _, ref := range order {
		slices.SortFunc(suspects[ref], func(a, b stemma.Edge) int { return cmp.Compare(a.To, b.To) })
		if err := l.compare(ctx, ref, opened[ref], suspects[ref], nil); err != nil {
			return err
		}
	}
	return nil
}
