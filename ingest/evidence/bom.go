package evidence

import (
	"strings"

	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/artifact/purl"
)

// Listed counts a component of a bill of materials and keeps it, if it is among the
// first.
func Listed(b *artifact.Bom, c artifact.Component) {
	b.Count++
	if c.Version == "" {
		b.Unresolved++
	}
	if len(b.Components) == MaxComponents {
		return
	}
	c.Name, c.Version, c.PURL, c.License = Name(c.Name), Name(c.Version), locator(c.PURL), Name(c.License)
	if c.PURL != "" {
		c.Package = purl.Name(c.PURL)
		if p, ok := purl.Parse(c.PURL); ok {
			c.Source = p.Source
		}
	}
	if c.Name == "" {
		c.Name = "unnamed"
	}
	b.Components = append(b.Components, c)
}

// locator is a package URL fit for a record. Of one that is too long the qualifiers go by which
// nothing is found; one that still is would be that of something else, were it cut.
func locator(url string) string {
	if fits(url) {
		return Name(url)
	}
	url, _, _ = strings.Cut(url, "#")
	url, more, _ := strings.Cut(url, "?")
	sign := "?"
	for q := range strings.SplitSeq(more, "&") {
		if strings.HasPrefix(q, "distro=") || strings.HasPrefix(q, "epoch=") || strings.HasPrefix(q, "upstream=") {
			url += sign + q
			sign = "&"
		}
	}
	if !fits(url) {
		return ""
	}
	return Name(url)
}

// fits reports whether a text is short enough for a record that is looked up by it.
func fits(s string) bool { return len(Text(s)) <= maxNamed }

// Digest is a digest as artifacts are called by, "sha256:…", from the name of an
// algorithm in any spelling and its value; "" if it is none that names a thing.
func Digest(algorithm, value string) string {
	algorithm = strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(algorithm))
	digits := map[string]int{"sha256": 64, "sha384": 96, "sha512": 128}[algorithm]
	value = strings.ToLower(strings.TrimSpace(value))
	if digits == 0 || len(value) != digits || strings.Trim(value, "0123456789abcdef") != "" {
		return ""
	}
	return algorithm + ":" + value
}

// DigestIn is the last digest "sha256:…" in a text such as the name of an image.
func DigestIn(s string) string {
	i := strings.LastIndex(s, "sha256:")
	if i < 0 {
		return ""
	}
	return Digest("sha256", s[i+len("sha256:"):])
}
