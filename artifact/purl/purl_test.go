package purl_test

import (
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/artifact/purl"
)

func TestOnePackageHasOneNameHoweverItIsSpelled(t *testing.T) {
	for text, want := range map[string]purl.Package{
		"pkg:npm/%40acme/cart@1.2.0?x=y#z":                    {Name: "pkg:npm/%40acme/cart", Type: "npm", Path: "@acme/cart", Version: "1.2.0"},
		"pkg:npm/@acme/cart@1.2.0":                            {Name: "pkg:npm/%40acme/cart", Type: "npm", Path: "@acme/cart", Version: "1.2.0"},
		"pkg:pypi/Flask_Login@0.6":                            {Name: "pkg:pypi/flask-login", Type: "pypi", Path: "flask-login", Version: "0.6"},
		"pkg:golang/github.com/Acme/pay@v1.0.0":               {Name: "pkg:golang/github.com/acme/pay", Type: "golang", Path: "github.com/acme/pay", Version: "v1.0.0"},
		"pkg:maven/org.acme/pay":                              {Name: "pkg:maven/org.acme/pay", Type: "maven", Path: "org.acme/pay"},
		"pkg:deb/debian/curl@7.88.1-10?distro=debian-12":      {Name: "pkg:deb/debian/curl", Type: "deb", Path: "debian/curl", Version: "7.88.1-10", Distro: "debian-12"},
		"pkg:npm/left-pad@" + strings.Repeat("1", 200) + ".0": {Name: "pkg:npm/left-pad", Type: "npm", Path: "left-pad", Version: strings.Repeat("1", 200) + ".0"},
	} {
		if got, ok := purl.Parse(text); !ok || got != want {
			t.Errorf("%s is %+v, %v, want %+v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "npm/react", "pkg:npm/", "pkg:npm/" + strings.Repeat("a", purl.MaxLength)} {
		if got, ok := purl.Parse(text); ok {
			t.Errorf("%.40s is %+v", text, got)
		}
	}
	if got := purl.Name("npm/%40acme/cart@1?x#y"); got != "npm/%40acme/cart" {
		t.Errorf("what is no package URL is called %s", got)
	}
}

func TestAnEcosystemsWordForAPackageIsThatOfBills(t *testing.T) {
	for _, c := range []struct{ ecosystem, name, bill string }{
		{"npm", "@acme/cart", "pkg:npm/%40acme/cart@1"},
		{"PyPI", "Flask.Login", "pkg:pypi/flask.login@1"},
		{"PyPI", "ruamel-yaml", "pkg:pypi/ruamel.yaml@0.17"},
		{"PyPI", "a--b._c", "pkg:pypi/A_b-C@1"},
		{"NuGet", "Newtonsoft.Json", "pkg:nuget/newtonsoft.json@12.0.1"},
		{"crates.io", "foo-bar", "pkg:cargo/Foo_bar@1"},
		{"GitHub Actions", "tj-actions/changed-files", "pkg:githubactions/tj-actions/changed-files@v35"},
		{"GitHub Actions", "tj-actions/changed-files", "pkg:github/tj-actions/changed-files@v35"},
		{"Go", "github.com/acme/pay", "pkg:golang/github.com/acme/pay@v1.0.0"},
		{"Maven", "org.acme:pay", "pkg:maven/org.acme/pay@1"},
		{"crates.io", "serde", "pkg:cargo/serde@1"},
		{"Rocky Linux:9", "openssl", "pkg:rpm/rocky/openssl@1"},
		{"Rocky Linux:9", "openssl", "pkg:rpm/rocky-linux/openssl@1"},
		{"Red Hat:enterprise_linux:9::baseos", "openssl", "pkg:rpm/rhel/openssl@1"},
		{"openSUSE:Leap 15.5", "openssl", "pkg:rpm/opensuse-leap/openssl@1"},
		{"openSUSE:Leap 15.5", "openssl", "pkg:rpm/opensuse.leap/openssl@1"},
		{"SUSE:Linux Enterprise Server 15 SP5", "openssl", "pkg:rpm/sles/openssl@1"},
		{"AlmaLinux:9", "openssl", "pkg:rpm/alma/openssl@1"},
		{"Debian:12", "curl", "pkg:deb/debian/curl@1?distro=debian-12"},
		{"Packagist", "acme/Pay", "pkg:composer/acme/pay@1"},
	} {
		if got, want := purl.Of(c.ecosystem, c.name), purl.Name(c.bill); got != want {
			t.Errorf("%s of %s is %s, want %s", c.name, c.ecosystem, got, want)
		}
	}
	if got := purl.Of("Moon", "cheese"); got != "" {
		t.Errorf("a package of an unknown ecosystem is %s", got)
	}
}

func TestTheEpochOfAPackageOfRPMStandsInItsVersion(t *testing.T) {
	for text, want := range map[string][2]string{
		"pkg:rpm/almalinux/openssl-libs@3.0.7-27.el9?epoch=1&upstream=openssl-3.0.7-27.el9.src.rpm": {"1:3.0.7-27.el9", "1:3.0.7-27.el9"},
		"pkg:rpm/almalinux/openssl@1:3.0.7-27.el9?epoch=1":                                          {"1:3.0.7-27.el9", ""},
		"pkg:rpm/almalinux/bash@5.1.8-9.el9?epoch=0":                                                {"5.1.8-9.el9", ""},
		"pkg:rpm/almalinux/bash@5.1.8-9.el9?epoch=x":                                                {"5.1.8-9.el9", ""},
		"pkg:rpm/almalinux/bash?epoch=1":                                                            {"", ""},
		"pkg:deb/debian/bash@5.1?epoch=1":                                                           {"5.1", ""},
	} {
		if p, ok := purl.Parse(text); !ok || p.Version != want[0] || p.SourceVersion != want[1] {
			t.Errorf("%s is %q of %q, %v, want %q", text, p.Version, p.SourceVersion, ok, want)
		}
	}
}

func TestAPackageOfADistributionSaysWhatItWasBuiltOf(t *testing.T) {
	for text, want := range map[string][2]string{
		"pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12&upstream=openssl":              {"pkg:deb/debian/openssl", "3.0.11-1"},
		"pkg:deb/debian/libc6@2.36-9+b1?upstream=glibc%402.36-9":                         {"pkg:deb/debian/glibc", "2.36-9"},
		"pkg:apk/alpine/libcrypto3@3.1.4-r0?upstream=openssl":                            {"pkg:apk/alpine/openssl", "3.1.4-r0"},
		"pkg:rpm/redhat/openssl-libs@3.0.7-27.el9?upstream=openssl-3.0.7-27.el9.src.rpm": {"pkg:rpm/redhat/openssl", "3.0.7-27.el9"},
		"pkg:rpm/redhat/x-libs@1?upstream=x.src.rpm":                                     {},
		"pkg:deb/debian/curl@7.88.1-10":                                                  {},
		"pkg:npm/libssl3@1?upstream=openssl":                                             {},
	} {
		if p, ok := purl.Parse(text); !ok || p.Source != want[0] || p.SourceVersion != want[1] {
			t.Errorf("%.90s was built of %q %q, %v, want %q", text, p.Source, p.SourceVersion, ok, want)
		}
	}
}

func TestVersionsAreComparedByTheRulesOfTheirEcosystem(t *testing.T) {
	for _, c := range []struct {
		ecosystem, a, b string
		want            int
	}{
		{"npm", "1.10.0", "1.9.9", 1},
		{"npm", "1.0.0-rc.1", "1.0.0", -1},
		{"Go", "v1.2.3", "1.2.3", 0},
		{"Go", "v0.0.0-20240101000000-abcdef123456", "0.0.1", -1},
		{"PyPI", "1.0rc1", "1.0", -1},
		{"PyPI", "1.0.post1", "1.0", 1},
		{"Maven", "1.0-alpha-1", "1.0", -1},
		{"Debian:12", "1:1.0", "2.0", 1},
		{"Debian", "1.0~rc1", "1.0", -1},
		{"RubyGems", "1.0.0.pre", "1.0.0", -1},
		{"PyPI", "2024.1", "2023.12", 1},
		{"PyPI", "2024a0", "2023.12", 1},
		{"Debian", "20230311", "20211016", 1},
	} {
		if got, known := purl.Compare(c.ecosystem, c.a, c.b); !known || got != c.want {
			t.Errorf("%s: %s and %s compare as %d, %v, want %d", c.ecosystem, c.a, c.b, got, known, c.want)
		}
	}
	for _, c := range [][3]string{
		{"npm", "latest", "1.0.0"},
		{"npm", "", "1.0.0"},
		{"Go", "devel", "1.0.0"},
		{"Moon", "1.0", "2.0"},
		{"PyPI", "1!0.1", "2.0"},
		{"npm", "1.0 ", "1"},
		{"npm", strings.Repeat("9", 300), "1"},
		{"SwiftURL", "99abcde", "1.0.0"},
		{"SEMVER", "99d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9", "46.0.1"},
		{"SEMVER", strings.Repeat("9", 40), "46.0.1"},
		{"npm", "1.x", "1.2.0"},
		{"npm", "1.2.X", "1.2.0"},
	} {
		if got, known := purl.Compare(c[0], c[1], c[2]); known {
			t.Errorf("%s: %q and %s compare as %d", c[0], c[1], c[2], got)
		}
	}
	if purl.Ordered("GitHub Actions") || !purl.Ordered("Alpine:v3.18") {
		t.Error("of which ecosystems the order is known is told wrongly")
	}
}

func TestAPackageIsOfTheReleaseThatItsDistributionSays(t *testing.T) {
	for _, c := range []struct {
		distro, ecosystem string
		is, known         bool
	}{
		{"debian-12", "Debian:12", true, true},
		{"debian-12", "Debian:11", false, true},
		{"", "Debian:11", false, false},
		{"alpine-3.18.4", "Alpine:v3.18", true, true},
		{"ubuntu-22.04", "Ubuntu:22.04:LTS", true, true},
		{"ubuntu-22.04", "Ubuntu:Pro:22.04:LTS", false, false},
		{"", "npm", true, true},
		{"bookworm", "Debian:12", false, false},
		{"debian-bookworm", "Debian:12", false, false},
		{"debian-sid", "Debian:12", false, false},
		{"alpine-v3.18.4", "Alpine:v3.18", true, true},
		{"alpine-v3.19.0", "Alpine:v3.18", false, true},
		{"rocky-linux-9-sig-cloud", "Rocky Linux:9", false, false},
	} {
		if is, known := (purl.Package{Distro: c.distro}).OfRelease(c.ecosystem); is != c.is || known != c.known {
			t.Errorf("%q of %s: %v, %v", c.distro, c.ecosystem, is, known)
		}
	}
}

func FuzzCompare(f *testing.F) {
	for _, ecosystem := range []string{"npm", "PyPI", "Maven", "Debian:12", "Alpine", "Red Hat", "NuGet", "Packagist", "RubyGems", "CRAN", "Hackage", "Pub", "Go"} {
		f.Add(ecosystem, "1.0.0-rc.1+x", "v2.0~1")
	}
	f.Fuzz(func(t *testing.T, ecosystem, a, b string) {
		there, known := purl.Compare(ecosystem, a, b)
		back, also := purl.Compare(ecosystem, b, a)
		if known && also && there != -back {
			t.Errorf("%s: %q is %d to %q, and that %d to it", ecosystem, a, there, b, back)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("pkg:npm/%40acme/cart@1.2.0?x=y#z")
	f.Add("pkg:deb/debian/curl@7?distro=debian-12")
	f.Add("pkg:rpm/redhat/openssl-libs@3?upstream=openssl-3-1.src.rpm")
	f.Add("pkg:pypi/A._b")
	f.Fuzz(func(t *testing.T, text string) {
		p, ok := purl.Parse(text)
		if !ok {
			return
		}
		if again, ok := purl.Parse(p.Name); !ok || again.Name != p.Name {
			t.Errorf("%q is called %q, which is called %q, %v", text, p.Name, again.Name, ok)
		}
		if again := purl.Name(p.Source); again != p.Source {
			t.Errorf("%q was built of %q, which is called %q", text, p.Source, again)
		}
	})
}
