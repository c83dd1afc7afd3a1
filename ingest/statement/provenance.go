package statement

import (
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// A Source is a commit that something was built of, with the repository as the provenance
// names it.
type Source struct {
	URI    string
	Commit stemma.Ref
	Main   bool // the builder was asked to build this one
}

// Limits of provenance.
const (
	maxSources = 1000
	maxURI     = 2000
)

// IsProvenance reports whether a predicate is provenance of SLSA, in any version.
func IsProvenance(predicate string) bool {
	return strings.HasPrefix(predicate, "https://slsa.dev/provenance/")
}

// Source is the commit that all was built of: the one that the builder was asked for, else the
// only one. It is empty where there are several.
func (s Statement) Source() stemma.Ref {
	var asked, all []stemma.Ref
	for _, x := range s.Sources {
		all = append(all, x.Commit)
		if x.Main {
			asked = append(asked, x.Commit)
		}
	}
	asked, all = distinct(asked), distinct(all)
	switch {
	case len(asked) == 1:
		return asked[0]
	case len(asked) == 0 && len(all) == 1:
		return all[0]
	}
	return ""
}

func distinct(list []stemma.Ref) []stemma.Ref {
	slices.Sort(list)
	return slices.Compact(list)
}

// readProvenance reads who built and of what, from a predicate of version 0.2 or 1.
func (s *Statement) readProvenance(b []byte) {
	var asked []string
	r := jsonwalk.New(b)
	for name := range r.Object() {
		switch name {
		case "builder": // 0.2
			s.readBuilder(r)
		case "invocation": // 0.2
			for part := range r.Object() {
				if part == "configSource" {
					asked = append(asked, s.readSource(r))
				}
			}
		case "materials": // 0.2
			s.readSources(r)
		case "buildDefinition": // 1
			for part := range r.Object() {
				switch part {
				case "externalParameters":
					asked = append(asked, readAsked(r)...)
				case "resolvedDependencies":
					s.readSources(r)
				}
			}
		case "runDetails": // 1
			for part := range r.Object() {
				if part == "builder" {
					s.readBuilder(r)
				}
			}
		}
	}
	for i := range s.Sources {
		for _, uri := range asked {
			s.Sources[i].Main = s.Sources[i].Main || uri != "" && repository(uri) == repository(s.Sources[i].URI)
		}
	}
}

func (s *Statement) readBuilder(r *jsonwalk.Reader) {
	for name := range r.Object() {
		if name != "id" {
			continue
		}
		// One that would have to be cut or cleaned may be read as another.
		if s.Builder = r.String(); jsonwalk.Clean(s.Builder, maxURI) != s.Builder {
			s.Builder = ""
		}
	}
}

func (s *Statement) readSources(r *jsonwalk.Reader) {
	for range r.Array() {
		s.readSource(r)
	}
}

// readSource reads where something lies and its digests, and keeps it if it is a commit.
func (s *Statement) readSource(r *jsonwalk.Reader) (uri string) {
	var digests []Digest
	for name := range r.Object() {
		switch name {
		case "uri":
			uri = r.Text(maxURI)
		case "digest":
			digests = readDigests(r)
		}
	}
	for _, d := range digests {
		if c := d.commit(); c != "" && !strings.HasPrefix(uri, "pkg:") && len(s.Sources) < maxSources {
			s.Sources = append(s.Sources, Source{URI: uri, Commit: c})
		}
	}
	return uri
}

// commit is the one that a digest names. Runners of GitLab write the name of a commit, which
// is too short for that, as a SHA-256.
func (d Digest) commit() stemma.Ref {
	if d.Algorithm == "gitCommit" || (d.Algorithm == "sha1" || d.Algorithm == "sha256") && len(d.Value) == 40 {
		return change.ShaRef(d.Value)
	}
	return ""
}

// readAsked reads which repositories a builder was asked to build, from the parameters that
// those of GitHub, GitLab and Google write.
func readAsked(r *jsonwalk.Reader) (list []string) {
	for name := range r.Object() {
		switch {
		case name == "source" && r.Kind() == '"':
			list = append(list, r.Text(maxURI))
		case name == "source" || name == "workflow" || name == "buildConfigSource":
			for part := range r.Object() {
				if part == "repository" || part == "uri" {
					list = append(list, r.Text(maxURI))
				}
			}
		}
	}
	return list
}

// repository is a repository without what differs between ways to write it: how it is
// reached, and which of its branches is meant.
func repository(uri string) string {
	uri, _, _ = strings.Cut(uri, "#")
	uri = strings.TrimPrefix(uri, "git+")
	if _, rest, ok := strings.Cut(uri, "://"); ok {
		uri = rest
	}
	host, path, _ := strings.Cut(uri, "/")
	path, _, _ = strings.Cut(path, "@")
	return strings.ToLower(host[strings.LastIndexByte(host, '@')+1:]) + "/" + strings.TrimSuffix(strings.TrimSuffix(path, "/"), ".git")
}
