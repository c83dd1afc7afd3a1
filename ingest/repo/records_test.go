package repo_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/blame"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/note/notetest"
	"github.com/stemma-dev/stemma/ingest/origins"
)

const provenance = `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"gitCommit":"%s"}}],` +
	`"predicateType":"https://github.com/slsa-framework/slsa-source-poc/source-provenance/v1-draft","predicate":{"activity_type":"push"}}`

func TestAttestationsAreKeptUnverified(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("one", "a.go", gittest.Lines("one", 3))
	second := r.Commit("two", "a.go", gittest.Lines("two", 3))
	r.Note("commits", first, fmt.Sprintf(provenance, first)+"\n")
	r.Note("commits", second, "a word of a person")
	report := s.scan(r.Dir)
	want(t, "attestation", s.rows(`SELECT k.predicate_type, k.subjects, t.ref FROM k_attestation k JOIN edge e ON e.src = k.id JOIN node t ON t.id = e.dst`),
		"https://github.com/slsa-framework/slsa-source-poc/source-provenance/v1-draft 1 "+ref(first))
	if report.Gaps["git-attestation"] != 1 {
		t.Errorf("gaps %v, want one for words that are no attestation", report.Gaps)
	}
	before := s.size()
	r.Note("commits", second, fmt.Sprintf(provenance, second)+"\n")
	s.scan(r.Dir)
	if n := s.one(`SELECT COUNT(*) FROM k_attestation`); n != "2" {
		t.Errorf("%s attestations, want 2", n)
	}
	if s.size() > before+3 {
		t.Errorf("%d facts for one more attestation and the end of a gap", s.size()-before)
	}
	want(t, "gaps", s.open())
	s.verify()
}

func TestGittufLogIsKept(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("one", "a.go", gittest.Lines("one", 3))
	empty := r.GitWith(nil, "mktree")
	entry := r.Git("commit-tree", empty, "-m", "RSL Reference Entry\n\nref: refs/heads/main\ntargetID: "+first+"\nnumber: 1")
	odd := r.Git("commit-tree", empty, "-p", entry, "-m", "RSL Nonsense Entry")
	r.Git("update-ref", "refs/gittuf/reference-state-log", odd)
	blob := r.GitWith([]byte(fmt.Sprintf(provenance, first)), "hash-object", "-w", "--stdin")
	tree := r.GitWith([]byte("100644 blob "+blob+"\tref-authorization\n"), "mktree")
	r.Git("update-ref", "refs/gittuf/attestations", r.Git("commit-tree", tree, "-m", "attest"))
	report := s.scan(r.Dir)
	want(t, "kept", s.rows(`SELECT k.predicate_type, t.ref FROM k_attestation k JOIN edge e ON e.src = k.id JOIN node t ON t.id = e.dst ORDER BY k.predicate_type`),
		"gittuf-rsl-reference "+ref(first), "https://github.com/slsa-framework/slsa-source-poc/source-provenance/v1-draft "+ref(first))
	if report.Gaps["git-attestation"] == 0 {
		t.Errorf("gaps %v, want one for the entry that is none", report.Gaps)
	}
	want(t, "gittuf's commits are no history", s.rows(`SELECT title FROM k_commit`), "one")
	s.verify()
}

const claudeTalk = `{"type":"user","uuid":"u1","sessionId":"5c1e0000-0000-4000-8000-000000000001","timestamp":"2026-01-02T03:04:05Z","cwd":"/x","version":"2.0.1","message":{"role":"user","content":"do it"}}
{"type":"assistant","uuid":"a1","parentUuid":"u1","sessionId":"5c1e0000-0000-4000-8000-000000000001","timestamp":"2026-01-02T03:04:09Z","message":{"id":"m1","role":"assistant","model":"claude-opus-4-5-20251101","content":[{"type":"text","text":"done"}],"usage":{"input_tokens":10,"output_tokens":5}}}
`

