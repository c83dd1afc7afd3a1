package local_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/ingest/local"
)

func TestOnlyRegularFilesAreOpened(t *testing.T) {
	dir := t.TempDir()
	file, link, long := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "long")
	for _, err := range []error{os.WriteFile(file, []byte("x"), 0o600), os.Symlink(file, link), os.WriteFile(long, nil, 0o600), os.Truncate(long, local.MaxSize+1)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := local.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	for _, path := range []string{link, dir, long, filepath.Join(dir, "none"), "file", "", os.DevNull} {
		f, err := local.Open(path)
		if err == nil {
			t.Errorf("%q was opened", path)
			_ = f.Close()
		} else if path != "" && strings.Contains(err.Error(), dir) {
			t.Errorf("the error names the path: %v", err)
		}
	}
}

func TestASubagentLiesBesideItsParentAndNowhereElse(t *testing.T) {
	at := filepath.Join(string(filepath.Separator), "p", "s1.jsonl")
	if got, want := local.Subagent(at, "s1", "a7"), filepath.Join(filepath.Dir(at), "s1", "subagents", "agent-a7.jsonl"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, ids := range [][2]string{{"..", "a"}, {"s1", "../x"}, {"s1", `a\b`}, {"", "a"}, {"s1", ""}, {"/s", "a"}} {
		if got := local.Subagent(at, ids[0], ids[1]); got != "" {
			t.Errorf("%q gives %q", ids, got)
		}
	}
}
