package gather

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attest"
	"github.com/stemma-dev/stemma/ingest/statement"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/vault"
)

// Why a signature was not checked.
const (
	erased     = "erased"
	missing    = "missing"
	unreadable = "unreadable"
	elsewhere  = "elsewhere" // it holds, of something else
)

// maxKnown is how many results are remembered.
const maxKnown = 50_000

// A Verifier finds out who signed what subjects are told, by the trust that the settings
// of each say. It reads what was signed from a vault, and remembers what it found: the
// same bytes under the same trust are looked at once. Its methods may be called concurrently.
type Verifier struct {
	vault *vault.Vault

	mu    sync.Mutex
	trust map[string][]attest.Signer
	known map[check]checked
}

// A check is what a result depends on.
type check struct{ attestation, of, trust string }

// A checked is what came of a check. Of several who signed, all are kept: the one who may
// speak for the builder counts.
type checked struct {
	signature       string
	signers         []string
	builder, source string
}

// NewVerifier reads from a vault.
func NewVerifier(v *vault.Vault) *Verifier {
	return &Verifier{vault: v, trust: map[string][]attest.Signer{}, known: map[check]checked{}}
}

// Verify fills in who signed the attestations of subjects, and derives anew what follows.
// It is called outside of a transaction, since a vault has its own.
func (v *Verifier) Verify(ctx context.Context, subjects []*subject.Subject) error {
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(runtime.GOMAXPROCS(0)) // a signature of an identity takes some milliseconds
	seen := map[*subject.Subject]bool{} // a change that is asked for twice has one
	for _, s := range subjects {
		if seen[s] || len(s.Settings.Trust) == 0 || !slices.ContainsFunc(s.Artifacts, func(a subject.Artifact) bool { return len(a.Attestations) > 0 }) {
			continue // nobody decided whose word counts, or nobody gave it
		}
		seen[s] = true
		all.Go(func() error {
			if err := v.subject(ctx, s); err != nil {
				return fmt.Errorf("gathering change %s: %w", s.Change.Ref, err)
			}
			s.Derive()
			return nil
		})
	}
	return all.Wait()
}

func (v *Verifier) subject(ctx context.Context, s *subject.Subject) error {
	trust, err := v.signers(s.Settings.Trust)
	if err != nil {
		return err
	}
	for _, a := range s.Artifacts {
		for j := range a.Attestations {
			if err := v.verify(ctx, &a.Attestations[j], a.Ref, trust, s.Settings.Trust); err != nil {
				return err
			}
		}
	}
	return nil
}

// signers makes a trust map ready, and gives what tells it from others.
func (v *Verifier) signers(list []subject.Signer) (string, error) {
	text, err := json.Marshal(list)
	if err != nil {
		return "", err
	}
	key := stemma.Sum(text).String()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.trust[key] != nil {
		return key, nil
	}
	v.trust[key], err = Signers(list)
	return key, err
}

// Signers makes a trust map ready.
func Signers(list []subject.Signer) ([]attest.Signer, error) {
	signers := []attest.Signer{}
	for _, t := range list {
		s, err := attest.Terms{Name: t.Name, Key: t.Key, KeyID: t.KeyID, Issuer: t.Issuer, Identity: t.Identity, Root: t.Root}.Signer()
		if err != nil {
			return nil, fmt.Errorf("the signer %.100q: %w", t.Name, err)
		}
		signers = append(signers, s)
	}
	return signers, nil
}

// Signed is what is known of a statement by a trust map.
func Signed(s statement.Statement, by []attest.Signer, trust []subject.Signer) subject.Attestation {
	t := subject.Attestation{Thing: subject.Thing{Ref: string(s.Record("", time.Time{}).Ref())}, Predicate: s.PredicateType, Builder: s.Builder, Source: string(s.Source())}
	found := whoSigned(s, by)
	found.tell(&t, trust)
	return t
}

// verify fills in one attestation of an artifact.
func (v *Verifier) verify(ctx context.Context, t *subject.Attestation, of, trust string, signers []subject.Signer) error {
	if t.Signature != "" { // there is nothing to read
		return nil
	}
	key := check{t.Ref, of, trust}
	v.mu.Lock()
	found, known := v.known[key]
	by := v.trust[trust]
	v.mu.Unlock()
	if !known {
		var err error
		if found, err = v.check(ctx, stemma.Ref(t.Ref), stemma.Ref(of), by); err != nil {
			return err
		}
		v.remember(key, found)
	}
	found.tell(t, signers)
	return nil
}

// tell fills in what was found.
func (c checked) tell(t *subject.Attestation, trust []subject.Signer) {
	t.Signature = c.signature
	if t.Signature != string(attest.Holds) {
		return
	}
	t.Verified, t.Trusted, t.Grade = true, true, string(stemma.GradeB)
	t.Builder, t.Source, t.Signer = c.builder, c.source, c.signers[0]
	for _, s := range trust {
		if slices.Contains(c.signers, s.Name) && s.SpeaksFor(t.Builder) {
			t.Signer = s.Name
		}
	}
}

// remember keeps what bytes gave, but not that there were none: they may come back.
func (v *Verifier) remember(key check, found checked) {
	if found.signature == missing || found.signature == erased || found.signature == unreadable {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.known) >= maxKnown {
		clear(v.known)
	}
	v.known[key] = found
}

// check reads what was signed and finds out by whom. An attestation is named by the digest of
// its bytes.
func (v *Verifier) check(ctx context.Context, attestation, of stemma.Ref, signers []attest.Signer) (checked, error) {
	_, hex := attestation.Split()
	digest, err := stemma.ParseDigest(hex)
	if err != nil {
		return checked{signature: unreadable}, nil
	}
	raw, err := v.vault.Get(ctx, attestation, digest)
	switch {
	case errors.Is(err, vault.ErrErased):
		return checked{signature: erased}, nil
	case errors.Is(err, stemma.ErrNotFound):
		return checked{signature: missing}, nil
	case errors.Is(err, stemma.ErrTampered):
		return checked{signature: unreadable}, nil
	case err != nil:
		return checked{}, err
	}
	list, _ := statement.Parse(raw)
	if len(list) != 1 {
		return checked{signature: unreadable}, nil
	}
	found := whoSigned(list[0], signers)
	if found.signature == string(attest.Holds) && !list[0].Speaks(of) {
		return checked{signature: elsewhere}, nil
	}
	return found, nil
}

func whoSigned(s statement.Statement, signers []attest.Signer) checked {
	state, names := attest.Check(s.Signed, signers)
	if state == attest.Holds && !s.InToto() {
		return checked{signature: elsewhere}
	}
	return checked{string(state), names, s.Builder, string(s.Source())}
}
