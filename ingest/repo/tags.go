package repo

import (
	"context"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/words"
	"github.com/stemma-dev/stemma/storage"
)

// readTags states as a release every tag that this clone did not show before as
// it is. A tag that points elsewhere is another fact about the same release, so a
// moved tag shows. One that this clone showed and has no more was deleted; a clone
// that is read for the first time and has it as it was does not bring it back.
func (s *scanner) readTags(ctx context.Context) error {
	now := s.repo.Tags()
	known, err := s.knownReleases(ctx)
	if err != nil {
		return err
	}
	for name := range s.before.Tags {
		if now[name] != "" {
			continue
		}
		gone := change.Release{Repository: s.record.ID, Name: name, Annotated: known[name].annotated, Deleted: new(bool)}
		*gone.Deleted = true
		if err := s.w.Record(ctx, gone, sourceGit, stemma.GradeD); err != nil {
			return err
		}
	}
	for _, r := range s.repo.Refs {
		name, isTag := strings.CutPrefix(r.Name, "refs/tags/")
		if !isTag {
			continue
		}
		if s.before.Tags[words.Fit(name)] == now[words.Fit(name)] {
			continue
		}
		release := change.Release{Repository: s.record.ID, Name: words.Fit(name), Deleted: new(bool)}
		if r.Type == "commit" || r.Tag != nil && s.graph.Has(r.Peeled) || s.weave != nil && s.weave.Has(r.Peeled) {
			release.Target = s.repo.CommitRef(r.Peeled)
		}
		if err := s.describeTag(ctx, &release, r); err != nil {
			return err
		}
		if was := known[release.Name]; was.deleted && s.before.Path == "" && was.target == release.Target {
			continue
		}
		if err := s.w.Record(ctx, release, sourceGit, stemma.GradeD); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) describeTag(ctx context.Context, release *change.Release, r git.Ref) error {
	if r.Tag == nil {
		return nil
	}
	release.Annotated, release.TagObject = true, r.ID
	release.Title = words.Title(r.Tag.Message)
	release.Tagged = stemma.At(r.Tag.Tagger.When)
	release.Signature = string(r.Tag.Signature)
	var err error
	release.Tagger, err = s.w.Who(ctx, r.Tag.Tagger)
	return err
}

// A knownRelease is a tag as it was stated last.
type knownRelease struct {
	target             stemma.Ref
	annotated, deleted bool
}

// knownReleases are the tags that are known, by name.
func (s *scanner) knownReleases(ctx context.Context) (map[string]knownRelease, error) {
	known := map[string]knownRelease{}
	err := s.space.DB.Read(ctx, func(tx *storage.Tx) error {
		rows, err := tx.Query(ctx, `SELECT k.name, COALESCE(t.ref, ''), COALESCE(k.annotated, 0), COALESCE(k.deleted, 0)
			FROM k_release k JOIN node r ON r.id = k.repository LEFT JOIN node t ON t.id = k.target WHERE r.ref = $1`, string(s.record.ID))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			var one knownRelease
			var annotated, deleted int
			if err := rows.Scan(&name, (*string)(&one.target), &annotated, &deleted); err != nil {
				return err
			}
			one.annotated, one.deleted = annotated != 0, deleted != 0
			known[name] = one
		}
		return rows.Err()
	})
	return known, err
}
