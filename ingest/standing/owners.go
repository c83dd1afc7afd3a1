package standing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/repo/clone"
	"github.com/stemma-dev/stemma/review"
	"github.com/stemma-dev/stemma/storage"
)

// maxOwners bounds a file of owners; forges take less.
const maxOwners = 4 << 20

// Owner is the role of whoever owns files of the change that they judged.
const Owner = "owner"

// Owners states which reviews of changes of a repository were given by owners of its
// code: by the file of owners at the commit that the default branch stood at when the
// review was given, as the forge reads it. Of changes for other branches it says nothing.
func Owners(ctx context.Context, space *ingest.Space, r *git.Repo, repository stemma.Ref, now func() time.Time) (n int, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("owners of %s: %w", repository, err)
		}
	}()
	c, err := clone.Open(ctx, r)
	if err != nil || c.Tip == "" {
		return 0, err
	}
	o := &owners{linker: &linker{ctx: ctx, space: space, now: now}, clone: c, repository: repository, of: map[stemma.Ref]string{}}
	if err := o.gather(); err != nil || len(o.given) == 0 {
		return 0, err
	}
	for _, step := range []func() error{o.bases, o.read} {
		if err := step(); err != nil {
			return 0, err
		}
	}
	return len(o.found), o.state(o.found, o.missed...)
}

// An owners looks at the reviews of one repository.
type owners struct {
	*linker
	clone      *clone.Repo
	repository stemma.Ref

	given   []given
	people  map[int64][]account
	of      map[stemma.Ref]string      // the commit at the base of each review
	entries map[string][]git.TreeEntry // files of owners at each commit
	found   []graded
	missed  []stemma.Gap
}

// gather finds the reviews of which it is not known that an owner gave them.
func (o *owners) gather() error {
	if err := o.load(); err != nil {
		return err
	}
	who := map[int64]bool{}
	err := o.reviews(`q.ref = $1`, []any{string(o.repository)}, func(g given) {
		if _, known := o.known[owning(g).Ref()]; !known && (g.target == "" || g.target == o.clone.BranchName()) {
			o.given = append(o.given, g)
			who[g.self] = true
		}
	})
	if err != nil {
		return err
	}
	o.people, err = o.accounts(who)
	return err
}

// owning is the standing of an owner.
func owning(g given) review.Standing {
	return review.Standing{Review: g.ref, Holder: g.reviewer, Role: Owner, Method: review.StandingOwners, As: g.at}
}

// bases finds where the default branch stood at each review: at the newest of its own
// commits that was not made later.
func (o *owners) bases() error {
	chain, err := o.clone.FirstParents(o.ctx, o.clone.Tip)
	if err != nil {
		return err
	}
	ids := map[stemma.Ref]bool{}
	for _, id := range chain {
		ids[o.clone.CommitRef(id)] = true
	}
	made := map[stemma.Ref]stemma.Moment{}
	err = storage.InChunks(ids, func(refs []any, marks string) error {
		return o.space.DB.Each(o.ctx, func(scan func(...any) error) error {
			var ref stemma.Ref
			var at stemma.Moment
			err := scan(&ref, &at)
			made[ref] = at
			return err
		}, `SELECT n.ref, COALESCE(c."committed", 0) FROM k_commit c JOIN node n ON n.id = c.id WHERE n.ref IN (`+marks+`)`, refs...)
	})
	if err != nil {
		return err
	}
	slices.SortFunc(o.given, func(a, b given) int { return cmp.Or(cmp.Compare(b.at, a.at), cmp.Compare(a.ref, b.ref)) })
	at := 0
	for _, g := range o.given { // the newest first, as the chain is
		for at < len(chain) && (made[o.clone.CommitRef(chain[at])] == 0 || made[o.clone.CommitRef(chain[at])] > g.at) {
			at++
		}
		if at < len(chain) {
			o.of[g.ref] = chain[at]
		}
	}
	return nil
}

