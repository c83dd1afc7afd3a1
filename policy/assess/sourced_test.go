package assess_test

import (
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest/evidence"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestAVulnerabilityOfASourceJudgesAgainWhatWasBuiltOfIt(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		j := h.judge("settings: {packages: [\"pkg:deb/debian/*\"]}")
		digest := "sha256:" + stemma.Sum([]byte("x")).String()
		b := artifact.Bom{ID: artifact.BomRef(stemma.Sum([]byte("x"))), Format: "cyclonedx", Of: []stemma.Edge{{To: artifact.Ref(digest)}}}
		evidence.Listed(&b, artifact.Component{Name: "libssl3", Version: "3.0.1-1", PURL: "pkg:deb/debian/libssl3@3.0.1-1?distro=debian-12&upstream=openssl"})
		h.put(append(manifest(1), artifact.Artifact{Digest: digest, Name: "pay", From: []stemma.Edge{{To: head}}}, b)...)
		h.follow(j)
		if got := h.stands(1, "SUP-01"); got != "pass" {
			t.Errorf("before it is %s", got)
		}
		h.put(governance.Advisory{
			ID: governance.AdvisoryRef("osv", "DSA-1"), Title: "a hole", Severity: "high", Published: stemma.At(noon), Modified: stemma.At(noon), Standing: "open",
			Affects: []governance.Affected{{Package: "pkg:deb/debian/openssl", Ecosystem: "Debian:12", Range: 1, Event: "introduced", Version: "0"}},
		})
		h.follow(j)
		if got := h.stands(1, "SUP-01"); got != "pass > fail" {
			t.Errorf("then it is %s", got)
		}
	})
}
