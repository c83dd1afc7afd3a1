// Package system lists the systems whose webhooks are taken: how each signs, what it
// calls a delivery, and who reads it. A new system is one entry here.
package system

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/ingest/event/argocd"
	"github.com/stemma-dev/stemma/ingest/event/azuredevops"
	"github.com/stemma-dev/stemma/ingest/event/bitbucket"
	"github.com/stemma-dev/stemma/ingest/event/buildkite"
	"github.com/stemma-dev/stemma/ingest/event/cdevents"
	"github.com/stemma-dev/stemma/ingest/event/gitea"
	"github.com/stemma-dev/stemma/ingest/event/github"
	"github.com/stemma-dev/stemma/ingest/event/gitlab"
	"github.com/stemma-dev/stemma/ingest/event/incidentio"
	"github.com/stemma-dev/stemma/ingest/event/jenkins"
	"github.com/stemma-dev/stemma/ingest/event/jira"
	"github.com/stemma-dev/stemma/ingest/event/linear"
	"github.com/stemma-dev/stemma/ingest/event/pagerduty"
	"github.com/stemma-dev/stemma/ingest/event/signature"
)

// A System is one whose webhooks are taken.
type System struct {
	Name  string
	Title string // as people call it
	Read  event.Reader
	Forge bool   // it speaks of its own repositories, at one host
	Home  string // that host, of a forge that everybody knows

	scheme signature.Scheme
	signs  []string // headers of which one is there if the body is signed; none if it never is
	ids    []string // headers that name a delivery, in the order in which they are asked
	events []string // headers that name what it tells of
	// id names a delivery by its body, where no header does.
	id func(body event.Value) string
}

var systems = map[string]System{
	"github": {
		Title: "GitHub", Read: github.Read, Forge: true, Home: "github.com", scheme: signature.GitHub, signs: []string{"X-Hub-Signature-256"},
		ids: []string{"X-Github-Delivery"}, events: []string{"X-Github-Event"},
	},
	"gitlab": {
		Title: "GitLab", Read: gitlab.Read, Forge: true, Home: "gitlab.com", scheme: signature.GitLab, signs: []string{"Webhook-Signature"},
		ids: []string{"Idempotency-Key", "Webhook-Id", "X-Gitlab-Event-Uuid"}, events: []string{"X-Gitlab-Event"},
	},
	"gitea": {
		Title: "Gitea", Read: gitea.Read, Forge: true, scheme: signature.Gitea, signs: []string{"X-Gitea-Signature", "X-Hub-Signature-256"},
		ids: []string{"X-Gitea-Delivery"}, events: []string{"X-Gitea-Event-Type", "X-Gitea-Event"},
	},
	"forgejo": {
		Title: "Forgejo", Read: gitea.Read, Forge: true, scheme: signature.Gitea, signs: []string{"X-Forgejo-Signature", "X-Gitea-Signature", "X-Hub-Signature-256"},
		ids: []string{"X-Forgejo-Delivery", "X-Gitea-Delivery"}, events: []string{"X-Forgejo-Event-Type", "X-Forgejo-Event", "X-Gitea-Event-Type", "X-Gitea-Event"},
	},
	"bitbucket": {
		Title: "Bitbucket", Read: bitbucket.Read, Forge: true, Home: "bitbucket.org", scheme: signature.Bitbucket, signs: []string{"X-Hub-Signature"},
		ids: []string{"X-Request-Uuid", "X-Request-Id"}, events: []string{"X-Event-Key"},
	},
	"azure-devops": {Title: "Azure DevOps", Read: azuredevops.Read, Forge: true, Home: "dev.azure.com", scheme: signature.Password, id: azuredevops.ID},
	"jira": {
		Title: "Jira", Read: jira.Read, scheme: signature.Jira, signs: []string{"X-Hub-Signature"}, ids: []string{"X-Atlassian-Webhook-Identifier"},
	},
	"linear": {
		Title: "Linear", Read: linear.Read, scheme: signature.Linear, signs: []string{"Linear-Signature"}, ids: []string{"Linear-Delivery"},
		events: []string{"Linear-Event"},
	},
	"pagerduty": {Title: "PagerDuty", Read: pagerduty.Read, scheme: signature.PagerDuty, signs: []string{"X-Pagerduty-Signature"}, id: pagerduty.ID},
	"incident-io": {
		Title: "incident.io", Read: incidentio.Read, scheme: signature.Standard, signs: []string{"Webhook-Signature", "Svix-Signature"},
		ids: []string{"Webhook-Id", "Svix-Id"},
	},
	"cdevents": {Title: "CDEvents", Read: cdevents.Read, scheme: signature.Bearer, id: cdevents.ID},
	"argocd":   {Title: "Argo CD", Read: argocd.Read, scheme: signature.Bearer},
	"jenkins":  {Title: "Jenkins", Read: jenkins.Read, scheme: signature.Bearer},
	"buildkite": {
		Title: "Buildkite", Read: buildkite.Read, scheme: signature.Buildkite, signs: []string{"X-Buildkite-Signature"}, events: []string{"X-Buildkite-Event"},
	},
}

// Find returns the system of that name.
func Find(name string) (System, bool) {
	s, ok := systems[name]
	s.Name = name
	return s, ok
}

// Names lists the systems.
func Names() []string { return slices.Sorted(maps.Keys(systems)) }

// Check checks the signature of a delivery and says how good the evidence is that its
// bytes come from the system: A if it signed them, B if it only showed that it knows
// the secret.
func (s System) Check(r signature.Request, secrets [][]byte) (stemma.Grade, error) {
	if err := s.scheme(r, secrets); err != nil {
		return "", err
	}
	if slices.ContainsFunc(s.signs, func(header string) bool { return r.Header.Get(header) != "" }) {
		return stemma.GradeA, nil
	}
	return stemma.GradeB, nil
}

const maxKey = 300 // bytes of what a sender may call a delivery

// Key is what the sender calls a delivery, or a digest of its body: the same delivery
// has the same key whenever it comes.
func (s System) Key(header http.Header, body []byte) string {
	if id := named(header, s.ids); id != "" {
		return id
	}
	if s.id != nil {
		if v, err := event.Parse(body); err == nil {
			if id := s.id(v); id != "" && len(id) <= maxKey {
				return id
			}
		}
	}
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Event is what the sender says outside of the body that a delivery tells of.
func (s System) Event(header http.Header) string { return named(header, s.events) }

// named is the first of the headers that is there and is a name.
func named(header http.Header, names []string) string {
	for _, n := range names {
		v := header.Get(n)
		if v != "" && len(v) <= maxKey && strings.IndexFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) < 0 {
			return v
		}
	}
	return ""
}
