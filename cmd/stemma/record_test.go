package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

const recordToken = "a token for the tests of record"

// A pipeline is where a step of a pipeline stands: a clone, and a server that may be away.
type pipelineStep struct {
	t    *testing.T
	dir  string
	addr string
}

// recording begins a pipeline whose server is at an address that nobody listens on yet.
func recording(t *testing.T) *pipelineStep {
	t.Helper()
	dir := t.TempDir()
	for name, value := range map[string]string{
		"HOME": dir, "XDG_CACHE_HOME": filepath.Join(dir, "cache"), "STEMMA_DATA": filepath.Join(dir, "data"), "STEMMA_DB": "",
		"STEMMA_RECORD_TOKEN": recordToken, "STEMMA_TOKEN": recordToken, "GIT_CONFIG_NOSYSTEM": "1", "GITHUB_ACTIONS": "", "CI": "",
	} {
		t.Setenv(name, value)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &pipelineStep{t, filepath.Join(dir, "repo"), l.Addr().String()}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("STEMMA_URL", "http://"+p.addr)
	p.write("junit.xml", `<testsuite name="pay"><testcase name="a"/></testsuite>`)
	p.write("running.txt", "stranger@sha256:"+strings.Repeat("ab", 32)+"\n")
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"},
		{"remote", "add", "origin", "https://github.com/acme/pay.git"},
		{"-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "-q", "--allow-empty", "-m", "one"},
	} {
		if out, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", p.dir}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v %s", args, err, out)
		}
	}
	t.Chdir(p.dir)
	return p
}

