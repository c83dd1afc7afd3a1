package gather_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/attest/attesttest"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/reported"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/catalogue"
	"github.com/stemma-dev/stemma/policy/gather"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

const (
	builder = "https://ci.example.com/builder"
	slow    = "https://ci.example.com/slow"
)

// decided is a policy that trusts the signer ci for two builders, and boms for none.
func decided(ci, boms attesttest.Signer) string {
	text := "settings:\n  build_level: 2\n  builders: {" + builder + ": 2, " + slow + ": 1, https://evil.example: 3}\n  trust:\n"
	for _, s := range []struct{ name, key, builders string }{{"ci", ci.Public(), "https://ci.example.com/*"}, {"boms", boms.Public(), ""}} {
		text += "  - name: " + s.name + "\n    key: |\n      " + strings.ReplaceAll(strings.TrimSpace(s.key), "\n", "\n      ") + "\n"
		if s.builders != "" {
			text += "    builders: ['" + s.builders + "']\n"
		}
	}
	return text
}

// setOf are the controls in force by a policy.
func setOf(t *testing.T, text string) *policy.Set {
	t.Helper()
	p, err := policy.ParsePolicy("policy.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	controls, err := catalogue.Controls()
	if err != nil {
		t.Fatal(err)
	}
	packs, err := catalogue.Packs()
	if err != nil {
		t.Fatal(err)
	}
	set, err := policy.NewSet(policy.Known{Controls: controls, Packs: packs, Policy: p})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// judgedBy is how BLD-01 and BLD-02 stand for changes, each with why.
func judgedBy(t *testing.T, s *ingest.Space, v *gather.Verifier, set *policy.Set, refs ...stemma.Ref) (lines []string) {
	t.Helper()
	var list []*subject.Subject
	err := s.DB.Read(t.Context(), func(tx *storage.Tx) (err error) {
		opt := options()
		opt.Settings = func(string) subject.Settings { return set.Policy.SettingsOf("acme/pay") }
		list, err = gather.Changes(t.Context(), tx, refs, opt)
		return err
	})
	if err == nil {
		err = v.Verify(t.Context(), list)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		said := ""
		for _, f := range set.Judge(x) {
			if f.Control == "BLD-01" || f.Control == "BLD-02" {
				said += fmt.Sprintf("%s %s (%s) ", f.Control, f.State, f.Reason)
			}
			if f.Control == "BLD-01" && f.State == policy.Pass && f.Grade != "B" {
				said += "of grade " + f.Grade
			}
		}
		lines = append(lines, said)
	}
	return lines
}

// A signing is what is said of the image that a change was built into and that runs.
type signing struct {
	name  string
	raw   func(p *place, hex string) []byte
	erase bool
	about bool // another fact says that it is about the image
	want  []string
}

func signings() []signing {
	ci, stranger, boms := attesttest.New("ci"), attesttest.New("stranger"), attesttest.New("boms")
	by := func(s attesttest.Signer, builder string, commit int) func(*place, string) []byte {
		return func(p *place, hex string) []byte { return s.Sign(attesttest.Provenance(hex, builder, p.sha(commit))) }
	}
	changed := func(p *place, hex string) []byte {
		good := string(ci.Called().Sign(attesttest.Provenance(hex, builder, p.sha(9))))
		signature := good[strings.Index(good, `"signatures"`):]
		forged := string(ci.Called().Sign(attesttest.Provenance(hex, builder, p.sha(2))))
		return []byte(forged[:strings.Index(forged, `"signatures"`)] + signature)
	}
	return []signing{
		{name: "signed by who may", raw: by(ci, builder, 2), want: []string{"BLD-01 pass", "BLD-02 pass"}},
		{name: "made up, in the name of who may", raw: func(p *place, hex string) []byte {
			return attesttest.Envelope(attesttest.Provenance(hex, builder, p.sha(2)), ci.Called().KeyID, []byte("made up"))
		}, want: []string{"BLD-01 fail (the signature of its provenance does not hold)", "BLD-02 fail"}},
		{name: "the signature of something else", raw: changed, want: []string{"BLD-01 fail (the signature of its provenance does not hold)", "BLD-02 fail"}},
		{name: "signed by nobody who is trusted", raw: by(stranger.Called(), builder, 2), want: []string{"BLD-01 fail (nobody trusts who signed", "BLD-02 fail"}},
		{name: "not signed", raw: func(p *place, hex string) []byte { return []byte(attesttest.Provenance(hex, builder, p.sha(2))) }, want: []string{"BLD-01 fail (its provenance is not signed)", "BLD-02 fail"}},
		{name: "a builder that the signer does not speak for", raw: by(ci, "https://evil.example", 2), want: []string{"BLD-01 fail (who signed its provenance is not trusted to speak for its builder)", "BLD-02 fail"}},
		{name: "a signer who speaks for no builder", raw: by(boms, builder, 2), want: []string{"BLD-01 fail (who signed its provenance is not trusted to speak", "BLD-02 fail"}},
		{name: "a builder of a lower level", raw: by(ci, slow, 2), want: []string{"BLD-01 fail (its builder is not trusted to level 2)", "BLD-02 pass"}},
		{name: "another commit", raw: by(ci, builder, 7), want: []string{"BLD-01 fail (its provenance names another commit", "BLD-02 pass"}},
		{name: "erased", raw: by(ci, builder, 2), erase: true, want: []string{"BLD-01 unknown (the provenance was erased", "BLD-02 unknown"}},
		{name: "about another image, and said to be about this one", about: true, raw: func(p *place, _ string) []byte {
			_, other := p.image("other")
			_, hex := other.Split()
			return ci.Sign(attesttest.Provenance(hex, builder, p.sha(2)))
		}, want: []string{"BLD-01 fail (what was signed is not about what was built)", "BLD-02 fail"}},
		{name: "signed as a text of another kind", raw: func(p *place, hex string) []byte {
			return ci.SignAs("text/plain", attesttest.Provenance(hex, builder, p.sha(2)))
		}, want: []string{"BLD-01 fail (what was signed is not about what was built)", "BLD-02 fail"}},
		{name: "about another image", raw: func(p *place, _ string) []byte {
			_, other := p.image("other")
			_, hex := other.Split()
			return ci.Sign(attesttest.Provenance(hex, builder, p.sha(2)))
		}, want: []string{"BLD-01 unknown (no provenance", "BLD-02 fail"}},
	}
}

// TestProvenanceIsJudgedByWhoSigned: from the report of a pipeline to how the controls stand.
func TestProvenanceIsJudgedByWhoSigned(t *testing.T) {
	ci, boms := attesttest.New("ci"), attesttest.New("boms")
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		cases := signings()
		var places []*place
		var refs, signed []stemma.Ref
		var raws [][]byte
		for i, c := range cases {
			p := &place{n: i}
			digest, ref := p.image("pay")
			_, hex := ref.Split()
			raw := c.raw(p, hex)
			p.merged()
			p.landed()
			p.tell(deployment.Environment{Name: p.environment(), Tier: "production"}, artifact.Artifact{Digest: digest, From: edge(p.commit(2))})
			p.deployed("d1", 70, func(d *deployment.Deployment) { d.Ships = edge(ref) })
			attestation := artifact.AttestationRef(stemma.Sum(raw))
			if c.about {
				p.tell(artifact.Attestation{ID: attestation, PredicateType: "https://slsa.dev/provenance/v1", About: edge(ref)})
			}
			places, refs, raws, signed = append(places, p), append(refs, p.change()), append(raws, raw), append(signed, attestation)
		}
		s := tellAll(t, open(), places)
		for _, raw := range raws {
			e := reported.Envelope{Kind: reported.KindAttestation, At: at(65), Attestations: [][]byte{raw}}
			b, err := e.Seal()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := reported.Take(t.Context(), s, now, b); err != nil {
				t.Fatal(err)
			}
		}
		v, set := gather.NewVerifier(s.Vault), setOf(t, decided(ci, boms))
		erase := func(ref stemma.Ref) {
			if _, err := s.Erase(t.Context(), now, ingest.Erasure{What: ref, Name: "Dan", Mail: "dan@acme.example", Ground: "asked to"}); err != nil {
				t.Fatal(err)
			}
		}
		for i, c := range cases {
			if c.erase {
				judgedBy(t, s, v, set, refs[i]) // it was seen before
				erase(signed[i])
			}
		}
		got := judgedBy(t, s, v, set, slices.Concat(refs, refs[:1])...)[:len(refs)] // one is asked for twice
		for i, c := range cases {
			for _, want := range c.want {
				if !strings.Contains(got[i], want) {
					t.Errorf("%s: %s, want %s", c.name, got[i], want)
				}
			}
		}
		t.Run("again", func(t *testing.T) {
			if again := judgedBy(t, s, v, set, refs...); !slices.Equal(got, again) {
				t.Errorf("%q\n%q", got, again)
			}
		})
		for name, c := range map[string]struct{ policy, want string }{
			"who is trusted no longer":         {decided(attesttest.New("next"), boms), "BLD-01 fail (nobody trusts who signed"},
			"where nobody is trusted":          {"settings: {build_level: 2}", "BLD-01 unknown (nobody decided"},
			"one key under the name of others": {decided(boms, ci), "BLD-01 fail (who signed its provenance is not trusted to speak"},
		} {
			if got := judgedBy(t, s, v, setOf(t, c.policy), refs[0]); !strings.Contains(got[0], c.want) {
				t.Errorf("%s: %s, want %s", name, got[0], c.want)
			}
		}
	})
}
