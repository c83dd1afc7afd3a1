package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/stemma-dev/stemma"
)

// sealVersion is the first byte of everything sealed. After it come the nonce
// and the ciphertext with its tag; the version is authenticated with the rest.
const sealVersion = 1

func newAEAD(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return cipher.NewGCM(block)
}

// seal encrypts plain so that it opens only under the same name.
func seal(key cipher.AEAD, name string, plain []byte) []byte {
	out := make([]byte, 1+key.NonceSize(), 1+key.NonceSize()+len(plain)+key.Overhead())
	out[0] = sealVersion
	rand.Read(out[1:]) // never fails
	return key.Seal(out, out[1:], plain, sealedAs(name))
}

func unseal(key cipher.AEAD, name string, sealed []byte) ([]byte, error) {
	head := 1 + key.NonceSize()
	if len(sealed) < head+key.Overhead() || sealed[0] != sealVersion {
		return nil, errors.New("vault: not sealed by this program")
	}
	return key.Open(nil, sealed[1:head], sealed[head:], sealedAs(name))
}

func sealedAs(name string) []byte { return append([]byte{sealVersion}, name...) }

// blobName names the blob of a body: SHA-256 over owner and digest.
func blobName(owner stemma.Ref, digest stemma.Digest) string {
	h := sha256.New()
	// A ref has no zero byte, so no other pair gives these bytes.
	h.Write([]byte("stemma/blob/v1\x00" + string(owner) + "\x00"))
	h.Write(digest[:])
	return hex.EncodeToString(h.Sum(nil))
}
