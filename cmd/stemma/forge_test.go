//go:build forge

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/storage"
)

// A project is what happens at a forge: people with a clone, a repository, a server that
// is told of it.
type project struct {
	*forge
	t      *testing.T
	dir    string
	clone  string
	edits  int
	told   string // the data directory of the space that webhooks told
	server served
	hook   int // the number of the webhook
	serve  []string
}

// TestForge works at a real forge as people do, with its webhooks pointed at "stemma
// serve", and fetches all of it into an empty space: both graphs are the same, but for the
// named differences. Then webhooks get lost, and a fetch finds what they would have told.
func TestForge(t *testing.T) {
	dir := t.TempDir()
	for k, v := range map[string]string{
		"STEMMA_DB": "", "HOME": dir, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "STEMMA_WAIT": "1",
		"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@acme.example", "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@acme.example",
	} {
		t.Setenv(k, v)
	}
	s := &project{t: t, forge: startForge(t, "ada", "grace", "hedy"), dir: dir, told: filepath.Join(dir, "told"), clone: filepath.Join(dir, "pay")}
	s.begin()
	s.work()
	s.arrived()

	fetched := filepath.Join(dir, "fetched")
	check(t, os.MkdirAll(fetched, 0o700))
	copyFile(t, filepath.Join(s.told, "space.key"), filepath.Join(fetched, "space.key"), 0o600) // so that people have the same pseudonyms
	s.fetch(fetched)
	s.same(fetched)
	s.known()
	s.lost()
	s.whole()
}

// begin makes the repository, connects it as README.md says, and sets capture up.
func (s *project) begin() {
	dir := s.dir
	secret := filepath.Join(dir, "forge.secret")
	check(s.t, os.WriteFile(secret, []byte("a secret that both sides know"), 0o600))
	token := s.run("admin", "user", "generate-access-token", "--username", "ada", "--token-name", "fetch", "--scopes", "read:repository,read:issue", "--raw")
	check(s.t, os.WriteFile(filepath.Join(dir, "token"), []byte(token), 0o600))
	s.server = serveHooks(s.t, append([]string{"--hook", "gitea=" + secret, "--hook-host", "gitea=" + strings.TrimPrefix(s.url, "http://"), "--data", s.told}, s.serve...)...)
	s.call("ada", "POST", "/user/repos", object{"name": "pay", "default_branch": "main"})
	for _, user := range []string{"grace", "hedy"} {
		s.call("ada", "PUT", "/repos/ada/pay/collaborators/"+user, object{"permission": "write"})
	}
	hook := s.call("ada", "POST", "/repos/ada/pay/hooks", object{
		"type": "gitea", "active": true,
		"events": []string{"create", "delete", "push", "issues", "issue_comment", "pull_request", "pull_request_sync", "pull_request_review", "pull_request_comment", "release", "status"},
		"config": object{"url": s.server.url + "/hooks/gitea", "content_type": "json", "secret": "a secret that both sides know"},
	})
	s.hook = int(hook["id"].(float64))
	git(s.t, dir, "init", "-q", "-b", "main", s.clone)
	git(s.t, s.clone, "remote", "add", "origin", strings.Replace(s.url, "http://", "http://ada:"+s.tokens["ada"]+"@", 1)+"/ada/pay.git")
	setup := exec.Command("stemma", "init", "--agents", "claude-code")
	setup.Dir = s.clone
	if out, err := setup.CombinedOutput(); err != nil {
		s.t.Fatalf("stemma init: %v %s", err, out)
	}
}

// edit has an agent write a file, whose hooks tell of it, and commits that.
func (s *project) edit(message string) string {
	s.edits++
	name := fmt.Sprintf("file%d.go", s.edits)
	hook := func(event string) {
		c := exec.Command("stemma", "hook", "claude-code")
		c.Dir = s.clone
		c.Stdin = strings.NewReader(fmt.Sprintf(
			`{"hook_event_name":%q,"session_id":"5c1e","cwd":%q,"tool_name":"Write","tool_use_id":"toolu_%d","tool_input":{"file_path":%q},"tool_response":{}}`,
			event, s.clone, s.edits, filepath.Join(s.clone, name)))
		if out, err := c.CombinedOutput(); err != nil {
			s.t.Fatalf("stemma hook: %v %s", err, out)
		}
	}
	hook("PreToolUse")
	check(s.t, os.WriteFile(filepath.Join(s.clone, name), fmt.Appendf(nil, "package pay\n\nconst c%d = %d\n", s.edits, s.edits), 0o644))
	hook("PostToolUse")
	git(s.t, s.clone, "add", "-A")
	git(s.t, s.clone, "commit", "-q", "-m", message)
	return git(s.t, s.clone, "rev-parse", "HEAD")
}

