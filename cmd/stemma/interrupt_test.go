package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/git/gittest"
)

func TestOnlyAScanIsSaidToContinue(t *testing.T) {
	r := gittest.New(t)
	r.Commit("one", "a.go", "a\n")
	data := filepath.Join(t.TempDir(), "data")
	stemmaIn(t, r.Dir, "scan", "--data", data)
	interrupted := func(ctx context.Context, hint string, args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		code := run(ctx, append(args, "--data", data), strings.NewReader(""), &out, &errs)
		if want := "stemma: interrupted\n" + hint; code != 1 || errs.String() != want {
			t.Errorf("%s: code %d, %q, want %q", args[0], code, errs.String(), want)
		}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	interrupted(over, "stemma: hint: what was read so far is kept, the same command continues\n", "scan")
	interrupted(over, "", "query", "changes")
	soon, cancel := context.WithCancel(t.Context())
	defer time.AfterFunc(2*time.Second, cancel).Stop()
	interrupted(soon, "", "sql", "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT COUNT(*) FROM r")
}