func TestEntireCheckpointsAreSessions(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Commit("one\n\nEntire-Checkpoint: abcdef012345\n", "a.go", gittest.Lines("one", 3))
	metadata := `{"cli_version":"0.4","checkpoint_id":"abcdef012345","session_id":"5c1e0000-0000-4000-8000-000000000001","strategy":"manual-commit","created_at":"2026-01-02T03:05:00Z","agent":"Claude Code","files_touched":["a.go"]}`
	r.Git("checkout", "-q", "--orphan", "entire/checkpoints/v1")
	r.Git("rm", "-q", "-rf", ".")
	r.Commit("checkpoint", "ab/cdef012345/0/metadata.json", metadata, "ab/cdef012345/0/full.jsonl", claudeTalk, "ab/cdef012345/metadata.json", `{"checkpoint_id":"abcdef012345"}`,
		"12/3456789012/0/metadata.json", "not json",
		"34/5678901234/0/metadata.json", strings.NewReplacer("5c1e0000", "77777777", "Claude Code", "Gemini CLI").Replace(metadata),
		"34/5678901234/0/full.jsonl", "{\n  \"messages\": [\n  ]\n}\n")
	r.Git("checkout", "-q", "main")
	report := s.scan(r.Dir)
	want(t, "session", s.rows(`SELECT tool, external_id, COALESCE(input_tokens, 0), COALESCE(output_tokens, 0) FROM k_session WHERE tool = 'claude-code'`),
		"claude-code 5c1e0000-0000-4000-8000-000000000001 10 5")
	want(t, "session without a readable transcript", s.rows(`SELECT external_id FROM k_session WHERE tool <> 'claude-code'`),
		"77777777-0000-4000-8000-000000000001")
	want(t, "commit and session", s.rows(`SELECT t.ref FROM k_commit c JOIN edge e ON e.src = c.id JOIN door d ON d.id = e.door AND d.name = 'session' JOIN node t ON t.id = e.dst`),
		"session:claude-code/5c1e0000-0000-4000-8000-000000000001")
	if report.Gaps["entire"] != 2 {
		t.Errorf("gaps %v, want one for damaged metadata and one for a transcript of an unknown form", report.Gaps)
	}
	want(t, "checkpoints are no history", s.rows(`SELECT title FROM k_commit`), "one")
	s.verify()
}

func TestBlameAndScanSayTheSame(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	noted := r.Commit("with a note", "noted.go", gittest.Lines("noted", 6))
	r.Note("ai", noted, notetest.GitAI(noted, "noted.go", "1-2", "4"))
	r.Commit("assisted\n\nCo-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>\n", "assisted.go", gittest.Lines("assisted", 3))
	r.Commit("by hand", "hand.go", gittest.Lines("hand", 3))
	by(r, "copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>", "")
	r.Commit("by a bot", "bot.go", gittest.Lines("bot", 3))
	claimed := r.Commit("by a bot, with a note", "both.go", gittest.Lines("both", 3))
	empty := r.Commit("by a bot, with an empty note", "empty.go", gittest.Lines("empty", 3))
	by(r, "", "")
	r.Note("ai", claimed, notetest.GitAI(claimed, "both.go", "", "2"))
	r.Note("ai", empty, "---\n"+`{"schema_version":"authorship/3.0.0","base_commit_sha":"","prompts":{}}`)
	r.Note("whogitit", noted, strings.ReplaceAll(notetest.Whogitit, "a.go", "noted.go"))
	r.Commit("traces", ".agent-trace/traces.jsonl", strings.ReplaceAll(notetest.AgentTrace("550e8400-e29b-41d4-a716-446655440000", noted, 6, 6), "a.go", "noted.go"))
	s.scan(r.Dir)
	s.blameAgrees(r)
	want(t, "both", s.runs("both.go"), "1 1 unknown - -", "2 1 human - -", "3 1 unknown - -")
	want(t, "empty", s.rows(`SELECT ai_lines FROM k_file WHERE path = 'empty.go'`), "3")

	cache := origins.Cache{Dir: t.TempDir()}
	for i := range 2 {
		lines := ask(t, r.Dir, blame.Options{Path: "noted.go"}, cache)
		if lines[5].Mark.Origin != stemma.OriginAI || lines[5].Mark.Agent != "cursor" {
			t.Errorf("look %d: line 6 is %+v, want the trace's", i, lines[5].Mark)
		}
	}
}

