package digests_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/ingest/evidence/digests"
	"github.com/stemma-dev/stemma/ingest/evidence/evidencetest"
)

var hex = evidencetest.Hex

func TestEveryFormOfALineIsRead(t *testing.T) {
	s, err := digests.Read([]byte("# what runs\r\nregistry.example.com/pay@sha256:" + hex("a") + "\r\n\nsha256:" + hex("b") + "  db main\n" + hex("c") + " *bin/pay\nsha256:" + hex("D") + "\n" + hex("c") + " *bin/pay\n"))
	want := "registry.example.com/pay registry.example.com/pay a\ndb main db main b\nbin/pay bin/pay c\n  d\n"
	if d := cmp.Diff(want, evidencetest.SightSummary(s)); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	evidencetest.Sight(t, s)
}

func TestAnyOtherLineIsAnError(t *testing.T) {
	evidencetest.RefuseHostile(t, func(b []byte) error { _, err := digests.Read(b); return err })
	for text, want := range map[string]string{
		"sha256:" + hex("a") + "\npay:1.4\n":   "digests: line 2: there is no SHA-256 in it",
		"pay@sha256:" + hex("a")[:63] + "\n":   "digests: line 1: there is no SHA-256 in it",
		"# nothing\n":                          "digests: there is no digest in it",
		"sha256:" + hex("a") + hex("a") + "\n": "digests: line 1: there is no SHA-256 in it",
	} {
		if _, err := digests.Read([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	evidencetest.FuzzSight(f, digests.Read, "a@sha256:"+hex("a")+"\nsha256:"+hex("b")+"  x\n")
}
