package dashboard_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/dashboard"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/incident"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/repo"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/review"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
	"github.com/stemma-dev/stemma/vault"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

// What a hostile name does: leave HTML, turn the writing round, colour a terminal.
const hostile = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)> \u202etxt.exe\u202c \x1b[31mred\x1b[0m \u2066x"

// hostilePath is what a path may be besides.
const hostilePath = "docs/<script>alert(3)</script>/a%20b #?&\u202e.md"

// now is a week after the first commit of every test repository.
var now = time.Unix(gittest.Epoch, 0).UTC().AddDate(0, 0, 7)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A site is a dashboard under test.
type site struct {
	t     testing.TB
	space *ingest.Space
	pages *dashboard.Dashboard
	key   string
	box   *inbox.Inbox
}

// empty is a site of which nothing is known.
func empty(t testing.TB, db *storage.DB) *site {
	t.Helper()
	secret, err := vault.NewSpaceKey(make([]byte, 32))
	must(t, err)
	blobs, err := vault.Dir(t.TempDir())
	must(t, err)
	bodies, err := vault.Open(t.Context(), db, blobs, secret)
	must(t, err)
	random := rand.NewChaCha8([32]byte{7})
	key, err := seal.NewKey(random, "log.example/test")
	must(t, err)
	log, err := ledger.Open(t.Context(), db, ledger.Config{Signer: key, Now: func() time.Time { return now }, Rand: random})
	must(t, err)
	g, err := graph.Open(t.Context(), db, lineage.Specs())
	must(t, err)
	space, err := ingest.Open(t.Context(), ingest.Space{DB: db, Ledger: log, Graph: g, Vault: bodies}, secret)
	must(t, err)
	box, err := inbox.Open(t.Context(), db, func() time.Time { return now })
	must(t, err)
	pages, err := dashboard.New(dashboard.Config{Space: space, Inbox: box, Now: func() time.Time { return now }, VerifierKey: key.VerifierKey(), Forms: true})
	must(t, err)
	t.Cleanup(func() { must(t, pages.Close()) })
	return &site{t, space, pages, key.VerifierKey(), box}
}

// report has systems report: one delivery waits, one could not be read, one was turned
// away, with words that nobody should show as they are.
func (s *site) report() {
	s.t.Helper()
	must(s.t, s.box.Register(s.t.Context(), "github", "github"))
	for _, key := range []string{"a", "b"} {
		id, _, err := s.box.Accept(s.t.Context(), inbox.Delivery{Source: "github", Key: key, Event: "<b>issues</b>", Raw: []byte("{}")})
		must(s.t, err)
		if key == "a" {
			must(s.t, s.box.Refuse(s.t.Context(), id, "issue.number: <script>alert(1)</script>"))
		}
	}
	_, err := s.space.MoveBookmark(s.t.Context(), ingest.Move{Source: ingest.SyncPrefix + "gitea:git.example/acme/pay", Now: now, To: `{"last":{"system":"gitea",
		"place":"git.example/<b>acme</b>/pay","began":"2026-03-01T10:00:00Z","looked":9,"absent":2,"lists":[{"name":"workflow runs","skipped":"404"}]}}`})
	must(s.t, err)
	must(s.t, s.box.Turn(s.t.Context(), []inbox.Turned{{Source: "github", Key: "x", Received: now, Raw: []byte("{}"), Size: 2, Reason: "it is not signed"}}, nil))
}

// full is a site of one repository with everything in it that a page can show,
// and of one change whose way from requirement to incident is known.
func full(t testing.TB, db *storage.DB) *site {
	t.Helper()
	s := empty(t, db)
	s.report()
	s.scan(history(t).Dir)
	s.connect()
	s.tell()
	s.govern()
	return s
}

// scan reads a repository.
func (s *site) scan(dir string) {
	s.t.Helper()
	r, err := git.Open(context.WithoutCancel(s.t.Context()), dir)
	must(s.t, err)
	_, err = repo.Scan(s.t.Context(), s.space, r, repo.Options{Now: func() time.Time { return now }})
	must(s.t, errors.Join(err, r.Close()))
}

const (
	changeSeven = stemma.Ref("change:github.com/acme/pay#7")
	codex       = stemma.Ref("session:codex/019e-77")
)

func lines(word string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s line %d\n", word, i+1)
	}
	return b.String()
}

// history is a repository with AI's, people's and unrecorded lines.
func history(t testing.TB) *gittest.Repo {
	r := gittest.New(t)
	r.Git("remote", "add", "origin", "https://github.com/acme/pay.git")
	first := r.Commit("feat: charge cards (PAY-17)", "src/pay/charge.go", lines("charge", 30), "README.md", "# Pay\n", "docs/logo.png", "\x89PNG\x00\x01", "docs/empty.txt", "")
	annotate(r, first, "src/pay/charge.go", "1-10", "11-15")
	r.Env = []string{"GIT_AUTHOR_NAME=" + strings.ReplaceAll(strings.ReplaceAll(hostile, "<", "\u2039"), ">", "\u203a"), "GIT_AUTHOR_EMAIL=mallory@x.test"}
	r.Commit("fix: "+hostile+"\n\nbody "+hostile, hostilePath, "<script>alert(2)</script>\x1b[31m\u202e\n", "src/long.txt", lines("long", 2300))
	r.Env = nil
	r.Git("switch", "-q", "-c", "PAY-17-rounding")
	second := r.Commit("fix: round half up\n\nRefs: PAY-17", "src/pay/charge.go", strings.Replace(lines("charge", 30), "charge line 4\n", "rounded\nand again\n", 1))
	annotate(r, second, "src/pay/charge.go", "4-5", "")
	r.Git("switch", "-q", "main")
	r.Merge("Merge pull request #7 from acme/PAY-17-rounding\n\nfix: round half up", []string{"--no-ff", "PAY-17-rounding"})
	r.Git("switch", "-q", "-c", "aside")
	r.Commit("docs: a path of another branch", "aside/only.md", "# Aside\n")
	r.Git("switch", "-q", "main")
	r.Git("tag", "-a", "v1.0", "-m", "first")
	return r
}

// annotate writes a Git AI note about one path: lines of a session and of a person.
func annotate(r *gittest.Repo, commit, path, ai, human string) {
	body := path + "\n  s_0011223344556a::t_aabbccddeeff01 " + ai + "\n"
	if human != "" {
		body += "  h_99887766554433 " + human + "\n"
	}
	body += "---\n" + `{"schema_version":"authorship/3.0.0","base_commit_sha":"` + commit + `","prompts":{},
"humans":{"h_99887766554433":{"author":"Ann Lee <ann@x.test>"}},
"sessions":{"s_0011223344556a":{"agent_id":{"tool":"codex","id":"019e-77","model":"gpt-5.6-sol"},"human_author":"ann@x.test"}}}`
	r.GitWith([]byte(body), "notes", "--ref", "ai", "add", "-f", "-F", "-", commit)
}

// record states one more record.
func (s *site) record(x ingest.Record) {
	s.t.Helper()
	w := ingest.NewWriter(s.t.Context(), s.space, func() time.Time { return now })
	must(s.t, w.Record(s.t.Context(), x, "test", stemma.GradeB))
	must(s.t, w.Close(s.t.Context()))
}

// connect states what no repository tells: requirement, review, run, artifact,
// deployment, incident, sessions with children, a hostile gap.
func (s *site) connect() {
	s.t.Helper()
	w := ingest.NewWriter(s.t.Context(), s.space, func() time.Time { return now })
	at := stemma.At(now)
	requirement := intent.Requirement{Source: "spec", Key: "R-4", Title: "Round money " + hostile}
	run := pipeline.Run{ID: pipeline.RunRef("github-actions", "991"), System: "github-actions", Name: "ci", Status: "completed", Conclusion: "success", Started: at, Changes: []stemma.Ref{changeSeven}}
	image := artifact.Artifact{Name: "ghcr.io/acme/pay", Digest: "sha256:" + strings.Repeat("ab", 32), BuiltBy: []stemma.Edge{{To: run.Ref()}}}
	live := deployment.Deployment{
		ID: deployment.Ref("production", "55"), Environment: deployment.EnvironmentRef("production"), Version: "1.0", Status: "success", At: at,
		Ships: []stemma.Edge{{To: image.Ref()}},
	}
	turns := []session.Turn{{Number: 1, Role: "user", At: at, Body: stemma.Sum([]byte("prompt")).String()}, {Number: 2, Role: "assistant", At: at, Model: "gpt-5.6-sol"}}
	for _, x := range []ingest.Record{
		requirement,
		intent.Ticket{Tracker: "jira", Key: "PAY-17", Title: "Rounding", State: "done", Refines: []stemma.Edge{{To: requirement.Ref()}}},
		review.Review{ID: review.Ref("github.com", "1"), Change: changeSeven, Role: "owner", Verdict: "approved", Submitted: at, Method: "event"},
		run, image, live,
		incident.Incident{Source: "pagerduty", Key: "Q1", Title: "Charges fail", Severity: "high", State: "resolved", Opened: at, CausedBy: []stemma.Edge{{To: live.Ref()}}},
		session.Session{
			Tool: "codex", ExternalID: "019e-77", Title: hostile, Started: at, TurnCount: 2, Prompts: 1, ToolCallCount: 1, InputTokens: 1200, Turns: turns,
			ToolCalls: []session.ToolCall{{Turn: 2, Call: "c1", Tool: "Edit", Path: "src/pay/charge.go", At: at}}, Files: []session.File{{Path: "src/pay/charge.go", Edits: 3}},
		},
		session.Session{Tool: "codex", ExternalID: "child/../x", Parent: codex, Depth: 1, Started: at},
	} {
		must(s.t, w.Record(s.t.Context(), x, "test", stemma.GradeB))
	}
	must(s.t, w.Gap(s.t.Context(), stemma.Gap{Source: "git-note", Place: "note <i>x</i>", Reason: "not a note: <b>", Count: 3, About: changeSeven, Seen: now}))
	must(s.t, w.Close(s.t.Context()))
	if n := w.Stats().Things[stemma.KindGap]; n != 1 {
		s.t.Fatalf("%d gaps: a record of the test was refused", n)
	}
}

// get asks for a page.
func (s *site) get(path string) *httptest.ResponseRecorder {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.pages.ServeHTTP(w, httptest.NewRequestWithContext(s.t.Context(), http.MethodGet, path, nil))
	return w
}
