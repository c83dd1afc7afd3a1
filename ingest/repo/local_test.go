package repo_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/local"
	"github.com/stemma-dev/stemma/ingest/repo"
	"github.com/stemma-dev/stemma/ingest/transcript"
	"github.com/stemma-dev/stemma/spool"
)

// A bench is a machine with a repository, and a home in which Claude Code keeps
// transcripts.
type bench struct {
	*gittest.Repo
	*space
	home string
}

func newBench(t *testing.T) *bench {
	b := &bench{gittest.New(t), newSpace(t), t.TempDir()}
	b.Commit("one", "a.go", "package a\n")
	return b
}

func (b *bench) scan() repo.Report {
	b.t.Helper()
	place, err := spool.Find(b.Dir)
	must(b.t, err)
	at := b.clock()
	report, err := repo.Scan(b.t.Context(), b.Space, openRepo(b.t, b.Dir), repo.Options{
		Now: func() time.Time { return at },
		Local: func(known func(string) bool) []local.File {
			return local.Find(local.Machine{Home: b.home}, place.Trees(), known)
		},
		User: git.Ident{Name: "Ada", Mail: "ada@home.example"},
	})
	must(b.t, err)
	return report
}

// transcript is where a session lies; sub names a sub-agent in it.
func (b *bench) transcript(session, sub string) string {
	slug := strings.NewReplacer("/", "-", ".", "-", "_", "-").Replace(b.Dir)
	at := filepath.Join(b.home, ".claude", "projects", slug, session+".jsonl")
	if sub != "" {
		at = local.Subagent(at, session, sub)
	}
	must(b.t, os.MkdirAll(filepath.Dir(at), 0o700))
	return at
}

// say adds a row to a transcript.
func (b *bench) say(session, sub, role, text string) {
	b.t.Helper()
	message := map[string]any{"role": role, "content": text}
	if role == "assistant" {
		message["model"], message["id"] = "claude-opus-4-6", fmt.Sprint(len(text), text[:1])
	}
	row := map[string]any{"type": role, "sessionId": session, "cwd": b.Dir, "timestamp": "2026-02-03T10:00:00Z", "uuid": text, "message": message}
	if sub != "" {
		row["agentId"], row["isSidechain"] = sub, true
	}
	line, err := json.Marshal(row)
	must(b.t, err)
	b.append(session, sub, string(line)+"\n")
}

