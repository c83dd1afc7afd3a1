package settle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/records"
)

// Fetched is where the notes of remotes are fetched to, see [records.Fetched].
const Fetched = records.Fetched

// mergeFetched brings the notes that were fetched from remotes together with
// those of the clone. Nothing is lost: notes on one commit that differ are joined.
func mergeFetched(ctx context.Context, repo *git.Repo, s *state, r *Report, now time.Time) error {
	refs, err := repo.RefNames(ctx, Fetched)
	if err != nil {
		return err
	}
	came := false
	for _, ref := range refs {
		if !strings.HasSuffix(ref.Name, "/ai") || s.merged[ref.Name] == ref.ID {
			continue
		}
		both, err := differing(ctx, repo, ref.Name)
		if err != nil {
			return err
		}
		if err := repo.MergeNotes(ctx, Ref, ref.Name); err != nil {
			return err
		}
		joined, err := join(ctx, repo, both, s, r)
		if err != nil {
			return err
		}
		if err := repo.AddNotes(ctx, Ref, joined, "Notes joined by stemma", now); err != nil {
			return err
		}
		s.merged[ref.Name] = ref.ID
		came = true
	}
	if came {
		return s.retry(ctx, repo)
	}
	return nil
}

// A pair is the notes of two sides on one commit.
type pair struct{ commit, ours, theirs string }

// differing are the commits on which both sides have notes that differ.
func differing(ctx context.Context, repo *git.Repo, other string) (list []pair, err error) {
	refs, err := repo.RefNames(ctx, Ref)
	if err != nil || !slices.ContainsFunc(refs, func(r git.Ref) bool { return r.Name == Ref }) {
		return nil, err
	}
	ours, _, err := repo.Notes(ctx, Ref)
	if err != nil {
		return nil, err
	}
	theirs, _, err := repo.Notes(ctx, other)
	if err != nil {
		return nil, err
	}
	at := map[string]string{}
	for _, n := range ours {
		at[n.Object] = n.Blob
	}
	for _, n := range theirs {
		if blob := at[n.Object]; blob != "" && blob != n.Blob {
			list = append(list, pair{n.Object, blob, n.Blob})
		}
	}
	return list, nil
}

// join makes one note of two.
func join(ctx context.Context, repo *git.Repo, both []pair, s *state, r *Report) (notes []git.NewNote, err error) {
	if len(both) == 0 {
		return nil, nil
	}
	var blobs []string
	for _, p := range both {
		blobs = append(blobs, p.ours, p.theirs)
	}
	var texts [][]byte
	for o, err := range repo.Objects(ctx, slices.Values(blobs), note.MaxRecord) {
		if err != nil {
			return nil, err
		}
		texts = append(texts, o.Data)
	}
	paths, err := pathsOfLost(ctx, repo, both)
	if err != nil {
		return nil, err
	}
	for i, p := range both {
		ours, theirs := gitai.Parse(texts[2*i]), gitai.Parse(texts[2*i+1])
		if !ours.Whole() || !theirs.Whole() {
			r.Kept = append(r.Kept, fmt.Sprintf("the note of commit %s: ours is kept, since one of two cannot be written again without loss", p.commit))
			continue
		}
		text, err := gitai.Merge(ours, theirs).Write()
		if err != nil {
			r.Kept = append(r.Kept, fmt.Sprintf("the note of commit %s: ours is kept: %v", p.commit, err))
			continue
		}
		notes = append(notes, git.NewNote{Object: p.commit, Text: text, Path: paths[p.commit]})
		if s.done[p.commit] == p.ours {
			s.settled(p.commit, "") // it is not ours alone any more
		}
	}
	return notes, nil
}

// pathsOfLost tells where the notes stand of the commits that are not in this clone.
func pathsOfLost(ctx context.Context, repo *git.Repo, both []pair) (map[string]string, error) {
	var ids []string
	for _, p := range both {
		ids = append(ids, p.commit)
	}
	here, err := repo.Readable(ctx, ids)
	if err != nil || !slices.ContainsFunc(ids, func(id string) bool { return !here[id] }) {
		return nil, err
	}
	notes, _, err := repo.Notes(ctx, Ref)
	paths := map[string]string{}
	for _, n := range notes {
		if slices.Contains(ids, n.Object) && !here[n.Object] {
			paths[n.Object] = n.Path
		}
	}
	return paths, err
}

// FetchedFrom is where the notes of one remote are fetched to, by its name or
// address.
func FetchedFrom(remote string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, remote)
	return Fetched + strings.Trim(name, "-") + "/ai"
}
