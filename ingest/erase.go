package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/vault"
)

// sourceErasure is what gaps say they come from that account for what was erased.
const sourceErasure = "erasure"

// maxGround bounds why something is erased.
const maxGround = 600

// An Erasure says what is to be forgotten, and on what ground.
type Erasure struct {
	What       stemma.Ref // whose bodies: of a person also the name
	Name, Mail string     // who says so
	Ground     string
}

// An Erased tells what is gone.
type Erased struct {
	What   stemma.Ref   `json:"ref"`
	Bodies int          `json:"bodies"` // prompts, transcripts, reports, records
	Name   bool         `json:"name"`   // who the pseudonym stands for
	Others []stemma.Ref `json:"others"` // further accounts of that person, which are still there
}

// Erase makes the bodies of a thing unreadable for ever and, of a person, forgets who the
// account is; neither is taken in again. Facts stay as they are. That it was done, by whom
// and why stands as a gap about the thing before anything is destroyed: if that fails in
// the middle, it is to be done again. Copies of the database made before have it all.
func (s *Space) Erase(ctx context.Context, now func() time.Time, e Erasure) (Erased, error) {
	gone := Erased{What: e.What, Others: []stemma.Ref{}}
	var err error
	if gone.Bodies, err = s.Vault.Count(ctx, e.What); err != nil {
		return gone, err
	}
	person := e.What.Kind() == stemma.KindPerson || e.What.Kind() == stemma.KindBot
	if person {
		if gone.Name, err = s.named(ctx, e.What); err != nil {
			return gone, err
		}
		all, err := s.Graph.Same(ctx, e.What)
		if err != nil {
			return gone, err
		}
		gone.Others = slices.DeleteFunc(all, func(o stemma.Ref) bool { return o == e.What })
	}
	known, err := s.Graph.Nodes(ctx, e.What)
	if err != nil {
		return gone, err
	}
	if len(known) == 0 && gone.Bodies == 0 && !gone.Name {
		return gone, fmt.Errorf("erasing %s: there is nothing of it: %w", e.What, stemma.ErrNotFound)
	}
	if err := s.stateErasure(ctx, now, e); err != nil {
		return gone, err
	}
	if err := s.Vault.Erase(ctx, e.What); err != nil {
		return gone, err
	}
	if person {
		return gone, s.forget(ctx, e.What, now())
	}
	return gone, nil
}

// stateErasure says what is erased, by whom and why.
func (s *Space) stateErasure(ctx context.Context, now func() time.Time, e Erasure) error {
	w := NewWriter(ctx, s, now)
	by := w.Person(e.Name, e.Mail, "")
	err := w.Gap(ctx, stemma.Gap{
		Source: sourceErasure, Place: string(e.What), About: e.What, Seen: now(),
		Reason: fmt.Sprintf("erased by %s: %s", by, stemma.CleanText(e.Ground, maxGround)),
	})
	return errors.Join(err, w.Close(ctx))
}

// Accounted reports whether it is said on what ground the bodies of a thing were erased.
func Accounted(ctx context.Context, db *storage.DB, owner stemma.Ref) (stands bool, err error) {
	err = db.Read(ctx, func(tx *storage.Tx) error {
		return tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM k_gap g JOIN node n ON n.id = g."about" WHERE g."source" = $1 AND n.ref = $2)`,
			sourceErasure, string(owner)).Scan(&stands)
	})
	if err != nil {
		err = fmt.Errorf("ingest: on what ground %s was erased: %w", owner, err)
	}
	return stands, err
}

// named reports whether it is known who an account is.
func (s *Space) named(ctx context.Context, ref stemma.Ref) (known bool, err error) {
	err = s.DB.Read(ctx, func(tx *storage.Tx) error {
		return tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM profile WHERE ref = $1 AND erased = 0)`, string(ref)).Scan(&known)
	})
	if err != nil {
		err = fmt.Errorf("ingest: who %s is: %w", ref, err)
	}
	return known, err
}

// forget forgets who an account is, for good.
func (s *Space) forget(ctx context.Context, ref stemma.Ref, at time.Time) error {
	err := s.DB.Write(ctx, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO profile (ref, erased) VALUES ($1, $2)
			ON CONFLICT (ref) DO UPDATE SET name = '', email = '', login = '', host = '', account = '', erased = excluded.erased`, string(ref), at.UnixMicro())
		return err
	})
	if err == nil {
		err = s.DB.Scrub(ctx)
	}
	if err != nil {
		return fmt.Errorf("ingest: forgetting who %s is: %w", ref, err)
	}
	return nil
}

// keep stores bodies, but not those whose owner was erased.
func (s *Space) keep(ctx context.Context, bodies []vault.Sealed) error {
	_, err := s.Vault.PutAll(ctx, bodies...)
	if !errors.Is(err, vault.ErrErased) {
		return err
	}
	gone := map[stemma.Ref]bool{}
	for _, b := range bodies {
		if _, asked := gone[b.Owner]; asked {
			continue
		}
		if gone[b.Owner], err = s.Vault.Erased(ctx, b.Owner); err != nil {
			return err
		}
	}
	_, err = s.Vault.PutAll(ctx, slices.DeleteFunc(slices.Clone(bodies), func(b vault.Sealed) bool { return gone[b.Owner] })...)
	return err
}
