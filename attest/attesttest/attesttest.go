// Package attesttest signs statements for tests, by keys that follow from a word.
package attesttest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
)

// InToto is the payload type of statements.
const InToto = "application/vnd.in-toto+json"

// A Signer signs.
type Signer struct {
	private ed25519.PrivateKey
	KeyID   string // in its signatures
}

// New is the signer of a word.
func New(word string) Signer {
	seed := sha256.Sum256([]byte(word))
	return Signer{private: ed25519.NewKeyFromSeed(seed[:])}
}

// Public is the public key in PEM.
func (s Signer) Public() string {
	der, err := x509.MarshalPKIXPublicKey(s.private.Public())
	if err != nil {
		panic("attesttest: a key that was just made: " + err.Error())
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// Called is the signer that puts the usual id of its key beside its signatures.
func (s Signer) Called() Signer {
	block, _ := pem.Decode([]byte(s.Public()))
	s.KeyID = fmt.Sprintf("%x", sha256.Sum256(block.Bytes))
	return s
}

// Sign is a statement in an envelope.
func (s Signer) Sign(statement string) []byte { return s.SignAs(InToto, statement) }

// SignAs is a payload of some type in an envelope.
func (s Signer) SignAs(kind, payload string) []byte {
	return envelope(kind, payload, s.KeyID, ed25519.Sign(s.private, fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(kind), kind, len(payload), payload)))
}

// Envelope is a statement with a signature that may be any.
func Envelope(statement, keyID string, sig []byte) []byte {
	return envelope(InToto, statement, keyID, sig)
}

func envelope(kind, payload, keyID string, sig []byte) []byte {
	signature := map[string]string{"sig": base64.StdEncoding.EncodeToString(sig)}
	if keyID != "" {
		signature["keyid"] = keyID
	}
	return encoded(map[string]any{"payloadType": kind, "payload": base64.StdEncoding.EncodeToString([]byte(payload)), "signatures": []any{signature}})
}

// Provenance is a statement of SLSA 1 that something with a SHA-256 was built of a commit.
func Provenance(sha256, builder, commit string) string {
	return string(encoded(map[string]any{
		"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://slsa.dev/provenance/v1",
		"subject": []any{map[string]any{"name": "pay", "digest": map[string]string{"sha256": sha256}}},
		"predicate": map[string]any{
			"buildDefinition": map[string]any{
				"buildType":            "https://actions.github.io/buildtypes/workflow/v1",
				"externalParameters":   map[string]any{"workflow": map[string]string{"ref": "refs/heads/main", "repository": "https://github.com/acme/pay", "path": ".github/workflows/release.yml"}},
				"resolvedDependencies": []any{map[string]any{"uri": "git+https://github.com/acme/pay@refs/heads/main", "digest": map[string]string{"gitCommit": commit}}},
			},
			"runDetails": map[string]any{"builder": map[string]string{"id": builder}},
		},
	}))
}

func encoded(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("attesttest: " + err.Error())
	}
	return b
}
