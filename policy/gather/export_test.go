package gather

import (
	"context"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact/purl"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/storage"
)

// Statements are those that one page of changes asks.
func Statements(ctx context.Context, tx *storage.Tx, refs []stemma.Ref, opt Options) (list []string, err error) {
	g := open(ctx, tx, opt)
	g.asked = func(query string) { list = append(list, query) }
	_, err = g.page(refs)
	return list, err
}

// Affects is what the rows of an advisory say of a version of a package.
func Affects(rows []governance.Affected, text string) (hit bool, unsure string) {
	var steps []step
	for _, r := range rows {
		steps = append(steps, step{ecosystem: r.Ecosystem, event: r.Event, version: r.Version, span: r.Range})
	}
	p, _ := purl.Parse(text)
	return affects(steps, p)
}
