// Package jira fetches the issues of a project, in the words of Jira's webhooks. What it
// cannot fetch: that an issue was deleted.
package jira

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/ingest/sync/listing"
)

// Base is where a site lies.
func Base(server string) string { return strings.TrimSuffix(server, "/") }

// Header authorises requests: with MAIL:TOKEN in Jira Cloud, with a token alone in Data
// Center.
func Header(token string) http.Header {
	h := http.Header{"Accept": {"application/json"}}
	switch {
	case strings.Contains(token, ":"):
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(token)))
	case token != "":
		h.Set("Authorization", "Bearer "+token)
	}
	return h
}

// fields are those that a ticket is made of.
const fields = "summary,status,issuetype,created,updated,resolutiondate,reporter,parent,issuelinks"

// slack is added to how long ago something changed: JQL counts whole minutes.
const slack = 2 * time.Minute

// Lists are what is fetched of the project KEY.
func Lists(ctx context.Context, clerk *listing.Clerk, key string) ([]listing.List, error) {
	info, err := clerk.One(ctx, "/rest/api/2/serverInfo")
	if err != nil {
		return nil, err
	}
	l := listing.List{
		Name: "issues", Path: "/rest/api/2/search", Items: []string{"issues"}, Changed: []string{"fields", "updated"}, Newest: true, Next: counted,
		Query: func(since time.Time) url.Values { return query(key, since, clerk.Now()) }, Read: listing.Each(issue),
	}
	if info.At("deploymentType").Text(20) == "Cloud" {
		l.Path, l.Next = "/rest/api/3/search/jql", token
	}
	return []listing.List{l}, nil
}

// query asks for the issues of a project, those first that changed last. How long ago
// that may be is told instead of when: JQL reads times in the zone of whoever asks.
func query(key string, since, now time.Time) url.Values {
	jql := `project = "` + key + `"`
	if !since.IsZero() {
		jql += " AND updated >= -" + strconv.Itoa(int((now.Sub(since)+slack)/time.Minute)+1) + "m"
	}
	return url.Values{"jql": {jql + " ORDER BY updated DESC"}, "fields": {fields}, "maxResults": {"100"}}
}

// token asks for the next page as Cloud does.
func token(answer event.Value, asked url.Values) url.Values {
	next := answer.At("nextPageToken").Text(4000)
	if next == "" {
		return nil
	}
	asked.Set("nextPageToken", next)
	return asked
}

// counted asks for the next page as Data Center does.
func counted(answer event.Value, asked url.Values) url.Values {
	read := answer.At("startAt").Count() + answer.At("issues").Len()
	if answer.At("issues").Len() == 0 || read >= answer.At("total").Count() {
		return nil
	}
	asked.Set("startAt", strconv.Itoa(read))
	return asked
}

func issue(_ context.Context, clerk *listing.Clerk, item event.Value) error {
	clerk.Tell("", map[string]any{"webhookEvent": "jira:issue_updated", "issue": item})
	return nil
}

// Check is whether a text is the key of a project.
func Check(key string) bool {
	return key != "" && len(key) <= 100 && strings.Trim(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == ""
}
