//go:build forge

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestForgeWaitsForTheVerdict: a forge refuses to merge what nobody approved,
// since its branch asks for the status that "stemma serve" gives; nobody does anything but
// open a pull request and review it.
func TestForgeWaitsForTheVerdict(t *testing.T) {
	dir := t.TempDir()
	for k, v := range map[string]string{
		"STEMMA_DB": "", "HOME": dir, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "STEMMA_WAIT": "1",
		"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@acme.example", "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@acme.example",
	} {
		t.Setenv(k, v)
	}
	s := &project{t: t, forge: startForge(t, "ada", "grace", "hedy"), dir: dir, told: filepath.Join(dir, "told"), clone: filepath.Join(dir, "pay")}
	status, rules := filepath.Join(dir, "status.token"), filepath.Join(dir, "rules")
	check(t, os.WriteFile(status, []byte(s.tokens["hedy"]), 0o600))
	check(t, os.MkdirAll(rules, 0o700))
	check(t, os.WriteFile(filepath.Join(rules, "policy.yaml"), []byte("rules:\n  - controls: [REV-01]\n    mode: enforce\n"), 0o600))
	s.serve = []string{"--policy", rules, "--status", "gitea@" + s.url + "=" + status, "--url", "https://stemma.acme.example"}
	s.begin()
	s.edit("Pay, from the beginning")
	s.push("main")
	s.call("ada", "POST", "/repos/ada/pay/branch_protections", object{
		"rule_name": "main", "enable_status_check": true, "status_check_contexts": []string{"stemma"}, "block_admin_merge_override": true, "enable_push": false,
	})
	number, head := s.branch("refund", "feat: refund")
	if said := s.stands(head, "failure"); !strings.Contains(said, "REV-01") || !strings.Contains(said, "https://stemma.acme.example/changes/") {
		t.Errorf("the status says %s", said)
	}
	if code, said := s.tries("grace", "POST", "/repos/ada/pay/pulls/"+number+"/merge", object{"Do": "squash"}); code < 400 || !strings.Contains(said, "status check") {
		t.Fatalf("what nobody approved was merged: %d %s", code, said)
	}
	s.review("ada", number, "COMMENT")
	s.review("hedy", number, "APPROVED")
	approved := time.Now()
	s.stands(head, "success")
	t.Logf("the forge had the verdict %s after the approval", time.Since(approved).Round(time.Millisecond))
	s.merge(number, "squash")
	landed := git(t, s.clone, "rev-parse", "HEAD")
	s.stands(landed, "success")
	s.says("pass", "SELECT state FROM v1_assessment_finding WHERE control = 'REV-01'")
}

// stands waits until a commit has our status in a state, and gives what it says.
func (s *project) stands(sha, state string) string {
	s.t.Helper()
	said := ""
	for range 400 {
		_, said = s.tries("ada", "GET", "/repos/ada/pay/commits/"+sha+"/status", nil)
		var all struct {
			Statuses []struct {
				Context, Status, Description string
				Target                       string `json:"target_url"`
			}
		}
		check(s.t, json.Unmarshal([]byte(said), &all))
		for _, x := range all.Statuses {
			if x.Context == "stemma" && x.Status == state {
				return x.Description + " " + x.Target
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.t.Fatalf("%s does not become %s: %s", sha, state, said)
	return ""
}

// tries does something that the forge may refuse.
func (s *project) tries(user, method, path string, body object) (code int, said string) {
	s.t.Helper()
	text, err := json.Marshal(body)
	check(s.t, err)
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/api/v1"+path, bytes.NewReader(text))
	check(s.t, err)
	r.Header.Set("Authorization", "token "+s.tokens[user])
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	check(s.t, err)
	all, err := io.ReadAll(answer.Body)
	check(s.t, err)
	check(s.t, answer.Body.Close())
	return answer.StatusCode, string(all)
}
