package page

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/lineage"
)

// places are where the pages about the things of a kind are, each at its key.
var places = map[stemma.Kind]string{
	stemma.KindChange: "/changes/", stemma.KindSession: "/sessions/", stemma.KindModel: "/models/", stemma.KindPerson: "/people/",
	stemma.KindTicket: "/tickets/", stemma.KindRequirement: "/requirements/", stemma.KindRepository: "/files/", stemma.KindRun: "/runs/",
	stemma.KindEnvironment: "/environments/", stemma.KindDeployment: "/deployments/", stemma.KindIncident: "/incidents/",
}

// Href is the address of the page about a thing.
func Href(ref stemma.Ref) string {
	key := ref.Key()
	if at := places[ref.Kind()]; at != "" {
		return at + escapeKey(key)
	}
	switch ref.Kind() {
	case stemma.KindCommit:
		_, sha := ref.Split()
		return CommitHref(sha)
	case stemma.KindBot:
		return "/people/" + escapeKey(string(ref))
	}
	return ThingHref(ref)
}

// ThingHref is the address of the page about all that is known of a thing, also
// of one that has a page of its own.
func ThingHref(ref stemma.Ref) string { return "/things/" + escapeKey(string(ref)) }

// FileHref is the address of the page about a path, given in its text form.
func FileHref(repository stemma.Ref, file string) string {
	return "/files/" + escapeKey(repository.Key()) + "/-/" + escapeKey(file)
}

// CommitHref is the address of the page about a commit.
func CommitHref(sha string) string { return "/commits/" + url.PathEscape(sha) }

// FactHref is the address of the page about the fact at a position.
func FactHref(pos int64) string { return "/facts/" + strconv.FormatInt(pos, 10) }

// ListHref is the address of a list, with a question or without.
func ListHref(kind, q string) string {
	if q == "" {
		return "/" + kind
	}
	return "/" + kind + "?q=" + url.QueryEscape(q)
}

// Address is a path with parameters, pairs of a name and a value.
func Address(path string, pairs ...string) string {
	query := "?"
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			query += "&"
		}
		query += url.QueryEscape(pairs[i]) + "=" + url.QueryEscape(pairs[i+1])
	}
	return path + query
}

// SearchHref is the address of the search for a text.
func SearchHref(q string) string { return "/search?q=" + url.QueryEscape(q) }

// DataHref is the address of a whole list as data, up to "format=".
func DataHref(kind, q string) string {
	if q == "" {
		return "/" + kind + "?format="
	}
	return ListHref(kind, q) + "&format="
}

// escapeKey writes a key as the end of an address. Slashes stay where they
// read well; a key that a browser or a server would tidy up has them escaped.
func escapeKey(key string) string {
	segments := strings.Split(key, "/")
	tidy := true
	for i, s := range segments {
		if s == "" || s == "." || s == ".." {
			tidy = false
		}
		segments[i] = strings.ReplaceAll(url.PathEscape(s), "+", "%2B")
	}
	if tidy {
		return strings.Join(segments, "/")
	}
	return strings.Join(segments, "%2F")
}

// label is what a thing is called where only its ref is known.
func label(ref stemma.Ref) string { return lineage.Title(ref, nil) }

// ShortName is what a model or a repository is called among its like, without
// the name of who keeps it, and an environment as it is; nothing for other things.
func ShortName(ref stemma.Ref) string {
	switch ref.Kind() {
	case stemma.KindModel, stemma.KindRepository:
		_, name := ref.Split()
		return name
	case stemma.KindEnvironment:
		before, name := ref.Split()
		return strings.TrimPrefix(before+"/"+name, "/")
	}
	return ""
}
