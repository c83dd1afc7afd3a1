package population

import (
	"context"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/lineage/deployed"
)

// A judgement is the last word of one person about a change.
type judgement struct {
	approves bool
	counts   bool // it was not dismissed, and saw the last head as far as is known
}

// reviews counts the people who judged the changes, and those of them who approve of them
// still: nobody who wrote or opened one, or drove an agent that did, and no program.
func reviews(ctx context.Context, s *deployed.Store, members map[int64]*Member) error {
	byChange := map[int64][]*Member{}
	for _, m := range members {
		if m.change != 0 {
			byChange[m.change] = append(byChange[m.change], m)
		}
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(byChange)), chunk) {
		ids := deployed.List(part)
		makers, err := makersOf(ctx, s, ids)
		if err != nil {
			return err
		}
		words, err := lastWords(ctx, s, ids)
		if err != nil {
			return err
		}
		for change, people := range words {
			for who, j := range people {
				if makers[change][who] {
					continue
				}
				for _, m := range byChange[change] {
					m.Reviews++
					if j.approves && j.counts {
						m.Approvals++
					}
				}
			}
		}
	}
	return nil
}

// lastWords are what people said last of changes, whoever of their accounts did: an
// account of which nothing is known is nobody, and so is a program.
func lastWords(ctx context.Context, s *deployed.Store, ids string) (map[int64]map[int64]judgement, error) {
	words := map[int64]map[int64]judgement{}
	err := s.Each(ctx, func(scan func(...any) error) error {
		var change, who int64
		var verdict, kind string
		var counts bool
		if err := scan(&change, &who, &kind, &verdict, &counts); err != nil {
			return err
		}
		approves := verdict == "approved"
		if stemma.Kind(kind) != stemma.KindPerson || !approves && verdict != "rejected" {
			return nil
		}
		if words[change] == nil {
			words[change] = map[int64]judgement{}
		}
		words[change][who] = judgement{approves, counts}
		return nil
	}, `SELECT r."change", COALESCE(s.self, p.id), p.kind, COALESCE(r."verdict", ''),
			CASE WHEN COALESCE(r."dismissed", 0) = 0 AND (r."head" IS NULL OR c."head" IS NULL OR r."head" = c."head") THEN 1 ELSE 0 END
		FROM k_review r CROSS JOIN k_change c CROSS JOIN node n CROSS JOIN node p LEFT JOIN same s ON s.id = p.id
		WHERE r."change" IN (`+ids+`) AND c.id = r."change" AND n.id = r.id AND p.id = r."reviewer"
		ORDER BY r."change", r."submitted", n.ref`)
	return words, err
}

// makersOf are those whose own the changes are: who opened them or wrote their commits,
// and who drove agents that did. A merge without a line of its own makes nobody one.
func makersOf(ctx context.Context, s *deployed.Store, ids string) (map[int64]map[int64]bool, error) {
	makers := map[int64]map[int64]bool{}
	err := s.Each(ctx, func(scan func(...any) error) error {
		var change, who int64
		err := scan(&change, &who)
		if makers[change] == nil {
			makers[change] = map[int64]bool{}
		}
		makers[change][who] = true
		return err
	}, `SELECT x.change, COALESCE(s.self, x.who) FROM (
			SELECT c.id AS change, c."author" AS who FROM k_change c WHERE c.id IN (`+ids+`)
			UNION SELECT e.src, k."author" FROM edge e CROSS JOIN k_commit k WHERE k.id = e.dst AND e.src IN (`+ids+`) AND e.door IN (`+s.Doors("carries")+`)
				AND NOT (COALESCE(k."merge", 0) = 1 AND COALESCE(k."added", 0) + COALESCE(k."deleted", 0) = 0)
			UNION SELECT e.src, e.dst FROM edge e WHERE e.src IN (`+ids+`) AND e.door IN (`+s.Doors("driver")+`)
			UNION SELECT r.id, e.dst FROM k_change_credit r CROSS JOIN edge e WHERE e.src = r."session" AND r.id IN (`+ids+`) AND e.door IN (`+s.Doors("operator")+`)) x
		LEFT JOIN same s ON s.id = x.who WHERE x.who IS NOT NULL`)
	return makers, err
}
