package gather

import (
	"context"
	"fmt"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/storage"
)

// Counted is Changes for one page, which counts the statements.
func Counted(ctx context.Context, tx *storage.Tx, refs []stemma.Ref, opt Options, n *int) (map[stemma.Ref]*subject.Subject, error) {
	if len(refs) > page {
		return nil, fmt.Errorf("%d changes are more than a page", len(refs))
	}
	g, err := open(ctx, tx)
	if err != nil {
		return nil, err
	}
	g.asked = func() { *n++ }
	return g.page(refs, opt)
}
