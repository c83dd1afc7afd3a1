package purl

import (
	"slices"
	"strings"

	"github.com/google/osv-scalibr/semantic"
)

// maxVersion is the longest version that is compared, in bytes.
const maxVersion = 200

// Placed reports whether a version is one that can be put in an order: it begins with a
// digit, or a "v" before it. What does not, as the name of a branch, some orders would take
// for 0; and a commit, or 1.x which stands for many, for what its digits say.
func Placed(version string) bool {
	digits := strings.TrimPrefix(version, "v")
	return digits != "" && len(version) <= maxVersion && digits[0] >= '0' && digits[0] <= '9' &&
		strings.Trim(digits, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.+~:_^-") == "" &&
		!commit(version) && !slices.ContainsFunc(strings.Split(digits, "."), func(part string) bool { return part == "x" || part == "X" })
}

// commit reports whether a version is the digest of a commit, whole or as people shorten it.
func commit(version string) bool {
	return strings.Trim(version, "0123456789abcdef") == "" && (len(version) >= 40 || len(version) >= 7 && strings.ContainsAny(version, "abcdef"))
}

// SemVer stands for an ecosystem whose versions are said to be compared as SemVer does.
const SemVer = "SEMVER"

// Compare compares two versions by the rules of an ecosystem as OSV calls it; it reports
// whether that can be told.
func Compare(ecosystem, a, b string) (order int, known bool) {
	if !Placed(a) || !Placed(b) {
		return 0, false
	}
	if ecosystem == SemVer {
		ecosystem = "Go"
	}
	v, err := semantic.Parse(strip(ecosystem, a), ecosystem)
	if err != nil {
		return 0, false
	}
	order, err = v.CompareStr(strip(ecosystem, b))
	return order, err == nil
}

// Ordered reports whether the order of an ecosystem is known.
func Ordered(ecosystem string) bool {
	_, err := semantic.Parse("1", ecosystem)
	return err == nil
}

// strip takes away the letter that Go puts before its versions, and OSV does not.
func strip(ecosystem, version string) string {
	if ecosystem == "Go" {
		return strings.TrimPrefix(version, "v")
	}
	return version
}

// OfRelease reports whether a package of a distribution is of the release that an ecosystem
// such as "Debian:12" names; known is false where its package URL does not say.
func (p Package) OfRelease(ecosystem string) (is, known bool) {
	_, release, ok := strings.Cut(ecosystem, ":")
	if !ok || release == "" {
		return true, true
	}
	release, _, _ = strings.Cut(release, ":") // Ubuntu:22.04:LTS
	release = strings.TrimPrefix(release, "v")
	version := strings.TrimPrefix(p.Distro[strings.LastIndexByte(p.Distro, '-')+1:], "v")
	if !strings.Contains(p.Distro, "-") || !number(release) || !number(version) {
		return false, false // it has a name: bookworm
	}
	return version == release || strings.HasPrefix(version, release+"."), true
}

// number reports whether a release begins as a number does.
func number(release string) bool { return release != "" && release[0] >= '0' && release[0] <= '9' }
