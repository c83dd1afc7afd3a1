package gather_test

import (
	"fmt"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/artifact/purl"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/policy/gather"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// built is what was built of a commit, under a name, of versions of packages: cart@1.0.
func (p *place) built(name string, of int, parts ...string) {
	digest, ref := p.image(fmt.Sprint(name, of))
	b := artifact.Bom{ID: artifact.BomRef(stemma.Sum([]byte(digest))), Format: "spdx", Count: len(parts) / 2, Of: edge(ref)}
	for i := 0; i < len(parts); i += 2 {
		b.Components = append(b.Components, artifact.Component{Name: parts[i], PURL: p.pkg(parts[i]) + parts[i+1], Package: p.pkg(parts[i])})
	}
	p.tell(artifact.Artifact{Digest: digest, Name: p.name(name), From: edge(p.commit(of))}, b)
}

// listed is what was built of a commit, under a name, of parts as they are told.
func (p *place) listed(name string, of int, parts ...artifact.Component) {
	digest, ref := p.image(fmt.Sprint(name, of))
	p.tell(
		artifact.Artifact{Digest: digest, Name: p.name(name), From: edge(p.commit(of))},
		artifact.Bom{ID: artifact.BomRef(stemma.Sum([]byte(digest))), Format: "spdx", Count: len(parts), Of: edge(ref), Components: parts},
	)
}

// pkg is the name of a package that only this place has.
func (p *place) pkg(name string) string { return "pkg:npm/" + p.name(name) }

// advised is an advisory that versions of a package before 2.0 are affected.
func (p *place) advised(k, of string, edit ...func(*governance.Advisory)) {
	a := governance.Advisory{
		ID: governance.AdvisoryRef("osv", p.name(k)), Title: "a hole", Severity: "high", Published: at(99), Modified: at(100), Standing: "open",
		Affects: []governance.Affected{
			{Package: p.pkg(of), Ecosystem: "npm", Range: 1, Event: "introduced", Version: "0"},
			{Package: p.pkg(of), Ecosystem: "npm", Range: 1, Event: "fixed", Version: "2.0.0"},
		},
	}
	for _, e := range edit {
		e(&a)
	}
	p.tell(a)
}

func packageMembers() []member {
	return []member{
		{
			"packages, and what a registry tells of them", func(p *place) {
				p.merged()
				p.landed()
				p.built("pay", 2, "cart", "@1.0.0", "cart", "@1.1.0", "made-up", "")
				p.tell(
					artifact.Package{ID: artifact.PackageRef("npm", p.name("cart")), PURL: p.pkg("cart"), First: at(2), Downloads: 70, Asked: at(3)},
					artifact.Package{ID: artifact.PackageRef("npm", p.name("made-up")), PURL: p.pkg("made-up"), Missing: true, Asked: at(4)},
				)
			},
			func(s *subject.Subject) any { return s.Packages },
			func(p *place) any {
				thing := func(name string) subject.Thing {
					return subject.Thing{Ref: string(artifact.PackageRef("npm", p.name(name))), Grade: "B"}
				}
				return []subject.Package{
					{Thing: thing("cart"), Name: p.pkg("cart"), Versions: []string{"1.0.0", "1.1.0"}, Told: true, First: at(2).Time(), Downloads: 70, Asked: at(3).Time()},
					{
						Thing: thing("made-up"), Name: p.pkg("made-up"), Told: true, Missing: true, Asked: at(4).Time(), MadeUp: true,
						Refused: "the registry has no " + p.pkg("made-up"),
					},
				}
			},
		},
		{
			"packages that what was built of the commit before had too", func(p *place) {
				p.merged()
				p.landed()
				p.built("pay", 1, "old", "@1.0.0", "newer", "@1.0.0", "mended", "@2.0.0", "untold", "@1.0.0")
				p.built("pay", 2, "old", "@1.0.0", "newer", "@2.0.0", "mended", "@2.0.0", "untold", "@1.0.0", "new", "@1.0.0")
				p.advised("mended", "mended")
				p.built("web", 1, "new", "@1.0.0")
				for _, name := range []string{"old", "newer", "new"} {
					p.advised(name, name, func(a *governance.Advisory) { a.Affects = a.Affects[:1] })
				}
			},
			func(s *subject.Subject) any {
				out := map[string]bool{}
				for _, x := range s.Packages {
					out[x.Name] = x.Kept
				}
				for _, v := range s.Vulnerabilities {
					out[v.Package+"@"+v.Version] = v.Kept
				}
				return out
			},
			func(p *place) any {
				return map[string]bool{
					p.pkg("old"): true, p.pkg("newer"): true, p.pkg("new"): false, // and not that of which nothing is told
					p.pkg("old") + "@1.0.0": true, p.pkg("newer") + "@2.0.0": false, p.pkg("new") + "@1.0.0": false,
				}
			},
		},
		{
			"packages that one of two artifacts had before came in with the other", func(p *place) {
				p.merged()
				p.landed()
				p.built("pay", 1, "cart", "@1.0.0")
				p.built("pay", 2, "cart", "@1.0.0")
				p.built("web", 2, "cart", "@1.0.0")
			},
			func(s *subject.Subject) any {
				return refs(s.Packages, func(x subject.Package) string { return fmt.Sprint(x.Name, " ", x.Kept) })
			},
			func(p *place) any { return []string{p.pkg("cart") + " false"} },
		},
		{
			"vulnerabilities of the versions that came in", func(p *place) {
				p.merged()
				p.landed()
				p.built("pay", 2, "cart", "@1.0.0", "cart", "@2.0.0", "nameless", "", "other", "@1.0.0")
				p.advised("hole", "cart", func(a *governance.Advisory) { a.Malicious = true })
				p.advised("back", "cart", func(a *governance.Advisory) { a.Standing = "withdrawn" })
				p.advised("perhaps", "nameless", func(a *governance.Advisory) { a.Severity = "" })
				p.advised("elsewhere", "unused")
			},
			func(s *subject.Subject) any { return s.Vulnerabilities },
			func(p *place) any {
				thing := func(name string) subject.Thing {
					return subject.Thing{Ref: string(governance.AdvisoryRef("osv", p.name(name))), Grade: "B"}
				}
				return []subject.Vulnerability{
					{Thing: thing("hole"), Package: p.pkg("cart"), Version: "1.0.0", Title: "a hole", Severity: "high", Malicious: true, Published: at(99).Time(), Modified: at(100).Time(), Grave: true},
					{Thing: thing("perhaps"), Package: p.pkg("nameless"), Title: "a hole", Published: at(99).Time(), Modified: at(100).Time(), Unsure: "its version is not known", Open: true},
				}
			},
		},
		{
			"a version that was there before, in another spelling of its package URL", func(p *place) {
				p.merged()
				p.landed()
				p.built("pay", 1, "cart", "@1.0.0?x=1")
				p.built("pay", 2, "cart", "@1.0.0?x=2")
				p.advised("hole", "cart")
			},
			func(s *subject.Subject) any {
				return refs(s.Vulnerabilities, func(v subject.Vulnerability) string { return fmt.Sprint(v.Version, v.Kept) })
			},
			is([]string{"1.0.0true"}),
		},
		{
			"parts without a package URL that came in", func(p *place) {
				p.merged()
				p.landed()
				p.listed("pay", 1, artifact.Component{Name: "libold", Version: "1"})
				p.listed("pay", 2, artifact.Component{Name: "libold", Version: "1"}, artifact.Component{Name: "libnew", Version: "1"}, artifact.Component{Name: "x", PURL: "npm/x@1"})
				p.advised("hole", "cart")
				p.tell(pipeline.Scan{ID: pipeline.ScanRef("github-actions", p.name("s")), Tool: "grype", Of: []stemma.Ref{p.commit(2)}, Occurred: at(101)})
			},
			func(s *subject.Subject) any { return s.Unmatched },
			is([]subject.Unmatched{{
				Reason: "it has no package URL that can be read", Parts: []string{"libnew 1", "npm/x@1 x"}, Count: 2, Nameless: true, Known: at(100).Time(), Open: true, Scanned: true,
			}}),
		},
		{
			"packages of a distribution that do not say what they were built of", func(p *place) {
				p.merged()
				p.landed()
				of := func(name, more string) artifact.Component {
					return artifact.Component{Name: name, PURL: "pkg:" + name + "@1?distro=debian-12" + more}
				}
				p.listed("pay", 2, of("deb/debian/libssl3", ""), of("apk/alpine/musl", ""), of("apk/alpine/libcrypto3", "&upstream=openssl"), of("rpm/nobody/x", ""))
				p.advised("hole", "cart", func(a *governance.Advisory) {
					a.Affects[0].Package, a.Affects[1].Package = "pkg:deb/debian/openssl", "pkg:deb/debian/openssl"
				})
			},
			func(s *subject.Subject) any { return s.Unmatched },
			is([]subject.Unmatched{
				{Reason: "of which source package of pkg:deb/debian/ it was built is not known", Parts: []string{"pkg:deb/debian/libssl3"}, Count: 1, Known: at(100).Time(), Open: true},
				{Reason: "of which source package of pkg:rpm/nobody/ it was built is not known", Parts: []string{"pkg:rpm/nobody/x"}, Count: 1},
			}),
		},
		{
			"packages of a distribution of which it is not told which one", func(p *place) {
				p.merged()
				p.landed()
				p.listed("pay", 2, artifact.Component{Name: "libssl3", PURL: "pkg:deb/libssl3@1?upstream=openssl"})
				p.advised("hole", "cart", func(a *governance.Advisory) {
					a.Affects[0].Package, a.Affects[1].Package = "pkg:deb/debian/openssl", "pkg:deb/debian/openssl"
				})
			},
			func(s *subject.Subject) any { return s.Unmatched },
			is([]subject.Unmatched{
				{Reason: "of which source package of pkg:deb/ it was built is not known", Parts: []string{"pkg:deb/libssl3"}, Count: 1, Known: at(100).Time(), Open: true},
			}),
		},
		{
			"a vulnerability of what a package was built of", func(p *place) {
				p.merged()
				p.landed()
				p.listed("pay", 2, artifact.Component{Name: "libssl3", PURL: "pkg:deb/debian/libssl3@9:9?distro=debian-12&upstream=" + p.name("openssl") + "%403.0.1"})
				p.advised("hole", "cart", func(a *governance.Advisory) {
					for i := range a.Affects {
						a.Affects[i].Package, a.Affects[i].Ecosystem = "pkg:deb/debian/"+p.name("openssl"), "Debian:12"
					}
					a.Affects[1].Version = "3.0.2"
				})
			},
			func(s *subject.Subject) any {
				return refs(s.Vulnerabilities, func(v subject.Vulnerability) string { return fmt.Sprint(v.Package, " ", v.Version, " ", v.Grave) })
			},
			is([]string{"pkg:deb/debian/libssl3 9:9 true"}),
		},
		{
			"a scan before an advisory was changed does not know it", func(p *place) {
				p.merged()
				p.landed()
				p.built("pay", 2, "cart", "@1.0.0")
				p.advised("hole", "cart", func(a *governance.Advisory) { a.Published, a.Modified = at(10), at(100) })
				p.tell(pipeline.Scan{ID: pipeline.ScanRef("github-actions", p.name("s")), Tool: "grype", Of: []stemma.Ref{p.commit(2)}, Occurred: at(20)})
			},
			func(s *subject.Subject) any {
				return refs(s.Vulnerabilities, func(v subject.Vulnerability) string { return fmt.Sprint(v.Scanned) })
			},
			is([]string{"false"}),
		},
		{
			"a scan by a clock that is ahead was made when it was told, and is not the last one for ever", func(p *place) {
				p.merged()
				p.landed()
				p.tell(pipeline.Scan{ID: pipeline.ScanRef("github-actions", p.name("s")), Tool: "grype", Of: []stemma.Ref{p.commit(2)}, Occurred: at(60 * 24 * 365 * 70)})
			},
			func(s *subject.Subject) any {
				return refs(s.Scans, func(x subject.Scan) string { return fmt.Sprint(x.At.After(now())) })
			},
			is([]string{"false"}),
		},
		{
			"a scan after something was published knows it", func(p *place) {
				p.merged()
				p.landed()
				p.built("pay", 2, "cart", "@1.0.0")
				p.advised("hole", "cart")
				p.tell(pipeline.Scan{ID: pipeline.ScanRef("github-actions", p.name("s")), Tool: "grype", Of: []stemma.Ref{p.commit(2)}, Occurred: at(101)})
			},
			func(s *subject.Subject) any {
				return refs(s.Vulnerabilities, func(v subject.Vulnerability) string { return fmt.Sprint(v.Scanned) })
			},
			is([]string{"true"}),
		},
	}
}

func TestABillOfMoreThanIsLookedAtSaysSo(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db, long, several := open(), &place{n: 1}, &place{n: 2}
		parts := func(name string, n int) (list []string) {
			for i := range n {
				list = append(list, fmt.Sprintf("%s%04d", name, i), "@1.0.0")
			}
			return list
		}
		for _, p := range []*place{long, several} {
			p.merged()
			p.landed()
		}
		long.built("pay", 2, append([]string{"first", ""}, parts("p", 5_002)...)...)
		for _, name := range []string{"a", "b", "c"} {
			several.built(name, 2, parts(name, 4_000)...)
		}
		tellAll(t, db, []*place{long, several})
		for i, s := range gathered(t, db, long.change(), several.change()) {
			if want := []int{5_000, 10_000}[i]; len(s.Packages) != want || !s.Artifacts[0].Boms[0].More || len(s.Gaps) != 1 {
				t.Errorf("%d packages, %v, %v", len(s.Packages), s.Artifacts[0].Boms[0].More, s.Gaps)
			}
		}
	})
}

