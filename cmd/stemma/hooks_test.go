package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A served program is "stemma serve" while it runs.
type served struct {
	url  string
	stop func()
}

// an output may be read while it is written.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

var servesAt = regexp.MustCompile(`stemma serves (http://\S+)`)

func serveHooks(t *testing.T, args ...string) served {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var out output
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...), nil, &out, &out)
	}()
	stop := sync.OnceFunc(func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("serve ended with %d: %s", code, out.String())
		}
	})
	t.Cleanup(stop)
	for range 400 {
		if m := servesAt.FindStringSubmatch(out.String()); m != nil {
			return served{m[1], stop}
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("it does not serve: %s", out.String())
	return served{}
}

func postHook(t *testing.T, url, secret, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(body))
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(h.Sum(nil)))
	r.Header.Set("X-Gitea-Event", "pull_request")
	r.Header.Set("X-GitHub-Event", "pull_request")
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body) // only the status is looked at
	_ = answer.Body.Close()
	return answer.StatusCode
}

func stemmaSays(t *testing.T, args ...string) string {
	t.Helper()
	var out, errw bytes.Buffer
	if code := run(t.Context(), args, nil, &out, &errw); code != 0 {
		t.Fatalf("stemma %s: %d %s", strings.Join(args, " "), code, errw.String())
	}
	return out.String()
}

