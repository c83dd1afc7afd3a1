package assess

import (
	"context"
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

// usedModels are changes that were made with models whose names fit patterns.
func (j *Judge) usedModels(ctx context.Context, patterns []string) ([]stemma.Ref, error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	names, err := j.refs(ctx, `SELECT DISTINCT "model_name" FROM k_change_credit WHERE "model_name" IS NOT NULL
		UNION SELECT DISTINCT "name" FROM k_session_model WHERE "name" IS NOT NULL ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	var changes []stemma.Ref
	for _, name := range names {
		if !subject.Matches(string(name), patterns...) {
			continue
		}
		some, err := j.refs(ctx, `SELECT n.ref FROM k_change_credit c JOIN node n ON n.id = c.id WHERE c."model_name" = $1
			UNION SELECT n.ref FROM k_session_model m JOIN edge e ON e.dst = m.id JOIN door d ON d.id = e.door JOIN node n ON n.id = e.src
				WHERE m."name" = $1 AND d.name = 'session' AND n.kind = 'change' ORDER BY 1`, string(name))
		if err != nil {
			return nil, err
		}
		changes = append(changes, some...)
	}
	return unique(changes), nil
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
