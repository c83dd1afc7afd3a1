package system_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/ingest/event/signature"
	"github.com/stemma-dev/stemma/ingest/event/system"
)

// The contract with users names these.
func TestEverySystemIsThere(t *testing.T) {
	const want = "argocd azure-devops bitbucket buildkite cdevents forgejo gitea github gitlab incident-io jenkins jira linear pagerduty"
	if got := strings.Join(system.Names(), " "); got != want {
		t.Errorf("the systems are %s, want %s", got, want)
	}
	for _, name := range system.Names() {
		s, ok := system.Find(name)
		if !ok || s.Name != name || s.Title == "" {
			t.Errorf("%s: %+v", name, s)
		}
		if _, err := s.Check(signature.Request{Header: http.Header{}, Body: []byte("{}"), Now: time.Now()}, [][]byte{[]byte("secret")}); err == nil {
			t.Errorf("%s takes what is not signed", name)
		}
		for _, body := range []string{"{}", "[]", `{"event":{}}`} {
			r, err := s.Read(event.Delivery{Body: []byte(body)}, func(event.Account) stemma.Ref { return "" })
			if err == nil && len(r.Statements) > 0 {
				t.Errorf("%s reads something in %s", name, body)
			}
		}
	}
}

func TestDeliveryHasOneKey(t *testing.T) {
	for _, c := range []struct {
		system, header, value, body, want string
	}{
		{"github", "X-GitHub-Delivery", "72d3162e", "{}", "72d3162e"},
		{"github", "X-GitHub-Delivery", strings.Repeat("x", 400), "{}", "sha256:"},
		{"github", "X-GitHub-Delivery", "a\x01", "{}", "sha256:"},
		{"gitlab", "Idempotency-Key", "13792a34", "{}", "13792a34"},
		{"gitlab", "X-Gitlab-Event-UUID", "13792a34", "{}", "13792a34"},
		{"forgejo", "X-Gitea-Delivery", "f6266f16", "{}", "f6266f16"},
		{"pagerduty", "X-Webhook-Id", "the subscription", `{"event":{"id":"01BW"}}`, "01BW"},
		{"cdevents", "", "", `{"data":{"context":{"id":"7","source":"/ci"}}}`, "/ci 7"},
		{"azure-devops", "", "", `{"id":"7","subscriptionId":"s"}`, "s 7"},
		{"jenkins", "", "", `{"build":{}}`, "sha256:"},
		{"cdevents", "", "", `not JSON`, "sha256:"},
	} {
		s, _ := system.Find(c.system)
		h := http.Header{}
		if c.header != "" {
			h.Set(c.header, c.value)
		}
		if got := s.Key(h, []byte(c.body)); !strings.HasPrefix(got, c.want) || got != s.Key(h.Clone(), []byte(c.body)) {
			t.Errorf("%s: %q, want %q", c.system, got, c.want)
		}
	}
}

func TestGradeSaysWhetherTheBodyWasSigned(t *testing.T) {
	secret := [][]byte{[]byte("a secret of the sender")}
	gitlab, _ := system.Find("gitlab")
	bearer, _ := system.Find("jenkins")
	for s, header := range map[*system.System]http.Header{
		&gitlab: {"X-Gitlab-Token": {string(secret[0])}}, &bearer: {"Authorization": {"Bearer " + string(secret[0])}},
	} {
		if g, err := s.Check(signature.Request{Header: header, Body: []byte("{}")}, secret); g != stemma.GradeB || err != nil {
			t.Errorf("%s: %s, %v", s.Name, g, err)
		}
	}
}
