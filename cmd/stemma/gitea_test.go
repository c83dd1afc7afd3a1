//go:build forge

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A forge is a real Gitea that runs for one test, on the loopback interface.
type forge struct {
	t      *testing.T
	url    string
	dir    string
	tokens map[string]string // of its users, by name
}

const giteaConfig = `
APP_NAME = forge
RUN_MODE = prod
WORK_PATH = %[1]s
[server]
PROTOCOL = http
HTTP_ADDR = 127.0.0.1
HTTP_PORT = %[2]d
ROOT_URL = http://127.0.0.1:%[2]d/
STATIC_ROOT_PATH = %[1]s/static
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = %[1]s/gitea.db
[security]
INSTALL_LOCK = true
SECRET_KEY = a key of a test that nobody needs to guess
PASSWORD_HASH_ALGO = pbkdf2_v2
[webhook]
ALLOWED_HOST_LIST = loopback
[repository]
DEFAULT_BRANCH = main
[cron.update_checker]
ENABLED = false
[log]
MODE = console
LEVEL = warn
`

// startForge starts a Gitea as an ordinary user. The program and the directory of its
// module are those that tools/forge.sh names.
func startForge(t *testing.T, users ...string) *forge {
	t.Helper()
	program, module := os.Getenv("FORGE_GITEA"), os.Getenv("FORGE_MODULE")
	if program == "" || module == "" {
		t.Fatal("there is no Gitea to be tried: run make test-forge")
	}
	dir := t.TempDir()
	check(t, os.Chmod(filepath.Dir(dir), 0o755)) // its user goes through it
	f := &forge{t: t, dir: dir, tokens: map[string]string{}}
	port := freePort(t)
	f.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	// All that it reads lies in one directory that its user may read.
	for _, part := range []string{"templates", "options", "public"} {
		check(t, os.CopyFS(filepath.Join(dir, "static", part), os.DirFS(filepath.Join(module, part))))
	}
	copyFile(t, program, filepath.Join(dir, "gitea"), 0o755)
	check(t, os.WriteFile(filepath.Join(dir, "app.ini"), fmt.Appendf(nil, giteaConfig, dir, port), 0o644))
	f.own()
	f.run("migrate")
	for _, name := range users {
		f.run("admin", "user", "create", "--username", name, "--password", "a long password of "+name, "--email", name+"@acme.example", "--fullname",
			strings.ToUpper(name[:1])+name[1:], "--admin", "--must-change-password=false")
		f.tokens[name] = strings.TrimSpace(f.run("admin", "user", "generate-access-token", "--username", name, "--scopes", "all", "--raw"))
	}
	f.serve()
	return f
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	check(t, l.Close())
	return l.Addr().(*net.TCPAddr).Port
}

func copyFile(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	in, err := os.Open(from)
	check(t, err)
	defer func() { _ = in.Close() }() // it is only read
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, mode)
	check(t, err)
	_, err = io.Copy(out, in)
	check(t, err)
	check(t, out.Close())
}

// nobody is who runs Gitea where the tests run as root, which it refuses to be.
const nobody = 65534

func (f *forge) own() {
	f.t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	check(f.t, filepath.WalkDir(f.dir, func(path string, _ os.DirEntry, err error) error {
		if err == nil {
			err = os.Lchown(path, nobody, nobody)
		}
		return err
	}))
}

func (f *forge) command(args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(f.dir, "gitea"), append([]string{"--config", filepath.Join(f.dir, "app.ini")}, args...)...)
	c.Dir = f.dir
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + f.dir, "GITEA_WORK_DIR=" + f.dir, "USER=nobody"}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		c.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	return c
}

func (f *forge) run(args ...string) string {
	f.t.Helper()
	c := f.command(args...)
	var errw bytes.Buffer
	c.Stderr = &errw
	out, err := c.Output()
	if err != nil {
		f.t.Fatalf("gitea %s: %v\n%s%s", args[0], err, out, errw.String())
	}
	return string(out)
}

func (f *forge) serve() {
	f.t.Helper()
	c := f.command("web")
	var log output
	c.Stdout, c.Stderr = &log, &log
	check(f.t, c.Start())
	f.t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = c.Wait()                          // with the signal
		if f.t.Failed() {
			f.t.Logf("Gitea says:\n%s", log.String())
		}
	})
	for range 600 {
		if r, err := http.Get(f.url + "/api/v1/version"); err == nil {
			_ = r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	f.t.Fatalf("Gitea does not serve:\n%s", log.String())
}

// An object is JSON as Gitea answers it.
type object map[string]any

// call does something as a user would, by the interface, and gives what was answered.
func (f *forge) call(user, method, path string, body object) object {
	f.t.Helper()
	text, err := json.Marshal(body)
	check(f.t, err)
	for try := 0; ; try++ {
		r, err := http.NewRequestWithContext(f.t.Context(), method, f.url+"/api/v1"+path, bytes.NewReader(text))
		check(f.t, err)
		r.Header.Set("Authorization", "token "+f.tokens[user])
		r.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(r)
		check(f.t, err)
		said, err := io.ReadAll(answer.Body)
		check(f.t, err)
		check(f.t, answer.Body.Close())
		// A merge may be refused while Gitea still looks whether it can be done.
		// So may a pull request of branches that were pushed a moment ago.
		early := answer.StatusCode == http.StatusNotFound && method == http.MethodPost && strings.HasSuffix(path, "/pulls")
		if (answer.StatusCode == http.StatusMethodNotAllowed || early) && try < 100 {
			time.Sleep(100 * time.Millisecond)
			continue
		}
		if answer.StatusCode >= 300 {
			f.t.Fatalf("%s %s: %d %s", method, path, answer.StatusCode, said)
		}
		var o object
		if len(said) > 0 && said[0] == '{' {
			check(f.t, json.Unmarshal(said, &o))
		}
		return o
	}
}

func (o object) number() string { return strconv.Itoa(int(o["number"].(float64))) }

// git runs git in a directory and gives what it says.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	c := exec.Command("git", args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
