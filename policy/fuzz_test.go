package policy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stemma-dev/stemma/policy/subject"
)

// seed adds the files of the catalogue, and some that are wrong.
func seed(f *testing.F, pattern string, more ...string) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		f.Fatalf("no files at %s: %v", pattern, err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	for _, text := range more {
		f.Add([]byte(text))
	}
}

func FuzzParseControls(f *testing.F) {
	seed(f, "catalogue/controls/exception.yaml", ruledText("files[0].path.size() > 1 / change.added"), ruledText("files.all(a, files.all(b, a.path != b.path))"), "--- [", "? a\n: b", "<<: {id: A-1}\nid: A-2\n")
	x := &subject.Subject{Settings: subject.Usual(), Files: make([]subject.File, 50)}
	x.Derive()
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := ParseControls("fuzz.yaml", body)
		if err != nil && len(Faults(err)) == 0 {
			t.Fatalf("a fault without a place: %v", err)
		}
		for _, c := range list {
			_ = c.Test() // whatever comes out, it comes back
			(&Set{Controls: []*Control{c}}).Judge(x)
		}
	})
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte("packs: [l3]\nmode: enforce\nrules: [{controls: ['*'], mode: warn, paths: ['a/**']}]\nsettings: {models: [x], tags: {a: [b]}}\nrepositories: [{match: [a/*], settings: {ai_share: 3}}]\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := ParsePolicy("fuzz.yaml", body)
		if err != nil {
			if len(Faults(err)) == 0 {
				t.Fatalf("a fault without a place: %v", err)
			}
			return
		}
		s := &Set{Policy: p}
		x := &subject.Subject{Repository: subject.Repository{Name: "acme/pay"}, Settings: p.SettingsOf("acme/pay")}
		x.Derive()
		s.Mode(&Control{ID: "A-1", Severity: High}, x)
		if first := s.Digest(); first != s.Digest() {
			t.Fatal("two digests")
		}
	})
}

func FuzzParsePacks(f *testing.F) {
	seed(f, "catalogue/packs/*.yaml")
	f.Fuzz(func(t *testing.T, body []byte) {
		packs, err := ParsePacks("fuzz.yaml", body)
		if err != nil && len(Faults(err)) == 0 {
			t.Fatalf("a fault without a place: %v", err)
		}
		_, _ = NewSet(Known{Packs: packs}) // the controls are not known
	})
}
