package repo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/records"
	"github.com/stemma-dev/stemma/ingest/statement"
	"github.com/stemma-dev/stemma/ingest/words"
)

const sourceAttestation = "git-attestation"

// The places where tools keep attestations in a repository.
const provenanceNotes = "refs/notes/commits" // git's default notes ref, also used for words of people

// readAttestations keeps the attestations of others, unverified, with their
// bytes: provenance and summaries in notes, gittuf's attestations, and gittuf's
// log of where refs pointed.
func (s *scanner) readAttestations(ctx context.Context) error {
	if err := s.readProvenanceNotes(ctx); err != nil {
		return err
	}
	for _, prefix := range []string{"refs/gittuf/", "refs/gittuf-dogfood/"} {
		if err := s.readGittuf(ctx, prefix); err != nil {
			return err
		}
	}
	return nil
}

// moved reports whether a ref points elsewhere than at the last scan, and
// remembers where.
func (s *scanner) moved(name string) (git.Ref, bool) {
	r, ok := s.repo.Named(name)
	if !ok || r.Type == "" || s.mark.Notes[name] == r.ID {
		return r, false
	}
	s.mark.Notes[name], s.fresh[name] = r.ID, true
	return r, true
}

func (s *scanner) readProvenanceNotes(ctx context.Context) error {
	ref, ok := s.moved(provenanceNotes)
	if !ok {
		return nil
	}
	notes, others, err := s.repo.Notes(ctx, ref.ID)
	if err != nil {
		return s.w.Gap(ctx, stemma.Gap{Source: sourceAttestation, Place: ref.Name, Reason: err.Error(), Object: s.repo.LostTree(ctx, ref.ID, err)})
	}
	if others > 0 {
		gap := stemma.Gap{Source: sourceAttestation, Place: ref.Name, Reason: "entries that are no notes", Count: int64(others)}
		if err := s.w.Gap(ctx, gap); err != nil {
			return err
		}
	}
	blobs := func(yield func(string) bool) {
		for _, n := range notes {
			if !yield(n.Blob) {
				return
			}
		}
	}
	i := 0
	for o, err := range s.repo.Objects(ctx, blobs, note.MaxRecord) {
		if err != nil {
			return err
		}
		n := notes[i]
		i++
		about := []stemma.Edge{{To: s.repo.CommitRef(n.Object), Method: "note"}}
		if err := s.stateStatements(ctx, o, "note "+n.Object, about); err != nil {
			return err
		}
	}
	return nil
}

// stateStatements states every attestation in an object.
func (s *scanner) stateStatements(ctx context.Context, o git.Object, place string, about []stemma.Edge) error {
	if o.Data == nil {
		return s.w.Gap(ctx, stemma.Gap{Source: sourceAttestation, Place: place, Reason: records.Unreadable(o), Object: records.Lost(o)})
	}
	statements, problems := statement.Parse(o.Data)
	for _, p := range problems {
		gap := stemma.Gap{Source: sourceAttestation, Place: place + " " + p.Place, Reason: p.Reason, Count: int64(p.Count)}
		if err := s.w.Gap(ctx, gap); err != nil {
			return err
		}
	}
	for _, st := range statements {
		if err := s.stateStatement(ctx, st, place, about); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) stateStatement(ctx context.Context, st statement.Statement, place string, about []stemma.Edge) error {
	raw := slices.Clone(st.Raw)
	a := st.Record(words.Short(place, words.MaxTitle), time.Time{}) // not the time of the scan: a second one finds the same
	for _, e := range about {
		a.About = stemma.AddEdge(a.About, e)
	}
	body, err := s.w.Body(ctx, a.Ref(), "attestation", "application/json", raw)
	if err != nil {
		return err
	}
	a.Bodies = []stemma.Body{body}
	return s.w.Once(ctx, a.Ref(), a)
}

// readGittuf reads gittuf's attestations and its reference state log.
func (s *scanner) readGittuf(ctx context.Context, prefix string) error {
	if ref, ok := s.moved(prefix + "attestations"); ok {
		if err := s.readGittufTree(ctx, ref); err != nil {
			return err
		}
	}
	ref, ok := s.moved(prefix + "reference-state-log")
	if !ok {
		return nil
	}
	for c, err := range history.Log(ctx, s.repo.Repo, history.Options{Tips: []string{ref.ID}, NoDiff: true}) {
		if err != nil {
			return s.w.Gap(ctx, stemma.Gap{Source: sourceAttestation, Place: ref.Name, Reason: err.Error(), Object: s.repo.LostTree(ctx, ref.ID, err)})
		}
		if err := s.stateGittufEntry(ctx, ref.Name, c); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) readGittufTree(ctx context.Context, ref git.Ref) error {
	var paths, blobs []string
	for entry, err := range s.repo.Tree(ctx, ref.ID, "", true) {
		if err != nil {
			return s.w.Gap(ctx, stemma.Gap{Source: sourceAttestation, Place: ref.Name, Reason: err.Error(), Object: s.repo.LostTree(ctx, ref.ID, err)})
		}
		if entry.Type == "blob" {
			paths, blobs = append(paths, entry.Path), append(blobs, entry.ID)
		}
	}
	i := 0
	for o, err := range s.repo.Objects(ctx, slices.Values(blobs), note.MaxRecord) {
		if err != nil {
			return err
		}
		place := ref.Name + ":" + quote.Path(paths[i])
		i++
		if err := s.stateStatements(ctx, o, place, nil); err != nil {
			return err
		}
	}
	return nil
}

// stateGittufEntry keeps one entry of the log as an attestation about the
// commit that a ref was moved to.
func (s *scanner) stateGittufEntry(ctx context.Context, ref string, c *history.Commit) error {
	entry, why := statement.ParseGittufEntry(c.Message)
	if why != "" {
		return s.w.Gap(ctx, stemma.Gap{Source: sourceAttestation, Place: ref + " " + c.ID, Reason: why})
	}
	raw := []byte(words.Fit(c.Message))
	a := artifact.Attestation{
		ID:            artifact.AttestationRef(stemma.Sum([]byte(c.ID + "\n" + string(raw)))),
		PredicateType: "gittuf-rsl-" + entry.Kind, PayloadType: "text/plain", Media: "git-commit",
		Place: words.Short(fmt.Sprintf("%s %s", ref, c.ID), words.MaxTitle), SignerHint: string(c.Signature),
		Occurred: stemma.At(c.Committer.When),
	}
	if target := change.ShaRef(entry.Target); target != "" {
		a.Subjects = 1
		a.About = []stemma.Edge{{To: target, Method: "reference-state-log"}}
	}
	body, err := s.w.Body(ctx, a.Ref(), "entry", "text/plain", raw)
	if err != nil {
		return err
	}
	a.Bodies = []stemma.Body{body}
	return s.w.Once(ctx, a.Ref(), a)
}
