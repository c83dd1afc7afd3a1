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
	}
}
