package entire_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/entire"
)

var commitRef = stemma.NewRef(stemma.KindCommit, "sha1", strings.Repeat("c", 40))

func TestPathsAndBranchesAreTakenApart(t *testing.T) {
	if f, ok := entire.ParsePath("ab/cdef012345/2/full.jsonl"); !ok || f != (entire.File{Checkpoint: "abcdef012345", Session: 2, Name: "full.jsonl"}) {
		t.Errorf("%+v, %t", f, ok)
	}
	if f, ok := entire.ParsePath("ab/cdef012345/metadata.json"); !ok || f.Session != -1 {
		t.Errorf("%+v, %t", f, ok)
	}
	for _, bad := range []string{"", "ab/cdef012345", "ab/cdef012345/x/full.jsonl", "ab/cdef012345/-1/f", "AB/cdef012345/0/f", "ab/cdef012345/0/0/f", "ab/cdef012345/", "ab/cdef012345/99999999/f"} {
		if f, ok := entire.ParsePath(bad); ok {
			t.Errorf("%q gave %+v", bad, f)
		}
	}
	commit, tree, ok := entire.ParseShadow("refs/heads/entire/dab5bac-4e0740")
	if !ok || commit != "dab5bac" || tree != "4e0740" {
		t.Errorf("%q, %q, %t", commit, tree, ok)
	}
	for _, bad := range []string{"entire/checkpoints/v1", "entire/dab5bac-4e074", "main", "entire/dab5bacX"} {
		if _, _, ok := entire.ParseShadow(bad); ok {
			t.Errorf("%q is taken for a shadow branch", bad)
		}
	}
}

const metadata = `{"checkpoint_id":"abcdef012345","session_id":"5e-9","cli_version":"0.4","strategy":"manual-commit","created_at":"2026-02-03T06:34:50.246415Z",
"branch":"pay","files_touched":["a.go"],"agent":"Claude Code","turn_id":"t1","is_task":true,"tool_use_id":"toolu_1","checkpoint_transcript_start":7,"transcript_lines_at_start":3,
"token_usage":{"input_tokens":1,"cache_creation_tokens":2,"cache_read_tokens":3,"output_tokens":4,"api_call_count":5,"subagent_tokens":{"input_tokens":6}},
"summary":{"intent":"x"},"initial_attribution":{"calculated_at":"2026-02-03T00:31:46Z","agent_lines":32,"human_added":0,"human_modified":1,"human_removed":4,"total_committed":33,"agent_percentage":96.9}}`

func TestMetadataIsRead(t *testing.T) {
	s := entire.ParseSession([]byte(metadata))
	want := entire.Tokens{Input: 1, CacheWrite: 2, CacheRead: 3, Output: 4, Calls: 5, Subagents: &entire.Tokens{Input: 6}}
	if diff := cmp.Diff(want, s.Tokens); diff != "" {
		t.Error(diff)
	}
	if s.Session != "5e-9" || s.FromLine != 7 || !s.Task || !s.HasSummary || s.Lines.Agent != 32 || s.Lines.N != 33 || len(s.Problems)+len(s.Extra) != 0 {
		t.Errorf("%+v", s)
	}
	c := entire.ParseCheckpoint([]byte(`{"checkpoint_id":"abcdef012345","sessions":[{},{}],"files_touched":["a"],"new":1}`))
	if c.ID != "abcdef012345" || c.Sessions != 2 || !slices.Equal(c.Extra, []string{"new"}) {
		t.Errorf("%+v", c)
	}
	if len(entire.ParseCheckpoint([]byte("{")).Problems) == 0 {
		t.Error("damage passed")
	}
	body := []byte("{}\n")
	if m, ok := entire.HashMatches([]byte("sha256:"+stemma.Sum(body).String()+"\n"), stemma.Sum(body)); !m || !ok {
		t.Error("the digest of the transcript does not match itself")
	}
	if m, ok := entire.HashMatches([]byte("sha256:"+stemma.Sum(nil).String()), stemma.Sum(body)); m || !ok {
		t.Error("another digest matches")
	}
	if _, ok := entire.HashMatches([]byte("md5:00"), stemma.Sum(body)); ok {
		t.Error("a digest of another sort was read")
	}
}

func TestCountsBecomeAnAttributionWithoutSpans(t *testing.T) {
	s := entire.ParseSession([]byte(metadata))
	a, ok := s.Attribution(commitRef, "abcdef012345")
	if !ok || a.AILines != 32 || a.HumanLines != 1 || a.UnknownLines != 0 || a.ClaimedLines != 33 || len(a.Spans) != 0 || len(a.Credits) != 2 {
		t.Errorf("%+v, %t", a, ok)
	}
	if _, err := a.Fact("entire-checkpoint", stemma.GradeD); err != nil {
		t.Error(err)
	}
	made, ok := s.Record("")
	if !ok || made.Ref() != "session:claude-code/5e-9" {
		t.Errorf("%+v, %t", made, ok)
	}
	if _, ok := entire.ParseSession([]byte(`{"agent":"Agent","session_id":"1"}`)).Record(""); ok {
		t.Error("a session without an agent was named")
	}
	if _, ok := entire.ParseSession([]byte(`{}`)).Attribution(commitRef, ""); ok {
		t.Error("counts were made up")
	}
}

func FuzzEntire(f *testing.F) {
	f.Add([]byte(metadata), "ab/cdef012345/2/full.jsonl")
	f.Fuzz(func(t *testing.T, b []byte, path string) {
		entire.ParseCheckpoint(b)
		s := entire.ParseSession(b)
		if a, ok := s.Attribution(commitRef, "n"); ok {
			if _, err := a.Fact("entire-checkpoint", stemma.GradeD); err != nil {
				t.Fatal(err)
			}
		}
		if made, ok := s.Record(""); ok {
			if _, err := made.Fact("entire-checkpoint", stemma.GradeD); err != nil {
				t.Fatal(err)
			}
		}
		entire.HashMatches(b, stemma.Digest{})
		entire.ParseShadow(path)
		if file, ok := entire.ParsePath(path); ok && (len(file.Checkpoint) != 12 || file.Session < -1 || strings.Contains(file.Name, "/")) {
			t.Fatalf("%q gave %+v", path, file)
		}
	})
}
