package clone

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/storage"
)

// homeless is the host of a repository without a remote.
const homeless = "local"

// How a name was found to be another one of a known repository.
const (
	methodSameClone     = "same-clone"     // the clone that was read under the first name has this one now
	methodSharedHistory = "shared-history" // one of both has no home, and one history holds the other
)

// A search finds out which repository a clone is of.
type search struct {
	*Repo
	space      *ingest.Space
	now        time.Time
	repository stemma.Ref
	record     change.Repository
	host, name string
}

// Identify tells which repository this is: what is known of it now, and the
// name by which its messages call it, which is empty where the clone has no
// remote and no ref moved since it was read.
func (r *Repo) Identify(ctx context.Context, space *ingest.Space, now time.Time) (record change.Repository, name string, err error) {
	s := search{Repo: r, space: space, now: now}
	if err := s.identify(ctx); err != nil {
		return change.Repository{}, "", err
	}
	return s.record, s.name, nil
}

// identify names the repository by where it is at home, or by its first
// commit if it has no home, and finds what an earlier scan called it.
func (s *search) identify(ctx context.Context) error {
	marks, err := s.repositories(ctx)
	if err != nil {
		return err
	}
	web := ""
	s.host, s.name, web = change.ParseRemote(s.OriginURL())
	if s.name == "" {
		s.host, s.repository = homeless, s.unmoved(marks)
	}
	if s.name == "" && s.repository == "" {
		if s.name, err = s.root(ctx); err != nil {
			return err
		}
	}
	alias := stemma.Edge{}
	if s.repository == "" {
		if alias, err = s.recognise(ctx, marks, change.RepositoryRef(s.host, s.name)); err != nil {
			return err
		}
	}
	s.record = change.Repository{
		ID: s.repository, Name: s.name, Host: s.host, URL: web,
		DefaultBranch: shortBranch(s.Branch), ObjectFormat: s.Format,
		Shallow: s.Shallow, Partial: s.Partial, Bare: s.Bare,
		Occurred: stemma.At(s.now),
	}
	if alias.To != "" {
		s.record.Aliases = []stemma.Edge{alias}
	}
	if err := s.keepName(ctx); err != nil {
		return err
	}
	if s.Tip != "" {
		s.record.Tip = s.CommitRef(s.Tip)
	}
	return nil
}

// root names a repository without a remote: by the first commit of its
// history, or by its place while it has none.
func (s *search) root(ctx context.Context) (string, error) {
	if s.Tip != "" {
		chain, err := s.FirstParents(ctx, s.Tip)
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		if err == nil && len(chain) > 0 { // else a commit is missing, and nobody knows the first
			return chain[len(chain)-1][:12], nil
		}
	}
	sum := sha256.Sum256([]byte(s.CommonDir))
	return "at-" + hex.EncodeToString(sum[:6]), nil
}

// recognise decides which repository is read, given the name that this clone
// bears: the one of that name if there is any, else the one that went by it, else
// one that the same clone, or a clone that has no remote, shows to be the same.
// A name that is new to it becomes an alias. Two homes are two repositories,
// whatever they share, unless the same clone moved from one to the other: a fork
// looks like that.
func (s *search) recognise(ctx context.Context, marks map[stemma.Ref]*Mark, named stemma.Ref) (alias stemma.Edge, err error) {
	s.repository = named
	if marks[named] != nil {
		return alias, nil
	}
	known, err := s.aliased(ctx, named)
	if err != nil || known != "" {
		s.repository = known
		return alias, err
	}
	place := s.Place()
	var same, akin []stemma.Ref
	for _, ref := range slices.Sorted(maps.Keys(marks)) {
		mark := marks[ref]
		here := mark.Before(s.Repo).Path == place || len(mark.Clones) == 0 && mark.Path == place
		host, _, _ := strings.Cut(ref.Key(), "/")
		if !here && host != homeless && s.host != homeless {
			continue
		}
		shared, err := s.sharesHistory(ctx, ref, mark)
		if err != nil {
			return alias, err
		}
		switch {
		case here && (shared || len(mark.Heads) == 0):
			same = append(same, ref)
		case !here && shared:
			akin = append(akin, ref)
		}
	}
	switch {
	case len(same) == 1:
		s.repository, alias = same[0], stemma.Edge{To: named, Method: methodSameClone}
	case len(same) == 0 && len(akin) == 1:
		s.repository, alias = akin[0], stemma.Edge{To: named, Method: methodSharedHistory}
	}
	return alias, nil
}

