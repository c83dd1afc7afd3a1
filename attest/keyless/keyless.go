// Package keyless checks Sigstore bundles that were signed without a key of one's own: by a
// certificate that an authority gave to who could show a login, for minutes, which a log
// and a clock bear witness of. It is checked offline under a root that somebody trusts.
//
// It is apart from the package attest because of what it brings along.
package keyless

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// A Root is what is trusted to say who signed: authorities, logs and clocks.
type Root struct{ verifiers []*verify.Verifier }

// Bounds of a root.
const (
	maxRoot  = 1 << 20
	maxRoots = 10
)

// ParseRoot reads a trusted_root.json of Sigstore, or several, one behind the other, as
// "gh attestation trusted-root" prints them. What a root has is asked of a signature: an entry of a
// log if it has logs, a promise of one for the certificate if it has logs of those.
func ParseRoot(text []byte) (*Root, error) {
	if len(text) > maxRoot {
		return nil, fmt.Errorf("a trusted root has more than %d bytes", maxRoot)
	}
	r := &Root{}
	dec := json.NewDecoder(bytes.NewReader(text))
	for {
		var one json.RawMessage
		err := dec.Decode(&one)
		switch {
		case errors.Is(err, io.EOF) && len(r.verifiers) > 0:
			return r, nil
		case err != nil:
			return nil, errors.New("it is no trusted root, which is JSON as trusted_root.json of Sigstore")
		case len(r.verifiers) == maxRoots:
			return nil, fmt.Errorf("there are more than %d roots", maxRoots)
		}
		v, err := verifier(one)
		if err != nil {
			return nil, fmt.Errorf("it is no trusted root: %w", err)
		}
		r.verifiers = append(r.verifiers, v)
	}
}

func verifier(text []byte) (v *verify.Verifier, err error) {
	defer caught(&err)
	trusted, err := root.NewTrustedRootFromJSON(text)
	if err != nil {
		return nil, err
	}
	if len(trusted.FulcioCertificateAuthorities()) == 0 {
		return nil, errors.New("it has no authority for certificates")
	}
	options := []verify.VerifierOption{verify.WithObserverTimestamps(1)}
	if len(trusted.RekorLogs()) > 0 {
		options = append(options, verify.WithTransparencyLog(1))
	}
	if len(trusted.CTLogs()) > 0 {
		options = append(options, verify.WithSignedCertificateTimestamps(1))
	}
	return verify.NewVerifier(trusted, options...)
}

// An Identity is who signed: who let them in, and as whom.
type Identity struct{ Issuer, Subject string }

// Signer is who signed a payload by a bundle, given as it is stored, as a root bears witness.
func (r *Root) Signer(stored, payload []byte) (Identity, error) {
	var failed []error
	for _, v := range r.verifiers {
		who, err := signer(v, stored, payload)
		if err == nil {
			return who, nil
		}
		failed = append(failed, err)
	}
	return Identity{}, errors.Join(failed...)
}

func signer(v *verify.Verifier, stored, payload []byte) (who Identity, err error) {
	defer caught(&err)
	b := &bundle.Bundle{}
	if err := b.UnmarshalJSON(stored); err != nil {
		return who, err
	}
	result, err := v.Verify(b, verify.NewPolicy(verify.WithoutArtifactUnsafe(), verify.WithoutIdentitiesUnsafe()))
	if err != nil {
		return who, err
	}
	envelope, err := b.Envelope()
	if err != nil {
		return who, err
	}
	// A text may be read in two ways: what was checked has to be what is believed.
	if signed, err := envelope.RawEnvelope().DecodeB64Payload(); err != nil || !bytes.Equal(signed, payload) {
		return who, errors.New("the bundle signs something else")
	}
	if result.Signature == nil || result.Signature.Certificate == nil {
		return who, errors.New("the bundle has no certificate")
	}
	c := result.Signature.Certificate
	return Identity{Issuer: c.Issuer, Subject: c.SubjectAlternativeName}, nil
}

// caught makes an error of a panic: what is read comes from outside.
func caught(err *error) {
	if fault := recover(); fault != nil {
		*err = fmt.Errorf("it cannot be read: %v", fault)
	}
}
