package assess_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/attest/attesttest"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/reported"
	"github.com/stemma-dev/stemma/policy/assess"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// link states that one thing leads to another.
func (h *house) link(from stemma.Ref, door string, to stemma.Ref) {
	h.t.Helper()
	f, err := stemma.NewFact(from, nil, stemma.Provenance{Source: "test", Occurred: noon, Grade: stemma.GradeB, Edges: []stemma.Edge{{Door: door, To: to}}})
	h.must(err)
	_, err = h.space.Ledger.Append(h.t.Context(), f)
	h.must(err)
}

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
		h.link(e.from, e.door, e.to)
		asked[e.from], asked[e.to] = true, true
	}
	h.put()
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

// What was found in the commit that a change stands on decides what of it is new.
func TestLateEvidenceOfTheBaseJudgesWhatStandsOnItAgain(t *testing.T) {
	const (
		base   = stemma.Ref("commit:sha1/aa112233445566778899aabbccddeeff00112233")
		second = stemma.Ref("commit:sha1/bb112233445566778899aabbccddeeff00112233")
		merge  = stemma.Ref("commit:sha1/cc112233445566778899aabbccddeeff00112233")
		branch = stemma.Ref("commit:sha1/dd112233445566778899aabbccddeeff00112233")
		fork   = stemma.Ref("commit:sha1/ee112233445566778899aabbccddeeff00112233")
	)
	commit := func(ref stemma.Ref, parents ...stemma.Ref) change.Commit {
		_, sha := ref.Split()
		return change.Commit{SHA: strings.TrimPrefix(sha, "sha1/"), Repository: repository, FirstParent: parents[0], Parents: parents, Merge: len(parents) > 1}
	}
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		rebased, squashed, joined := merged(1), merged(2), merged(3)
		rebased.MergeCommit, rebased.Commits = second, []stemma.Ref{head, second}
		squashed.MergeCommit, squashed.Commits = head, nil
		joined.MergeCommit, joined.Commits = merge, []stemma.Ref{branch, merge}
		for _, c := range []*change.Change{&rebased, &squashed, &joined} {
			c.Head = ""
		}
		h.put(commit(head, base), commit(second, head), commit(branch, fork), commit(merge, base, branch), rebased, squashed, joined)
		ref := func(kind stemma.Kind, name string) stemma.Ref { return stemma.NewRef(kind, "x", name) }
		h.link(ref(stemma.KindRun, "1"), "of", base)
		h.link(ref(stemma.KindTest, "1"), "of", ref(stemma.KindRun, "1"))
		h.link(ref(stemma.KindScan, "1"), "of", base)
		h.link(ref(stemma.KindArtifact, "1"), "from", base)
		h.link(ref(stemma.KindBom, "1"), "of", ref(stemma.KindArtifact, "1"))
		h.link(ref(stemma.KindAttribution, "1"), "attributes", base)
		h.link(ref(stemma.KindScan, "2"), "of", fork)
		h.link(ref(stemma.KindScan, "3"), "of", second)
		h.put()
		on := []stemma.Ref{rebased.Ref(), squashed.Ref(), joined.Ref()}
		for thing, want := range map[stemma.Ref][]stemma.Ref{
			ref(stemma.KindRun, "1"): on, ref(stemma.KindTest, "1"): on, ref(stemma.KindScan, "1"): on, ref(stemma.KindArtifact, "1"): on, ref(stemma.KindBom, "1"): on,
			ref(stemma.KindAttribution, "1"): nil, ref(stemma.KindScan, "2"): nil, ref(stemma.KindScan, "3"): {rebased.Ref()},
		} {
			got, err := assess.Concerned(t.Context(), h.space.DB, []stemma.Ref{thing})
			if h.must(err); !slices.Equal(got, want) {
				t.Errorf("%s concerns %v, want %v", thing, got, want)
			}
		}
	})
}

// Who started the session at the top decides who drove all of them.
func TestASessionThatIsToldLateJudgesAgainWhatThoseBelowItMade(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t))
	j := h.judge("")
	at := func(name string) session.Session {
		return session.Session{Tool: "codex", ExternalID: name, Started: stemma.At(noon.Add(-3 * time.Hour))}
	}
	top, planner, worker := at("top"), at("planner"), at("worker")
	top.Operator, planner.Parent, worker.Parent = []stemma.Edge{{To: ada}}, top.Ref(), planner.Ref()
	c := merged(1)
	c.Sessions, c.Size, c.Lines = []stemma.Edge{{To: worker.Ref(), Method: "note"}}, &change.Size{Added: 3}, &change.Lines{AI: 3}
	h.put(planner, worker, c, merged(2))
	h.follow(j)
	if got := h.stands(1, "CAP-06"); got != "unknown" {
		t.Errorf("before it is told it is %s", got)
	}
	h.put(top)
	h.follow(j)
	if got := h.stands(1, "CAP-06"); got != "unknown > pass" {
		t.Errorf("told, it is %s", got)
	}
	if n := h.told(governance.AssessmentRef(merged(2).Ref())); n != 1 {
		t.Errorf("what they did not make was judged %d times", n)
	}
}
