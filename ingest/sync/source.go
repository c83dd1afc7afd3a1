package sync

import (
	"context"
	"net/http"
	"strings"

	"github.com/stemma-dev/stemma/ingest/sync/gitea"
	"github.com/stemma-dev/stemma/ingest/sync/github"
	"github.com/stemma-dev/stemma/ingest/sync/gitlab"
	"github.com/stemma-dev/stemma/ingest/sync/jira"
	"github.com/stemma-dev/stemma/ingest/sync/listing"
)

// A source is a system that can be fetched from.
type source struct {
	base        func(server string) string
	web         func(server string) string // where it is browsed
	header      func(token string) http.Header
	check       func(place string) bool
	lists       func(ctx context.Context, clerk *listing.Clerk, place string) ([]listing.List, error)
	example     string // of a place
	needsServer bool
}

// sources are all of them, by the names of their webhooks' systems.
var sources = map[string]source{
	"github":  {base: github.Base, web: github.Web, header: github.Header, check: repository, lists: github.Lists, example: "OWNER/NAME"},
	"gitlab":  {base: gitlab.Base, web: gitlab.Web, header: gitlab.Header, check: project, lists: gitlab.Lists, example: "GROUP/NAME"},
	"gitea":   {base: gitea.Base, web: itself, header: gitea.Header, check: repository, lists: gitea.Lists, example: "OWNER/NAME", needsServer: true},
	"forgejo": {base: gitea.Base, web: itself, header: gitea.Header, check: repository, lists: gitea.Lists, example: "OWNER/NAME", needsServer: true},
	"jira":    {base: jira.Base, web: itself, header: jira.Header, check: jira.Check, lists: jira.Lists, example: "KEY, that of a project", needsServer: true},
}

func itself(server string) string { return server }

// repository reports whether a text is OWNER/NAME.
func repository(place string) bool { return project(place) && strings.Count(place, "/") == 1 }

// project reports whether a text is GROUP/…/NAME.
func project(place string) bool {
	for part := range strings.SplitSeq(place, "/") {
		if part == "" || part == "." || part == ".." || strings.Trim(part, letters) != "" {
			return false
		}
	}
	return strings.Contains(place, "/") && len(place) <= 300
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+~"
