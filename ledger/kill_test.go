package ledger_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// With these in its environment the test binary is the process to be killed.
const (
	childEnv      = "STEMMA_LEDGER_TEST_DSN"
	childKeyEnv   = "STEMMA_LEDGER_TEST_KEY"
	childFirstEnv = "STEMMA_LEDGER_TEST_FIRST"
)

// appendForEver appends from several goroutines at once and prints a line
// "position id" for every fact after Append has returned.
func appendForEver(dsn string) int {
	ctx := context.Background()
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	first, err := strconv.Atoi(os.Getenv(childFirstEnv))
	if err != nil {
		return fail(err)
	}
	db, err := storage.Open(ctx, dsn)
	if err != nil {
		return fail(err)
	}
	key, err := seal.LoadKey(os.Getenv(childKeyEnv), rand.Reader, "log.example.com/acme")
	if err != nil {
		return fail(err)
	}
	l, err := ledger.Open(ctx, db, ledger.Config{Signer: key, Now: at, Rand: rand.Reader})
	if err != nil {
		return fail(err)
	}
	var wg sync.WaitGroup
	for g := range 3 {
		wg.Go(func() {
			for n := first + g*100_000; ; {
				facts := samples(n, 1+n%4)
				n += len(facts)
				positions, err := l.Append(ctx, facts...)
				if err != nil {
					fail(err)
					return
				}
				var lines strings.Builder
				for i, pos := range positions {
					fmt.Fprintln(&lines, pos, factID(facts[i]))
				}
				// One write: lines of two goroutines do not mix.
				if _, err := os.Stdout.WriteString(lines.String()); err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return 1
}

func TestKillInMidAppendLosesNothingAcknowledged(t *testing.T) {
	for name, c := range map[string]struct {
		dsn    func(testing.TB) string
		rounds int
	}{
		"sqlite":   {storagetest.SQLiteDSN, 20},
		"postgres": {storagetest.PostgresDSN, 6},
	} {
		t.Run(name, func(t *testing.T) {
			dsn, keyPath := c.dsn(t), t.TempDir()+"/key"
			acknowledged := map[int64]stemma.Digest{}
			for round := range c.rounds {
				killChild(t, dsn, keyPath, round, acknowledged)
				checkAcknowledged(t, dsn, keyPath, acknowledged)
			}
			t.Logf("%d facts were acknowledged in %d lives", len(acknowledged), c.rounds)
		})
	}
}

// killChild runs a child, lets it acknowledge some facts, kills it while it is
// at work and collects everything it had acknowledged by then.
func killChild(t *testing.T, dsn, keyPath string, round int, acknowledged map[int64]stemma.Digest) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dsn, childKeyEnv+"="+keyPath, childFirstEnv+"="+strconv.Itoa(1_000_000*round))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	enough := mathrand.IntN(120) // some die before they acknowledge anything
	lines, read := bufio.NewScanner(out), 0
	killed := false
	for {
		if !killed && read >= enough {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			killed = true
		}
		if !lines.Scan() {
			break
		}
		read++
		pos, id, ok := strings.Cut(lines.Text(), " ")
		n, err1 := strconv.ParseInt(pos, 10, 64)
		digest, err2 := stemma.ParseDigest(id)
		if !ok || err1 != nil || err2 != nil {
			if killed {
				break // cut off in mid-line
			}
			t.Fatalf("the child said %q", lines.Text())
		}
		if other, twice := acknowledged[n]; twice && other != digest {
			t.Fatalf("position %d was given to %s and to %s", n, other, digest)
		}
		acknowledged[n] = digest
	}
	if err := cmd.Wait(); !killed {
		t.Fatalf("the child ended by itself: %v", err)
	}
}

func checkAcknowledged(t *testing.T, dsn, keyPath string, acknowledged map[int64]stemma.Digest) {
	t.Helper()
	db, err := storage.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	key, err := seal.LoadKey(keyPath, rand.Reader, "log.example.com/acme")
	if err != nil {
		t.Fatal(err)
	}
	l := openLedger(t, db, key)
	if err := l.Verify(t.Context(), func(p ledger.Problem) { t.Error(p) }); err != nil {
		t.Fatal(err)
	}
	found := 0
	for e, err := range l.Entries(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if id, ok := acknowledged[e.Pos]; ok {
			found++
			if id != e.ID {
				t.Fatalf("position %d was acknowledged for %s and holds %s", e.Pos, id, e.ID)
			}
		}
	}
	if found != len(acknowledged) {
		t.Fatalf("%d facts were acknowledged and %d of them are there", len(acknowledged), found)
	}
}
