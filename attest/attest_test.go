package attest_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/attest"
	"github.com/stemma-dev/stemma/attest/attesttest"
	"github.com/stemma-dev/stemma/attest/keyless"
	"github.com/stemma-dev/stemma/ingest/statement"
)

func inPEM(tb testing.TB, kind string, der []byte, err error) string {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func public(tb testing.TB, key any) string {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	return inPEM(tb, "PUBLIC KEY", der, err)
}

func signer(tb testing.TB, name, key string) attest.Signer {
	tb.Helper()
	s, err := attest.Terms{Name: name, Key: key}.Signer()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// ways are all ways to sign a message that are known, each with the public key.
func ways(tb testing.TB) map[string]func(message []byte) (sig []byte, key string) {
	must := func(b []byte, err error) []byte {
		if err != nil {
			tb.Fatal(err)
		}
		return b
	}
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	curve := func(c elliptic.Curve, sum func([]byte) []byte) func([]byte) ([]byte, string) {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			tb.Fatal(err)
		}
		return func(m []byte) ([]byte, string) {
			return must(ecdsa.SignASN1(rand.Reader, k, sum(m))), public(tb, k.Public())
		}
	}
	short := func(m []byte) []byte { s := sha256.Sum256(m); return s[:] }
	return map[string]func([]byte) ([]byte, string){
		"ed25519": func(m []byte) ([]byte, string) {
			pub, k, err := ed25519.GenerateKey(rand.Reader)
			if err != nil {
				tb.Fatal(err)
			}
			return ed25519.Sign(k, m), public(tb, pub)
		},
		"p256":             curve(elliptic.P256(), short),
		"p384":             curve(elliptic.P384(), func(m []byte) []byte { s := sha512.Sum384(m); return s[:] }),
		"p384 and sha-256": curve(elliptic.P384(), short),
		"p521":             curve(elliptic.P521(), func(m []byte) []byte { s := sha512.Sum512(m); return s[:] }),
		"rsa": func(m []byte) ([]byte, string) {
			return must(rsa.SignPKCS1v15(rand.Reader, long, crypto.SHA256, short(m))), inPEM(tb, "RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&long.PublicKey), nil)
		},
		"rsa-pss": func(m []byte) ([]byte, string) {
			return must(rsa.SignPSS(rand.Reader, long, crypto.SHA256, short(m), nil)), public(tb, long.Public())
		},
	}
}

func TestASignatureHoldsForItsBytesAlone(t *testing.T) {
	for name, sign := range ways(t) {
		t.Run(name, func(t *testing.T) {
			sig, key := sign([]byte("DSSEv1 3 a/b 5 hello"))
			trust := []attest.Signer{signer(t, "other", attesttest.New("other").Public()), signer(t, "ci", key)}
			e := attest.Envelope{PayloadType: "a/b", Payload: []byte("hello"), Signatures: []attest.Signature{{Sig: []byte("none")}, {Sig: sig}}}
			if state, by := attest.Check(e, trust); state != attest.Holds || !slices.Equal(by, []string{"ci"}) {
				t.Fatalf("%s by %v", state, by)
			}
			for what, other := range map[string]attest.Envelope{
				"another payload":   {PayloadType: "a/b", Payload: []byte("hellO"), Signatures: e.Signatures},
				"another type":      {PayloadType: "a/c", Payload: e.Payload, Signatures: e.Signatures},
				"no such signature": {PayloadType: "a/b", Payload: e.Payload, Signatures: e.Signatures[:1]},
			} {
				if state, by := attest.Check(other, trust); state != attest.Stranger || by != nil {
					t.Errorf("%s: %s by %v", what, state, by)
				}
			}
			if state, _ := attest.Check(e, trust[:1]); state != attest.Stranger {
				t.Errorf("without the key: %s", state)
			}
			if state, _ := attest.Check(attest.Envelope{PayloadType: "a/b", Payload: e.Payload}, trust); state != attest.Unsigned {
				t.Errorf("without a signature: %s", state)
			}
		})
	}
}

// TestOnlyAKeyThatIsNamedCanDeny: that no key which is known signed says nothing of the
// signature, unless it names one of them.
func TestOnlyAKeyThatIsNamedCanDeny(t *testing.T) {
	ci, stranger := attesttest.New("ci"), attesttest.New("stranger")
	forged := func(keyID string) attest.Envelope {
		list, bad := statement.Parse(attesttest.Envelope(attesttest.Provenance(strings.Repeat("a", 64), "b", strings.Repeat("c", 40)), keyID, []byte("made up")))
		if len(bad) > 0 {
			t.Fatal(bad)
		}
		return list[0].Signed
	}
	trust := []attest.Signer{signer(t, "ci", ci.Public())}
	named, err := attest.Terms{Name: "ci", Key: ci.Public(), KeyID: "vault:7"}.Signer()
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		keyID string
		trust []attest.Signer
		want  attest.State
	}{
		"no name":                   {"", trust, attest.Stranger},
		"the name of another":       {stranger.Called().KeyID, trust, attest.Stranger},
		"its digest":                {ci.Called().KeyID, trust, attest.Broken},
		"its digest, told":          {"SHA256:" + ci.Called().KeyID, trust, attest.Broken},
		"a name of somebody's own":  {"vault:7", []attest.Signer{named}, attest.Broken},
		"such a name, nobody knows": {"vault:7", trust, attest.Stranger},
		"nobody is trusted":         {ci.Called().KeyID, nil, attest.Stranger},
	} {
		if state, _ := attest.Check(forged(c.keyID), c.trust); state != c.want {
			t.Errorf("%s: %s, want %s", what, state, c.want)
		}
	}
}

func TestOnlyAPublicKeyIsOne(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(secret)
	private := inPEM(t, "PRIVATE KEY", der, err)
	old, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := attesttest.New("a").Public()
	for text, why := range map[string]string{
		"":                                   "no key in PEM",
		"ssh-ed25519 AAAA":                   "no key in PEM",
		private:                              "private key",
		good + good:                          "more than one",
		public(t, weak.Public()):             "bits",
		public(t, old.Public()):              "curve",
		strings.Replace(good, "MCow", "", 1): "damaged",
		strings.ReplaceAll(good, "PUBLIC", "RSA PUBLIC"):                 "damaged",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n": "public key is needed",
		good + strings.Repeat(" ", 20_000):                               "more than",
	} {
		_, err := attest.ParseKey(text)
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%.60q: %v, want %q", text, err, why)
		}
		if err != nil && strings.Contains(err.Error(), base64.StdEncoding.EncodeToString(der)[:20]) {
			t.Error("a private key is in an error")
		}
	}
}

