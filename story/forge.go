package story

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// A letter is a delivery as it was sent.
type letter struct {
	path    string
	headers map[string]string
	body    []byte
}

// An object is one of JSON.
type object = map[string]any

func signature(body []byte) string {
	h := hmac.New(sha256.New, []byte(hookSecret))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// send signs a body as its system does, sends it and remembers it.
func (s *stage) send(path string, body object, headers func(body []byte, id string) map[string]string) {
	if s.err != nil {
		return
	}
	b, err := json.Marshal(body)
	if err != nil {
		s.fail(err)
		return
	}
	s.numbered++
	l := letter{path, headers(b, fmt.Sprintf("00000000-0000-4000-8000-%012d", s.numbered)), b}
	s.told.sent = append(s.told.sent, l)
	s.post(l)
}

// post sends a delivery until it is taken, as senders do that are told to come again.
func (s *stage) post(l letter) {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	for s.err == nil {
		status, said := s.deliver(ctx, l)
		switch status {
		case http.StatusAccepted:
			return
		case http.StatusServiceUnavailable:
			time.Sleep(pause)
		default:
			s.fail(fmt.Errorf("%s was answered with %d: %s", l.path, status, said))
		}
	}
}

func (s *stage) deliver(ctx context.Context, l letter) (status int, said string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+l.path, bytes.NewReader(l.body))
	if err != nil {
		s.fail(err)
		return 0, ""
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range l.headers {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.fail(err)
		return 0, ""
	}
	b, _ := io.ReadAll(io.LimitReader(answer.Body, 1000)) // of a refusal, for people
	_ = answer.Body.Close()
	return answer.StatusCode, string(b)
}

const (
	repositoryID = 900_000_100
	web          = "https://" + Repository
)

// github sends an event of the forge.
func (s *stage) github(event string, sender object, body object) {
	body["sender"] = sender
	body["repository"] = object{"id": repositoryID, "full_name": "acme/pay", "html_url": web, "clone_url": web + ".git", "default_branch": "main", "pushed_at": s.now.Unix()}
	s.send("/hooks/github", body, func(b []byte, id string) map[string]string {
		return map[string]string{"X-GitHub-Event": event, "X-GitHub-Delivery": id, "X-Hub-Signature-256": "sha256=" + signature(b)}
	})
}

// account is somebody as the forge shows them.
func (p *person) account() object { return object{"id": p.id, "login": p.login, "type": "User"} }

// robot is the account under which an agent proposes what it made.
var robot = object{"id": 900_000_050, "login": "chatgpt-codex-connector[bot]", "type": "Bot"}

// push pushes what is checked out, and the forge tells that somebody did.
func (p *person) push(ref string, by object) {
	before := p.git("ls-remote", "origin", ref)
	before, _, _ = strings.Cut(before, "\t")
	p.git("push", "-q", "origin", "HEAD:"+ref)
	after := p.git("rev-parse", "HEAD")
	from := before
	if before == "" {
		before, from = strings.Repeat("0", 40), "origin/main"
	}
	var commits []object
	for _, sha := range strings.Fields(p.git("rev-list", "--reverse", from+".."+after)) {
		commits = append(commits, p.told(sha))
	}
	p.s.github("push", by, object{"ref": ref, "before": before, "after": after, "forced": false, "commits": commits, "head_commit": p.told(after)})
}

// told is a commit as a push tells of it.
func (p *person) told(sha string) object {
	f := strings.Split(p.git("show", "-s", "--format=%T%x00%an%x00%ae%x00%cn%x00%ce%x00%cI%x00%B", sha), "\x00")
	if len(f) != 7 {
		p.s.fail(fmt.Errorf("git show %s: %q", sha, f))
		return nil
	}
	author := object{"name": f[1], "email": f[2]}
	for _, e := range everybody {
		if e.mail == f[2] {
			author["username"] = e.login
		}
	}
	return object{"id": sha, "tree_id": f[0], "author": author, "committer": object{"name": f[3], "email": f[4]}, "timestamp": f[5], "message": f[6]}
}

// A pull is a pull request.
type pull struct {
	*person
	number              int
	title, body, branch string
	author              object
	heads               []string
	opened              time.Time
	merge               object // what is known once it was merged
}

// opens proposes what is checked out.
func (p *person) opens(number int, title, body string) *pull {
	return p.opensAs(p.account(), number, title, body)
}

// opensAs proposes it under the account of somebody else, as an agent has one.
func (p *person) opensAs(author object, number int, title, body string) *pull {
	r := &pull{person: p, number: number, title: title, body: body, branch: p.git("branch", "--show-current"), author: author, opened: p.s.now}
	r.publish("opened")
	return r
}

// pushes shows another head.
func (r *pull) pushes() { r.publish("synchronize") }

func (r *pull) publish(action string) {
	r.s.tick()
	r.push("refs/heads/"+r.branch, r.person.account())
	r.git("push", "-q", "origin", fmt.Sprintf("HEAD:refs/pull/%d/head", r.number))
	r.heads = append(r.heads, r.git("rev-parse", "HEAD"))
	body := object{"action": action, "number": r.number, "pull_request": r.object()}
	if n := len(r.heads); n > 1 {
		body["before"], body["after"] = r.heads[n-2], r.heads[n-1]
	}
	r.s.github("pull_request", r.author, body)
}

func (r *pull) head() string { return r.heads[len(r.heads)-1] }

func (r *pull) url() string { return fmt.Sprintf("%s/pull/%d", web, r.number) }

func (r *pull) object() object {
	repo := object{"id": repositoryID, "full_name": "acme/pay"}
	o := object{
		"number": r.number, "title": r.title, "body": r.body, "html_url": r.url(), "state": "open", "user": r.author,
		"created_at": r.opened.Format(time.RFC3339), "updated_at": r.s.stamp(), "commits": len(r.heads),
		"head": object{"ref": r.branch, "sha": r.head(), "repo": repo}, "base": object{"ref": "main", "repo": repo},
	}
	for k, v := range r.merge {
		o[k] = v
	}
	return o
}

// reviewed is what somebody says of a head: "approved", "changes_requested".
func (r *pull) reviewed(by *person, state, head string) {
	r.s.tick()
	id := r.number*100 + r.s.numbered
	r.s.github("pull_request_review", by.account(), object{"action": "submitted", "pull_request": r.object(), "review": object{
		"id": id, "user": by.account(), "state": state, "commit_id": head, "submitted_at": r.s.stamp(), "author_association": "MEMBER",
		"html_url": fmt.Sprintf("%s#pullrequestreview-%d", r.url(), id),
	}})
}

// lands merges the pull request on the forge, and tells under which name what landed is
// asked for later.
func (r *pull) lands(by *person, chapter string, squash bool) string {
	r.s.tick()
	f := r.s.person("web-flow")
	f.git("fetch", "-q", "origin", "+refs/pull/*/head:refs/pull/*/head")
	f.git("checkout", "-q", "-B", "main", "origin/main")
	head := fmt.Sprintf("refs/pull/%d/head", r.number)
	// A forge commits a squash in the name of the author, a merge in that of who merges.
	author := r.person
	if squash {
		f.git("merge", "-q", "--squash", head)
		f.git("commit", "-q", "--author", author.name+" <"+author.mail+">", "-m", fmt.Sprintf("%s (#%d)\n\n%s", r.title, r.number, r.body))
	} else {
		f.git("merge", "-q", "--no-ff", "-m", fmt.Sprintf("Merge pull request #%d from acme/%s\n\n%s", r.number, r.branch, r.title), head)
	}
	f.push("refs/heads/main", by.account())
	sha := f.git("rev-parse", "HEAD")
	r.s.told.Commits[chapter] = sha
	r.merge = object{"state": "closed", "merged": true, "merged_at": r.s.stamp(), "closed_at": r.s.stamp(), "merge_commit_sha": sha, "merged_by": by.account()}
	r.s.github("pull_request", by.account(), object{"action": "closed", "number": r.number, "pull_request": r.object()})
	return sha
}

// issue tells of an issue of the forge itself.
func (s *stage) issue(number int, by *person, title, state string) {
	action, closed := "opened", any(nil)
	if state == "closed" {
		action, closed = "closed", s.stamp()
	}
	s.github("issues", by.account(), object{"action": action, "issue": object{
		"number": number, "title": title, "state": state, "user": by.account(), "html_url": fmt.Sprintf("%s/issues/%d", web, number), "labels": []object{{"name": "bug"}},
		"created_at": "2026-09-16T09:00:00Z", "updated_at": s.stamp(), "closed_at": closed,
	}})
}

// jira tells of an issue of the tracker.
func (s *stage) jira(id int, key, kind, summary, status, parent string) {
	fields := object{
		"summary": summary, "status": object{"name": status}, "issuetype": object{"name": kind}, "created": "2026-09-01T08:00:00.000+0000",
		"updated": s.now.Format("2006-01-02T15:04:05.000-0700"), "reporter": object{"accountId": "900000:cleo", "displayName": "Cleo Example"},
	}
	if parent != "" {
		fields["parent"] = object{"key": parent, "fields": object{"issuetype": object{"name": "Epic"}}}
	}
	event := "jira:issue_updated"
	if status == "To Do" {
		event = "jira:issue_created"
	}
	body := object{"webhookEvent": event, "timestamp": s.now.UnixMilli(), "issue": object{"id": fmt.Sprint(id), "key": key, "self": fmt.Sprintf("https://acme.atlassian.net/rest/api/2/issue/%d", id), "fields": fields}}
	s.send("/hooks/jira", body, func(b []byte, id string) map[string]string {
		return map[string]string{"X-Hub-Signature": "sha256=" + signature(b), "X-Atlassian-Webhook-Identifier": id}
	})
}

// pagerDuty tells of the incident.
func (s *stage) pagerDuty(event, status string) {
	body := object{"event": object{
		"id": "E" + event, "event_type": "incident." + event, "resource_type": "incident", "occurred_at": s.stamp(),
		"data": object{
			"id": "PGR0VU2", "type": "incident", "html_url": "https://acme.pagerduty.example/incidents/PGR0VU2", "number": 2, "status": status, "title": "Refunds are paid twice",
			"service": object{"summary": "payments"}, "priority": object{"summary": "P1"}, "urgency": "high", "created_at": "2026-09-10T07:30:00Z",
		},
	}}
	s.send("/hooks/pagerduty", body, func(b []byte, _ string) map[string]string {
		return map[string]string{"X-PagerDuty-Signature": "v1=" + signature(b)}
	})
}
