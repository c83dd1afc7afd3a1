package hooks_test

import (
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/hooks"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// speaks opens a source of a system, bound to a host if one is given.
func speaks(t *testing.T, space *ingest.Space, system, host string) *hooks.Hooks {
	t.Helper()
	h, err := hooks.Open(t.Context(), hooks.Config{
		Space: space, Inbox: inboxOf(t, space), Now: noon, Holder: "test",
		Endpoints: []hooks.Endpoint{{Name: "forge", System: system, Host: host, Secrets: [][]byte{[]byte(secret)}}},
	})
	must(t, err)
	return h
}

// says has an issue told, which GitHub and Gitea tell alike, as of a grade.
func says(t *testing.T, space *ingest.Space, h *hooks.Hooks, key, host string, grade stemma.Grade) {
	t.Helper()
	_, _, err := inboxOf(t, space).Accept(t.Context(), inbox.Delivery{Source: "forge", Key: key, Event: "issues", Grade: grade, Raw: []byte(
		`{"action":"opened","repository":{"html_url":"https://` + host + `/acme/pay"},"issue":{"number":7,"title":"Refund","user":{"id":1,"login":"ada"}}}`)})
	must(t, err)
	settle(t, h)
}

func TestSourceSpeaksForOneHost(t *testing.T) {
	for _, c := range []struct{ about, system, host, own string }{
		{"that which everybody knows", "github", "", "github.com"},
		{"one that was named", "github", "ghe.acme.example", "ghe.acme.example"},
		{"one that was learnt", "gitea", "", "git.acme.example"},
	} {
		t.Run(c.about, func(t *testing.T) {
			storagetest.Both(t, func(t *testing.T, openDB func() *storage.DB) {
				space := ingesttest.Must(t, openDB(), noon)
				h := speaks(t, space, c.system, c.host)
				says(t, space, h, "own", c.own, stemma.GradeA)
				says(t, space, h, "foreign", "other.example", stemma.GradeA)
				told := ingesttest.Told(t, space)
				if !strings.Contains(told, "ticket:"+c.own+"/acme/pay#7") || strings.Contains(told, "other.example/acme") {
					t.Errorf("the graph says\n%s", told)
				}
				letters, err := inboxOf(t, space).Letters(t.Context(), 10)
				if err != nil || len(letters) != 1 || letters[0].Key != "foreign" || !strings.Contains(letters[0].Reason, "other.example") || !strings.Contains(letters[0].Reason, "--hook-host") {
					t.Errorf("dead letters %+v, %v", letters, err)
				}
				health, err := inboxOf(t, space).Health(t.Context())
				if err != nil || health[0].Host != c.own {
					t.Errorf("%+v, %v", health, err)
				}
			})
		})
	}
}

func TestLearntHostOutlivesTheProcessAndAWordChangesIt(t *testing.T) {
	space := ingesttest.Must(t, storagetest.SQLite(t), noon)
	says(t, space, speaks(t, space, "gitea", ""), "first", "git.acme.example", stemma.GradeA)
	says(t, space, speaks(t, space, "gitea", ""), "second", "other.example", stemma.GradeA)
	if told := ingesttest.Told(t, space); strings.Contains(told, "other.example/acme") {
		t.Errorf("another process learnt another host:\n%s", told)
	}
	h := speaks(t, space, "gitea", "other.example")
	_, err := inboxOf(t, space).Replay(t.Context(), 0)
	must(t, err)
	settle(t, h)
	if told := ingesttest.Told(t, space); !strings.Contains(told, "ticket:other.example/acme/pay#7") {
		t.Errorf("the host that was named is not heard:\n%s", told)
	}
}

func TestWhatNobodySignedTeachesNoHost(t *testing.T) {
	space := ingesttest.Must(t, storagetest.SQLite(t), noon)
	h := speaks(t, space, "gitea", "")
	says(t, space, h, "admitted", "other.example", stemma.GradeD)
	says(t, space, h, "signed", "git.acme.example", stemma.GradeA)
	if told := ingesttest.Told(t, space); !strings.Contains(told, "ticket:git.acme.example/acme/pay#7") {
		t.Errorf("the graph says\n%s", told)
	}
}

// Of a team GitHub tells no repository, only the address of its page.
func TestTeamOfAnotherHostIsRefused(t *testing.T) {
	space := ingesttest.Must(t, storagetest.SQLite(t), noon)
	h := speaks(t, space, "github", "")
	_, _, err := inboxOf(t, space).Accept(t.Context(), inbox.Delivery{Source: "forge", Key: "team", Event: "membership", Grade: "A", Raw: []byte(
		`{"action":"added","member":{"id":1,"login":"ada"},"organization":{"login":"acme"},"team":{"slug":"pay","html_url":"https://other.example/orgs/acme/teams/pay"}}`)})
	must(t, err)
	settle(t, h)
	if letters, err := inboxOf(t, space).Letters(t.Context(), 10); err != nil || len(letters) != 1 {
		t.Errorf("%+v, %v", letters, err)
	}
}
