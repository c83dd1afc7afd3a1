// Package attest checks who signed a statement, offline: signatures of DSSE envelopes,
// by keys that somebody trusts, or by identities under a root that somebody trusts. It says
// what is known and nothing more: that a signer who is trusted signed, that the signature
// does not hold, or that nobody knows who signed.
//
// What is checked are the bytes that were signed. Whoever reads a statement reads it from
// [Envelope.Payload], so that what is believed is what was checked.
//
// The package opens no file, asks no network and reads no clock.
package attest

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/stemma-dev/stemma/attest/keyless"
)

// An Envelope is what was signed, and by whom it says it was.
type Envelope struct {
	PayloadType string // as it is written
	Payload     []byte
	Signatures  []Signature
	Certificate []byte // of who signed a bundle, in DER
	Bundle      []byte // a bundle as it is stored
}

// A Signature is one of an envelope. Its key id is a hint that nobody signed.
type Signature struct {
	KeyID string
	Sig   []byte
}

// A Signer is somebody who is trusted: by a public key, or by an identity under a root.
type Signer struct {
	Name     string
	Key      Key
	Root     *keyless.Root // in the place of a key
	Issuer   string        // who let the identity in
	Identity string        // pattern: "*" stands for any characters but "/", "**" for any
}

// A State is what is known of who signed.
type State string

// The states.
const (
	Holds    State = "holds"    // a signer who is trusted signed it
	Stranger State = "stranger" // it is signed, and it is not known that one who is trusted did
	Broken   State = "broken"   // the key that it names, or brings, did not sign this
	Unsigned State = "unsigned" // it has no signature
)

// maxSignatures is how many signatures of an envelope are looked at.
const maxSignatures = 16

// Check finds out which of some signers signed an envelope, by their names in the order
// of the signers.
func Check(e Envelope, signers []Signer) (State, []string) {
	e.Signatures = e.Signatures[:min(len(e.Signatures), maxSignatures)]
	if len(e.Signatures) == 0 {
		return Unsigned, nil
	}
	message := encode(e)
	broken, names := e.breaks(message), []string(nil)
	for _, s := range signers {
		signed, denied := s.signed(e, message)
		if signed && !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
		broken = broken || denied
	}
	switch {
	case len(names) > 0:
		return Holds, names
	case broken:
		return Broken, nil
	}
	return Stranger, nil
}

// signed reports whether a signer signed, and whether the envelope says so and it is not
// so.
func (s Signer) signed(e Envelope, message []byte) (signed, denied bool) {
	if s.Root != nil {
		if e.Bundle == nil || len(e.Certificate) == 0 {
			return false, false
		}
		who, err := s.Root.Signer(e.Bundle, e.Payload)
		if err != nil || who.Issuer != s.Issuer {
			return false, false
		}
		fits, err := doublestar.Match(s.Identity, who.Subject)
		return err == nil && fits, false
	}
	for _, sig := range e.Signatures {
		if s.Key.signed(message, sig.Sig) {
			return true, false
		}
		denied = denied || s.Key.called(sig.KeyID)
	}
	return false, denied
}

// breaks reports whether an envelope brings a certificate with whose key none of its
// signatures was made.
func (e Envelope) breaks(message []byte) bool {
	c, err := x509.ParseCertificate(e.Certificate)
	if err != nil {
		return false
	}
	k := Key{public: c.PublicKey}
	return !slices.ContainsFunc(e.Signatures, func(s Signature) bool { return k.signed(message, s.Sig) })
}

// encode is the text that is signed: the pre-authentication encoding of DSSE.
func encode(e Envelope) []byte {
	head := fmt.Appendf(nil, "DSSEv1 %d %s %d ", len(e.PayloadType), e.PayloadType, len(e.Payload))
	return append(head, e.Payload...)
}

// Terms are what somebody writes down who trusts a signer: a key, or an identity with who let
// it in and the root that bears witness of both.
type Terms struct{ Name, Key, KeyID, Issuer, Identity, Root string }

// Signer is the one that is meant.
func (t Terms) Signer() (Signer, error) {
	switch {
	case t.Name == "":
		return Signer{}, errors.New("a signer needs a name")
	case t.Key != "" && t.Issuer+t.Identity+t.Root != "":
		return Signer{}, errors.New("a signer has a key, or an identity under a root, and not both")
	case t.Key != "":
		k, err := ParseKey(t.Key)
		if t.KeyID != "" {
			k = k.named(t.KeyID)
		}
		return Signer{Name: t.Name, Key: k}, err
	case t.Issuer == "" || t.Identity == "" || t.Root == "" || t.KeyID != "":
		return Signer{}, errors.New("a signer needs a key, or issuer, identity and root together")
	case !doublestar.ValidatePattern(t.Identity):
		return Signer{}, errors.New("its identity is no pattern")
	}
	root, err := keyless.ParseRoot([]byte(t.Root))
	return Signer{Name: t.Name, Root: root, Issuer: t.Issuer, Identity: t.Identity}, err
}