// TestForgeIsConnected does what README.md says under "connect your forge".
func TestForgeIsConnected(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("STEMMA_DATA", filepath.Join(dir, "data"))
	t.Setenv("STEMMA_DB", "")
	t.Setenv("STEMMA_HOOK_GITHUB_EU_SECRET", "the secret in a variable")
	t.Setenv("STEMMA_HOOK_GITHUB_EU_HOST", "https://EU.acme.example:8443/")
	file := filepath.Join(dir, "gitea.secret")
	if err := os.WriteFile(file, []byte("an older secret of it\nthe secret in a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serveHooks(t, "--hook", "gitea="+file, "--hook-host", "gitea=git.acme.example")
	body := func(host, title string) string {
		return `{"action":"opened","sender":{"id":1,"login":"ada"},"repository":{"id":1,"html_url":"https://` + host + `/acme/pay"},
			"pull_request":{"number":7,"title":"` + title + `","state":"open","created_at":"2026-03-01T10:00:00Z","updated_at":"2026-03-01T10:00:00Z","body":"Refs PAY-17"}}`
	}
	for _, c := range []struct {
		path, secret, body string
		status             int
	}{
		{"/hooks/github-eu", "the secret in a variable", body("eu.acme.example", "Refund in full"), 202},
		{"/hooks/gitea", "the secret in a file", body("git.acme.example", "Refund in part"), 202},
		{"/hooks/gitea", "an older secret of it", `{"repository":{"html_url":"https://git.acme.example/acme/pay"},"pull_request":{}}`, 202},
		{"/hooks/gitea", "another secret", body("git.acme.example", "x"), 401},
		{"/hooks/github", "the secret in a variable", body("github.com", "x"), 404},
	} {
		if got := postHook(t, s.url+c.path, c.secret, c.body); got != c.status {
			t.Errorf("%s signed with %q: %d, want %d", c.path, c.secret, got, c.status)
		}
	}
	waitFor(t, func() string { return stemmaSays(t, "deliveries") }, "dead letter 3")
	s.stop()
	for _, want := range []string{"Refund in full", "Refund in part"} {
		if got := stemmaSays(t, "query", "changes", "number:7"); !strings.Contains(got, want) {
			t.Errorf("the changes are\n%s\nwant %q", got, want)
		}
	}
	if got := stemmaSays(t, "trace", "ticket:jira/PAY-17"); !strings.Contains(got, "change:eu.acme.example/acme/pay#7") {
		t.Errorf("the ticket leads to\n%s", got)
	}
	got := stemmaSays(t, "deliveries", "--json")
	for _, want := range []string{`"source": "gitea"`, `"host": "git.acme.example"`, "pull_request.number", `"turned": 1`} {
		if !strings.Contains(strings.ReplaceAll(got, `":`, `": `), want) && !strings.Contains(got, want) {
			t.Errorf("deliveries says\n%s\nnot %s", got, want)
		}
	}
	if got := stemmaSays(t, "deliveries", "replay", "--all"); !strings.Contains(got, "1 deliveries") {
		t.Errorf("replay says %s", got)
	}
	if got := stemmaSays(t, "deliveries", "replay", "--admit", "1"); !strings.Contains(got, "1 deliveries") {
		t.Errorf("replay says %s", got)
	}
}

func waitFor(t *testing.T, say func() string, want string) {
	t.Helper()
	for range 200 {
		if strings.Contains(say(), want) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("it never says %q but\n%s", want, say())
}

func TestCrookedHooksAreUsageOrRefused(t *testing.T) {
	t.Setenv("STEMMA_DATA", filepath.Join(t.TempDir(), "data"))
	t.Setenv("STEMMA_DB", "")
	file := filepath.Join(t.TempDir(), "forgejo.secret")
	if err := os.WriteFile(file, []byte("another long secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		env, value string
		args       []string
		code       int
		says       string
	}{
		{"STEMMA_HOOK_CVS_SECRET", "a long enough secret", nil, 1, "cvs"},
		{"STEMMA_HOOK_GITHUB_SECRET", "short", nil, 1, "less than 16 bytes"},
		{"X", "", []string{"--hook", "github"}, 2, "NAME=FILE"},
		{"X", "", []string{"--hook", "github=/nowhere"}, 1, "source github"},
		{"X", "", []string{"--hook-host", "github=ghe.acme.example"}, 2, "NAME=HOST"},
		{"STEMMA_HOOK_GITEA_SECRET", "a long enough secret", []string{
			"--hook", "forgejo=" + file, "--hook-host", "gitea=http://git.acme.example:3000", "--hook-host", "forgejo=http://git.acme.example:4000",
		}, 1, "told apart by nothing but a port"},
	} {
		t.Run(c.says, func(t *testing.T) {
			t.Setenv(c.env, c.value)
			var out, errw bytes.Buffer
			code := run(t.Context(), append([]string{"serve", "--addr", "127.0.0.1:0"}, c.args...), nil, &out, &errw)
			if code != c.code || !strings.Contains(errw.String(), c.says) || c.value != "" && strings.Contains(errw.String(), c.value) {
				t.Errorf("%d %s, want %d %s", code, errw.String(), c.code, c.says)
			}
		})
	}
}

// TestScanAndWebhooksSpeakOfTheSame has a forge report about a repository that is
// scanned before, or after: both speak of one change, one commit, one release.
func TestScanAndWebhooksSpeakOfTheSame(t *testing.T) {
	dir := t.TempDir()
	for k, v := range map[string]string{
		"GIT_CONFIG_NOSYSTEM": "1", "HOME": dir, "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@acme.example",
		"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@acme.example", "STEMMA_DB": "", "STEMMA_HOOK_GITHUB_SECRET": "the secret in a variable",
	} {
		t.Setenv(k, v)
	}
	clone := filepath.Join(dir, "pay")
	git := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("git", append([]string{"-C", clone}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if err := os.Mkdir(clone, 0o755); err != nil {
		t.Fatal(err)
	}
	git("init", "-q", "-b", "main")
	git("remote", "add", "origin", "git@github.com:acme/pay.git")
	git("commit", "-q", "--allow-empty", "-m", "First")
	git("checkout", "-q", "-b", "fix")
	git("commit", "-q", "--allow-empty", "-m", "fix: refund in full\n\nRefs: PAY-17")
	head := git("rev-parse", "HEAD")
	git("checkout", "-q", "main")
	git("merge", "-q", "--no-ff", "fix", "-m", "Merge pull request #7 from acme/fix\n\nRefund in full")
	merged := git("rev-parse", "HEAD")
	git("tag", "v1.0")
	git("commit", "-q", "--allow-empty", "-m", "Tidy") // as a forge puts it there that rebases: no word of a number
	tidied := git("rev-parse", "HEAD")
	deliveries := []string{
		`{"action":"closed","repository":{"html_url":"https://github.com/acme/pay"},"pull_request":{"number":8,"title":"Tidy","body":"Refs: SHOP-4","state":"closed","merged":true,
			"merged_at":"2026-03-01T13:00:00Z","updated_at":"2026-03-01T13:00:00Z","merge_commit_sha":"` + tidied + `","head":{"ref":"tidy","sha":"` + head + `"}}}`,
		`{"action":"closed","repository":{"html_url":"https://github.com/acme/pay"},"pull_request":{"number":7,"title":"Refund in full","state":"closed","merged":true,
			"merged_at":"2026-03-01T12:00:00Z","updated_at":"2026-03-01T12:00:00Z","merge_commit_sha":"` + merged + `","head":{"ref":"fix","sha":"` + head + `"}}}`,
	}
	for _, scanFirst := range []bool{true, false} {
		t.Setenv("STEMMA_DATA", filepath.Join(dir, "data", strconv.FormatBool(scanFirst)))
		if scanFirst {
			stemmaSays(t, "scan", clone)
		}
		s := serveHooks(t)
		for _, d := range deliveries {
			if code := postHook(t, s.url+"/hooks/github", "the secret in a variable", d); code != 202 {
				t.Fatalf("answered %d", code)
			}
		}
		waitFor(t, func() string { return stemmaSays(t, "sql", "SELECT state FROM v1_change WHERE number = 7") }, "merged")
		s.stop()
		if !scanFirst {
			stemmaSays(t, "scan", clone)
		}
		got := stemmaSays(t, "sql", "SELECT c.ref, c.state, c.merge_commit, c.head FROM v1_change c WHERE c.number = 7")
		want := "change:github.com/acme/pay#7"
		if strings.Count(got, "change:") != 1 || !strings.Contains(got, want) || !strings.Contains(got, merged) || !strings.Contains(got, head) {
			t.Errorf("scan first %t: the changes are\n%s", scanFirst, got)
		}
		got = stemmaSays(t, "sql", "SELECT ref, method FROM v1_change WHERE merge_commit LIKE '%"+tidied+"'")
		if !strings.Contains(got, "change:github.com/acme/pay#8") || !scanFirst && (strings.Count(got, "change:") != 1 || strings.Contains(got, "direct")) {
			t.Errorf("scan first %t: what the forge told without a message is\n%s", scanFirst, got)
		}
		if got := stemmaSays(t, "trace", "ticket:jira/SHOP-4"); !strings.Contains(got, "#8") {
			t.Errorf("scan first %t: what only the forge knows is lost:\n%s", scanFirst, got)
		}
		if got := stemmaSays(t, "trace", "ticket:jira/PAY-17"); !strings.Contains(got, want) {
			t.Errorf("scan first %t: the ticket leads to\n%s", scanFirst, got)
		}
		if got := stemmaSays(t, "sql", "SELECT ref FROM v1_repository"); strings.Count(got, "repository:") != 1 {
			t.Errorf("scan first %t: the repositories are\n%s", scanFirst, got)
		}
	}
}
