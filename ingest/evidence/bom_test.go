package evidence_test

import (
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/artifact/purl"
	"github.com/stemma-dev/stemma/ingest/evidence"
)

// What is cut of a package URL must not make another one of it, or another version.
func TestAPackageURLThatIsTooLongIsOfNothingElse(t *testing.T) {
	long := "pkg:npm/" + strings.Repeat("a", 286)
	for text, want := range map[string]string{
		"pkg:npm/cart@1.2.10?vcs_url=" + strings.Repeat("x", 400):                                          "pkg:npm/cart@1.2.10",
		"pkg:deb/debian/libssl3@3?arch=" + strings.Repeat("x", 400) + "&distro=debian-12&upstream=openssl": "pkg:deb/debian/libssl3@3?distro=debian-12&upstream=openssl",
		"pkg:npm/cart@1.2.10#" + strings.Repeat("x", 400):                                                  "pkg:npm/cart@1.2.10",
		long + "@1.2.10":                           "", // of which 300 bytes end in 1.2.1
		"pkg:npm/" + strings.Repeat("a", 400):      "",
		"pkg:npm/" + strings.Repeat("%41", 97):     "pkg:npm/" + strings.Repeat("%41", 97),
		"pkg:npm/" + strings.Repeat("%41", 97)[1:]: "pkg:npm/" + strings.Repeat("%41", 97)[1:],
	} {
		var b artifact.Bom
		evidence.Listed(&b, artifact.Component{Name: "x", Version: "1", PURL: text})
		c := b.Components[0]
		if c.PURL != want {
			t.Errorf("%.60s… is kept as %q", text, c.PURL)
		}
		if c.PURL != "" && c.Package != purl.Name(text) {
			t.Errorf("%.60s… is of %q", text, c.Package)
		}
	}
}
