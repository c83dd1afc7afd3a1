package gather

import (
	"context"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// Statements are those that one page of changes asks.
func Statements(ctx context.Context, tx *storage.Tx, refs []stemma.Ref, opt Options) (list []string, err error) {
	g, err := open(ctx, tx)
	if err != nil {
		return nil, err
	}
	g.asked = func(query string) { list = append(list, query) }
	_, err = g.page(refs, opt)
	return list, err
}
