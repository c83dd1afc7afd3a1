package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tracker is a Jira with as many issues as it is told to have.
func tracker(t *testing.T, issues *int) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer a token in a file":
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"message":"who is %s?"}`, r.Header.Get("Authorization"))
		case r.URL.Path == "/rest/api/2/serverInfo":
			fmt.Fprint(w, `{"deploymentType":"Server"}`)
		default:
			var list []string
			for i := range *issues {
				list = append(list, fmt.Sprintf(`{"key":"PAY-%d","fields":{"summary":"Issue <b> \u202e%d","updated":"2026-03-01T10:00:00.000+0000"}}`, i+1, i+1))
			}
			fmt.Fprintf(w, `{"startAt":0,"total":%d,"issues":[%s]}`, *issues, strings.Join(list, ","))
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestMissingIsFetchedBesideAServer has a server make facts of what another process
// fetches.
func TestMissingIsFetchedBesideAServer(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("STEMMA_DATA", filepath.Join(dir, "data"))
	t.Setenv("STEMMA_DB", "")
	t.Setenv("STEMMA_HOOK_JIRA_SECRET", "the secret in a variable")
	file := filepath.Join(dir, "token")
	if err := os.WriteFile(file, []byte("a token in a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("STEMMA_SYNC_JIRA_TOKEN_FILE", file)
	issues := 1
	url := tracker(t, &issues)
	s := serveHooks(t)
	if got := stemmaSays(t, "sync", "jira", "PAY", "--url", url); !strings.Contains(got, "1 looked at, 1 were missing: of 1 nothing had been told") || !strings.Contains(got, "absent: ticket:jira/PAY-1") {
		t.Errorf("sync says\n%s", got)
	}
	waitFor(t, func() string { return stemmaSays(t, "query", "tickets", "--json") }, `jira/PAY-1"`)
	if got := stemmaSays(t, "sync", "jira", "PAY", "--url", url); !strings.Contains(got, "1 looked at, nothing was missing") {
		t.Errorf("sync says\n%s", got)
	}
	issues = 2
	if got := stemmaSays(t, "sync", "jira", "PAY", "--url", url, "--json", "--all"); !strings.Contains(got, `"absent": 1`) || !strings.Contains(got, `"ref": "ticket:jira/PAY-2"`) {
		t.Errorf("sync says\n%s", got)
	}
	waitFor(t, func() string { return stemmaSays(t, "query", "tickets", "--json") }, `jira/PAY-2"`)
	if got := stemmaSays(t, "deliveries"); !strings.Contains(got, "jira-sync") || !strings.Contains(got, "2 looked at, 1 were missing") {
		t.Errorf("deliveries says\n%s", got)
	}
	if got := stemmaSays(t, "deliveries", "--json", "--only", "fetched"); !strings.Contains(got, `"looked": 2`) || strings.Contains(got, "sources") {
		t.Errorf("deliveries says\n%s", got)
	}
	s.stop()
}

func TestCrookedFetchesAreUsageOrRefused(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("STEMMA_DATA", filepath.Join(dir, "data"))
	t.Setenv("STEMMA_DB", "")
	issues := 0
	url := tracker(t, &issues)
	const wrong = "a token that is wrong"
	t.Setenv("STEMMA_SYNC_JIRA_TOKEN", wrong)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"jira"}, 2, "stemma sync --help"},
		{[]string{"jira", "PAY", "--token", wrong}, 2, "unknown flag"},
		{[]string{"cvs", "a/b"}, 1, "forgejo, gitea, github, gitlab, jira"},
		{[]string{"gitea", "a/b"}, 1, "--url"},
		{[]string{"jira", "PAY", "--url", "http://jira.example"}, 1, "https"},
		{[]string{"jira", "PAY", "--url", url, "--token-file", filepath.Join(dir, "nowhere")}, 1, "--token-file"},
		{[]string{"jira", "PAY", "--url", url}, 1, "docs/sources.md"},
		{[]string{"jira", "P?", "PAY", "--url", url}, 1, "401"}, // one is no place, the other is asked all the same
	} {
		var out, errw bytes.Buffer
		code := run(t.Context(), append([]string{"sync"}, c.args...), nil, &out, &errw)
		if code != c.code || !strings.Contains(errw.String(), c.says) || strings.Contains(errw.String()+out.String(), wrong) && c.code != 2 {
			t.Errorf("%q: %d %s%s, want %d %s", c.args, code, out.String(), errw.String(), c.code, c.says)
		}
	}
}
