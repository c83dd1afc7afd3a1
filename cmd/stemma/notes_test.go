package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/note/notetest"
)

// stemmaIn runs the program in a directory and returns what it prints.
func stemmaIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	t.Chdir(dir)
	var out, errs bytes.Buffer
	if code := run(t.Context(), args, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("stemma %s: code %d: %s", strings.Join(args, " "), code, &errs)
	}
	return out.String()
}

// serve runs the server until the test ends and returns its address.
func serve(t *testing.T) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	in, out := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, []string{"serve", "--addr", "127.0.0.1:0"}, strings.NewReader(""), out, io.Discard)
		_ = out.CloseWithError(fmt.Errorf("serve ended with %d", code)) // whoever waits for the address
		ended <- code
	}()
	t.Cleanup(func() { stop(); <-ended })
	var address string
	if _, err := fmt.Fscanf(in, "stemma serves %s\n", &address); err != nil {
		t.Fatal(err)
	}
	return address
}

// client sends a request as git-ai does and returns the answer.
func client(t *testing.T, method, url, key, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-API-Key", key)
	r.Header.Set("X-Author-Identity", "Ann Lee <ann@example.com>")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %s %v", method, url, answer.StatusCode, text, err)
	}
	return string(text)
}

// TestNotesOfGitAIClientsAnswerWhoWroteALine is the whole way: a client sends notes,
// one of them about a commit that nobody has scanned; then scan, query and blame.
func TestNotesOfGitAIClientsAnswerWhoWroteALine(t *testing.T) {
	const key = "a token of some length"
	data := t.TempDir()
	t.Setenv("HOME", data)
	t.Setenv("STEMMA_DATA", filepath.Join(data, "stemma"))
	t.Setenv("STEMMA_NOTES_TOKEN", key)
	r := gittest.New(t)
	first := r.Commit("begin", "a.go", gittest.Lines("begin", 3))
	stemmaIn(t, r.Dir, "scan")
	second := r.Commit("more", "a.go", gittest.Lines("begin", 3)+gittest.Lines("more", 2))

	address := serve(t)
	notes := map[string]string{first: notetest.GitAI(first, "a.go", "2", ""), second: notetest.GitAI(second, "a.go", "4-5", "")}
	var entries []string
	for commit, text := range notes {
		entries = append(entries, fmt.Sprintf(`{"commit_sha":%q,"content":%q}`, commit, text))
	}
	if got := client(t, http.MethodPost, address+"/worker/notes/upload", key, `{"entries":[`+strings.Join(entries, ",")+`]}`); !strings.Contains(got, `"success_count":2`) {
		t.Errorf("the upload answers %s", got)
	}
	if got := client(t, http.MethodGet, address+"/worker/notes/?commits="+first, key, ""); !strings.Contains(got, fmt.Sprintf("%q:%q", first, notes[first])) {
		t.Errorf("what was sent comes back as %s", got)
	}

	blamed := strings.Split(stemmaIn(t, r.Dir, "blame", "a.go"), "\n")
	for i, ai := range []bool{false, true, false, true, true} {
		if strings.Contains(blamed[i], "codex gpt-5.6-sol") != ai {
			t.Errorf("line %d: %s", i+1, blamed[i])
		}
	}
	stemmaIn(t, r.Dir, "scan")
	if got := strings.TrimSpace(stemmaIn(t, r.Dir, "query", "lines", "origin:ai group:agent", "--csv")); !strings.Contains(got, "codex,3,") {
		t.Errorf("lines of AI:\n%s", got)
	}
	if got := stemmaIn(t, r.Dir, "trace", first); !strings.Contains(got, "session:codex/019e-77") {
		t.Errorf("the trace of the first commit:\n%s", got)
	}
	stemmaIn(t, r.Dir, "verify", "log")
	stemmaIn(t, r.Dir, "verify", "graph")
}

func TestImportedSessionHasAPage(t *testing.T) {
	data := t.TempDir()
	t.Setenv("HOME", data)
	t.Setenv("STEMMA_DATA", filepath.Join(data, "stemma"))
	r := gittest.New(t)
	first := r.Commit("begin", "a.go", gittest.Lines("begin", 3))
	file := filepath.Join(data, "session.json")
	if err := os.WriteFile(file, []byte(notetest.Chainloop("5c1e", "a.go", "1-2,0-0", first)), 0o600); err != nil {
		t.Fatal(err)
	}
	stemmaIn(t, r.Dir, "import", file)
	stemmaIn(t, r.Dir, "scan")
	address := serve(t)
	for path, parts := range map[string][]string{
		"/sessions/claude-code/5c1e": {"claude-code", "claude-opus-4-6", "a.go"},
		"/gaps":                      {"chainloop", "a range that is not ascending line numbers", "session.json"},
		"/sources":                   {"chainloop"},
	} {
		page := client(t, http.MethodGet, address+path, "", "")
		for _, part := range parts {
			if !strings.Contains(page, part) {
				t.Errorf("%s does not show %s", path, part)
			}
		}
	}
}
