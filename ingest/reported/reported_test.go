package reported_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/attest/attesttest"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/graph/walk"
	"github.com/stemma-dev/stemma/incident"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ci"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/ingest/reported"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

var (
	start = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	sha   = strings.Repeat("a1", 20)
	older = strings.Repeat("c3", 20)
)

func now() time.Time { return start }

func at(minute int) stemma.Moment { return stemma.At(start.Add(time.Duration(minute) * time.Minute)) }

// digest is a SHA-256 that ends in some digits.
func digest(end string) string { return "sha256:" + strings.Repeat("0", 64-len(end)) + end }

func job() ci.Pipeline {
	return ci.Pipeline{
		System: "github-actions", Repository: "github.com/acme/pay", Run: "9", Attempt: 2, Number: 4, Name: "CI", Job: "build", Try: "t1", Commit: sha, Trial: older,
		Branch: "main", Event: "push", Change: 142, URL: "https://github.com/acme/pay/actions/runs/9", Actor: ci.Actor{Host: "github.com", ID: "7", Login: "ada"},
		Runner:  &pipeline.Runner{System: "github-actions", Name: "ubuntu24", Version: "1", Pinned: true},
		Configs: []ci.Config{{Path: ".github/workflows/ci.yml", Blob: strings.Repeat("b", 40), SHA256: "cc", Pins: []pipeline.Pin{{Uses: "actions/checkout", Ref: "v4"}}}},
	}
}

// sealed is an envelope from the job, or from wherever it says.
func sealed(tb testing.TB, e reported.Envelope) []byte {
	tb.Helper()
	if e.At == 0 {
		e.At = at(0)
	}
	if e.Run.Run == "" && e.Method == "" {
		e.Run, e.Method = job(), ci.Method
	}
	b, err := e.Seal()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func take(tb testing.TB, s *ingest.Space, b []byte) reported.Taken {
	tb.Helper()
	taken, err := reported.Take(tb.Context(), s, now, b)
	if err != nil {
		tb.Fatalf("%v\n%s", err, b)
	}
	return taken
}

// signed is provenance of what has a digest.
func signed(end, commit string) []byte {
	return attesttest.New("ci").Sign(attesttest.Provenance(digest(end)[7:], "https://ci.example.com/builder", commit))
}

// story is what one pipeline reports, step by step.
func story(tb testing.TB) [][]byte {
	var all [][]byte
	for i, e := range []reported.Envelope{
		{Kind: reported.KindTest, File: "junit.xml", Tests: []pipeline.Test{{Suite: "unit", Status: "failed", Failed: 1, Failures: []pipeline.Failure{{Name: "TestRefund"}}}, {Suite: "unit", Status: "passed", Passed: 3}}, Report: &reported.Report{Name: "junit.xml", Media: "application/xml", Body: []byte("<testsuite/>")}},
		{Kind: reported.KindScan, File: "s.sarif", Scans: []pipeline.Scan{{Tool: "codeql", Findings: 1, High: 1, Found: []pipeline.Finding{{Rule: "go/sql", Severity: "high"}}}}},
		{Kind: reported.KindArtifact, Artifacts: []reported.Artifact{{Artifact: artifact.Artifact{Name: "r.example.com/pay", Digest: digest("a"), Form: "image"}, Same: []string{digest("c")}, Method: "declared"}}, Attestations: [][]byte{signed("a", sha)}},
		{Kind: reported.KindBom, Bom: &artifact.Bom{Format: "cyclonedx", Count: 1, Components: []artifact.Component{{Name: "log4j"}}}, Subjects: []string{digest("a")}, Report: &reported.Report{Name: "bom.json", Media: "application/json", Body: []byte("{}")}},
		{Kind: reported.KindDeploy, Deployment: &reported.Deployment{Environment: "prod", Tier: "production", Version: "v1", Artifacts: []string{digest("a")}}},
		{Kind: reported.KindIncident, Incident: &reported.Incident{Incident: incident.Incident{Key: "INC-1", Title: "refunds twice"}, Environment: "prod"}},
		{Kind: reported.KindSnapshot, Snapshot: &reported.Snapshot{Environment: "prod", Format: "kubernetes", Running: []deployment.Running{{Name: "pay", Artifact: artifact.Ref(digest("c"))}}}},
		{Kind: reported.KindRun, State: &reported.State{Conclusion: "success"}},
		{Kind: reported.KindAttestation, File: "p.jsonl", Attestations: [][]byte{signed("a", sha), signed("c", older)}},
	} {
		e.At = at(i)
		all = append(all, sealed(tb, e))
	}
	return all
}

// TestWayFromCommitToDeploymentIsThere: each step with the method by which it is known,
// and how good that is.
func TestWayFromCommitToDeploymentIsThere(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		s := ingesttest.Must(t, open(), now)
		for _, b := range story(t) {
			take(t, s, b)
		}
		commit := stemma.Ref("commit:sha1/" + sha)
		run := "run:github-actions/github.com/acme/pay/9/2"
		deployed := "deployment:prod/github-actions/github.com/acme/pay/9/2/pay/v1/8aecc38fbcf4"
		l, err := lineage.Trace(t.Context(), s.Graph, commit, lineage.Down, walk.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range l.Edges {
			got = append(got, fmt.Sprintf("%s %s %s, %s %s", e.From, e.Door, e.To, e.Grade, e.Method))
		}
		tried := "github.com/acme/pay/9/2/build:t1/"
		want := []string{
			"artifact:sha256/" + digest("a")[7:] + " built-by " + run + ", C ci-environment",
			"artifact:sha256/" + digest("a")[7:] + " from " + string(commit) + ", C ci-environment",
			"artifact:sha256/" + digest("a")[7:] + " same-as artifact:sha256/" + digest("c")[7:] + ", D declared",
			"bom:sha256/" + stemma.Sum([]byte("{}")).String() + " built-by " + run + ", C ci-environment",
			"bom:sha256/" + stemma.Sum([]byte("{}")).String() + " of artifact:sha256/" + digest("a")[7:] + ", D bom-subject",
			deployed + " run " + run + ", C ci-environment",
			deployed + " ships artifact:sha256/" + digest("a")[7:] + ", D declared",
			run + " of " + string(commit) + ", C ci-environment",
			"scan:github-actions/" + tried + "s.sarif/codeql of " + run + ", C ci-environment",
			"scan:github-actions/" + tried + "s.sarif/codeql of " + string(commit) + ", C ci-environment",
			"test:github-actions/" + tried + "junit.xml/unit of " + run + ", C ci-environment",
			"test:github-actions/" + tried + "junit.xml/unit of " + string(commit) + ", C ci-environment",
			"test:github-actions/" + tried + "junit.xml/unit~2 of " + run + ", C ci-environment",
			"test:github-actions/" + tried + "junit.xml/unit~2 of " + string(commit) + ", C ci-environment",
		}
		slices.Sort(got)
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if skips, err := s.Graph.Skips(t.Context(), 9); err != nil || len(skips) > 0 {
			t.Errorf("the graph skipped %v, %v", skips, err)
		}
		asides(t, s, stemma.Ref(run), "by person:", "in repository:github.com/acme/pay", "on runner:github-actions/ubuntu24@1", "trial commit:sha1/"+older,
			"uses config:github.com/acme/pay:"+strings.Repeat("b", 40)+":.github/workflows/ci.yml")
		asides(t, s, "incident:record/INC-1", "in environment:prod")
	})
}