func TestWhichVersionsAnAdvisoryIsAbout(t *testing.T) {
	rows := func(ecosystem string, steps ...string) (list []governance.Affected) {
		for i := 0; i < len(steps); i += 2 {
			r := governance.Affected{Package: "pkg:npm/x", Ecosystem: ecosystem, Event: steps[i], Version: steps[i+1]}
			if r.Event != "version" && r.Event != "unknown" {
				r.Range = 1
			}
			list = append(list, r)
		}
		return list
	}
	const yes, no, unsure = "yes", "no", "unsure"
	for _, c := range []struct {
		name, purl string
		rows       []governance.Affected
		want       string
	}{
		{"before it was mended", "pkg:npm/x@1.9.0", rows("npm", "introduced", "0", "fixed", "1.10.0"), yes},
		{"since it was mended", "pkg:npm/x@1.10.0", rows("npm", "introduced", "0", "fixed", "1.10.0"), no},
		{"a candidate of what mends it", "pkg:npm/x@1.10.0-rc.1", rows("npm", "introduced", "0", "fixed", "1.10.0"), yes},
		{"before it came in", "pkg:npm/x@1.0.0", rows("npm", "introduced", "1.1.0"), no},
		{"the last one", "pkg:npm/x@1.1.0", rows("npm", "introduced", "1.0.0", "last-affected", "1.1.0"), yes},
		{"after the last one", "pkg:npm/x@1.1.1", rows("npm", "introduced", "1.0.0", "last-affected", "1.1.0"), no},
		{"in the second of two stretches", "pkg:npm/x@2.1.0", rows("npm", "introduced", "0", "fixed", "1.0.0", "introduced", "2.0.0", "fixed", "2.2.0"), yes},
		{"between two stretches, told in another order", "pkg:npm/x@1.5.0", rows("npm", "fixed", "2.2.0", "introduced", "2.0.0", "fixed", "1.0.0", "introduced", "0"), no},
		{"where one stretch follows on another", "pkg:npm/x@2.0.0", rows("npm", "introduced", "0", "fixed", "2.0.0", "introduced", "2.0.0", "fixed", "3.0.0"), yes},
		{"all there are, whatever they are called", "pkg:npm/x@latest", rows("npm", "introduced", "0"), yes},
		{"one that has no place in the order", "pkg:npm/x@latest", rows("npm", "introduced", "0", "fixed", "1.0.0"), unsure},
		{"all there are, what stands for its version was never put in", "pkg:maven/a/x@%24%7Bproject.version%7D", rows("Maven", "introduced", "0"), yes},
		{"what stands for its version was never put in", "pkg:maven/a/x@%24%7Bproject.version%7D", rows("Maven", "introduced", "0", "fixed", "1.0.0"), unsure},
		{"any that there is", "pkg:npm/x@*", rows("npm", "introduced", "0", "fixed", "1.0.0"), unsure},
		{"a commit whose name begins with digits", "pkg:github/a/x@99d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9", rows(purl.SemVer, "introduced", "0", "fixed", "46.0.1"), unsure},
		{"a commit, where versions are named alone", "pkg:github/a/x@99d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9", rows("GitHub Actions", "version", "46.0.0"), unsure},
		{"one of many, where one is named alone", "pkg:npm/x@%5E1.0.0", rows("npm", "version", "1.0.1"), unsure},
		{"an epoch beside the version", "pkg:rpm/almalinux/x@3.0.7-27.el9?epoch=1&distro=almalinux-9.3", rows("AlmaLinux:9", "introduced", "0", "fixed", "1:3.0.1-9.el9"), no},
		{"a name in the place of a release", "pkg:deb/debian/x@1?distro=debian-sid", rows("Debian:12", "introduced", "0", "fixed", "2"), unsure},
		{"an order that is not known", "pkg:moon/x@1", rows("Moon", "introduced", "0", "fixed", "2"), unsure},
		{"an order that is not known, named", "pkg:moon/x@1", rows("Moon", "introduced", "0", "fixed", "2", "version", "1"), yes},
		{"named alone", "pkg:moon/x@1", rows("Moon", "version", "1"), yes},
		{"another one is named alone", "pkg:moon/x@1", rows("Moon", "version", "2"), no},
		{"named in another spelling", "pkg:pypi/x@1.0", rows("PyPI", "version", "1.0.0"), yes},
		{"without a version", "pkg:npm/x", rows("npm", "introduced", "0"), unsure},
		{"nobody says which", "pkg:npm/x@1.0.0", rows("npm", "unknown", ""), unsure},
		{"a range that never begins", "pkg:npm/x@1.0.0", rows("npm", "fixed", "2.0.0"), unsure},
		{"Go's letter", "pkg:golang/x@v1.0.0", rows("Go", "introduced", "0", "fixed", "1.0.1"), yes},
		{"of another release", "pkg:deb/debian/x@1?distro=debian-12", rows("Debian:11", "introduced", "0"), no},
		{"of that release", "pkg:deb/debian/x@1:1-1?distro=debian-12", rows("Debian:12", "introduced", "0", "fixed", "1:1-2"), yes},
		{"nobody says of which release", "pkg:deb/debian/x@1", rows("Debian:12", "introduced", "0"), unsure},
	} {
		hit, why := gather.Affects(c.rows, c.purl)
		got := map[bool]string{true: yes, false: no}[hit]
		if !hit && why != "" {
			got = unsure
		}
		if got != c.want {
			t.Errorf("%s: %s (%s), want %s", c.name, got, why, c.want)
		}
	}
}
