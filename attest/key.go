package attest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Key is a public key: of Ed25519, of ECDSA on P-256, P-384 or P-521, or of RSA.
type Key struct {
	public crypto.PublicKey
	ids    []string // by which signers call it
}

// Bounds of a key.
const (
	maxKey     = 16 << 10 // bytes of its text
	minRSABits = 2048
	maxRSABits = 16384
)

// ParseKey reads a public key in PEM.
func ParseKey(text string) (Key, error) {
	if len(text) > maxKey {
		return Key{}, fmt.Errorf("a key has more than %d bytes", maxKey)
	}
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil:
		return Key{}, errors.New("it is no key in PEM, which begins with -----BEGIN PUBLIC KEY-----")
	case strings.TrimSpace(string(rest)) != "":
		return Key{}, errors.New("it holds more than one key")
	case strings.Contains(block.Type, "PRIVATE"):
		return Key{}, errors.New("it is a private key, which belongs to who signs and nowhere else: name the public one, and make new ones")
	}
	public, err := parsePublic(block)
	if err != nil {
		return Key{}, err
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return Key{}, errors.New("it is a key of a kind that is not read here")
	}
	return Key{public: public, ids: idsOf(der)}, nil
}

func parsePublic(block *pem.Block) (public crypto.PublicKey, err error) {
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		return nil, fmt.Errorf("it is %.40q, and a public key is needed", block.Type)
	}
	if err != nil {
		return nil, errors.New("the key is damaged")
	}
	switch k := public.(type) {
	case ed25519.PublicKey:
		return k, nil
	case *ecdsa.PublicKey:
		if slices.Contains([]elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()}, k.Curve) {
			return k, nil
		}
		return nil, errors.New("its curve is none of P-256, P-384, P-521")
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits >= minRSABits && bits <= maxRSABits {
			return k, nil
		}
		return nil, fmt.Errorf("a key of RSA has to have %d to %d bits", minRSABits, maxRSABits)
	}
	return nil, errors.New("it is of none of Ed25519, ECDSA, RSA")
}

// idsOf are the names that programs make of a key: the digest of its DER in hex
// or in base64, or that of its PEM.
func idsOf(der []byte) []string {
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	sum, whole, cut := sha256.Sum256(der), sha256.Sum256(text), sha256.Sum256([]byte(strings.TrimSpace(string(text))))
	return []string{
		hex.EncodeToString(sum[:]), "SHA256:" + hex.EncodeToString(sum[:]), "sha256:" + hex.EncodeToString(sum[:]),
		base64.StdEncoding.EncodeToString(sum[:]), "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:]),
		hex.EncodeToString(whole[:]), hex.EncodeToString(cut[:]),
	}
}

// named is the key with one more name that its signers call it.
func (k Key) named(id string) Key {
	k.ids = append(slices.Clip(k.ids), id)
	return k
}

// called reports whether a key id means the key.
func (k Key) called(id string) bool { return id != "" && slices.Contains(k.ids, id) }

// signed reports whether a signature of a message was made with the key.
func (k Key) signed(message, sig []byte) bool {
	switch p := k.public.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(p, message, sig)
	case *ecdsa.PublicKey:
		// Some programs take the digest that goes with the curve, some SHA-256 for all.
		short, long := sha256.Sum256(message), sha512.Sum384(message)
		whole := sha512.Sum512(message)
		switch p.Curve {
		case elliptic.P384():
			return ecdsa.VerifyASN1(p, long[:], sig) || ecdsa.VerifyASN1(p, short[:], sig)
		case elliptic.P521():
			return ecdsa.VerifyASN1(p, whole[:], sig) || ecdsa.VerifyASN1(p, short[:], sig)
		}
		return ecdsa.VerifyASN1(p, short[:], sig)
	case *rsa.PublicKey:
		sum := sha256.Sum256(message)
		return rsa.VerifyPKCS1v15(p, crypto.SHA256, sum[:], sig) == nil ||
			rsa.VerifyPSS(p, crypto.SHA256, sum[:], sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto}) == nil
	}
	return false
}