// asides checks the edges that lead aside from a thing, by how they begin.
func asides(t *testing.T, s *ingest.Space, ref stemma.Ref, want ...string) {
	t.Helper()
	out, _, err := s.Graph.Relations(t.Context(), ref, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range out {
		got = append(got, e.Door+" "+string(e.To))
	}
	slices.Sort(got)
	if len(got) != len(want) {
		t.Fatalf("%s leads aside to %q, want %q", ref, got, want)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("%s leads aside to %q, want %q", ref, got[i], want[i])
		}
	}
}

func TestWhatComesAgainDoublesNothing(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		s := ingesttest.Must(t, open(), now)
		for _, b := range story(t) {
			take(t, s, b)
		}
		facts, told := ingesttest.Facts(t, s), ingesttest.Told(t, s)
		for _, b := range slices.Backward(story(t)) {
			take(t, s, b)
		}
		if again := ingesttest.Told(t, s); again != told {
			t.Errorf("the graph is another one\n%s", cmp.Diff(told, again))
		}
		if again := ingesttest.Facts(t, s); again != facts {
			t.Errorf("%d facts, and then %d", facts, again)
		}
	})
}

func deploy(tb testing.TB, minute int, version, service, status string, digests ...string) []byte {
	return sealed(tb, reported.Envelope{
		Kind: reported.KindDeploy, At: at(minute), Method: reported.MethodDeclared,
		Deployment: &reported.Deployment{ID: version, Environment: "prod", Service: service, Version: version, Status: status, Artifacts: digests, Commit: older},
	})
}