func TestASignerIsTrustedByOneThing(t *testing.T) {
	key, root := attesttest.New("a").Public(), string(file(t, "trusted_root.json"))
	for why, terms := range map[string]attest.Terms{
		"needs a name":        {Key: key},
		"not both":            {Name: "a", Key: key, Issuer: "i"},
		"needs a key":         {Name: "a", Issuer: "i", Root: root},
		"is no pattern":       {Name: "a", Issuer: "i", Identity: "[", Root: root},
		"is no trusted root":  {Name: "a", Issuer: "i", Identity: "b", Root: "{}"},
		"no trusted root, wh": {Name: "a", Issuer: "i", Identity: "b", Root: "x"},
	} {
		if _, err := terms.Signer(); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%+v: %v, want %q", terms, err, why)
		}
	}
}

func file(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// stored is the one statement of a file.
func stored(tb testing.TB, raw []byte) statement.Statement {
	tb.Helper()
	list, bad := statement.Parse(raw)
	if len(list) != 1 || len(bad) > 0 {
		tb.Fatalf("%d statements, %v", len(list), bad)
	}
	return list[0]
}

const (
	actions  = "https://token.actions.githubusercontent.com"
	workflow = "https://github.com/slsa-framework/slsa-source-poc/.github/workflows/compute_slsa_source.yml@refs/heads/main"
)

// TestWhatWorkflowsSignedIsKnown: bundles as they were found in the world, in a note of
// slsa-framework/source-tool and beside a package of npm.
func TestWhatWorkflowsSignedIsKnown(t *testing.T) {
	root := string(file(t, "trusted_root.json"))
	source, npm := stored(t, file(t, "source-provenance.sigstore.json")), stored(t, file(t, "npm-provenance.sigstore.json"))
	if npm.Builder != "https://github.com/actions/runner" || npm.Source() != "commit:sha1/dae8bd8eb433a4147b4655c00fe73e0f22bc0fb1" {
		t.Errorf("built by %q of %q", npm.Builder, npm.Source())
	}
	other := source.Signed
	other.Payload = append(bytes.Clone(other.Payload), ' ')
	uncertain := source.Signed
	uncertain.Bundle = []byte(`{}`)
	for what, c := range map[string]struct {
		signed           attest.Envelope
		issuer, identity string
		want             attest.State
	}{
		"who it is":                {source.Signed, actions, workflow, attest.Holds},
		"a pattern of it":          {source.Signed, actions, "https://github.com/slsa-framework/*/.github/workflows/*@refs/**", attest.Holds},
		"another workflow":         {source.Signed, actions, strings.Replace(workflow, "compute", "any", 1), attest.Stranger},
		"a star is no slash":       {source.Signed, actions, "https://github.com/*", attest.Stranger},
		"let in by somebody else":  {source.Signed, "https://accounts.google.com", workflow, attest.Stranger},
		"another payload":          {other, actions, workflow, attest.Broken},
		"nothing bears witness":    {uncertain, actions, workflow, attest.Stranger},
		"a package of npm":         {npm.Signed, actions, "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main", attest.Holds},
		"one in the other's place": {npm.Signed, actions, workflow, attest.Stranger},
	} {
		s, err := attest.Terms{Name: "it", Issuer: c.issuer, Identity: c.identity, Root: root}.Signer()
		if err != nil {
			t.Fatal(err)
		}
		if state, _ := attest.Check(c.signed, []attest.Signer{s}); state != c.want {
			t.Errorf("%s: %s, want %s", what, state, c.want)
		}
	}
	if state, _ := attest.Check(source.Signed, []attest.Signer{signer(t, "ci", attesttest.New("ci").Public())}); state != attest.Stranger {
		t.Errorf("a key that is another's: %s", state)
	}
}

// TestABundleCannotBeReadInTwoWays: what is believed is what was signed, however a bundle is
// spelled.
func TestABundleCannotBeReadInTwoWays(t *testing.T) {
	raw := string(file(t, "source-provenance.sigstore.json"))
	real := stored(t, []byte(raw)).Signed.Payload
	forged := base64.StdEncoding.EncodeToString([]byte(attesttest.Provenance(strings.Repeat("a", 64), "https://evil.example", strings.Repeat("c", 40))))
	s, err := attest.Terms{Name: "it", Issuer: actions, Identity: workflow, Root: string(file(t, "trusted_root.json"))}.Signer()
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(raw, `"dsseEnvelope"`)
	inside := strings.Index(raw[at:], `"payload"`) + at
	for _, spelled := range []string{
		raw[:inside] + `"payload":"` + forged + `", ` + raw[inside:],
		raw[:inside] + `"Payload":"` + forged + `", ` + raw[inside:],
		raw[:inside] + strings.Replace(raw[inside:], `"payload"`, `"Payload"`, 1),
		raw[:at] + `"payload":"` + forged + `", ` + raw[at:],
		raw[:at] + `"dsseEnvelope":{"payload":"` + forged + `","payloadType":"application/vnd.in-toto+json","signatures":[]}, ` + raw[at:],
		strings.TrimRight(raw, "}\n ") + `}, "dsseEnvelope":{"payload":"` + forged + `","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA=="}]}}`,
		strings.TrimRight(raw, "}\n ") + `}, "dsse_envelope":{"payload":"` + forged + `","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA=="}]}}`,
	} {
		list, _ := statement.Parse([]byte(spelled))
		for _, found := range list {
			if state, _ := attest.Check(found.Signed, []attest.Signer{s}); state == attest.Holds && !bytes.Equal(found.Signed.Payload, real) {
				t.Errorf("%.200s… is said to be signed", spelled[inside:])
			}
		}
	}
}

func FuzzCheck(f *testing.F) {
	root, err := keyless.ParseRoot(file(f, "trusted_root.json"))
	if err != nil {
		f.Fatal(err)
	}
	real := file(f, "source-provenance.sigstore.json")
	signed := stored(f, real).Signed.Payload
	f.Add(real, attesttest.New("ci").Public(), file(f, "trusted_root.json"))
	f.Add(attesttest.New("ci").Sign("{}"), "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----", []byte(`{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`))
	trust := []attest.Signer{{Name: "key", Key: signer(f, "key", attesttest.New("key").Public()).Key}, {Name: "it", Root: root, Issuer: actions, Identity: "**"}}
	f.Fuzz(func(t *testing.T, raw []byte, key string, text []byte) {
		list, _ := statement.Parse(raw)
		for _, s := range list {
			if state, by := attest.Check(s.Signed, trust); state == attest.Holds && !bytes.Equal(s.Signed.Payload, signed) {
				t.Fatalf("%s signed %q", by, s.Signed.Payload)
			}
		}
		if _, err := attest.ParseKey(key); err == nil && !strings.Contains(key, "PUBLIC KEY") {
			t.Fatalf("%q is a key", key)
		}
		_, _ = keyless.ParseRoot(text) // it says what is wrong, and does not panic
	})
}
