package gather_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/catalogue"
	"github.com/stemma-dev/stemma/policy/gather"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// mixed is a change of which two images were built, as of the commit before, of parts of all
// sorts: of a few packages in a few versions, some of a distribution, some without a name.
func mixed(r *rand.Rand, n int) *place {
	p := &place{n: n}
	p.merged(func(c *change.Change) { c.Lines = &change.Lines{AI: 3} })
	p.landed(func(c *change.Commit) { c.Files = []change.File{{Path: "go.mod", Status: "M", Added: 3}} })
	part := func() artifact.Component {
		name, version := fmt.Sprint("lib", r.IntN(8)), fmt.Sprint(1+r.IntN(3), ".0.0")
		switch r.IntN(8) {
		case 0:
			return artifact.Component{Name: name, Version: version}
		case 1:
			return artifact.Component{Name: name, PURL: "pkg:deb/debian/" + p.name(name) + "@" + version + []string{"", "?distro=debian-12", "?distro=debian-12&upstream=" + p.name("lib0")}[r.IntN(3)]}
		case 2:
			return artifact.Component{Name: name, PURL: p.pkg(name) + "@" + version + "?x=" + fmt.Sprint(r.IntN(2)), Package: p.pkg(name)}
		}
		return artifact.Component{Name: name, PURL: p.pkg(name) + "@" + version, Package: p.pkg(name)}
	}
	for _, name := range []string{"pay", "web"} {
		var before []artifact.Component
		for range r.IntN(12) {
			before = append(before, part())
		}
		after := slices.DeleteFunc(slices.Clone(before), func(artifact.Component) bool { return r.IntN(5) == 0 })
		for range r.IntN(4) {
			after = append(after, part())
		}
		if r.IntN(5) > 0 {
			p.listed(name, 1, before...)
		}
		p.listed(name, 2, after...)
	}
	for i := range 8 {
		if name := fmt.Sprint("lib", i); r.IntN(2) == 0 {
			p.advised(name, name, func(a *governance.Advisory) {
				a.Severity, a.Malicious = []string{"low", "high", ""}[r.IntN(3)], r.IntN(4) == 0
				if r.IntN(3) == 0 {
					a.Affects[0].Package, a.Affects[1].Package = "pkg:deb/debian/"+p.name(name), "pkg:deb/debian/"+p.name(name)
				}
			})
		}
		if name := fmt.Sprint("lib", i); r.IntN(2) == 0 {
			p.tell(artifact.Package{ID: artifact.PackageRef("npm", p.name(name)), PURL: p.pkg(name), First: at(2 + 100*r.IntN(2)), Downloads: 70, Asked: at(3)})
		}
	}
	if r.IntN(2) == 0 {
		p.tell(pipeline.Scan{ID: pipeline.ScanRef("github-actions", p.name("s")), Tool: "grype", Of: []stemma.Ref{p.commit(2)}, Occurred: at(98 + r.IntN(4))})
	}
	return p
}

// TestWhatWasThereBeforeMayBeLeftOut gathers changes with all parts and with new ones only:
// what is told of those that came in is the same, also of one change alone, and so is what all
// controls say.
func TestWhatWasThereBeforeMayBeLeftOut(t *testing.T) {
	list, err := catalogue.Controls()
	if err != nil {
		t.Fatal(err)
	}
	set := &policy.Set{Controls: list}
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db, r := open(), rand.New(rand.NewPCG(7, 7))
		var places []*place
		var refs []stemma.Ref
		for i := range 60 {
			places = append(places, mixed(r, i))
			refs = append(refs, places[i].change())
		}
		tellAll(t, db, places)
		few := func(refs ...stemma.Ref) (found []*subject.Subject) {
			err := db.Read(t.Context(), func(tx *storage.Tx) (err error) {
				opt := options()
				opt.New = true
				found, err = gather.Changes(t.Context(), tx, refs, opt)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		left, states := 0, map[policy.State]int{}
		all, new := gathered(t, db, refs...), few(refs...)
		for i, x := range all {
			y := new[i]
			if d := cmp.Diff(y, few(refs[i])[0]); d != "" {
				t.Fatalf("%s alone: %s", refs[i], d)
			}
			want, got := set.Judge(x), set.Judge(y)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: %s", refs[i], d)
			}
			for _, f := range got {
				if f.Control == "SUP-01" || f.Control == "CI-02" {
					states[f.State]++
				}
			}
			packages := slices.DeleteFunc(slices.Clone(x.Packages), func(p subject.Package) bool { return p.Kept && !p.Came && !named(y.Packages, p.Name) })
			left += len(x.Packages) - len(packages)
			if d := cmp.Diff(packages, y.Packages, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("%s: %s", refs[i], d)
			}
			before := func(v subject.Vulnerability) bool { return v.Kept }
			if d := cmp.Diff(slices.DeleteFunc(slices.Clone(x.Vulnerabilities), before), slices.DeleteFunc(slices.Clone(y.Vulnerabilities), before), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("%s: %s", refs[i], d)
			}
			if d := cmp.Diff(x.Unmatched, y.Unmatched); d != "" {
				t.Errorf("%s: %s", refs[i], d)
			}
		}
		if left == 0 || states[policy.Pass] == 0 || states[policy.Fail] == 0 || states[policy.Unknown] == 0 {
			t.Errorf("%d packages were left out, and controls gave %v", left, states)
		}
	})
}

func named(list []subject.Package, name string) bool {
	return slices.ContainsFunc(list, func(p subject.Package) bool { return p.Name == name })
}
