package catalogue_test

import (
	"testing"
	"testing/fstest"

	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/catalogue"
)

func TestAFileThatWouldNotBeReadIsAFault(t *testing.T) {
	for place, want := range map[string]string{
		"control/a.yaml":         "put it into controls/ itself",
		"controls/sub/a.yaml":    "put it into controls/ itself",
		"controls/s/u/b.yml":     "put it into controls/ itself",
		"Controls/a.yaml":        "put it into controls/ itself",
		"controls/a.YAML":        "let its name end in .yaml",
		"controls.yaml":          "put it into controls/",
		"pack/x.yaml":            "put it into packs/ itself",
		"packs/sub/x.yaml":       "put it into packs/ itself",
		"packs/x.Yml":            "let its name end in .yaml",
		"policies/policy.yaml":   "the policy is policy.yaml, beside controls/ and packs/",
		"policy/policy.yaml":     "the policy is policy.yaml, beside controls/ and packs/",
		"policy.yml":             "call it policy.yaml",
		"Policy.yaml":            "call it policy.yaml",
		"policies.yaml":          "call it policy.yaml",
		".stemma/policy.yaml":    "name that directory itself",
		"policy.yaml":            "",
		"alerts.yaml":            "",
		"roles.yaml":             "",
		"keys/release.pub":       "",
		"keys/root.json":         "",
		"controls/README.md":     "",
		"controls/sub/README.md": "",
		"controls/a.yaml~":       "",
		"controls/a.yml":         "",
	} {
		_, err := catalogue.Read(fstest.MapFS{place: {Data: []byte("# nothing yet\n")}})
		faults := policy.Faults(err)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", place, err)
		case want != "" && (len(faults) != 1 || faults[0].Why != "it would not be read: "+want):
			t.Errorf("%s: %v, want %s", place, err, want)
		case want != "" && place != ".stemma/policy.yaml" && faults[0].Place != place:
			t.Errorf("%s is told at %s", place, faults[0].Place)
		}
		if want != "" && !catalogue.Ours(place) {
			t.Errorf("%s looks like ours, and Ours does not say so", place)
		}
	}
}

func TestWhatIsReadByItsNameIsOurs(t *testing.T) {
	for name, want := range map[string]bool{
		"policy.yaml": true, "controls": true, "controls/a.yaml": true, "controls/a.yml": true, "packs": true, "packs/x.yaml": true, "controls/shared": true,
		"policies": true, "Control": true,
		"alerts": false, "alerts/x.json": false, "alerts.yaml": false, "roles.yaml": false, "keys/release.pub": false,
		"controls/README.md": false, "controls.md": false, "policy.json": false, "controls.d/a.yaml": false, "README": false,
	} {
		if is := catalogue.Ours(name); is != want {
			t.Errorf("%s: %v, want %v", name, is, want)
		}
	}
}