// repositories are the bookmarks of all repositories that were read.
func (s *search) repositories(ctx context.Context) (map[stemma.Ref]*Mark, error) {
	all, err := s.space.Bookmarks(ctx)
	if err != nil {
		return nil, err
	}
	marks := map[stemma.Ref]*Mark{}
	for _, b := range all {
		mark := &Mark{}
		if strings.HasPrefix(b.Source, string(stemma.KindRepository)+":") && json.Unmarshal([]byte(b.State), mark) == nil {
			marks[stemma.Ref(b.Source)] = mark
		}
	}
	return marks, nil
}

// unmoved is what a scan of this place called the repository, if no ref has moved
// since: then there is no need to look for its first commit.
func (s *search) unmoved(marks map[stemma.Ref]*Mark) stemma.Ref {
	place, digest := s.Place(), s.Digest()
	for ref, mark := range marks {
		if mark.Path == place && mark.Refs == digest {
			return ref
		}
	}
	return ""
}

// aliased is the repository that went by a name, or nothing.
func (s *search) aliased(ctx context.Context, name stemma.Ref) (ref stemma.Ref, err error) {
	err = s.space.DB.Read(ctx, func(tx *storage.Tx) error {
		err := tx.QueryRow(ctx, `SELECT n.ref FROM node a JOIN edge e ON e.dst = a.id JOIN door d ON d.id = e.door JOIN node n ON n.id = e.src
			WHERE a.ref = $1 AND d.name = 'alias' ORDER BY n.id LIMIT 1`, string(name)).Scan((*string)(&ref))
		if errors.Is(err, stemma.ErrNotFound) {
			return nil
		}
		return err
	})
	return ref, err
}

// sharesHistory reports whether this clone holds a tip that was read of the other
// repository, or its own tip was read there.
func (s *search) sharesHistory(ctx context.Context, ref stemma.Ref, mark *Mark) (bool, error) {
	if s.Tip == "" {
		return false, nil
	}
	here, err := s.Commits(ctx, slices.Collect(maps.Values(mark.Landed)))
	if err != nil || len(here) > 0 {
		return len(here) > 0, err
	}
	n := 0
	err = s.space.DB.Read(ctx, func(tx *storage.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM node n JOIN k_commit c ON c.id = n.id JOIN node r ON r.id = c.repository
			WHERE n.ref = $1 AND r.ref = $2`, string(s.CommitRef(s.Tip)), string(ref)).Scan(&n)
	})
	return n > 0, err
}

// keepName leaves out of the record what this clone has no news of: where the
// repository is at home, if the clone has no remote or still has the first one.
func (s *search) keepName(ctx context.Context) error {
	if s.host != homeless && s.repository != change.RepositoryRef(s.host, s.name) {
		return nil
	}
	err := s.space.DB.Read(ctx, func(tx *storage.Tx) error {
		var host, name, web string
		err := tx.QueryRow(ctx, `SELECT COALESCE(k.host, ''), COALESCE(k.name, ''), COALESCE(k.url, '') FROM k_repository k JOIN node n ON n.id = k.id
			WHERE n.ref = $1`, string(s.repository)).Scan(&host, &name, &web)
		if errors.Is(err, stemma.ErrNotFound) {
			return nil
		}
		if err == nil && host != "" {
			s.host, s.record.Host, s.record.Name, s.record.URL = host, host, name, web
		}
		return err
	})
	return err
}