func (b *bench) append(session, sub, text string) {
	b.t.Helper()
	f, err := os.OpenFile(b.transcript(session, sub), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	must(b.t, err)
	_, err = f.WriteString(text)
	must(b.t, errors.Join(err, f.Close()))
}

// said is what a session is known to have said, without its roles.
func (b *bench) said(session string) string {
	b.t.Helper()
	messages, err := transcript.Of(b.t.Context(), b.Space, stemma.Ref("session:claude-code/"+session))
	must(b.t, err)
	var list []string
	for _, m := range messages {
		list = append(list, m.Text)
	}
	return strings.Join(list, " | ")
}

// kept is how many bytes of bodies there are.
func (b *bench) kept() string { return b.one(`SELECT COUNT(*), COALESCE(SUM(size), 0) FROM body`) }

const sessions = `SELECT k.external_id, k.turns, k.prompts FROM k_session k ORDER BY 1`

func TestALocalTranscriptBecomesASessionAndGrows(t *testing.T) {
	b := newBench(t)
	b.say("s1", "", "user", "make it so")
	b.say("s1", "", "assistant", "so it is")
	if r := b.scan(); r.Local != 1 {
		t.Errorf("%d transcripts were read", r.Local)
	}
	want(t, "sessions", b.rows(sessions), "s1 2 1")
	want(t, "said", []string{b.said("s1")}, "make it so | so it is")
	if r := b.scan(); !r.Unchanged || r.Local != 0 {
		t.Errorf("it was read again: %+v", r)
	}
	b.say("s1", "", "user", "more")
	b.append("s1", "", `{"type":"user","sessionId":"s1","message":{"role":"user","content":"half a r`)
	if r := b.scan(); r.Local != 1 {
		t.Errorf("%d transcripts were read", r.Local)
	}
	want(t, "sessions", b.rows(sessions), "s1 3 2")
	want(t, "said", []string{b.said("s1")}, "make it so | so it is | more")
	b.append("s1", "", `ow"}}`+"\n")
	b.scan()
	want(t, "sessions", b.rows(sessions), "s1 4 3")
	want(t, "gaps", b.rows(`SELECT reason FROM k_gap`))
	b.verify()
}

func TestATranscriptThatGrowsCostsItsNewRows(t *testing.T) {
	b := newBench(t)
	for i := range 400 {
		b.say("s1", "", "user", fmt.Sprintf("%d %s", i, strings.Repeat(fmt.Sprintf("w%d ", i), 2000)))
	}
	b.scan()
	var parts, size int
	_, err := fmt.Sscan(b.kept(), &parts, &size)
	must(t, err)
	if parts < 5 || size < 3_000_000 {
		t.Fatalf("%d parts of %d bytes", parts, size)
	}
	b.say("s1", "", "user", "one more")
	b.scan()
	var parts2, size2 int
	_, err = fmt.Sscan(b.kept(), &parts2, &size2)
	must(t, err)
	if parts2 != parts+1 || size2-size > 700_000 {
		t.Errorf("one row made %d parts of %d bytes to %d of %d", parts, size, parts2, size2)
	}
	if said := b.said("s1"); strings.Count(said, " | ") != 400 || !strings.HasSuffix(said, "one more") {
		t.Errorf("not all that was said is there: %d", strings.Count(said, " | "))
	}
	b.verify()
}

func TestWhatIsKeptOfATranscriptHasNoSecrets(t *testing.T) {
	b := newBench(t)
	const secret = "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345"
	b.say("s1", "", "user", "use "+secret+" in /home/ada/work")
	b.scan()
	if said := b.said("s1"); strings.Contains(said, secret) || strings.Contains(said, "/home/ada") || !strings.Contains(said, "~/work") {
		t.Errorf("kept: %s", said)
	}
}

func TestARewrittenTranscriptIsReadAnewAndSaysSo(t *testing.T) {
	b := newBench(t)
	b.say("s1", "", "user", "make it so")
	b.scan()
	must(t, os.Remove(b.transcript("s1", "")))
	b.say("s1", "", "user", "make it otherwise")
	b.scan()
	want(t, "said", []string{b.said("s1")}, "make it otherwise")
	want(t, "gaps", b.rows(`SELECT source, reason FROM k_gap`), "local-transcript it was written anew since it was read: what it said before is kept")
	must(t, os.Remove(b.transcript("s1", "")))
	b.Commit("two", "b.go", "package a\n")
	b.scan()
	want(t, "said", []string{b.said("s1")}, "make it otherwise")
	b.verify()
}

func TestASubagentHasItsOwnTranscript(t *testing.T) {
	b := newBench(t)
	b.say("s1", "", "user", "ask another one")
	b.append("s1", "", `{"type":"progress","sessionId":"s1","data":{"type":"agent_progress","agentId":"x7","message":{"type":"user","message":{"role":"user","content":"first"}}}}`+"\n")
	b.say("s1", "x7", "user", "first")
	b.say("s1", "x7", "assistant", "second")
	b.scan()
	want(t, "sessions", b.rows(`SELECT k.external_id, k.turns, k.depth, COALESCE(p.ref, '') FROM k_session k LEFT JOIN node p ON p.id = k.parent ORDER BY 1`),
		"s1 1 - ", "s1:x7 2 1 session:claude-code/s1")
	b.say("s1", "", "user", "and on")
	b.scan()
	want(t, "sessions", b.rows(sessions), "s1 2 2", "s1:x7 2 -")
	want(t, "said", []string{b.said("s1:x7")}, "first | second")
}

func TestASessionOfThisMachineIsTiedToWhomGitWouldNameHere(t *testing.T) {
	b := newBench(t)
	b.say("s1", "", "user", "make it so")
	b.scan()
	want(t, "operators", b.rows(`SELECT x.ref, e.method, e.grade FROM edge e JOIN node n ON n.id = e.src JOIN node x ON x.id = e.dst JOIN door d ON d.id = e.door
		WHERE n.ref = 'session:claude-code/s1' AND d.name = 'operator'`), string(b.Person("ada@home.example"))+" git-user D")
	b.verify()
}

func TestASessionThatHooksToldOfIsBetterKnown(t *testing.T) {
	b := newBench(t)
	at := filepath.Join(t.TempDir(), "elsewhere.jsonl")
	b.say("s1", "", "user", "make it so")
	must(t, os.Rename(b.transcript("s1", ""), at))
	b.scan()
	want(t, "sessions", b.rows(sessions))
	payload, err := json.Marshal(map[string]string{"hook_event_name": "UserPromptSubmit", "session_id": "s1", "cwd": b.Dir, "transcript_path": at})
	must(t, err)
	must(t, capture.Keep(capture.Call{Agent: "claude-code", Payload: payload, Directory: b.Dir, At: b.clock()}))
	b.scan()
	want(t, "sessions", b.rows(sessions), "s1 1 1")
	want(t, "grade", b.rows(`SELECT DISTINCT e.grade FROM edge e JOIN node n ON n.id = e.src WHERE n.ref LIKE 'session:%'`), "C")
}

func TestWhatWasErasedIsNotKeptAgain(t *testing.T) {
	b := newBench(t)
	b.say("s1", "", "user", "forget this")
	b.scan()
	must(t, b.Vault.Erase(t.Context(), "session:claude-code/s1"))
	b.say("s1", "", "user", "and this")
	b.scan()
	want(t, "kept", []string{b.kept()}, "0 0")
}
