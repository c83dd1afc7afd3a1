package assess

import (
	"context"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/policy/subject"
)

// advised are the patterns of models and the packages that advisories are about, or were:
// what one no longer names is judged again too.
func (j *Judge) advised(ctx context.Context, advisories []stemma.Ref) (models, packages []string, err error) {
	for e, err := range j.Space.Ledger.About(ctx, advisories...) {
		if err != nil {
			return nil, nil, err
		}
		a, err := governance.AdvisoryFromFact(e.Fact)
		if err != nil {
			continue // as the graph does
		}
		if a.Model != "" {
			models = append(models, a.Model)
		}
		for _, of := range a.Affects {
			if n := len(packages); n == 0 || packages[n-1] != of.Package {
				packages = append(packages, of.Package)
			}
		}
	}
	return unique(models), unique(packages), nil
}

func unique[T ~string](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

// usedModels are changes that were made with models that patterns name, by sessions that led to
// them or were above one that did.
func (j *Judge) usedModels(ctx context.Context, patterns []string) (changes []stemma.Ref, err error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	used := map[string]string{} // by name as its tool spells it, or else by ref, the column
	err = j.Space.DB.Each(ctx, func(scan func(...any) error) error {
		var m subject.Model
		err := scan(&m.Name, &m.Ref)
		switch {
		case !m.Fits(patterns...):
		case m.Name != "":
			used[m.Name] = "name"
		default:
			used[m.Ref] = "ref"
		}
		return err
	}, `SELECT COALESCE(u.name, ''), COALESCE(m.ref, '') FROM (SELECT "model_name" AS name, "model" AS model FROM k_change_credit UNION SELECT "name", "model" FROM k_session_model) u
		LEFT JOIN node m ON m.id = u.model`)
	if err != nil {
		return nil, err
	}
	var sessions []stemma.Ref
	for _, called := range slices.Sorted(maps.Keys(used)) {
		credit, use := `c."model_name" = $1`, `m."name" = $1`
		if used[called] == "ref" {
			credit = `c."model_name" IS NULL AND c."model" = (SELECT o.id FROM node o WHERE o.ref = $1)`
			use = `m."name" IS NULL AND m."model" = (SELECT o.id FROM node o WHERE o.ref = $1)`
		}
		some, err := j.refs(ctx, `SELECT n.ref FROM k_change_credit c JOIN node n ON n.id = c.id WHERE `+credit, called)
		if err != nil {
			return nil, err
		}
		made, err := j.refs(ctx, `SELECT n.ref FROM k_session_model m JOIN node n ON n.id = m.id WHERE `+use, called)
		if err != nil {
			return nil, err
		}
		changes, sessions = append(changes, some...), append(sessions, made...)
	}
	some, err := concerned(ctx, j.Space.DB, unique(sessions))
	return unique(append(changes, some...)), err
}

// withPackages are the changes of which something was built that consists of one of some
// packages, or of what was built of one, by its bill of materials.
func (j *Judge) withPackages(ctx context.Context, packages []string) ([]stemma.Ref, error) {
	boms, err := among(ctx, j, unique(packages), `SELECT n.ref FROM (SELECT t.id FROM k_bom_component t WHERE t."package" IN ({these})
			UNION SELECT t.id FROM k_bom_component t WHERE t."source" IN ({these})) b JOIN node n ON n.id = b.id`)
	if err != nil || len(boms) == 0 {
		return nil, err
	}
	return concerned(ctx, j.Space.DB, boms)
}