func (s *project) push(args ...string) {
	git(s.t, s.clone, append([]string{"push", "-q", "origin"}, args...)...)
}

// branch begins a branch with two commits and proposes it.
func (s *project) branch(name, about string) (number, head string) {
	git(s.t, s.clone, "checkout", "-q", "-b", name, "main")
	s.edit(about)
	head = s.edit(about + ", tested")
	s.push(name)
	pr := s.call("ada", "POST", "/repos/ada/pay/pulls", object{"title": about, "body": "Closes #1, refs PAY-17", "head": name, "base": "main"})
	return pr.number(), head
}

// review judges. People do not judge twice within one second, which is all that Gitea's
// clock tells apart.
func (s *project) review(user, number, verdict string) {
	for second := time.Now().Unix(); time.Now().Unix() == second; {
		time.Sleep(50 * time.Millisecond)
	}
	s.call(user, "POST", "/repos/ada/pay/pulls/"+number+"/reviews", object{"event": verdict, "body": verdict + " by " + user})
}

func (s *project) status(sha, state string) {
	s.call("grace", "POST", "/repos/ada/pay/statuses/"+sha, object{
		"context": "ci/test", "state": state, "target_url": "https://ci.acme.example/1", "description": state,
	})
}

func (s *project) merge(number, style string) {
	s.call("grace", "POST", "/repos/ada/pay/pulls/"+number+"/merge", object{"Do": style})
	git(s.t, s.clone, "checkout", "-q", "main")
	git(s.t, s.clone, "pull", "-q", "--ff-only", "origin", "main")
}

// styles are the ways in which Gitea merges.
var styles = []string{"merge", "rebase", "rebase-merge", "squash", "fast-forward-only"}

func (s *project) work() {
	s.edit("Pay, from the beginning")
	s.push("main")
	s.call("ada", "POST", "/repos/ada/pay/issues", object{"title": "Refunds are missing", "body": "REQ-1 wants them"})
	asked := s.call("hedy", "POST", "/repos/ada/pay/issues", object{"title": "Refunds are slow"})
	for _, style := range styles {
		number, head := s.branch("by-"+style, "feat: refund by "+style)
		s.status(head, "pending")
		s.review("grace", number, "APPROVED") // which the next push makes stale
		if style == "squash" {
			git(s.t, s.clone, "commit", "-q", "--amend", "-m", "feat: refund, amended")
			s.push("--force", "by-"+style)
			head = git(s.t, s.clone, "rev-parse", "HEAD")
		} else {
			head = s.edit("fix: refund by " + style)
			s.push("by-" + style)
		}
		s.review("hedy", number, "REQUEST_CHANGES")
		s.review("hedy", number, "APPROVED")
		s.review("grace", number, "COMMENT")
		s.status(head, "success")
		if style != "fast-forward-only" {
			git(s.t, s.clone, "checkout", "-q", "main")
			s.edit("chore: meanwhile") // so that there is something to rebase upon
			s.push("main")
		}
		s.merge(number, style)
	}
	given, _ := s.branch("given-up", "feat: refund by hand")
	s.call("ada", "PATCH", "/repos/ada/pay/pulls/"+given, object{"state": "closed"})
	s.call("hedy", "PATCH", "/repos/ada/pay/issues/"+asked.number(), object{"state": "closed", "title": "Refunds were slow"})
	git(s.t, s.clone, "checkout", "-q", "main")
	git(s.t, s.clone, "tag", "-a", "v1.0.0", "-m", "the first")
	s.push("v1.0.0")
	s.call("ada", "POST", "/repos/ada/pay/releases", object{"tag_name": "v1.0.0", "name": "The first", "body": "with refunds"})
	s.call("ada", "POST", "/repos/ada/pay/releases", object{"tag_name": "v1.1.0", "target_commitish": "main", "name": "The second", "prerelease": true})
	if refs := git(s.t, s.clone, "ls-remote", "origin"); !strings.Contains(refs, "refs/notes/ai") {
		s.t.Errorf("the notes were not pushed with the commits: %s", refs)
	}
}

