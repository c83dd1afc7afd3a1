package attribution_test

import (
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/roomtest"
)

const (
	repository = stemma.Ref("repository:github.com/acme/pay")
	commit     = stemma.Ref("commit:sha1/00112233445566778899aabbccddeeff00112233")
	person     = stemma.Ref("person:0f1e2d3c4b5a69788796a5b4c3d2e1f0")
	moment     = stemma.Moment(1767323045_678901)
)

var shapes = []roomtest.Shape{
	roomtest.Of(attribution.FromFact,
		attribution.Attribution{
			Commit: commit, Format: "git-ai", Note: "refs/notes/ai", Writer: "git-ai 1.4.0", Basis: string(stemma.BasisImported),
			AILines: 3, HumanLines: 1, UnknownLines: 2, ClaimedLines: 4, MisplacedLines: 1, UnresolvedKeys: 1, Files: 1,
			Spans: []attribution.Span{
				{
					Path: "a.go", Start: 1, End: 3, Origin: "ai", Basis: "observed-hook", Agent: "claude-code", Model: "model:anthropic/claude-opus-4-6",
					ModelName: "claude-opus-4-6", Session: "session:claude-code/5c1e", Prompt: 1, ToolCall: "t1", Key: "s_1::t_1",
				},
				{Path: "a.go", Start: 4, End: 4, Origin: "human", Author: person},
				{Path: "a.go", Start: 5, End: 6, Origin: "unknown", Reason: "key not resolved"},
			},
			Credits:  []attribution.Credit{{Origin: "ai", Agent: "claude-code", Model: "model:anthropic/claude-opus-4-6", ModelName: "claude-opus-4-6", Session: "session:claude-code/5c1e", Lines: 3}},
			Occurred: moment,
			Bodies:   []stemma.Body{{Name: "raw", Media: "application/json", Digest: stemma.Sum([]byte("x")), Size: 1}},
		},
		attribution.Attribution{Commit: commit, Format: "git-ai"},
	),
	roomtest.Of(attribution.FileFromFact,
		attribution.File{
			Repository: repository, Branch: "main", Path: "a.go", Blob: "0011", Commit: commit, Lines: 3, AILines: 2, HumanLines: 1, Occurred: moment,
			Runs: []attribution.Run{
				{Start: 1, Count: 2, Commit: commit, Path: "b.go", Line: 7, Origin: "ai", Basis: "imported", Agent: "codex", Model: "model:openai/gpt-5", ModelName: "gpt-5", Session: "session:codex/x"},
				{Start: 3, Count: 1, Commit: commit, Line: 3, Origin: "human"},
			},
		},
		attribution.File{Repository: repository, Branch: "main", Path: "gone.go", Commit: commit, Deleted: true},
	),
}

func TestRecordsAreWhatTheRoomDeclares(t *testing.T) {
	roomtest.Check(t, attribution.Room, shapes...)
}

func FuzzRoundTrip(f *testing.F) {
	roomtest.FuzzRoundTrip(f, attribution.Room, shapes...)
}

func TestNoTwoFilesShareARef(t *testing.T) {
	a := attribution.FileRef(repository, "a", "b/c")
	b := attribution.FileRef(repository, "a/b", "c")
	if a == b {
		t.Errorf("both are %s", a)
	}
}

func TestDeletedFileStatesThatItHasNoRuns(t *testing.T) {
	f, err := attribution.File{Repository: repository, Branch: "main", Path: "gone.go", Commit: commit, Deleted: true}.Fact("weave", stemma.GradeD)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"repository":"repository:github.com/acme/pay","branch":"main","path":"gone.go",` +
		`"commit":"commit:sha1/00112233445566778899aabbccddeeff00112233","deleted":true,"lines":0,"ai_lines":0,"human_lines":0,"unknown_lines":0,"run":[]}`
	if string(f.Attrs) != want {
		t.Errorf("attributes are %s, want %s", f.Attrs, want)
	}
}
