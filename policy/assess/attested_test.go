package assess_test

import (
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/attest/attesttest"
	"github.com/stemma-dev/stemma/ingest/reported"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// trusting is a policy that trusts one signer for the builder b.
func trusting(word string) string {
	key := strings.ReplaceAll(strings.TrimSpace(attesttest.New(word).Public()), "\n", "\n      ")
	return "settings:\n  builders: {b: 1}\n  trust:\n  - name: ci\n    builders: [b]\n    key: |\n      " + key + "\n"
}

// TestWhatIsSignedLaterTurnsAVerdictAndSoDoesOtherTrust: an attestation that a pipeline
// reports is news to the change that it was built of, and another key in the policy judges
// it anew without anything else having come.
func TestWhatIsSignedLaterTurnsAVerdictAndSoDoesOtherTrust(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		hex := stemma.Sum([]byte("pay")).String()
		_, sha := head.Split()
		sha = strings.TrimPrefix(sha, "sha1/")
		h.put(merged(1), artifact.Artifact{Digest: "sha256:" + hex, From: []stemma.Edge{{To: head, Method: "test"}}})
		j := h.judge(trusting("ci"))
		h.follow(j)
		if got := h.stands(1, "BLD-01"); got != "unknown" {
			t.Errorf("before anything was signed it is %s", got)
		}
		e := reported.Envelope{Kind: reported.KindAttestation, At: stemma.At(noon), Attestations: [][]byte{attesttest.New("ci").Sign(attesttest.Provenance(hex, "b", sha))}}
		b, err := e.Seal()
		h.must(err)
		_, err = reported.Take(t.Context(), h.space, h.now, b)
		h.must(err)
		h.follow(j)
		if got := h.stands(1, "BLD-01"); got != "unknown > pass" {
			t.Errorf("signed, it is %s", got)
		}
		for _, c := range []struct{ word, want string }{{"another", "pass > fail"}, {"ci", "fail > pass"}} {
			h.must(h.judge(trusting(c.word)).Policy(t.Context()))
			if got := h.stands(1, "BLD-01"); got != c.want {
				t.Errorf("trusting %s it is %s, want %s", c.word, got, c.want)
			}
		}
	})
}
