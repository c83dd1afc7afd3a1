package storagetest

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

const installHint = "install PostgreSQL's server: apt-get install -y postgresql"

// server is the one PostgreSQL of a test binary.
type server struct {
	dir   string // also of its socket
	stdin io.WriteCloser
	out   *bufio.Reader
	cmd   *exec.Cmd
}

// The server of this binary: started by the first test that asks.
var (
	once    sync.Once
	running *server
	failed  error
)

// PostgresDSN names a schema that does not exist yet, and drops it at the end
// of the test. Without the programs of PostgreSQL the test fails, and says how
// to install them.
func PostgresDSN(tb testing.TB) string {
	tb.Helper()
	once.Do(func() { running, failed = start(hasty) })
	if failed != nil {
		tb.Fatalf("storagetest: starting PostgreSQL: %v", failed)
	}
	schema := "t_" + strings.ToLower(rand.Text())
	tb.Cleanup(func() { running.drop(tb, schema) })
	return running.dsn() + "&schema=" + schema
}

func (s *server) dsn() string {
	return "postgres:///postgres?user=stemma&sslmode=disable&host=" + url.QueryEscape(s.dir)
}

func (s *server) drop(tb testing.TB, schema string) {
	ctx := context.WithoutCancel(tb.Context()) // it is over when a test cleans up
	conn, err := pgx.Connect(ctx, s.dsn())
	if err != nil {
		tb.Errorf("storagetest: dropping the schema of the test: %v", err)
		return
	}
	_, err = conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+pgx.Identifier{schema}.Sanitize()+" CASCADE")
	if err := errors.Join(err, conn.Close(ctx)); err != nil {
		tb.Errorf("storagetest: dropping the schema of the test: %v", err)
	}
}

// OwnPostgres starts a server for one test, which keeps what it was told to keep, and
// names a schema in it. Restart ends it as a failure of its machine would, and starts it
// again.
func OwnPostgres(tb testing.TB) (dsn string, restart func()) {
	tb.Helper()
	s, err := start("")
	if err != nil {
		tb.Fatalf("storagetest: starting PostgreSQL: %v", err)
	}
	tb.Cleanup(s.stop)
	return s.dsn() + "&schema=own", func() {
		tb.Helper()
		if _, err := io.WriteString(s.stdin, "restart\n"); err != nil {
			tb.Fatalf("storagetest: restarting PostgreSQL: %v", err)
		}
		if line, err := s.out.ReadString('\n'); err != nil || line != "ready\n" {
			tb.Fatalf("storagetest: restarting PostgreSQL: %q, %v", line, err)
		}
	}
}

// stop ends the server of all tests and waits for it.
func stop() {
	if running != nil {
		running.stop()
	}
}

// stop ends a server and waits for it. Its end is all that matters.
func (s *server) stop() {
	_ = s.stdin.Close()
	_ = s.cmd.Wait()
}

// hasty are the settings of a server whose data nobody misses.
const hasty = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off"

// keeper runs the server for as long as its standard input is open, and starts it again
// for every line that comes there. The test
// binary holds the other end, so that the server ends and its directory goes
// however the binary ends. Its locale is not the order of bytes on purpose:
// text must sort by its bytes all the same.
const keeper = `
"$1/initdb" -D "$2/data" -U stemma -A trust -N -E UTF8 --locale=C --locale-provider=icu --icu-locale=und >"$2/log" 2>&1 &&
"$1/pg_ctl" -D "$2/data" -s -w -l "$2/log" -o "-k '$2' -c listen_addresses='' $3 -c max_connections=200 -c shared_buffers=64MB" start >>"$2/log" 2>&1 &&
echo ready || tail -n 20 "$2/log"
while read -r _; do
	"$1/pg_ctl" -D "$2/data" -s -w -m immediate -l "$2/log" restart >>"$2/log" 2>&1 && echo ready || tail -n 20 "$2/log"
done
"$1/pg_ctl" -D "$2/data" -s -m immediate stop >/dev/null 2>&1
rm -rf "$2"
`

func start(settings string) (*server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	// Not the test's own directory: the path of a socket may have 100 bytes,
	// and another user must be able to reach it.
	dir, err := os.MkdirTemp("/tmp", "stemma-pg-")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("/bin/sh", "-c", keeper, "keeper", bin, dir, settings)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	if err := drop(cmd, dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &server{dir: dir, stdin: in, out: bufio.NewReader(out), cmd: cmd}
	line, err := s.out.ReadString('\n')
	if err == nil && line == "ready\n" {
		return s, nil
	}
	_ = in.Close()
	rest, _ := io.ReadAll(io.LimitReader(s.out, 1<<16))
	return nil, fmt.Errorf("initdb or the server failed: %s%s", line, rest)
}

// programs finds the directory of initdb and pg_ctl: the one in PATH, else
// the newest of Debian's.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		// Resolved, because the programs look for their files beside them.
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(real), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("no initdb in PATH or /usr/lib/postgresql/*/bin; " + installHint)
	}
	best, newest := "", -1
	for _, path := range found {
		dir := filepath.Dir(path)
		if v, err := strconv.Atoi(filepath.Base(filepath.Dir(dir))); err == nil && v > newest {
			best, newest = dir, v
		}
	}
	if best == "" {
		best = filepath.Dir(found[0])
	}
	return best, nil
}

// serverUser is who runs the server when the tests run as root, which
// PostgreSQL refuses to run as.
func serverUser() (uid, gid int, err error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil && uid != 0 {
			return uid, gid, nil
		}
	}
	return 0, 0, errors.New("there is no user postgres or nobody to run it as; run the tests as an ordinary user")
}
