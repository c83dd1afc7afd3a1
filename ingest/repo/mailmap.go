package repo

import (
	"context"
	"errors"

	"github.com/stemma-dev/stemma/ingest/words"
)

// mailmap is where git looks for which addresses are of one person.
const mailmap = ".mailmap"

// maxMailmap bounds a mail map.
const maxMailmap = 1 << 20

// readMailmap reads the mail map at the tip of the default branch, if a commit that was
// read now has changed one.
func (s *scanner) readMailmap(ctx context.Context) (err error) {
	if !s.mailmap || s.repo.Tip == "" || s.lags {
		return nil
	}
	cat, err := s.repo.CatFile(ctx, maxMailmap)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cat.Close()) }()
	found, err := cat.Find(s.repo.Tip, mailmap)
	if err != nil || len(found) == 0 || found[0].ID == "" {
		return err
	}
	o, err := cat.Object(found[0].ID)
	if err != nil {
		return err
	}
	return s.w.Mailmap(ctx, words.Fit(string(o.Data)))
}