// read follows the files of owners at the bases, with one process for all and one file
// at a time.
func (o *owners) read() (err error) {
	commits := slices.Sorted(maps.Values(o.of))
	commits = slices.Compact(commits)
	if len(commits) == 0 {
		return nil
	}
	cat, err := o.clone.CatFile(o.ctx, maxOwners)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cat.Close()) }()
	var places []string
	for _, d := range dialects {
		places = append(places, d.Files()...)
	}
	slices.Sort(places)
	if o.entries, err = cat.FindEach(commits, slices.Compact(places)); err != nil {
		return err
	}
	given := o.byBlob()
	for object, err := range cat.Objects(slices.Sorted(maps.Keys(given)), maxOwners) {
		if err != nil {
			return err
		}
		if object.Type != "blob" {
			continue
		}
		for _, d := range dialects {
			if err := o.follow(d, string(object.Data), given[object.ID]); err != nil {
				return err
			}
		}
	}
	return nil
}

var dialects = []identity.Dialect{identity.GitHubOwners, identity.GitLabOwners, identity.GiteaOwners}

// byBlob are the reviews by the file of owners that counts for them.
func (o *owners) byBlob() map[string][]given {
	by := map[string][]given{}
	for _, g := range o.given {
		if _, blob := o.file(dialectOf(g.platform), o.of[g.ref]); blob != "" {
			by[blob] = append(by[blob], g)
		}
	}
	return by
}

// follow finds which of the reviews to which a file of owners applies were given by owners.
func (o *owners) follow(d identity.Dialect, text string, all []given) error {
	var ownership *identity.Ownership
	for _, g := range all {
		if dialectOf(g.platform) != d {
			continue
		}
		if ownership == nil {
			read, err := identity.NewOwnership(d, text)
			if err != nil {
				o.miss(g, err)
				continue
			}
			ownership = read
		}
		paths, err := o.paths(g.change)
		if err != nil {
			return err
		}
		if !ownership.Affords(paths) {
			o.miss(g, fmt.Errorf("%w for %d files", identity.ErrUnwieldy, len(paths)))
			continue
		}
		o.find(g, ownership, paths)
	}
	return nil
}

// miss says that it cannot be told whether an owner gave a review.
func (o *owners) miss(g given, why error) {
	o.missed = append(o.missed, stemma.Gap{Source: Source, Place: string(g.ref), Reason: why.Error(), About: g.ref})
}

// find looks for files of a change whose owner gave the review.
func (o *owners) find(g given, ownership *identity.Ownership, paths []string) {
	s := owning(g)
	s.File, _ = o.file(dialectOf(g.platform), o.of[g.ref])
	s.Commit, s.Files = o.clone.CommitRef(o.of[g.ref]), len(paths)
	held := identity.InForce(o.held[g.self], g.at)
	for _, path := range paths {
		if via, ok := o.owns(g, held, ownership.Of(path)); ok {
			s.Owned++
			s.Via = cmp.Or(s.Via, via)
		}
	}
	if s.Owned > 0 {
		o.found = append(o.found, graded{s, stemma.GradeD})
	}
}

// dialectOf is how the forge of a change reads files of owners.
func dialectOf(platform string) identity.Dialect {
	switch platform {
	case change.GitLab:
		return identity.GitLabOwners
	case change.Gitea:
		return identity.GiteaOwners
	}
	return identity.GitHubOwners
}

// file is the file of owners that counts at a commit, with its blob.
func (o *owners) file(d identity.Dialect, commit string) (path, blob string) {
	for _, place := range d.Files() {
		for _, e := range o.entries[commit] {
			if e.Path == place {
				return place, e.ID
			}
		}
	}
	return "", ""
}

// owns reports whether a reviewer is among owners, and through which team.
func (o *owners) owns(g given, held []identity.Mandate, among []string) (via string, ok bool) {
	host, _ := o.repository.Split()
	for _, owner := range among {
		owner = strings.ToLower(owner)
		name, handle := strings.CutPrefix(owner, "@")
		for _, a := range o.people[g.self] {
			if handle && a.host == host && strings.EqualFold(a.login, name) || !handle && strings.EqualFold(a.mail, owner) {
				return "", true
			}
		}
		for _, m := range held {
			role, forAll := strings.CutPrefix(name, "@") // GitLab's "@@maintainers"
			switch {
			case m.Host != "" && m.Host != host || m.Repository != "" && m.Repository != g.repository:
			case m.Team != "" && strings.EqualFold(m.Team, owner), forAll && m.Team == "" && m.Role == strings.TrimSuffix(role, "s"):
				return owner, true
			}
		}
	}
	return "", false
}
