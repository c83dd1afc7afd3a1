package change_test

import (
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/roomtest"
)

const (
	repository = stemma.Ref("repository:github.com/acme/pay")
	commit     = stemma.Ref("commit:sha1/00112233445566778899aabbccddeeff00112233")
	person     = stemma.Ref("person:0f1e2d3c4b5a69788796a5b4c3d2e1f0")
	moment     = stemma.Moment(1767323045_678901)
)

var shapes = []roomtest.Shape{
	roomtest.Of(change.RepositoryFromFact,
		change.Repository{
			ID: repository, Name: "acme/pay", Host: "github.com", URL: "https://github.com/acme/pay", DefaultBranch: "main",
			ObjectFormat: "sha1", Tip: commit, Shallow: true, Partial: true, Bare: true, Occurred: moment,
			Aliases: []stemma.Edge{{To: "repository:local/00112233aabb", Method: "same-clone"}},
		},
		change.Repository{ID: "repository:local/00112233aabb"},
	),
	roomtest.Of(change.CommitFromFact,
		change.Commit{
			Repository: repository, SHA: "00112233445566778899aabbccddeeff00112233", Tree: "aa", ParentCount: 2, FirstParent: "commit:sha1/aa",
			Author: person, Committer: "bot:github.com/web-flow", Authored: moment - 5, Committed: moment, Title: "fix: refund", Message: "fix: refund\n\nRefs: PAY-17\n",
			Signature: "ssh", ChangeID: "I00", OnDefault: new(true), Merge: true, Size: &change.Size{FileCount: 1, Added: 3, Deleted: 1}, BytesBinary: 9,
			Lines: &change.Lines{AI: 3}, AuthorClass: change.ClassAI,
			Files:    []change.File{{Path: "a.go", OldPath: "b.go", Status: "R", Added: 3, Deleted: 1, Blob: "11", OldBlob: "22"}, {Path: "i.png", Status: "A", Binary: true}},
			Trailers: []change.Trailer{{Key: "Refs", Value: "PAY-17"}, {Key: "Signed-off-by", Person: person}},
			Parents:  []stemma.Ref{"commit:sha1/aa", "commit:sha1/bb"}, Coauthors: []stemma.Ref{person},
			Reverts: []stemma.Ref{"commit:sha1/cc"}, PickedFrom: []stemma.Ref{"commit:sha1/dd"},
			Sessions:   []stemma.Edge{{To: "session:claude-code/5c1e", Method: "note"}},
			AssistedBy: []stemma.Edge{{To: "agent:claude-code", Method: "trailer"}},
			Implements: []stemma.Edge{{To: "ticket:jira/PAY-17", Method: "trailer"}},
		},
		change.Commit{SHA: "00112233445566778899aabbccddeeff00112233", OnDefault: new(false), Size: &change.Size{}, Lines: &change.Lines{}},
		change.Commit{SHA: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", Files: []change.File{}},
	),
	roomtest.Of(change.FromFact,
		change.Change{
			Repository: repository, Number: 142, Title: "Refund", Method: "squash", Platform: "github", Branch: "fix/refund", Target: "main",
			URL: "https://github.com/acme/pay/pull/142", Merged: moment, MergeCommit: commit, Author: person, Intent: "fix", IntentMethod: "conventional",
			CommitCount: 1, Size: &change.Size{FileCount: 1, Added: 3, Deleted: 1}, Lines: &change.Lines{AI: 2, Human: 1}, AuthorClass: change.ClassMixed,
			FixAuthor: change.ClassAI, OriginAuthor: change.ClassHuman, FixMethod: "lines", Breaking: true, Dropped: new(bool), Iterations: &change.Iterations{Attempts: 3, Green: true, Idle: 1, Reprompts: 2},
			State: "merged", Opened: moment - 9, Closed: moment + 9, Head: commit, Queue: "merged", MergedBy: person,
			Heads: []stemma.Edge{{To: commit, Method: "merge-group"}}, PickedFrom: []stemma.Ref{"change:github.com/acme/pay#99"},
			Drivers:    []stemma.Edge{{To: person, Method: "assignee"}},
			Credits:    []change.Credit{{Origin: "ai", Agent: "codex", Model: "model:openai/gpt-5", ModelName: "gpt-5", Session: "session:codex/x", Lines: 2}},
			Fixes:      []change.Fix{{Change: "change:github.com/acme/pay#100", Commit: commit, Lines: 1, Human: 1, Method: "lines"}},
			Evidence:   []change.Evidence{{Intent: "fix", Method: "conventional", Text: "fix: refund"}},
			Components: []change.Component{{Path: "src/pay"}},
			Commits:    []stemma.Ref{commit},
			Implements: []stemma.Edge{{To: "ticket:jira/PAY-17", Method: "branch"}},
			Satisfies:  []stemma.Edge{{To: "requirement:polarion/REQ-7", Method: "trailer"}},
			Repairs:    []stemma.Edge{{To: "change:github.com/acme/pay#100", Method: "lines"}},
			Reverts:    []stemma.Edge{{To: "change:github.com/acme/pay#99", Method: "message"}},
			Sessions:   []stemma.Edge{{To: "session:codex/x"}},
		},
		change.Change{Repository: repository, MergeCommit: commit, Method: "direct"},
	),
	roomtest.Of(change.ReleaseFromFact,
		change.Release{
			Repository: repository, Name: "v1.0.0", Target: commit, Tagged: moment, Annotated: true, Signature: "pgp", Title: "First", TagObject: "ee", Deleted: new(bool), Tagger: person,
			Published: moment + 1, Prerelease: new(true), URL: "https://github.com/acme/pay/releases/v1.0.0",
		},
	),
	roomtest.Of(change.PushFromFact,
		change.Push{
			Repository: repository, Name: "refs/heads/main", Before: "aa", After: "bb", Forced: new(true), OnDefault: new(false), Count: 2, Pushed: moment, By: person,
			Brought: []stemma.Ref{commit},
		},
	),
	roomtest.Of(change.ProtectionFromFact,
		change.Protection{
			Repository: repository, Pattern: "release/*", Approvals: new(2), Owners: new(true), StaleDismissed: new(true), Checks: new(true), ForAdmins: new(true),
			ForcePushes: new(false), Deleted: true, Changed: moment, By: person,
		},
	),
}

func TestRecordsAreWhatTheRoomDeclares(t *testing.T) {
	roomtest.Check(t, change.Room, shapes...)
}

func FuzzRoundTrip(f *testing.F) {
	roomtest.FuzzRoundTrip(f, change.Room, shapes...)
}
