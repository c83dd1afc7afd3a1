package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attest/attesttest"
	"github.com/stemma-dev/stemma/cmd/stemma/program"

	_ "modernc.org/sqlite"
)

// The scripts of testdata run the whole program: the command stemma in them is
// this test binary.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"stemma": func() { os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("STEMMA_DATA", filepath.Join(e.WorkDir, "data"))
			e.Setenv("STEMMA_LOG_ORIGIN", "log.example/test")
			e.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			e.Setenv("NO_COLOR", "1")
			root, err := filepath.Abs("../..")
			if err != nil {
				return err
			}
			e.Setenv("ROOT", root)
			e.Setenv("ONLY_STEMMA", filepath.SplitList(e.Getenv("PATH"))[0]) // a PATH without git
			for role, who := range map[string]string{"AUTHOR": "Ada Author", "COMMITTER": "Cy Committer"} {
				e.Setenv("GIT_"+role+"_NAME", who)
				e.Setenv("GIT_"+role+"_EMAIL", strings.ToLower(strings.Fields(who)[0])+"@example.com")
				e.Setenv("GIT_"+role+"_DATE", "1700000000 +0100")
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"commit":     scriptCommit,
			"note":       scriptNote,
			"code":       scriptCode,
			"tamper":     scriptTamper,
			"github-sha": scriptSHA,
			"trace-head": scriptTraceHead,
			"step":       scriptStep,
			"public":     scriptPublic,
			"sign":       scriptSign,
		},
	})
}

// scriptCommit makes a repository where there is none and commits all files:
//
//	commit DIR MESSAGE
func scriptCommit(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
		ts.Check(ts.Exec("git", "init", "-q", "-b", "main", dir))
		ts.Check(ts.Exec("git", "-C", dir, "remote", "add", "origin", "https://github.com/acme/pay.git"))
	}
	ts.Check(ts.Exec("git", "-C", dir, "add", "-A"))
	ts.Check(ts.Exec("git", "-C", dir, "commit", "-q", "--allow-empty", "-m", strings.ReplaceAll(args[1], `\n`, "\n")))
}

// scriptNote puts a file on HEAD as a Git AI note: note DIR FILE
func scriptNote(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("git", "-C", ts.MkAbs(args[0]), "notes", "--ref", "ai", "add", "-f", "-F", ts.MkAbs(args[1])))
}

// scriptSHA sets GITHUB_SHA, and that of the workflow, to what a file holds: github-sha FILE
func scriptSHA(ts *testscript.TestScript, _ bool, args []string) {
	sha := strings.TrimSpace(ts.ReadFile(args[0]))
	ts.Setenv("GITHUB_SHA", sha)
	ts.Setenv("GITHUB_WORKFLOW_SHA", sha)
}

// scriptTraceHead traces the commit that a file names: trace-head FILE [FLAG]
func scriptTraceHead(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("stemma", append([]string{"trace", strings.TrimSpace(ts.ReadFile(args[0]))}, args[1:]...)...))
}

// scriptPublic writes the public key of a signer: public NAME FILE
func scriptPublic(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(attesttest.New(args[0]).Public()), 0o600))
}

// scriptSign writes provenance that a signer signed, of a file that a builder built of the
// commit that is checked out: sign NAME FILE BUILDER OUT
func scriptSign(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("git", "rev-parse", "HEAD"))
	commit := strings.TrimSpace(ts.ReadFile("stdout"))
	sum := stemma.Sum([]byte(ts.ReadFile(args[1]))).String()
	signed := attesttest.New(args[0]).Sign(attesttest.Provenance(sum, args[2], commit))
	ts.Check(os.WriteFile(ts.MkAbs(args[3]), append(signed, '\n'), 0o600))
}

// scriptCode runs stemma, which must end with the given code: code 2 query …
func scriptCode(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec("stemma", args[1:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// scriptTamper runs a statement on the database, behind the program's back.
func scriptTamper(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", filepath.Join(ts.Getenv("STEMMA_DATA"), "stemma.db"))
	ts.Check(err)
	result, err := db.Exec(args[0])
	ts.Check(err)
	n, err := result.RowsAffected()
	ts.Check(err)
	ts.Check(db.Close())
	if verb, _, _ := strings.Cut(args[0], " "); n == 0 && (verb == "UPDATE" || verb == "DELETE" || verb == "INSERT") {
		ts.Fatalf("%s", fmt.Sprintf("nothing was changed by %s", args[0]))
	}
}

func TestEveryVerbIsCalledByItsName(t *testing.T) {
	for _, v := range verbs {
		if c := v.verb(&program.App{}); c.Name() != v.name {
			t.Errorf("%s is made as %s", c.Name(), v.name)
		}
	}
}

// TestHooksComeBeforeTheRest reads Go's trace of what was initialised: see package early.
func TestHooksComeBeforeTheRest(t *testing.T) {
	program := filepath.Join(t.TempDir(), "stemma")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	initialised := func(args ...string) string {
		c := exec.Command(program, args...)
		c.Env = append(os.Environ(), "GODEBUG=inittrace=1")
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	hook, verb := initialised("hook", "claude-code"), initialised("version")
	for _, heavy := range []string{"net/http", "modernc.org/sqlite", "github.com/jackc/pgx/v5/pgtype", "github.com/stemma-dev/stemma/query"} {
		if !strings.Contains(verb, "init "+heavy+" @") {
			t.Errorf("the program does not initialise %s: name another package here", heavy)
		}
		if strings.Contains(hook, "init "+heavy+" @") {
			t.Errorf("a hook initialises %s", heavy)
		}
	}
}
