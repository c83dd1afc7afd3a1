package replay_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/ingest/replay"
)

// An edit is one of a file, with what was in it before.
type edit struct{ at, call, path, was, old, fresh string }

// transcript writes one that tells of the edits, and returns its path.
func transcript(t *testing.T, session, cwd string, list ...edit) string {
	t.Helper()
	var b strings.Builder
	row := func(v map[string]any) {
		v["sessionId"], v["cwd"] = session, cwd
		line, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	for _, e := range list {
		row(map[string]any{"type": "assistant", "uuid": "a" + e.call, "timestamp": e.at, "message": map[string]any{
			"id": "m" + e.call, "role": "assistant", "model": "claude-opus-4-6",
			"content": []any{map[string]any{"type": "tool_use", "id": e.call, "name": "Edit", "input": map[string]any{"file_path": e.path}}},
		}})
		row(map[string]any{
			"type": "user", "uuid": "r" + e.call, "timestamp": e.at,
			"message":       map[string]any{"role": "user", "content": []any{map[string]any{"type": "tool_result", "tool_use_id": e.call}}},
			"toolUseResult": map[string]any{"filePath": e.path, "originalFile": e.was, "oldString": e.old, "newString": e.fresh},
		})
	}
	at := filepath.Join(t.TempDir(), session+".jsonl")
	if err := os.WriteFile(at, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return at
}

// told lists the looks of a book in the work tree /w.
func told(b *replay.Book, strange bool) (list []string, skipped map[string]int) {
	looks, skipped := b.Looks(replay.Tree{
		Strange: strange,
		Inside: func(path string) (string, bool) {
			rel, ok := strings.CutPrefix(filepath.ToSlash(path), "/w/")
			return rel, ok
		},
		Base: func(string, time.Time) (string, bool) { return "", false },
	})
	for _, l := range looks {
		list = append(list, l.Session+" "+l.Call+" "+l.File+" "+l.First+">"+l.Then)
	}
	return list, skipped
}

func here(dir string) bool { return dir == "/w" }

func TestEditsComeInTheOrderOfTime(t *testing.T) {
	one := transcript(t, "s1", "/w", edit{"2026-01-02T03:00:00Z", "c1", "/w/a", "x", "x", "y"}, edit{"2026-01-02T05:00:00Z", "c2", "/w/a", "z", "z", "q"})
	two := transcript(t, "s2", "/w", edit{"2026-01-02T04:00:00Z", "c3", "/w/b", "x", "x", "y"})
	b := replay.Read([]string{one, two, one}, here) // what is told twice was done once
	got, skipped := told(b, false)
	if diff := cmp.Diff([]string{"s1 c1 a x>y", "s2 c3 b x>y", "s1 c2 a z>q"}, got); diff != "" {
		t.Error(diff)
	}
	if len(skipped) > 0 || b.Transcripts != 3 || b.Unread != 0 {
		t.Errorf("%v %+v", skipped, b)
	}
}

func TestWhatCannotBePlacedIsLeftOut(t *testing.T) {
	at := transcript(t, "s1", "/w",
		edit{"", "c1", "/w/a", "x", "x", "y"},
		edit{"2026-01-02T03:00:00Z", "c2", "/elsewhere/a", "x", "x", "y"},
		edit{"2026-01-02T03:00:01Z", "c3", "/w/a", "q", "x", "y"})
	b := replay.Read([]string{at, filepath.Join(t.TempDir(), "none.jsonl")}, here)
	got, skipped := told(b, false)
	if len(got) != 0 || b.Skipped[replay.NoTime] != 1 || skipped[replay.Elsewhere] != 1 || skipped[replay.NoWay] != 1 || b.Unread != 1 {
		t.Errorf("%v %v %v %d", got, skipped, b.Skipped, b.Unread)
	}
}

func TestPathsOfAnotherMachineStayInside(t *testing.T) {
	at := transcript(t, "s1", "/home/ann/pay",
		edit{"2026-01-02T03:00:00Z", "c1", "/home/ann/pay/sub/a", "x", "x", "y"},
		edit{"2026-01-02T03:00:01Z", "c2", "/home/ann/other/a", "x", "x", "y"},
		edit{"2026-01-02T03:00:02Z", "c3", "/home/ann/pay/../../../etc/a", "x", "x", "y"},
		edit{"2026-01-02T03:00:03Z", "c4", "/home/ann/pay/.git/config", "x", "x", "y"},
		edit{"2026-01-02T03:00:04Z", "c5", "rel", "x", "x", "y"})
	b := replay.Read([]string{at}, here)
	got, _ := told(b, true)
	if diff := cmp.Diff([]string{"s1 c1 sub/a x>y", "s1 c5 rel x>y"}, got); diff != "" {
		t.Error(diff)
	}
	if got, skipped := told(b, false); len(got) != 0 || skipped[replay.Elsewhere] != 5 {
		t.Errorf("a work tree that is not asked about has %v", got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"type":"assistant","sessionId":"s1","timestamp":"2026-01-02T03:00:00Z","message":{"id":"m","role":"assistant","content":[{"type":"tool_use","id":"c","name":"Edit","input":{"file_path":"/w/a"}}]}}
{"type":"user","sessionId":"s1","timestamp":"2026-01-02T03:00:00Z","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"c"}]},"toolUseResult":{"filePath":"/w/a","originalFile":"x","oldString":"x","newString":"y"}}
`))
	f.Fuzz(func(t *testing.T, data []byte) {
		at := filepath.Join(t.TempDir(), "s.jsonl")
		if err := os.WriteFile(at, data, 0o600); err != nil {
			t.Fatal(err)
		}
		b := replay.Read([]string{at}, here)
		for _, strange := range []bool{false, true} {
			looks, skipped := told(b, strange)
			n := len(looks)
			for _, k := range skipped {
				n += k
			}
			if n != b.Len() {
				t.Errorf("%d edits are %v and %v", b.Len(), looks, skipped)
			}
		}
	})
}
