//go:build linux || darwin

package storagetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stemma-dev/stemma"
)

// Children is what other processes of a test do, by name. Such a process is the
// test binary again, so a package that uses them has
//
//	func TestMain(m *testing.M) { children.Main(m) }
//
// A child prints the error it ends with, and the hint of that, on lines of
// their own.
type Children map[string]func(ctx context.Context, where string) error

// Main runs a child, if this process is one, and the tests if not.
func (c Children) Main(m *testing.M) {
	if len(os.Args) != 4 || os.Args[1] != "child" {
		Main(m)
		return
	}
	if err := c[os.Args[2]](context.Background(), os.Args[3]); err != nil {
		fmt.Println(err)
		var hint *stemma.HintError
		if errors.As(err, &hint) {
			fmt.Println("hint:", hint.Hint)
		}
	}
}

// LimitFiles makes writing beyond 2 MB of a file fail, as a full disk would,
// for the rest of this process.
func LimitFiles() error {
	signal.Ignore(syscall.SIGXFSZ)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 2 << 20, Max: 2 << 20})
}

// A Child is a process that runs. It is killed at the end of its test.
type Child struct {
	tb  testing.TB
	Cmd *exec.Cmd
	In  io.Closer // its input, which has nothing in it
	out *bufio.Reader
}

// Start runs what of the children.
func Start(tb testing.TB, what, where string) *Child {
	tb.Helper()
	c := &Child{tb: tb, Cmd: exec.Command(self(tb), "child", what, where)}
	in, err := c.Cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := c.Cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	c.In, c.out = in, bufio.NewReader(out)
	if err := c.Cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = in.Close()
		_ = c.Cmd.Process.Kill() // it may have ended already
		_ = c.Cmd.Wait()
	})
	return c
}

// Line reads the next line that the child prints.
func (c *Child) Line() string {
	c.tb.Helper()
	s, err := c.out.ReadString('\n')
	if err != nil {
		c.tb.Fatal(err)
	}
	return strings.TrimSuffix(s, "\n")
}

// AsOrdinaryUser runs a child that file permissions apply to, and returns what
// it prints.
func AsOrdinaryUser(tb testing.TB, what, where string) string {
	tb.Helper()
	cmd := exec.Command(self(tb), "child", what, where)
	if os.Geteuid() == 0 {
		// Others may not read the directory of the test binary.
		cmd.Path, cmd.Dir = copied(tb, self(tb)), "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("child: %v\n%s", err, out)
	}
	return string(out)
}

// copied puts a program where everybody may run it.
func copied(tb testing.TB, program string) string {
	tb.Helper()
	dir := tb.TempDir()
	path := filepath.Join(dir, "child")
	b, err := os.ReadFile(program)
	err = errors.Join(err,
		os.Chmod(filepath.Dir(dir), 0o755), // of all temporary directories of this test
		os.WriteFile(path, b, 0o755), os.Chmod(path, 0o755))
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

func self(tb testing.TB) string {
	tb.Helper()
	path, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}