// TestWhatNoDeploymentExplainsIsMarked: a thing is known by its digest in a registry and
// by that of its configuration, and by the commit it was built from.
func TestWhatNoDeploymentExplainsIsMarked(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		s := ingesttest.Must(t, open(), now)
		take(t, s, deploy(t, 1, "v1", "pay", "", digest("a")))
		take(t, s, deploy(t, 1, "v0", "bad", "failure", digest("f")))
		take(t, s, deploy(t, 9, "v9", "late", "", digest("9")))
		take(t, s, sealed(t, reported.Envelope{Kind: reported.KindArtifact, Artifacts: []reported.Artifact{{Artifact: artifact.Artifact{Digest: digest("b")}}}, Run: ci.Pipeline{Commit: older}, Method: reported.MethodDeclared}))
		ref := func(end string) stemma.Ref { return artifact.Ref(digest(end)) }
		taken := take(t, s, sealed(t, reported.Envelope{Kind: reported.KindSnapshot, At: at(5), Snapshot: &reported.Snapshot{
			Environment: "prod", Format: "kubernetes",
			Running: []deployment.Running{
				{Name: "registry", Artifact: ref("a")},
				{Name: "configuration", Artifact: ref("c")},
				{Name: "commit", Artifact: ref("b")},
				{Name: "stranger", Artifact: ref("e"), Explained: true, Deployment: "deployment:prod/v1"},
				{Name: "failed", Artifact: ref("f")},
				{Name: "tag", Image: "pay:latest"},
				{Name: "later", Artifact: ref("9")},
			},
			Artifacts: []reported.Artifact{{Artifact: artifact.Artifact{Digest: digest("d")}, Same: []string{digest("c")}, Method: "inspect"}, {Artifact: artifact.Artifact{Digest: digest("d")}, Same: []string{digest("a")}, Method: "inspect"}},
		}}))
		var got []string
		for _, x := range taken.Snapshot.Running {
			got = append(got, fmt.Sprintf("%s %t %s%s", x.Name, x.Explained, x.Deployment, x.Why))
		}
		want := []string{
			"registry true deployment:prod/v1", "configuration true deployment:prod/v1", "commit true deployment:prod/v1",
			"stranger false no deployment into the environment is known that ships it", "failed false the only deployments that ship it there failed",
			"tag false it is not told by its digest", "later false no deployment into the environment is known that ships it",
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		n, err := s.Graph.Node(t.Context(), taken.Refs[0])
		if unexplained, _ := n.Attrs.Int("unexplained"); err != nil || unexplained != 4 || taken.Snapshot.Unexplained != 4 {
			t.Errorf("%v, %v", n.Attrs, err)
		}
	})
}