func (p *pipelineStep) write(name, text string) {
	p.t.Helper()
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// says runs stemma, which must end with a code, and gives what it wrote.
func (p *pipelineStep) says(code int, args ...string) (out, errw string) {
	p.t.Helper()
	var o, e bytes.Buffer
	if got := run(p.t.Context(), args, strings.NewReader(""), &o, &e); got != code {
		p.t.Fatalf("stemma %s: %d, want %d\n%s%s", strings.Join(args, " "), got, code, o.String(), e.String())
	}
	if strings.Contains(o.String()+e.String(), recordToken) {
		p.t.Errorf("the token is written: %s%s", o.String(), e.String())
	}
	return o.String(), e.String()
}

func (p *pipelineStep) serve() served {
	p.t.Helper()
	return serveHooks(p.t, "--addr", p.addr)
}

// again lets the next call try the server at once, as if time had passed.
func (p *pipelineStep) again() {
	p.t.Helper()
	pauses, err := filepath.Glob(filepath.Join(p.dir, ".git", "stemma", "outbox", "*", "pause"))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, path := range pauses {
		if err := os.Remove(path); err != nil {
			p.t.Fatal(err)
		}
	}
}

// TestReportsWaitWhileTheServerIsAway: the build goes on, a warning says so, and
// everything is there once, later.
func TestReportsWaitWhileTheServerIsAway(t *testing.T) {
	p := recording(t)
	out, warning := p.says(0, "record", "test", "junit.xml")
	if !strings.Contains(out, "(it waits for the server)") || strings.Count(warning, "\n") != 1 || !strings.HasPrefix(warning, "stemma: warning: http://"+p.addr) {
		t.Errorf("%s%s", out, warning)
	}
	if _, warning = p.says(0, "record", "deploy", "--env", "prod", "--version", "v1"); !strings.Contains(warning, "was away a moment ago") {
		t.Errorf("%s", warning)
	}
	if _, failure := p.says(1, "record", "run", "--required"); !strings.Contains(failure, "no run of a pipeline") {
		t.Errorf("%s", failure)
	}
	if _, failure := p.says(1, "record", "test", "junit.xml", "--required"); !strings.Contains(failure, "the server did not take the report") {
		t.Errorf("%s", failure)
	}
	if _, failure := p.says(1, "record", "flush", "--required"); !strings.Contains(failure, "3 reports still wait") {
		t.Errorf("%s", failure)
	}
	files, err := filepath.Glob(filepath.Join(p.dir, ".git", "stemma", "outbox", "*", "*.message"))
	if err != nil || len(files) != 3 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, name := range files {
		info, err := os.Stat(name)
		b, readErr := os.ReadFile(name)
		if err != nil || readErr != nil || info.Mode().Perm() != 0o600 || bytes.Contains(b, []byte(recordToken)) {
			t.Errorf("%s: %v, %v, %v", name, info.Mode(), err, readErr)
		}
	}
	s := p.serve()
	p.again()
	out, warning = p.says(0, "record", "scan", "--format", "gitleaks", p.file("[]"), "--json")
	var reports struct {
		Reports []struct {
			State      string
			Sent, Left int
		}
	}
	if err := json.Unmarshal([]byte(out), &reports); err != nil || len(reports.Reports) != 1 || reports.Reports[0].State != "server" || reports.Reports[0].Sent != 3 || reports.Reports[0].Left != 0 || warning != "" {
		t.Errorf("%s%s%v", out, warning, err)
	}
	if out, _ := p.says(0, "record", "flush"); out != "0 reports sent, 0 still wait\n" {
		t.Errorf("%s", out)
	}
	p.until(`^v1 `, "query", "deployments", "is:live", "--columns", "version,at")
	s.stop()
	p.says(0, "verify", "log")
}

// file is a file with a text.
func (p *pipelineStep) file(text string) string {
	p.write("report", text)
	return "report"
}

// until asks until an answer is there: a server takes reports when it comes to it.
func (p *pipelineStep) until(want string, args ...string) {
	p.t.Helper()
	out := ""
	for range 600 { // a server that was killed is waited for
		out, _ = p.says(0, args...)
		if regexp.MustCompile("(?m)" + want).MatchString(out) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.t.Errorf("stemma %s says %s, want %s", strings.Join(args, " "), out, want)
}

// TestSnapshotIsJudgedByTheServer: the exit code is that of what the server knows.
func TestSnapshotIsJudgedByTheServer(t *testing.T) {
	p := recording(t)
	p.serve()
	out, failure := p.says(3, "record", "snapshot", "--env", "prod", "running.txt")
	if !strings.Contains(out, "unexplained  stranger") || !strings.Contains(failure, "1 of 1 things run that no recorded deployment explains") {
		t.Errorf("%s%s", out, failure)
	}
	p.says(0, "record", "deploy", "--env", "prod", "--version", "v1", "--artifact", "sha256:"+strings.Repeat("ab", 32), "--at", "2020-01-01T00:00:00Z")
	if out, _ := p.says(0, "record", "snapshot", "--env", "prod", "running.txt"); strings.Contains(out, "unexplained") {
		t.Errorf("%s", out)
	}
	p.until(`prod .*stranger .*deployment:prod/`, "query", "running", "is:explained is:latest")
}

// TestBuildsDoNotFailForTheToken: pipelines of forks have none. The server is not shown
// what it cannot take.
func TestBuildsDoNotFailForTheToken(t *testing.T) {
	p := recording(t)
	p.serve()
	for variable, warning := range map[string]string{"": "there is no token for it", "another token, not that one": "the token for reports is missing or another one"} {
		t.Setenv("STEMMA_TOKEN", variable)
		p.again()
		if _, errw := p.says(0, "record", "test", "junit.xml"); !strings.Contains(errw, warning) || strings.Contains(errw, "not that one") {
			t.Errorf("%s", errw)
		}
		p.again()
		p.says(1, "record", "test", "junit.xml", "--required")
	}
	t.Setenv("STEMMA_TOKEN", "")
	if err := os.WriteFile("token", []byte(recordToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.again()
	if out, errw := p.says(0, "record", "test", "junit.xml", "--token-file", "token"); !strings.Contains(out, "the server has it") || errw != "" {
		t.Errorf("%s%s", out, errw)
	}
	p.again()
	if _, errw := p.says(0, "record", "test", "junit.xml", "--token-file", "none"); !strings.Contains(errw, "the token for it cannot be read") {
		t.Errorf("%s", errw)
	}
}

// TestNamedStoreComesBeforeTheServer that the environment names.
func TestNamedStoreComesBeforeTheServer(t *testing.T) {
	p := recording(t)
	db := "file:" + filepath.Join(t.TempDir(), "own.db")
	if out, _ := p.says(0, "record", "test", "junit.xml", "--db", db); !strings.Contains(out, "(in the local store)") {
		t.Errorf("%s", out)
	}
}

// TestNothingIsLostWhenTheServerIsKilled: again and again, while reports come in. What it
// took before is there once, what it did not take waits.
func TestNothingIsLostWhenTheServerIsKilled(t *testing.T) {
	p := recording(t)
	const all, between = 30, 5
	kill := func() {}
	for i := range all {
		if i%between == 0 {
			kill()
			kill = p.child()
			defer kill()
			if i > 0 {
				p.says(0, "record", "flush")
			}
			time.AfterFunc(time.Duration(i)*10*time.Millisecond, kill)
		}
		p.again()
		p.says(0, "record", "deploy", "--env", "prod", "--service", fmt.Sprint("s", i), "--version", fmt.Sprint("v", i), "--commit", strings.Repeat("a1", 20))
	}
	kill()
	s := p.serve()
	p.again()
	if out, _ := p.says(0, "record", "flush", "--required"); !strings.HasSuffix(out, " sent, 0 still wait\n") {
		t.Errorf("%s", out)
	}
	p.until(fmt.Sprintf(`^%d +%d$`, all, all), "sql", `SELECT COUNT(*) AS n, COUNT(DISTINCT service) AS services FROM v1_deployment`)
	s.stop()
	p.says(0, "verify", "log")
	p.says(0, "verify", "graph")
}

// child serves in a process of its own; the function that it returns kills it.
func (p *pipelineStep) child() (kill func()) {
	p.t.Helper()
	c := exec.CommandContext(p.t.Context(), "stemma", "serve", "--addr", p.addr)
	if err := c.Start(); err != nil {
		p.t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = c.Process.Kill() // it may have ended
		_ = c.Wait()
	})
	for range 400 {
		r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+p.addr+"/healthz", nil)
		if err != nil {
			p.t.Fatal(err)
		}
		if answer, err := http.DefaultClient.Do(r); err == nil {
			_ = answer.Body.Close()
			return kill
		}
		time.Sleep(25 * time.Millisecond)
	}
	kill()
	p.t.Fatal("the server does not answer")
	return nil
}