// arrived waits until the forge has told everything: the last thing that was done, and
// nothing more for a while.
func (s *project) arrived() {
	last := func() string {
		return stemmaSays(s.t, "query", "releases", `title:"The second"`, "--json", "--data", s.told)
	}
	for tries := 0; !strings.Contains(last(), "v1.1.0"); tries++ {
		if tries == 600 {
			s.t.Fatalf("the forge told nothing of its last release: %s", stemmaSays(s.t, "deliveries", "--data", s.told))
		}
		time.Sleep(200 * time.Millisecond)
	}
	type health struct {
		Sources []struct {
			Source                     string
			Accepted, Pending, Refused int64
		}
	}
	var before health
	for same := 0; same < 12; same++ {
		var now health
		check(s.t, json.Unmarshal([]byte(stemmaSays(s.t, "deliveries", "--json", "--data", s.told)), &now))
		if len(now.Sources) != 1 || now.Sources[0].Pending > 0 || !slices.Equal(now.Sources, before.Sources) {
			same = 0
		}
		before = now
		time.Sleep(250 * time.Millisecond)
	}
	if before.Sources[0].Refused > 0 {
		s.t.Fatalf("there are dead letters: %s", stemmaSays(s.t, "deliveries", "--data", s.told))
	}
	s.t.Logf("%d deliveries", before.Sources[0].Accepted)
}

// fetch fetches into a space.
func (s *project) fetch(data string) ingest.Synced {
	s.t.Helper()
	var r ingest.Synced
	said := stemmaSays(s.t, "sync", "gitea", "ada/pay", "--url", s.url, "--token-file", filepath.Join(s.dir, "token"), "--json", "--data", data)
	check(s.t, json.Unmarshal([]byte(said), &r))
	s.t.Logf("fetched %d documents, %d absent, %d different", r.Looked, r.Absent, r.Different)
	return r
}

// graph is what a space says, a row each, and when each change was merged.
func (s *project) graph(data string) (rows []string, merged map[string]float64) {
	db, err := storage.Open(s.t.Context(), "file:"+filepath.Join(data, "stemma.db"))
	check(s.t, err)
	defer db.Close()
	space, err := ingesttest.Open(s.t.Context(), db, s.t.TempDir(), time.Now)
	check(s.t, err)
	merged = map[string]float64{}
	for row := range strings.SplitSeq(ingesttest.Told(s.t, space), "\n") {
		// serve judges and a fetch does not; a webhook ties accounts by the commits of a push, the interface by the addresses that it tells
		if !verdict(row) && !strings.Contains(row, `"tie`) {
			rows = append(rows, s.forgiven(row, merged))
		}
	}
	return rows, merged
}

// verdict reports whether a row is of how changes stand.
func verdict(row string) bool {
	return slices.ContainsFunc([]string{`"assessment`, `"policy`, `"round`}, func(of string) bool { return strings.Contains(row, of) })
}

// forgiven takes out of a row the two columns in which what Gitea's webhooks tell differs
// from what its interface does; docs/sources.md names them.
func (s *project) forgiven(row string, merged map[string]float64) string {
	var cells []any
	check(s.t, json.Unmarshal([]byte(row), &cells))
	at := func(kind stemma.Kind, name string) int {
		spec, _ := lineage.Spec(kind)
		return 2 + slices.IndexFunc(spec.Columns, func(c stemma.Column) bool { return c.Name == name })
	}
	switch {
	case len(cells) < 3:
	case cells[0] == "release" && cells[at(stemma.KindRelease, "title")] == "The first":
		cells[at(stemma.KindRelease, "published")] = nil // it was made of a tag, and the webhook tells the year 1970
	case cells[0] == "change":
		when := &cells[at(stemma.KindChange, "merged")] // the webhook is written before the merge is
		if t, ok := (*when).(float64); ok {
			merged[cells[1].(string)], *when = t, nil
		}
	}
	text, err := json.Marshal(cells)
	check(s.t, err)
	return string(text)
}

