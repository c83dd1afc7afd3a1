package run

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// opening are the commands and the tools that open a merge request.
var opening = []string{"gh pr create", "glab mr create", "tea pr create", "hub pull-request", "create_pull_request", "create_merge_request"}

// Opens reports whether a call of a tool opens a merge request: by the name of
// the tool, or by the command that it runs.
func Opens(tool, command string) bool {
	return slices.ContainsFunc(opening, func(o string) bool { return strings.Contains(tool, o) || strings.Contains(command, o) })
}

// proposedIn looks for the address of a merge request in what the call that
// opened it gave back; the last one there is the new one.
func (r *Run) proposedIn(text string, at time.Time) {
	var address, repository string
	var number int64
	for n := 0; n < 100; n++ {
		i := strings.Index(text, "https://")
		if i < 0 {
			break
		}
		text = text[i:]
		end := strings.IndexAny(text, " \t\r\n\"'<>()[]{}\\,;`")
		if end < 0 {
			end = len(text)
		}
		if repo, id, ok := mergeRequest(text[:end]); ok {
			address, repository, number = text[:end], repo, id
		}
		text = text[max(end, 1):]
	}
	if address != "" {
		r.Propose(address, repository, number, at)
	}
}

// mergeRequest takes the address of a merge request apart.
func mergeRequest(address string) (repository string, number int64, ok bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", 0, false
	}
	for _, kind := range []string{"/-/merge_requests/", "/pull/", "/pulls/", "/pull-requests/"} {
		path, rest, found := strings.Cut(u.Path, kind)
		if !found {
			continue
		}
		digits, _, _ := strings.Cut(rest, "/")
		number, err := strconv.ParseInt(digits, 10, 64)
		repository := strings.TrimPrefix(path, "/")
		return repository, number, err == nil && number > 0 && isRepository(repository)
	}
	return "", 0, false
}