func TestWhatIsSaidDoesNotDependOnTheOrderOfReading(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Commit("base", "base", "x\n")
	var authors, started, checkpoints []string
	for i := range 6 {
		first, second := fmt.Sprintf("First%d <f%d@example.com>", i, i), fmt.Sprintf("Second%d <s%d@example.com>", i, i)
		r.Git("checkout", "-q", "-b", fmt.Sprint("side", i), "main")
		for _, who := range []string{first, second} {
			by(r, who, "")
			r.Commit(who, who, "x\n")
		}
		r.Git("checkout", "-q", "main")
		r.Merge(fmt.Sprintf("Merge branch 'side%d'", i), []string{fmt.Sprint("side", i)})
		authors = append(authors, fmt.Sprintf("First%d", i))
		started = append(started, strconv.FormatInt(time.Date(2026, 1, 1+i, 1, 0, 0, 0, time.UTC).UnixMicro(), 10))
		for hour := range 3 {
			checkpoints = append(checkpoints, fmt.Sprintf("%d%d/3456789012/0/metadata.json", i, (hour+i)%3),
				fmt.Sprintf(`{"checkpoint_id":"%d%d3456789012","session_id":"session-%d","created_at":"2026-01-%02dT%02d:00:00Z","agent":"Gemini CLI"}`, i, (hour+i)%3, i, 1+i, 1+hour))
		}
	}
	r.Git("checkout", "-q", "--orphan", "entire/checkpoints/v1")
	r.Git("rm", "-q", "-rf", ".")
	r.Commit("checkpoints", checkpoints...)
	r.Git("checkout", "-q", "main")
	s.scan(r.Dir)
	want(t, "of authors with as many commits, the first", s.rows(`SELECT p.name FROM k_change c JOIN node n ON n.id = c.author JOIN profile p ON p.ref = n.ref
		WHERE c.title LIKE 'Merge%' ORDER BY c.merged, c.id`), authors...)
	want(t, "a session starts at its first checkpoint", s.rows(`SELECT started FROM k_session ORDER BY external_id`), started...)
}

func TestKeysBelongToTheTrackerThatHasTheirProject(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Commit("feat: one (ENT-1, PAY-1)\n\nhttps://linear.app/acme/issue/ENT-7/some-words\n", "a.go", gittest.Lines("one", 3))
	s.scan(r.Dir)
	r.Commit("feat: two (ENT-2, PAY-2)\n", "a.go", gittest.Lines("two", 3))
	s.scan(r.Dir)
	want(t, "tickets", s.rows(`SELECT t.ref FROM k_commit c JOIN edge e ON e.src = c.id JOIN door d ON d.id = e.door AND d.name = 'implements' JOIN node t ON t.id = e.dst
		WHERE c.title LIKE 'feat: two%' ORDER BY t.ref`), "ticket:jira/PAY-2", "ticket:linear/ENT-2")
}

func TestCheckpointThatIsNotHereIsAGap(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Commit("one\n\nEntire-Checkpoint: abcdef012345\n", "a.go", gittest.Lines("one", 3))
	s.scan(r.Dir)
	gap := "entire commit " + r.Head() + " checkpoint abcdef012345 the checkpoint that the commit names is not here, or tells no session 1"
	want(t, "gaps", s.open(), gap)
	r.Git("checkout", "-q", "--orphan", "entire/checkpoints/v1")
	r.Git("rm", "-q", "-rf", ".")
	metadata := `{"checkpoint_id":"ID","session_id":"5c1e0000-0000-4000-8000-000000000001","created_at":"2026-01-02T03:05:00Z","agent":"Claude Code"}`
	r.Commit("another checkpoint", "ab/0000000000/0/metadata.json", strings.Replace(metadata, "ID", "ab0000000000", 1))
	r.Git("checkout", "-q", "main")
	s.scan(r.Dir)
	want(t, "gaps with another checkpoint", s.open(), gap)
	r.Git("checkout", "-q", "entire/checkpoints/v1")
	r.Commit("the checkpoint", "ab/cdef012345/0/metadata.json", strings.Replace(metadata, "ID", "abcdef012345", 1), "ab/cdef012345/0/full.jsonl", claudeTalk)
	r.Git("checkout", "-q", "main")
	s.scan(r.Dir)
	want(t, "gaps with the checkpoint", s.open())
	want(t, "commit and session", s.rows(`SELECT t.ref FROM k_commit c JOIN edge e ON e.src = c.id JOIN door d ON d.id = e.door AND d.name = 'session' JOIN node t ON t.id = e.dst`),
		"session:claude-code/5c1e0000-0000-4000-8000-000000000001")
	if !s.scan(r.Dir).Unchanged {
		t.Error("it is read again")
	}
	s.verify()
}