func TestWhatIsNoEnvelopeIsRefused(t *testing.T) {
	s := ingesttest.Must(t, storagetest.SQLite(t), now)
	head := `{"v": 1, "key": "k", "at": "2026-11-27T09:00:00.000000Z", `
	for text, want := range map[string]string{
		"":                                   "reported: it is not JSON of an envelope",
		"[]":                                 "reported: it is not JSON of an envelope",
		`{"v": 2}`:                           "reported: its version is not 1, which this program reads",
		`{}`:                                 "reported: its version is not 1, which this program reads",
		`{"v": 1, "surprise": 1}`:            "reported: it has a member that version 1 does not have, or of another type",
		`{"v": 1, "key": "a b"}`:             "reported: its key is empty, longer than 200 bytes, or has other characters than letters, digits and -_.:",
		head + `"kind": "x"}`:                `reported: its kind "x" is none of run, test, scan, bom, artifact, deploy, incident, snapshot, attestation`,
		head + `"kind": "test"}`:             "reported: it is of kind test, and what it has is not",
		head + `"kind": "run", "state": {}}`: "reported: it does not say which run it is about",
		`{"v": 1, "key": "k", "kind": "run", "state": {}}`:                                                                                                          "reported: it does not say when it happened",
		head + `"kind": "test", "tests": [{}], "scans": [{}]}`:                                                                                                      "reported: it is of kind test, and what it has is not",
		head + `"kind": "test", "tests": [{"status": "odd", "failed": 0, "passed": 0, "skipped": 0}]}`:                                                              `reported: what it says of "test:local/k//" is not kept: status: "odd" is none of: passed failed skipped unknown`,
		head + `"kind": "deploy", "deployment": {"environment": "prod", "artifacts": ["sha256:xy"]}}`:                                                               `reported: "sha256:xy" is no digest`,
		head + `"kind": "deploy", "deployment": {"environment": ""}}`:                                                                                               "reported: the deployment has no environment",
		head + `"kind": "snapshot", "snapshot": {"environment": "", "running": []}}`:                                                                                "reported: the snapshot has no environment",
		head + `"kind": "incident", "incident": {"source": "", "key": ""}}`:                                                                                         "reported: the incident has no key",
		head + `"kind": "bom", "bom": {"format": "cyclonedx", "components": 1, "unresolved": 0}, "of": ["x"]}`:                                                      `reported: "x" is no digest`,
		head + `"kind": "attestation"}`:                                                                                                                             "reported: it is of kind attestation, and what it has is not",
		head + `"kind": "attestation", "attestations": ["e30="]}`:                                                                                                   "reported: its attestation 1 is none: no attestation in the note",
		head + `"kind": "attestation", "attestations": ["aGVsbG8="]}`:                                                                                               "reported: its attestation 1 is none: no attestation in the note",
		head + `"kind": "attestation", "attestations": ["` + base64.StdEncoding.EncodeToString(append(append(signed("a", sha), '\n'), signed("b", sha)...)) + `"]}`: "reported: its attestation 1 is none: there are several",
		head + `"kind": "test", "tests": [{}], "attestations": ["e30="]}`:                                                                                           "reported: it is of kind test, and what it has is not",
		head + `"kind": "run", "method": "magic", "state": {}}`:                                                                                                     `reported: its method "magic" is not known`,
		head + `"kind": "run", "run": {"system": "", "run": "", "attempt": 1, "commit": "a1"}, "state": {}}`:                                                        "reported: its commit is not named whole",
	} {
		_, err := reported.Take(t.Context(), s, now, []byte(text))
		var bad *reported.BadError
		if !errors.As(err, &bad) || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := reported.Take(t.Context(), s, now, make([]byte, reported.MaxEnvelope+1)); err == nil {
		t.Error("an envelope of any size is taken")
	}
}

// TestWhatWasSignedIsKeptAsItIs: what it says is read from its bytes, nothing is believed of it
// yet, and once erased it stays away.
func TestWhatWasSignedIsKeptAsItIs(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		s := ingesttest.Must(t, open(), now)
		raw := signed("a", older)
		report := sealed(t, reported.Envelope{
			Kind: reported.KindArtifact, Artifacts: []reported.Artifact{{Artifact: artifact.Artifact{Digest: digest("a")}}}, Attestations: [][]byte{append(bytes.Clone(raw), '\n')},
		})
		taken := take(t, s, report)
		ref := artifact.AttestationRef(stemma.Sum(raw))
		if want := []stemma.Ref{artifact.Ref(digest("a")), ref}; !slices.Equal(taken.Refs, want) {
			t.Fatalf("it is about %v, want %v", taken.Refs, want)
		}
		n, err := s.Graph.Node(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		verified := n.Attrs.Bool("verified")
		if n.Attrs.Text("builder") != "https://ci.example.com/builder" || n.Attrs.Ref("source") != stemma.Ref("commit:sha1/"+older) || verified {
			t.Errorf("it says %v", n.Attrs)
		}
		asides(t, s, ref, "about "+string(artifact.Ref(digest("a"))))
		if kept, err := s.Vault.Get(t.Context(), ref, stemma.Sum(raw)); err != nil || !bytes.Equal(kept, raw) {
			t.Errorf("kept is %q, %v", kept, err)
		}
		if _, err := s.Erase(t.Context(), now, ingest.Erasure{What: ref, Name: "Dan", Mail: "dan@acme.example", Ground: "asked to"}); err != nil {
			t.Fatal(err)
		}
		take(t, s, report)
		if kept, err := s.Vault.Get(t.Context(), ref, stemma.Sum(raw)); err == nil {
			t.Errorf("it came back: %q", kept)
		}
	})
}

func TestSameReportHasTheSameKey(t *testing.T) {
	var keys []string
	for _, version := range []string{"v1", "v1", "v2"} {
		var e reported.Envelope
		if err := json.Unmarshal(deploy(t, 1, version, "", ""), &e); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, e.Key)
	}
	if keys[0] != keys[1] || keys[0] == keys[2] || len(keys[0]) != 32 {
		t.Errorf("%q", keys)
	}
}

// FuzzTake takes anything that decodes into one store.
func FuzzTake(f *testing.F) {
	for _, b := range story(f) {
		f.Add(b)
	}
	s := ingesttest.Must(f, storagetest.SQLite(f), now)
	f.Fuzz(func(t *testing.T, b []byte) {
		_, err := reported.Take(t.Context(), s, now, b)
		var bad *reported.BadError
		if err != nil && !errors.As(err, &bad) {
			t.Errorf("%v\n%s", err, b)
		}
	})
}
