package assess_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/attest/attesttest"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/reported"
	"github.com/stemma-dev/stemma/policy/assess"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestEveryKindOfEvidenceLeadsToTheChangesItHasASayIn(t *testing.T) {
	of, other := merged(1).Ref(), merged(2).Ref()
	ref := func(kind stemma.Kind, name string) stemma.Ref { return stemma.NewRef(kind, "x", name) }
	commit, run, artifact := head, ref(stemma.KindRun, "1"), ref(stemma.KindArtifact, "1")
	deployment, ticket := ref(stemma.KindDeployment, "1"), ref(stemma.KindTicket, "1")
	edges := []struct {
		from stemma.Ref
		door string
		to   stemma.Ref
	}{
		{of, "carries", commit},
		{other, "carries", stemma.Ref("commit:sha1/10112233445566778899aabbccddeeff00112233")},
		{ref(stemma.KindAttribution, "1"), "attributes", commit},
		{ref(stemma.KindReview, "1"), "judges", of},
		{ref(stemma.KindStanding, "1"), "in", ref(stemma.KindReview, "1")},
		{run, "of", commit},
		{ref(stemma.KindRun, "2"), "of-change", of},
		{ref(stemma.KindTest, "1"), "of", run},
		{ref(stemma.KindScan, "1"), "of", commit},
		{artifact, "from", commit},
		{ref(stemma.KindBom, "1"), "of", artifact},
		{ref(stemma.KindAttestation, "1"), "about", artifact},
		{deployment, "brings", of},
		{deployment, "ships", ref(stemma.KindArtifact, "2")},
		{ref(stemma.KindSnapshot, "1"), "shows", ref(stemma.KindArtifact, "2")},
		{ref(stemma.KindIncident, "1"), "suspects", deployment},
		{ref(stemma.KindIncident, "2"), "caused-by", of},
		{of, "implements", ticket},
		{ticket, "refines", ref(stemma.KindRequirement, "1")},
		{of, "session", ref(stemma.KindSession, "1")},
		{ref(stemma.KindSession, "2"), "opened", of},
		{ref(stemma.KindException, "1"), "for", of},
	}
	h := newHouse(t, storagetest.SQLite(t))
	asked := map[stemma.Ref]bool{}
	for _, e := range edges {
		f, err := stemma.NewFact(e.from, nil, stemma.Provenance{Source: "test", Occurred: noon, Grade: stemma.GradeB, Edges: []stemma.Edge{{Door: e.door, To: e.to}}})
		h.must(err)
		_, err = h.space.Ledger.Append(t.Context(), f)
		h.must(err)
		asked[e.from], asked[e.to] = true, true
	}
	_, err := h.space.Graph.Apply(t.Context(), h.space.Ledger)
	h.must(err)
	for thing := range asked {
		want := []stemma.Ref{of}
		if thing == other || thing == edges[1].to {
			want = []stemma.Ref{other}
		}
		got, err := assess.Concerned(t.Context(), h.space.DB, []stemma.Ref{thing})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s concerns %v, want %v (%v)", thing, got, want, err)
		}
	}
}

func TestAccountsThatTurnOutToBeOneJudgeAgain(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t))
	j := h.judge("")
	h.put(merged(1), approval(1))
	h.follow(j)
	if got := h.stands(1, "REV-01"); got != "pass" {
		t.Errorf("two people: %s", got)
	}
	h.put(identity.NewTie(identity.TieAccountMail, ada, bo))
	h.follow(j)
	if got := h.stands(1, "REV-01"); got != "pass > fail" {
		t.Errorf("one person: %s", got)
	}
}

// A registry gives what it keeps another digest than the build did: what is told of the one is
// told of the other.
func TestWhatIsToldOfAnotherDigestJudgesAgain(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		j := h.judge("settings:\n  packages: [\"pkg:npm/cart\"]\n" + strings.TrimPrefix(trusting("ci"), "settings:\n"))
		built, kept := artifact.Artifact{Digest: "sha256:" + stemma.Sum([]byte("built")).String(), Name: "pay"}, artifact.Artifact{Digest: "sha256:" + stemma.Sum([]byte("kept")).String(), Name: "pay"}
		built.From, kept.Same = []stemma.Edge{{To: head}}, []stemma.Edge{{To: built.Ref()}}
		_, sha := head.Split()
		h.put(append(manifest(1), built, kept)...)
		h.follow(j)
		if got := h.stands(1, "SUP-01") + ", " + h.stands(1, "BLD-01"); got != "unknown, unknown" {
			t.Errorf("before anything is told it is %s", got)
		}
		h.put(artifact.Bom{
			ID: artifact.BomRef(stemma.Sum([]byte("bill"))), Format: "spdx", Count: 1, Of: []stemma.Edge{{To: kept.Ref()}},
			Components: []artifact.Component{{Name: "cart", Version: "1.0.0", PURL: "pkg:npm/cart@1.0.0", Package: "pkg:npm/cart"}},
		})
		h.follow(j)
		if got := h.stands(1, "SUP-01"); got != "unknown > pass" {
			t.Errorf("with a bill it is %s", got)
		}
		h.put(governance.Advisory{
			ID: governance.AdvisoryRef("osv", "MAL-1"), Malicious: true, Title: "steals keys", Published: stemma.At(noon), Modified: stemma.At(noon), Standing: "open",
			Affects: []governance.Affected{{Package: "pkg:npm/cart", Ecosystem: "npm", Event: "version", Version: "1.0.0"}},
		})
		h.follow(j)
		if got := h.stands(1, "SUP-01"); got != "pass > fail" {
			t.Errorf("with what is known of a part of it, it is %s", got)
		}
		for i, of := range []artifact.Artifact{built, kept} {
			signed := attesttest.New("ci").Sign(attesttest.Provenance(strings.TrimPrefix(of.Digest, "sha256:"), "b", strings.TrimPrefix(sha, "sha1/")))
			e := reported.Envelope{Kind: reported.KindAttestation, At: stemma.At(noon), Attestations: [][]byte{signed}}
			b, err := e.Seal()
			h.must(err)
			_, err = reported.Take(t.Context(), h.space, h.now, b)
			h.must(err)
			h.follow(j)
			if got, want := h.stands(1, "BLD-01"), []string{"unknown", "unknown > pass"}[i]; got != want {
				t.Errorf("signed for %s it is %s, want %s", of.Digest, got, want)
			}
		}
	})
}
