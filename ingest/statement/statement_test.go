package statement_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/statement"
)

func envelope(payloadType, payload string) string {
	return `{"payloadType":"` + payloadType + `","payload":"` + base64.URLEncoding.EncodeToString([]byte(payload)) + `","signatures":[{"keyid":"k1","sig":"AA=="},{"keyid":"k1","sig":"AA=="}]}`
}

const bare = `{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/verification_summary/v1","subject":[{"name":"n","uri":"u","digest":{"gitCommit":"abc","gitTree":"def"}}],"predicate":{}}`

func TestStatementsAreToldWithoutVerifying(t *testing.T) {
	text := strings.Join([]string{
		envelope("application/vnd.in-toto+json", bare),
		`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"certificate":{"rawBytes":"ZGVy"}},"dsseEnvelope":` + envelope("application/vnd.in-toto+json", bare) + `}`,
		`{"media_type":"m","verification_material":{"Content":{"Certificate":{}}},"Content":{"DsseEnvelope":` + envelope("application/vnd.in-toto+json", bare) + `}}`,
		"not json",
		envelope("application/vnd.gittuf+json", `{"type":"https://in-toto.io/Statement/v1","predicate_type":"https://gittuf.dev/x/v0.1","subject":[]}`),
		strings.ReplaceAll(bare, ",", ",\n"),
		envelope("application/json", `{"commit":"1"}`),
		`{"half":`,
		`{"other":1}`,
	}, "\n") + "\n"
	list, bad := statement.Parse([]byte(text))
	var got []string
	for _, s := range list {
		got = append(got, strings.Join([]string{s.Form, s.Media, s.PayloadType, s.PredicateType}, "|"))
	}
	const vsa = "https://slsa.dev/verification_summary/v1"
	want := []string{
		"dsse||application/vnd.in-toto+json|" + vsa,
		"bundle|application/vnd.dev.sigstore.bundle.v0.3+json|application/vnd.in-toto+json|" + vsa,
		"bundle|m|application/vnd.in-toto+json|" + vsa,
		"dsse||application/vnd.gittuf+json|https://gittuf.dev/x/v0.1",
		"statement|||" + vsa,
		"dsse||application/json|",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	reasons := map[string]string{}
	for _, p := range bad {
		reasons[p.Reason] = p.Place
	}
	wantBad := map[string]string{
		"text that is not JSON": "line 4", "a statement without a predicate type": "line 13", "damaged JSON": "line 14",
		"neither an envelope nor a statement": "line 15",
	}
	if diff := cmp.Diff(wantBad, reasons); diff != "" {
		t.Error(diff)
	}
	if s := list[0]; len(s.Signed.Signatures) != 2 || s.Signed.Signatures[1].KeyID != "k1" || string(s.Signed.Payload) != bare || s.Subjects[0].Digests[1] != (statement.Digest{Algorithm: "gitTree", Value: "def"}) {
		t.Errorf("%+v", s)
	}
	if string(list[1].Signed.Certificate) != "der" || len(list[1].Signed.Bundle) == 0 || list[2].Signed.Bundle == nil || list[0].Signed.Bundle != nil || list[4].Line != 6 {
		t.Errorf("%+v, %+v, line %d", list[1].Signed, list[2].Signed, list[4].Line)
	}
	if list[4].Signed.Payload != nil {
		t.Error("a bare statement is in an envelope")
	}
	if list, bad := statement.Parse([]byte("Reviewed this one.\nThanks.\n")); len(list) != 0 || len(bad) != 1 || bad[0].Reason != statement.NoAttestation {
		t.Errorf("a person's note gave %v, %v", list, bad)
	}
}

func TestGittufLogEntriesAreRead(t *testing.T) {
	e, why := statement.ParseGittufEntry("RSL Reference Entry\n\nref: refs/heads/main\ntargetID: 94144616\nnumber: 1869\n")
	if why != "" || e.Kind != "reference" || e.Ref != "refs/heads/main" || e.Target != "94144616" || e.Number != 1869 {
		t.Errorf("%+v, %s", e, why)
	}
	e, why = statement.ParseGittufEntry("RSL Annotation Entry\n\nentryID: aa\nentryID: bb\nskip: true\nnumber: 4\n-----BEGIN MESSAGE-----\nb29wcw==\n-----END MESSAGE-----\n")
	if why != "" || !slices.Equal(e.Entries, []string{"aa", "bb"}) || !e.Skip || e.Message != "oops" {
		t.Errorf("%+v, %s", e, why)
	}
	for _, bad := range []string{"", "fix: it", "RSL Weather Entry\n", "RSL Reference Entry\n\nref: x\n", "RSL Annotation Entry\n\nskip: true\n", "RSL Annotation Entry\n\nentryID: a\n-----BEGIN MESSAGE-----\n!\n-----END MESSAGE-----"} {
		if e, why := statement.ParseGittufEntry(bad); why == "" {
			t.Errorf("%q gave %+v", bad, e)
		}
	}
}

func TestStatementBecomesAnUnverifiedAttestation(t *testing.T) {
	commit, digest := strings.Repeat("a", 40), strings.Repeat("b", 64)
	body := `{"_type":"https://in-toto.io/Statement/v1","predicateType":"p","subject":[{"digest":{"gitCommit":"` + commit + `","gitTree":"` + commit + `"}},{"digest":{"sha256":"` + digest + `","sha1":"x"}}]}`
	raw := strings.ReplaceAll(envelope("application/vnd.in-toto+json", body), `"k1"`, `"ann@x.test::https://login.test"`)
	list, bad := statement.Parse([]byte(raw))
	if len(list) != 1 || len(bad) != 0 {
		t.Fatalf("%v, %v", list, bad)
	}
	a := list[0].Record("refs/notes/commits "+commit, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	want := []stemma.Ref{stemma.NewRef(stemma.KindCommit, "sha1", commit), stemma.NewRef(stemma.KindArtifact, "sha256", digest)}
	var got []stemma.Ref
	for _, e := range a.About {
		got = append(got, e.To)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if a.SignerHint != "" || a.Bodies[0].Digest != stemma.Sum([]byte(raw)) || a.Subjects != 2 {
		t.Errorf("%+v", a)
	}
	if _, err := a.Fact("attestation-note", stemma.GradeD); err != nil {
		t.Error(err)
	}
}

// TestProvenanceNamesItsBuilderAndItsSource: as the builders that there are write it.
func TestProvenanceNamesItsBuilderAndItsSource(t *testing.T) {
	a, b := strings.Repeat("a", 40), strings.Repeat("b", 40)
	const one, old = "https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2"
	for name, c := range map[string]struct{ predicate, body, builder, source string }{
		"GitHub": {one, `{"buildDefinition":{"externalParameters":{"workflow":{"ref":"refs/heads/main","repository":"https://github.com/acme/pay","path":".github/workflows/r.yml"}},
			"resolvedDependencies":[{"uri":"git+https://github.com/acme/pay@refs/heads/main","digest":{"gitCommit":"` + a + `"}}]},"runDetails":{"builder":{"id":"https://github.com/acme/w@v1"}}}`, "https://github.com/acme/w@v1", a},
		"the source among what it needs": {one, `{"runDetails":{"builder":{"id":"b"}},"buildDefinition":{"resolvedDependencies":[{"uri":"git+https://github.com/acme/lib","digest":{"gitCommit":"` + b + `"}},
			{"uri":"git+https://github.com/other/pay.git@refs/heads/main","digest":{"gitCommit":"` + b + `"}},{"uri":"git+https://github.com/acme/pay.git@refs/heads/main","digest":{"gitCommit":"` + a + `"}}],"externalParameters":{"source":{"uri":"git+https://github.com/acme/pay@refs/tags/v1"}}}}`, "b", a},
		"several, none asked for": {one, `{"buildDefinition":{"resolvedDependencies":[{"uri":"git+https://x.example/a","digest":{"gitCommit":"` + a + `"}},{"uri":"git+https://x.example/b","digest":{"gitCommit":"` + b + `"}}]}}`, "", ""},
		"a tree, and a package":   {one, `{"buildDefinition":{"resolvedDependencies":[{"uri":"git+https://x.example/a","digest":{"gitTree":"` + a + `"}},{"uri":"pkg:npm/a","digest":{"sha1":"` + b + `"}}]}}`, "", ""},
		"GitLab": {one, `{"buildDefinition":{"externalParameters":{"source":"https://gitlab.com/acme/pay"},"resolvedDependencies":[{"uri":"https://gitlab.com/acme/pay","digest":{"sha256":"` + a + `"}}]},
			"runDetails":{"builder":{"id":"https://gitlab.com/acme/pay/-/runners/1"}}}`, "https://gitlab.com/acme/pay/-/runners/1", a},
		"BuildKit": {
			old, `{"builder":{"id":"https://github.com/acme/pay/actions/runs/1"},"materials":[{"uri":"pkg:docker/alpine","digest":{"sha256":"` + strings.Repeat("c", 64) + `"}},
			{"uri":"https://github.com/acme/pay.git#refs/heads/main","digest":{"sha1":"` + a + `"}}],"invocation":{"configSource":{"uri":"https://github.com/acme/pay.git#refs/heads/main","digest":{"sha1":"` + a + `"}}}}`,
			"https://github.com/acme/pay/actions/runs/1", a,
		},
		"told by where the configuration is": {old, `{"invocation":{"configSource":{"uri":"git+https://github.com/acme/pay@refs/heads/main","digest":{"sha1":"` + a + `"}}},"materials":[{"uri":"git+https://github.com/acme/lib","digest":{"sha1":"` + b + `"}}],"builder":{"id":"b"}}`, "b", a},
		"an id that would have to be cut":    {one, `{"runDetails":{"builder":{"id":"https://ci.example\u0000.evil.example"}}}`, "", ""},
		"a person by hand":                   {one, `{"runDetails":{"builder":{"id":"mailto:ada@acme.example"}}}`, "", ""},
		"no provenance":                      {"https://example.com/other", `{"runDetails":{"builder":{"id":"b"}}}`, "", ""},
		"of other types":                     {one, `{"runDetails":[1],"buildDefinition":"x","builder":7,"materials":{"a":1},"invocation":null}`, "", ""},
	} {
		body := `{"_type":"https://in-toto.io/Statement/v1","predicate":` + c.body + `,"subject":[],"predicateType":"` + c.predicate + `"}`
		list, bad := statement.Parse([]byte(envelope("application/vnd.in-toto+json", body)))
		if len(list) != 1 || len(bad) > 0 {
			t.Fatalf("%s: %v, %v", name, list, bad)
		}
		want := stemma.Ref("")
		if c.source != "" {
			want = stemma.NewRef(stemma.KindCommit, "sha1", c.source)
		}
		if r := list[0].Record("p", time.Time{}); r.Builder != c.builder || r.Source != want {
			t.Errorf("%s: by %q of %q", name, r.Builder, r.Source)
		}
	}
}

func FuzzStatements(f *testing.F) {
	f.Add([]byte(envelope("t", bare)+"\nx\n{\n"+bare[1:]), "RSL Reference Entry\n\nref: a\ntargetID: b\n")
	f.Fuzz(func(t *testing.T, b []byte, message string) {
		list, _ := statement.Parse(b)
		for _, s := range list {
			if s.Form == "" || s.Line < 1 || len(s.Raw) == 0 {
				t.Fatalf("%+v", s)
			}
			if _, err := s.Record("a note", time.Time{}).Fact("attestation-note", stemma.GradeD); err != nil {
				t.Fatal(err)
			}
		}
		if e, why := statement.ParseGittufEntry(message); why == "" && e.Kind == "" {
			t.Fatalf("%+v", e)
		}
	})
}
