package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReceiversAreToldByAServer: from a file beside the policy, over a signed webhook, with a
// link to the list; and the verb says so.
func TestReceiversAreToldByAServer(t *testing.T) {
	var told output
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = told.Write([]byte(r.Header.Get("X-Stemma-Signature-256")[:7] + string(body) + "\n"))
	}))
	defer hook.Close()
	dir := t.TempDir()
	t.Setenv("STEMMA_DATA", filepath.Join(dir, "data"))
	t.Setenv("STEMMA_DB", "")
	t.Setenv("HOME", dir)
	repo, policy := filepath.Join(dir, "repo"), filepath.Join(dir, "policy")
	for name, text := range map[string]string{
		"alerts.yaml": "receivers: [{name: team, webhook: '" + hook.URL + "', secret_file: team.secret}]\n" +
			"rules: [{name: any, kind: changes, filter: 'number:7', above: 0, to: [team]}]\n",
		"team.secret": "a-secret\n",
	} {
		if err := os.MkdirAll(policy, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(policy, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main", repo},
		{"-C", repo, "remote", "add", "origin", "https://github.com/acme/pay.git"},
		{"-C", repo, "-c", "user.name=Ada", "-c", "user.email=ada@acme.example", "commit", "-q", "--allow-empty", "-m", "one (#7)"},
	} {
		if out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v %s", args, err, out)
		}
	}
	stemmaSays(t, "scan", repo)
	s := serveHooks(t, "--policy", policy, "--url", "https://stemma.acme.example/")
	waitFor(t, told.String, `"state":"firing"`)
	s.stop()
	for _, want := range []string{`sha256=`, `"value":1`, `"link":"https://stemma.acme.example/changes?q=number%3A7"`} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("%s is not in %s", want, told.String())
		}
	}
	if says := stemmaSays(t, "alerts", "--policy", policy, "--json"); !strings.Contains(says, `"firing": true`) || !strings.Contains(says, `"value": 1`) {
		t.Errorf("it says %s", says)
	}
	if says := stemmaSays(t, "alerts", "test", "any", "--policy", policy); says != "team was told\n" || !strings.Contains(told.String(), `"state":"test"`) {
		t.Errorf("it says %q, told %s", says, told.String())
	}
}
