package policy

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/policy/subject"
)

// patterns finds those that are none, or that fit nothing for the blanks around them.
func (p *Policy) patterns(place string, list []string) error {
	return p.each(place, list, func(pattern string) string { return strings.TrimSpace(pattern) })
}

// paths finds patterns that fit no path: one is written from the root of the repository on, with
// single slashes, and a pattern that fits nothing would forbid and protect nothing, silently.
func (p *Policy) paths(place string, list []string) error { return p.each(place, list, tidyPath) }

// names finds patterns that fit no name of a repository, which is owner/name.
func (p *Policy) names(place string, list []string) error { return p.each(place, list, tidyName) }

// each finds patterns that are none, and those that have to be written otherwise.
func (p *Policy) each(place string, list []string, tidy func(string) string) error {
	var faults []error
	for i, pattern := range list {
		at := fmt.Sprintf("%s.%d", place, i)
		if !subject.Valid(pattern) {
			faults = append(faults, p.fault(at, "%.80q is not a pattern", pattern))
		} else if right := tidy(pattern); right == "" {
			faults = append(faults, p.fault(at, "%.80q fits nothing", pattern))
		} else if right != pattern {
			faults = append(faults, p.fault(at, "%.80q fits nothing: write %.80q", pattern, right))
		}
	}
	return errors.Join(faults...)
}

// tidyPath is a pattern of paths as it has to be written. Alternatives at its beginning are looked at
// one by one.
func tidyPath(pattern string) string {
	p := strings.TrimSpace(pattern)
	if group, rest, ok := strings.Cut(p, "}"); ok && strings.HasPrefix(p, "{") && !strings.ContainsAny(group[1:], `{\`) {
		parts := strings.Split(group[1:], ",")
		for i, part := range parts {
			if part != "" {
				parts[i] = tidySlashes(strings.TrimSpace(part))
			}
		}
		return "{" + strings.Join(parts, ",") + "}" + strings.TrimPrefix(tidySlashes("x"+rest), "x")
	}
	return tidySlashes(p)
}

// tidySlashes takes out what no path of a repository has: a slash at its beginning, two in a row,
// and steps to the directory itself or above it.
func tidySlashes(p string) string {
	clean := strings.TrimPrefix(path.Clean("/"+p), "/")
	if base := path.Base(p); strings.HasSuffix(p, "/") || base == "." || base == ".." {
		if clean += "/"; clean == "/" {
			return "**" // the root is everything
		}
	}
	return clean
}

// tidyName is a pattern of names of repositories as it has to be written: without the scheme, the
// host and the end that an address has.
func tidyName(pattern string) string {
	p := strings.TrimSpace(pattern)
	hosted := false
	if _, address, ok := strings.Cut(p, "://"); ok {
		p, hosted = address, true
	} else if before, after, ok := strings.Cut(p, ":"); ok { // a ref, or an address of ssh
		p, hosted = after, before == "repository"
	}
	p = strings.TrimPrefix(tidySlashes(p), "/")
	host, rest, _ := strings.Cut(p, "/")
	switch {
	case host == "local" && rest != "": // as refs have those of no forge
		p = rest
	case !hosted && !isHost(host, rest):
	case rest == "":
		return "**" // whatever is there
	case !strings.Contains(rest, "/") && rest != "**":
		return rest + "/" // all of an owner
	default:
		p = rest
	}
	return strings.TrimSuffix(p, ".git")
}

// forges are hosts that everybody knows.
var forges = []string{"github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "gitea.com", "dev.azure.com", "ssh.dev.azure.com", "git.sr.ht"}

// served are the first parts of names that servers of one's own have.
var served = []string{"git", "gitlab", "gitea", "forgejo", "github", "bitbucket", "code", "scm", "vcs"}

// isHost reports whether a pattern begins with a host: a forge that everybody knows, or before two
// other parts what is called as such servers are. Else a group may be called with a dot.
func isHost(first, rest string) bool {
	label, domain, _ := strings.Cut(strings.ToLower(first), ".")
	return slices.Contains(forges, strings.ToLower(first)) || domain != "" && strings.Contains(rest, "/") && slices.Contains(served, label)
}
