// Package gittest builds git repositories for tests: small ones with git's own
// commands, big ones with one fast-import. Identities and dates are always the
// same, so the ids are too. The user's configuration has no influence.
package gittest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Epoch is the time of the first commit of every repository, in seconds.
const Epoch = 1_700_000_000

// A Repo is a repository in a temporary directory. Each commit is a minute
// younger than the one before it.
type Repo struct {
	T    testing.TB
	Dir  string
	Env  []string // further variables for git, such as GIT_AUTHOR_NAME=…
	home string
	now  int64
}

// New makes an empty repository with the branch main; flags go to git init.
func New(t testing.TB, flags ...string) *Repo {
	t.Helper()
	r := At(t, filepath.Join(t.TempDir(), "repo"))
	if err := os.Mkdir(r.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.Git(append([]string{"init", "-q", "-b", "main"}, flags...)...)
	return r
}

// At is the repository, made or to be made, in dir.
func At(t testing.TB, dir string) *Repo {
	t.Helper()
	r := &Repo{T: t, Dir: dir, home: t.TempDir(), now: Epoch}
	// Every commit would look whether there is something to tidy up, and every
	// repository would get a dozen examples of hooks.
	template := filepath.Join(r.home, "template")
	config := "[maintenance]\n\tauto = false\n[init]\n\ttemplateDir = " + template + "\n"
	err := errors.Join(os.Mkdir(template, 0o700), os.WriteFile(filepath.Join(template, "description"), []byte("a test\n"), 0o600),
		os.WriteFile(filepath.Join(r.home, ".gitconfig"), []byte(config), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Clone clones r with the given flags, by way of the file protocol.
func (r *Repo) Clone(flags ...string) *Repo {
	r.T.Helper()
	c := At(r.T, filepath.Join(r.T.TempDir(), "clone"))
	args := append([]string{"-c", "protocol.file.allow=always", "clone", "-q"}, flags...)
	r.Git(append(args, "file://"+r.Dir, c.Dir)...)
	c.now = r.now
	return c
}

// Git runs git in the repository and returns what it printed, without the last
// line end. A failure ends the test.
func (r *Repo) Git(args ...string) string {
	r.T.Helper()
	return r.GitWith(nil, args...)
}

// GitWith is [Repo.Git] with standard input.
func (r *Repo) GitWith(stdin []byte, args ...string) string {
	r.T.Helper()
	out, err := r.Try(stdin, args...)
	if err != nil {
		r.T.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// Try runs git, which may fail; then the output is what it said about that.
func (r *Repo) Try(stdin []byte, args ...string) ([]byte, error) {
	date := fmt.Sprintf("%d +0100", r.now)
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Stdin = r.Dir, bytes.NewReader(stdin)
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + r.home, "XDG_CONFIG_HOME=" + r.home, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C",
		"GIT_AUTHOR_NAME=Ada Author", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_AUTHOR_DATE=" + date,
		"GIT_COMMITTER_NAME=Cy Committer", "GIT_COMMITTER_EMAIL=cy@example.com", "GIT_COMMITTER_DATE=" + date,
		"GIT_TERMINAL_PROMPT=0", "GIT_EDITOR=true", "GIT_ALLOW_PROTOCOL=file",
	}, r.Env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return append(out.Bytes(), errs.Bytes()...), err
	}
	return out.Bytes(), nil
}

// Write writes files of the work tree: path, content, path, content…
func (r *Repo) Write(pairs ...string) {
	r.T.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		name := filepath.Join(r.Dir, pairs[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			r.T.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(pairs[i+1]), 0o644); err != nil {
			r.T.Fatal(err)
		}
	}
}

// Commit commits everything in the work tree, after writing pairs as
// [Repo.Write] does, and returns the id.
func (r *Repo) Commit(message string, pairs ...string) string {
	r.T.Helper()
	r.Write(pairs...)
	r.Git("add", "-A")
	r.now += 60
	r.GitWith([]byte(message), "commit", "-q", "--allow-empty", "--allow-empty-message", "--cleanup=verbatim", "-F", "-")
	return r.Head()
}

// Merge merges with the flags and names given, which may leave conflicts, then
// writes pairs and commits; it returns the id.
func (r *Repo) Merge(message string, branches []string, pairs ...string) string {
	r.T.Helper()
	r.now += 60
	if out, err := r.Try(nil, append([]string{"merge", "-q", "--no-commit", "--no-ff"}, branches...)...); err != nil &&
		!bytes.Contains(out, []byte("onflict")) {
		r.T.Fatalf("merge %q: %v\n%s", branches, err, out)
	}
	r.Write(pairs...)
	r.Git("add", "-A")
	r.GitWith([]byte(message), "commit", "-q", "--cleanup=verbatim", "-F", "-")
	return r.Head()
}

// Head is the id of HEAD.
func (r *Repo) Head() string {
	r.T.Helper()
	dir := filepath.Join(r.Dir, ".git")
	head, _ := os.ReadFile(filepath.Join(dir, "HEAD"))
	if ref, ok := strings.CutPrefix(string(head), "ref: "); ok {
		head, _ = os.ReadFile(filepath.Join(dir, strings.TrimSpace(ref)))
	}
	if id := strings.TrimSpace(string(head)); id != "" {
		return id
	}
	return r.Git("rev-parse", "HEAD") // of a bare repository, a packed ref
}

// Note puts a note of the given ref on a commit.
func (r *Repo) Note(ref, commit, body string) {
	r.T.Helper()
	r.GitWith([]byte(body), "notes", "--ref", ref, "add", "-f", "-F", "-", commit)
}

// Lines makes n lines that no other call with another word makes.
func Lines(word string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s := value(%d, %q)\n", word, i, word)
	}
	return b.String()
}

// Cases is how many of n random cases a test tries: with -short, which the race
// detector takes five times as long for, one of four.
func Cases(n uint64) uint64 {
	if testing.Short() {
		return (n + 3) / 4
	}
	return n
}
