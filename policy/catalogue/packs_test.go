package catalogue_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/catalogue"
	"github.com/stemma-dev/stemma/policy/subject"
)

func TestThePacksThatWereDecidedOnAreThere(t *testing.T) {
	packs, err := catalogue.Packs()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]*policy.Pack{}
	for _, p := range packs {
		got[p.ID] = p
	}
	for _, id := range []string{"default", "extended", "l3", "l4", "soc2-change-management", "slsa-source", "slsa-build", "eu-ai-act-art-12", "dora-rts-art-17", "nist-ssdf", "pci-dss-6", "iso-42001"} {
		if got[id] == nil {
			t.Errorf("there is no pack %s", id)
		}
	}
	if n := len(got["default"].All()); n != 32 {
		t.Errorf("the default pack has %d controls, want 32", n)
	}
	if n := len(got["extended"].All()); n != 9 {
		t.Errorf("the extended pack has %d controls, want 9", n)
	}
	both := slices.Concat(got["default"].All(), got["extended"].All())
	if slices.Sort(both); len(slices.Compact(both)) != 41 {
		t.Error("the default and the extended pack are not all controls")
	}
	if got["l3"].Mode != policy.Enforce {
		t.Error("the pack of level 3 does not enforce")
	}
	for _, p := range packs {
		if _, err := catalogue.Load(nil, p.ID); err != nil {
			t.Errorf("%s: %v", p.ID, err)
		}
		if p.ID != "default" && p.ID != "extended" && len(p.Requirements) == 0 {
			t.Errorf("%s has no requirements", p.ID)
		}
		if (p.Status == "law" || p.Status == "standard") && len(p.Effective) == 0 {
			t.Errorf("%s does not say from when on it applies", p.ID)
		}
	}
}

func TestNobodyIsSaidToMeetAFramework(t *testing.T) {
	more := regexp.MustCompile(`(?i)complian(t|ce) with|compl(y|ies) with|certif|guarantee`)
	files, err := filepath.Glob("*/*.yaml")
	if err != nil || len(files) < 15 {
		t.Fatalf("%v are all files: %v", files, err)
	}
	for _, path := range append(files, page) {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(body), "\n") {
			if found := more.FindString(line); found != "" {
				t.Errorf("%s:%d says %q", path, i+1, found)
			}
		}
	}
}

const ownControl = `id: PAY-01
version: 1
title: Money is moved by two
why: Because it is money.
severity: high
rule: size(reviews) >= 2
remedy: Ask a second.
`

func directory(files map[string]string) fstest.MapFS {
	dir := fstest.MapFS{}
	for name, text := range files {
		dir[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return dir
}

func TestADirectoryMakesTheSetInForce(t *testing.T) {
	set, err := catalogue.Load(directory(map[string]string{
		"controls/pay.yaml":   ownControl,
		"controls/notes.txt":  "not one",
		"packs/house.yaml":    "id: house\nversion: 1\ntitle: Ours\ndated: 2026-11-27\nstatus: practice\nstanding: ours\nsource: ours\nmode: warn\nretention: 700\ncontrols: [REV-01, PAY-01]\n",
		"policy.yaml":         "packs: [house, l3]\nmode: observe\nsettings: {models: [claude-*]}\nrules: [{controls: [CAP-04], mode: observe}]\n",
		"controls/empty.yaml": "---\n---\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, c := range set.Controls {
		ids = append(ids, c.ID)
	}
	if want := []string{"CAP-01", "CAP-02", "CAP-04", "EXC-01", "INT-02", "PAY-01", "REV-01", "REV-02", "REV-05", "TRC-01"}; !slices.Equal(ids, want) {
		t.Errorf("in force are %v, want %v", ids, want)
	}
	x := &subject.Subject{}
	for id, want := range map[string]policy.Mode{
		"REV-01": policy.Enforce, // by l3, which is stricter than house
		"PAY-01": policy.Warn,
		"CAP-04": policy.Observe, // by a rule of the policy, which decides
	} {
		c := set.Controls[slices.Index(ids, id)]
		if got := set.Mode(c, x); got != want {
			t.Errorf("the mode of %s is %s, want %s", id, got, want)
		}
	}
	if got := set.Policy.SettingsOf("acme/pay"); got.RetentionNeeded != 700 || got.BurstLines == 0 || !slices.Equal(got.Models, []string{"claude-*"}) {
		t.Errorf("the settings are %+v", got)
	}
}

func TestWithoutADirectoryTheDefaultIsInForce(t *testing.T) {
	for name, dir := range map[string]fs.FS{"nil": nil, "empty": fstest.MapFS{}, "missing": os.DirFS(t.TempDir() + "/nowhere")} {
		set, err := catalogue.Load(dir)
		if err != nil || len(set.Controls) != 32 {
			t.Errorf("%s: %v, %v", name, set, err)
		}
	}
}

func TestAFaultyDirectoryGivesNoSet(t *testing.T) {
	pack := "id: house\nversion: %\ntitle: Ours\ndated: 2026-11-27\nstatus: practice\nstanding: ours\nsource: ours\ncontrols: [REV-01]\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"the id of a built-in control": {map[string]string{"controls/a.yaml": strings.Replace(ownControl, "PAY-01", "REV-01", 1)}, []string{"controls/a.yaml:1: REV-01: there is a control REV-01 already, which comes with the program"}},
		"an own control twice":         {map[string]string{"controls/a.yaml": ownControl, "controls/b.yaml": "\n" + ownControl}, []string{"controls/b.yaml:2: PAY-01: there is a control PAY-01 already, which is in controls/a.yaml"}},
		"a pack in two versions": {
			map[string]string{"packs/a.yaml": strings.Replace(pack, "%", "1", 1), "packs/b.yaml": strings.Replace(pack, "%", "2", 1)},
			[]string{"packs/b.yaml:1: the pack house@2 is there as house@1 too, in packs/a.yaml"},
		},
		"a built-in pack again":    {map[string]string{"packs/a.yaml": strings.NewReplacer("%", "9", "house", "l3").Replace(pack)}, []string{"packs/a.yaml:1: there is a pack l3 already, which comes with the program"}},
		"a pack of unknown things": {map[string]string{"packs/a.yaml": strings.NewReplacer("%", "1", "[REV-01]", "\n  - REV-01\n  - REV-99").Replace(pack)}, []string{"packs/a.yaml:10: there is no control \"REV-99\""}},
		"a policy of no such pack": {map[string]string{"policy.yaml": "packs:\n  - default\n  - soc3\n"}, []string{"policy.yaml:3: there is no pack \"soc3\""}},
		"a rule for no control":    {map[string]string{"policy.yaml": "rules:\n  - controls: [REV-1]\n    mode: warn\n"}, []string{"policy.yaml:2: \"REV-1\" fits no control"}},
		"all at once": {
			map[string]string{"policy.yaml": "mode: stop\n", "controls/a.yaml": "id: x\n", "packs/a.yaml": "id: Y\n"},
			[]string{"policy.yaml:1: the mode \"stop\"", "controls/a.yaml:1: x: the id \"x\" is not one", "packs/a.yaml:1: the id \"Y\" is not one"},
		},
		"a file that is too large": {map[string]string{"controls/a.yaml": strings.Repeat("# \n", 1<<19)}, []string{"controls/a.yaml: the file is larger"}},
	} {
		set, err := catalogue.Load(directory(c.files))
		if set != nil || err == nil {
			t.Errorf("%s: there is a set all the same", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v\nwant %s", name, err, want)
			}
		}
	}
}
