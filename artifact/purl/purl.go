// Package purl takes package URLs apart, finds those of packages that advisories name in
// the words of their ecosystem, and compares versions by the rules of each.
//
// Two spellings of one package have one name. The package does no I/O.
package purl

import (
	"cmp"
	"strings"

	"github.com/package-url/packageurl-go"
)

// MaxLength is the longest package URL that is taken apart, in bytes.
const MaxLength = 1000

// A Package is what a package URL names.
type Package struct {
	Name    string // package URL without version, qualifiers and subpath
	Type    string // npm
	Path    string // @acme/cart, as people write it
	Version string
	Distro  string // the distribution that it is of, as its qualifier says: debian-12

	// Of a package of a distribution, what it was built of, as its qualifier says: advisories
	// of most distributions are about that. The name is none and the version that of the
	// package where it does not say.
	Source, SourceVersion string
}

// Parse takes a package URL apart; it reports whether it is one.
func Parse(text string) (Package, bool) {
	if len(text) > MaxLength {
		return Package{}, false
	}
	p, err := packageurl.FromString(text)
	if err != nil {
		return Package{}, false
	}
	return of(p)
}

// of is a package in its one spelling.
func of(p packageurl.PackageURL) (Package, bool) {
	bare := packageurl.PackageURL{Type: p.Type, Namespace: p.Namespace, Name: p.Name}
	if err := bare.Normalize(); err != nil || bare.Name == "" {
		return Package{}, false
	}
	if fold := folds[bare.Type]; fold != nil {
		bare.Name = fold(bare.Name)
	}
	if bare.Type == "githubactions" {
		bare.Type = "github"
	}
	if name := distributions[bare.Namespace]; name != "" && bare.Type == "rpm" {
		bare.Namespace = name
	}
	path := bare.Name
	if bare.Namespace != "" {
		path = bare.Namespace + "/" + bare.Name
	}
	more := p.Qualifiers.Map()
	x := Package{Name: bare.ToString(), Type: bare.Type, Path: path, Version: p.Version, Distro: more["distro"]}
	if name, version := upstream(more["upstream"]); x.OfDistribution() && name != "" {
		bare.Name, bare.Version = name, ""
		x.Source, x.SourceVersion = bare.ToString(), cmp.Or(version, p.Version)
	}
	if x.Type == "rpm" {
		x.Version, x.SourceVersion = since(more["epoch"], x.Version), since(more["epoch"], x.SourceVersion)
	}
	if max(len(x.Name), len(x.Source)) > MaxLength { // what is escaped is longer
		return Package{}, false
	}
	return x, true
}

// distributions are what scanners call those that OSV calls otherwise, and what OSV calls
// those that scanners do.
var distributions = map[string]string{
	"rocky-linux": "rocky", "rhel": "redhat", "alma": "almalinux", "sles": "suse",
	"opensuse-leap": "opensuse", "opensuse-tumbleweed": "opensuse", "opensuse.leap": "opensuse", "opensuse.tumbleweed": "opensuse",
}

// since is a version of a package of RPM with its epoch, which goes before all else when
// versions are compared and is told beside it.
func since(epoch, version string) string {
	if strings.Trim(epoch, "0") == "" || strings.Trim(epoch, "0123456789") != "" || version == "" || strings.Contains(version, ":") {
		return version
	}
	return epoch + ":" + version
}

// folds are how registries compare names, where a package URL tells them apart.
var folds = map[string]func(string) string{
	"pypi":  python,
	"nuget": strings.ToLower,
	"cargo": func(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "-")) },
}

// python is a name as PEP 503 compares it: of a run of marks one is left.
func python(name string) string {
	name = strings.ToLower(strings.NewReplacer("_", "-", ".", "-").Replace(name))
	for strings.Contains(name, "--") {
		name = strings.ReplaceAll(name, "--", "-")
	}
	return name
}

// OfDistribution reports whether it is a package of a distribution, of which one may be
// built of another one's source.
func (p Package) OfDistribution() bool { return p.Type == "deb" || p.Type == "apk" || p.Type == "rpm" }

// upstream takes the qualifier of that name apart: openssl, openssl@3.0.11-1, or the name of
// a source package, openssl-3.0.7-27.el9.src.rpm.
func upstream(text string) (name, version string) {
	if at, source := strings.CutSuffix(text, ".src.rpm"); source {
		if release := strings.LastIndexByte(at, '-'); release > 0 {
			if from := strings.LastIndexByte(at[:release], '-'); from > 0 {
				return at[:from], at[from+1:]
			}
		}
		return "", ""
	}
	name, version, _ = strings.Cut(text, "@")
	return name, version
}

// Name is the name of what a package URL names: of one that cannot be taken apart, what
// stands before its version.
func Name(text string) string {
	if p, ok := Parse(text); ok {
		return p.Name
	}
	text, _, _ = strings.Cut(text, "#")
	text, _, _ = strings.Cut(text, "?")
	if at := strings.LastIndexByte(text, '@'); at > strings.LastIndexByte(text, '/') {
		return text[:at]
	}
	return text
}

// types are the types of package URLs by ecosystems as OSV calls them, with the namespace
// that stands before their names.
var types = map[string]string{
	"AlmaLinux": "rpm/almalinux", "Alpine": "apk/alpine", "Bitnami": "bitnami", "Chainguard": "apk/chainguard", "ConanCenter": "conan", "CRAN": "cran", "crates.io": "cargo",
	"Debian": "deb/debian", "GitHub Actions": "github", "Go": "golang", "Hackage": "hackage", "Hex": "hex", "Julia": "julia", "Maven": "maven", "npm": "npm",
	"NuGet": "nuget", "openSUSE": "rpm/opensuse", "Packagist": "composer", "Pub": "pub", "PyPI": "pypi", "Red Hat": "rpm/redhat", "Rocky Linux": "rpm/rocky",
	"RubyGems": "gem", "SUSE": "rpm/suse", "SwiftURL": "swift", "Ubuntu": "deb/ubuntu", "Wolfi": "apk/wolfi",
}

// Of is the name of a package that an ecosystem calls so; "" if the ecosystem is not known.
func Of(ecosystem, name string) string {
	base, _, _ := strings.Cut(ecosystem, ":")
	kind, namespace, _ := strings.Cut(types[base], "/")
	if kind == "" || name == "" || len(name) > MaxLength {
		return ""
	}
	if base == "Maven" {
		name = strings.Replace(name, ":", "/", 1)
	}
	if namespace == "" {
		if at := strings.LastIndexByte(name, '/'); at >= 0 {
			namespace, name = name[:at], name[at+1:]
		}
	}
	p, ok := of(packageurl.PackageURL{Type: kind, Namespace: namespace, Name: name})
	if !ok {
		return ""
	}
	return p.Name
}
