package sync_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/ingest/event/eventtest"
	"github.com/stemma-dev/stemma/ingest/event/system"
	"github.com/stemma-dev/stemma/ingest/sync/api"
	"github.com/stemma-dev/stemma/ingest/sync/gitea"
	"github.com/stemma-dev/stemma/ingest/sync/github"
	"github.com/stemma-dev/stemma/ingest/sync/gitlab"
	"github.com/stemma-dev/stemma/ingest/sync/jira"
	"github.com/stemma-dev/stemma/ingest/sync/listing"
)

var fuzzed = []struct {
	system string
	lists  func(context.Context, *listing.Clerk, string) ([]listing.List, error)
}{{"github", github.Lists}, {"gitlab", gitlab.Lists}, {"gitea", gitea.Lists}, {"jira", jira.Lists}}

// FuzzLists has a system answer whatever it likes, the same to every question. What is
// made of it are deliveries that can be read, and it comes to an end.
func FuzzLists(f *testing.F) {
	for i := range fuzzed {
		for _, body := range []string{
			`[]`, `{}`, `null`, `[{}]`, `[{"id":1,"number":1,"iid":1,"updated_at":"2026-03-01T10:00:00Z"}]`, `{"workflow_runs":[{"id":1,"run_attempt":9}],"jobs":[{"id":2}]}`,
			`{"id":7,"full_name":"acme/pay","html_url":"https://x.example/acme/pay","web_url":"https://x.example/acme/pay","deploymentType":"Cloud","nextPageToken":"1","max_response_items":1}`,
			`[{"op_type":"commit_repo","ref_name":"refs/heads/x","content":"{\"CompareURL\":\"a/b/compare/x...y\",\"HeadCommit\":{}}"}]`, `{"issues":[{"key":"A-1"}],"total":9}`,
			`[{"type":"pull_push","body":"{\"commit_ids\":[\"\"]}","system":true,"push_data":{"ref":"x"}}]`, strings.Repeat(`[`, 300) + strings.Repeat(`]`, 300),
		} {
			f.Add(uint8(i), []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		x := fuzzed[int(which)%len(fuzzed)]
		asked := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if asked++; asked > 60 {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			_, _ = w.Write(body)
		}))
		defer server.Close()
		client, err := api.Open(api.Config{Base: server.URL, Now: noon, Sleep: func(context.Context, time.Duration) error { return nil }})
		must(t, err)
		clerk := listing.NewClerk(client, noon)
		lists, err := x.lists(t.Context(), clerk, "acme/pay")
		if err != nil {
			return
		}
		s, _ := system.Find(x.system)
		for _, l := range lists {
			_ = listing.Walk(t.Context(), clerk, l, listing.Place{}, func(p listing.Page) error { // it may be refused
				for _, d := range p.Deliveries {
					if _, err := s.Read(d, eventtest.Who); err != nil {
						t.Fatalf("%s: %s makes a delivery that cannot be read: %v\n%s", x.system, l.Name, err, d.Body)
					}
				}
				return nil
			})
		}
	})
}