// same compares the two graphs.
func (s *project) same(fetched string) {
	told, merged := s.graph(s.told)
	got, mergedToo := s.graph(fetched)
	for _, line := range told {
		if !slices.Contains(got, line) {
			s.t.Errorf("only told:    %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(told, line) {
			s.t.Errorf("only fetched: %s", line)
		}
	}
	for ref, when := range merged {
		if off := when - mergedToo[ref]; off < -2e6 || off > 2e6 {
			s.t.Errorf("%s was merged %g seconds apart", ref, off/1e6)
		}
	}
	if len(told) < 300 || len(merged) != len(styles) {
		s.t.Errorf("there are only %d rows and %d merges to compare", len(told), len(merged))
	}
}

// known fetches into the space that webhooks told: nothing is missing.
func (s *project) known() {
	r := s.fetch(s.told)
	for _, m := range r.Missing {
		if strings.HasPrefix(m.Ref, "tie:") {
			continue
		}
		if m.Why != "different" || !strings.HasPrefix(m.Ref, "change:") && !strings.HasSuffix(m.Ref, ":v1.0.0") {
			s.t.Errorf("webhooks told all, and this is missing: %+v", m)
		}
	}
	if again := s.fetch(s.told); len(again.Missing) > 0 {
		s.t.Errorf("fetched again, there is something missing: %+v", again.Missing)
	}
}

// lost has people work while webhooks are off: a fetch finds that, and nothing else.
func (s *project) lost() {
	hook := fmt.Sprint(s.hook)
	s.call("ada", "PATCH", "/repos/ada/pay/hooks/"+hook, object{"active": false})
	issue := s.call("hedy", "POST", "/repos/ada/pay/issues", object{"title": "Nobody heard of this"})
	number, head := s.branch("unheard", "feat: refund unheard")
	s.review("grace", number, "APPROVED")
	s.status(head, "success")
	s.merge(number, "squash")
	r := s.fetch(s.told)
	here := strings.TrimPrefix(s.url[:strings.LastIndexByte(s.url, ':')], "http://") + "/ada/pay"
	for _, want := range []string{
		"ticket:" + here + "#" + issue.number(), "change:" + here + "#" + number, "review:" + here + "#" + number + "/2@" + head,
		"push:" + here + ":.." + head + ":refs/heads/unheard", "run:gitea-checks/" + here + "/statuses/" + head + "/ci/test/1", "commit:sha1/" + head,
	} {
		if !slices.Contains(r.Missing, ingest.SyncedRef{Ref: want, Why: "absent"}) {
			s.t.Errorf("%s is not found: %+v", want, r.Missing)
		}
	}
	for _, m := range r.Missing {
		if strings.HasPrefix(m.Ref, "review:") && !strings.Contains(m.Ref, "#"+number+"/") || strings.HasPrefix(m.Ref, "release:") {
			s.t.Errorf("%s was told, and is missing", m.Ref)
		}
	}
	if again := s.fetch(s.told); len(again.Missing) > 0 {
		s.t.Errorf("fetched again, there is something missing: %+v", again.Missing)
	}
}

// whole scans the clone too, and asks what the lineage is good for.
func (s *project) whole() {
	stemmaSays(s.t, "scan", s.clone, "--data", s.told)
	s.says("6", "SELECT COUNT(*) FROM v1_change WHERE state = 'merged'")
	s.says("5", "SELECT COUNT(*) FROM v1_review r JOIN v1_change c ON c.ref = r.change WHERE r.verdict = 'approved' AND r.head <> c.head") // the stale ones
	s.says("6", "SELECT COUNT(*) FROM v1_run WHERE system = 'gitea-checks' AND conclusion = 'success'")
	// All but the fast-forward, which put the head itself on the branch, were held against their heads.
	s.says("5", "SELECT COUNT(*) FROM v1_change WHERE compared = head AND altered = 0")
	s.says("0", "SELECT COUNT(*) FROM v1_change WHERE altered > 0")
	s.says("1", "SELECT COUNT(*) > 0 AS seen FROM v1_attribution WHERE ai_lines > 0")
	if got := stemmaSays(s.t, "trace", "ticket:jira/PAY-17", "--data", s.told); !strings.Contains(got, "/ada/pay#3") || !strings.Contains(got, "commit:") {
		s.t.Errorf("the ticket leads to\n%s", got)
	}
}

// says makes sure that a question to the space that webhooks told has an answer.
func (s *project) says(want, sql string) {
	s.t.Helper()
	if got := strings.Fields(stemmaSays(s.t, "sql", "--csv", sql, "--data", s.told)); !slices.Equal(got[1:], strings.Fields(want)) {
		s.t.Errorf("%s: %q, want %q", sql, got, want)
	}
}
