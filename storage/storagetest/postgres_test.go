//go:build unix

package storagetest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "child" {
		s, err := start(hasty)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(s.dsn())
		_, _ = io.ReadAll(os.Stdin) // until it is killed
		os.Exit(1)
	}
	Main(m)
}

func TestServerEndsWithTheTestBinary(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "child")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }() // keeps the child waiting until then
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	dsn, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, strings.TrimSpace(dsn))
	if err != nil {
		_ = cmd.Process.Kill()
		t.Fatalf("%v: %s", err, dsn)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	// The statement would take an hour; it ends when the server does.
	if _, err := conn.Exec(ctx, "SELECT pg_sleep(3600)"); err == nil {
		t.Error("the server outlived the test binary")
	}
	_ = conn.Close(ctx)
}

func TestMissingProgramsAreNamed(t *testing.T) {
	if !strings.Contains(installHint, "apt-get install -y postgresql") {
		t.Errorf("the hint is %q", installHint)
	}
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"initdb", "pg_ctl", "postgres"} {
		if _, err := os.Stat(dir + "/" + name); err != nil {
			t.Errorf("%s has no %s", dir, name)
		}
	}
}
