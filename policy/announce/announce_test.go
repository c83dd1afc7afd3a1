package announce_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/policy/announce"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

const (
	host   = "git.acme.example"
	sha    = "00112233445566778899aabbccddeeff00112233"
	landed = "11112233445566778899aabbccddeeff00112233"
	token  = "a-token-of-the-forge"
)

// A forge takes what it is told, or answers as it is asked to.
type forge struct {
	*httptest.Server
	mu   sync.Mutex
	code int // of its answers, if it is not well
	told []string
}

func newForge(t *testing.T) *forge {
	f := &forge{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.code != 0 {
			http.Error(w, `{"message":"`+token+` is no use"}`, f.code)
			return
		}
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		auth := r.Header.Get("Authorization") + r.Header.Get("PRIVATE-TOKEN")
		if !strings.HasSuffix(auth, token) || r.Method != http.MethodPost {
			t.Errorf("%s with %q", r.Method, auth)
		}
		state, _ := body["state"].(string)
		if conclusion, ok := body["conclusion"].(string); ok {
			state = conclusion
		}
		if status, ok := body["status"].(string); ok && state == "" {
			state = status
		}
		description, _ := body["description"].(string)
		if output, ok := body["output"].(map[string]any); ok {
			description = output["title"].(string)
		}
		f.told = append(f.told, strings.TrimSpace(r.URL.EscapedPath()+" "+state+" "+description))
		w.WriteHeader(http.StatusCreated)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *forge) answers(code int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.code = code
}

// heard is what the forge was told since.
func (f *forge) heard() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	told := f.told
	f.told = nil
	return told
}

type house struct {
	t     *testing.T
	space *ingest.Space
	clock time.Time
	ann   *announce.Announcer
}

func newHouse(t *testing.T, db *storage.DB, f announce.Forge) *house {
	h := &house{t: t, clock: noon}
	h.space = ingesttest.Must(t, db, func() time.Time { return h.clock })
	f.Host, f.Token = host, token
	ann, err := announce.Open(t.Context(), announce.Config{
		DB: db, Ledger: h.space.Ledger, Forges: []announce.Forge{f}, Now: func() time.Time { return h.clock }, Log: slog.New(slog.DiscardHandler),
		Link: func(change stemma.Ref) string { return "https://stemma.acme.example/" + string(change) },
	})
	h.must(err)
	h.ann = ann
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) put(r ingest.Record) {
	h.t.Helper()
	f, err := r.Fact("test", stemma.GradeA)
	h.must(err)
	_, err = h.space.Ledger.Append(h.t.Context(), f)
	h.must(err)
	_, err = h.space.Graph.Apply(h.t.Context(), h.space.Ledger)
	h.must(err)
}

func request(merged time.Time) change.Change {
	c := change.Change{
		Repository: stemma.Ref("repository:" + host + "/acme/pay"), Number: 7, State: "open", Head: change.CommitRef("sha1", sha), Commits: []stemma.Ref{change.CommitRef("sha1", sha)},
	}
	if !merged.IsZero() {
		c.State, c.Merged, c.MergeCommit = "merged", stemma.At(merged), change.CommitRef("sha1", landed)
	}
	return c
}

func (h *house) judged(c change.Change, due bool, findings ...governance.Finding) {
	h.t.Helper()
	h.put(c)
	a := governance.Assessment{
		ID: governance.AssessmentRef(c.Ref()), Change: c.Ref(), Repository: c.Repository, State: c.State, Head: c.Head, Landed: c.MergeCommit, Evaluated: stemma.At(h.clock), Merged: c.Merged,
		Trigger: "head", Score: 40,
		Findings: findings,
	}
	if due {
		a.Due = int(h.clock.Add(time.Minute).Unix())
		a.Findings[0].Waits = true
	}
	h.put(a)
}

// send lets everything be told that is due, after a while.
func (h *house) send(after time.Duration) {
	h.t.Helper()
	h.clock = h.clock.Add(after)
	h.must(h.ann.Collect(h.t.Context()))
	_, err := h.ann.Send(h.t.Context())
	h.must(err)
}

func finding(control, state, mode string, blocks bool) governance.Finding {
	return governance.Finding{Control: control, Version: 1, Severity: "high", State: state, Mode: mode, Blocks: blocks, Reason: "because"}
}

func TestAForgeIsToldHowACommitStands(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		f := newForge(t)
		h := newHouse(t, open(), announce.Forge{System: "gitea", Base: f.URL})
		at := "/repos/acme/pay/statuses/" + sha
		h.judged(request(time.Time{}), true, finding("REV-01", "unknown", "enforce", false))
		h.send(0)
		h.clock = h.clock.Add(time.Second)
		h.judged(request(time.Time{}), false, finding("REV-01", "fail", "enforce", true), finding("CI-01", "fail", "observe", false))
		h.send(0)
		h.send(time.Second) // nothing is new
		h.clock = h.clock.Add(time.Second)
		h.judged(request(h.clock), false, finding("REV-01", "pass", "enforce", false), finding("CI-01", "fail", "observe", false))
		h.send(0)
		want := []string{
			at + " pending waiting for evidence: REV-01; risk 40 of 100",
			at + " failure 1 not met: REV-01; risk 40 of 100",
			at + " success nothing in the way; 1 not met, and only observed: CI-01; risk 40 of 100",
			strings.Replace(at, sha, landed, 1) + " success nothing in the way; 1 not met, and only observed: CI-01; risk 40 of 100",
		}
		if got := f.heard(); !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestAForgeThatIsDownIsToldLaterAndOnlyTheLast(t *testing.T) {
	f := newForge(t)
	h := newHouse(t, storagetest.SQLite(t), announce.Forge{System: "github", Base: f.URL})
	f.answers(http.StatusBadGateway)
	h.judged(request(time.Time{}), false, finding("REV-01", "fail", "enforce", true))
	for range 40 { // more than an hour
		h.send(2 * time.Minute)
	}
	troubles, err := h.ann.Troubles(t.Context())
	h.must(err)
	if len(troubles) != 1 || troubles[0].Waiting != 1 || !strings.Contains(troubles[0].Error, "502") || strings.Contains(troubles[0].Error, token) {
		t.Errorf("%+v", troubles)
	}
	h.judged(request(time.Time{}), false, finding("REV-01", "pass", "enforce", false))
	f.answers(0)
	for range 6 {
		h.send(2 * time.Minute)
	}
	if got := f.heard(); len(got) != 1 || !strings.Contains(got[0], " success ") {
		t.Errorf("it heard %q", got)
	}
	if troubles, err = h.ann.Troubles(t.Context()); err != nil || len(troubles) > 0 {
		t.Errorf("%+v %v", troubles, err)
	}
}

func TestWhatAForgeRefusesIsTriedOnceAnHour(t *testing.T) {
	f := newForge(t)
	h := newHouse(t, storagetest.SQLite(t), announce.Forge{System: "gitlab", Base: f.URL, Check: 3})
	f.answers(http.StatusNotFound)
	h.judged(request(time.Time{}), false, finding("REV-01", "fail", "enforce", true))
	h.send(0)
	f.answers(0)
	h.send(50 * time.Minute)
	if got := f.heard(); len(got) > 0 {
		t.Errorf("it heard %q too soon", got)
	}
	h.send(15 * time.Minute)
	want := []string{
		"/projects/acme%2Fpay/statuses/" + sha + " failed 1 not met: REV-01; risk 40 of 100",
		"/projects/acme%2Fpay/merge_requests/7/status_check_responses failed",
	}
	if got := f.heard(); !slices.Equal(got, want) {
		t.Errorf("it heard %q, want %q", got, want)
	}
}

func TestCheckRunsHaveASummaryInWhichNothingIsMarkup(t *testing.T) {
	f := newForge(t)
	h := newHouse(t, storagetest.SQLite(t), announce.Forge{System: "github-checks", Base: f.URL})
	hostile := finding("REV-01", "fail", "enforce", true)
	hostile.Reason = "![x](https://evil.example) <script> @everyone | `a`\n# b"
	h.judged(request(time.Time{}), false, hostile)
	h.send(0)
	if got := f.heard(); len(got) != 1 || !strings.HasPrefix(got[0], "/repos/acme/pay/check-runs failure ") {
		t.Errorf("it heard %q", got)
	}
	if text := announce.Inert(hostile.Reason); strings.ContainsAny(text, "`[]()<>|@\n*_!") || strings.Contains(text, "//evil.example") {
		t.Errorf("%s", text)
	}
}

func TestAHistoryThatIsJudgedForTheFirstTimeIsNotTold(t *testing.T) {
	f := newForge(t)
	h := newHouse(t, storagetest.SQLite(t), announce.Forge{System: "github", Base: f.URL})
	h.judged(request(noon.AddDate(0, -1, 0)), false, finding("REV-01", "fail", "observe", false))
	h.send(time.Minute)
	if got := f.heard(); len(got) > 0 {
		t.Errorf("it heard %q", got)
	}
}

// A status is that of a commit: another request that shows the same one must not make it green.
func TestAnotherRequestOfTheSameHeadDoesNotMakeItGreen(t *testing.T) {
	f := newForge(t)
	h := newHouse(t, storagetest.SQLite(t), announce.Forge{System: "github", Base: f.URL})
	h.judged(request(time.Time{}), false, finding("REV-01", "fail", "enforce", true))
	twin := request(time.Time{})
	twin.Number = 8
	h.judged(twin, false, finding("REV-01", "pass", "enforce", false))
	h.send(0)
	twin.State = "closed"
	h.clock = h.clock.Add(time.Second)
	h.judged(twin, false, finding("REV-01", "not-applicable", "enforce", false))
	h.send(time.Second)
	for _, told := range f.heard() {
		if strings.Contains(told, " success ") {
			t.Errorf("it was told %q", told)
		}
	}
	h.clock = h.clock.Add(time.Second)
	h.judged(request(time.Time{}), false, finding("REV-01", "pass", "enforce", false))
	h.send(time.Second)
	if got := f.heard(); len(got) != 1 || !strings.Contains(got[0], " success ") {
		t.Errorf("in the end it was told %q", got)
	}
}

// A verdict is of the head that was judged, whatever was pushed since.
func TestAHeadThatNobodyJudgedIsNotTold(t *testing.T) {
	f := newForge(t)
	h := newHouse(t, storagetest.SQLite(t), announce.Forge{System: "github", Base: f.URL})
	h.judged(request(time.Time{}), false, finding("REV-01", "pass", "enforce", false))
	pushed := request(time.Time{})
	pushed.Head = change.CommitRef("sha1", landed)
	h.put(pushed)
	h.send(time.Second)
	if got := f.heard(); len(got) != 1 || !strings.Contains(got[0], sha) {
		t.Errorf("it heard %q", got)
	}
}

func TestOtherHostsAreNotTold(t *testing.T) {
	f := newForge(t)
	h := newHouse(t, storagetest.SQLite(t), announce.Forge{System: "github", Base: f.URL})
	c := request(time.Time{})
	c.Repository = "repository:other.example/acme/pay"
	h.judged(c, false, finding("REV-01", "fail", "enforce", true))
	h.send(time.Minute)
	if got := f.heard(); len(got) > 0 {
		t.Errorf("it heard %q", got)
	}
}

func TestTheInterfaceOfAForgeIsFoundByItsHost(t *testing.T) {
	for _, c := range []struct{ system, host, want string }{
		{"github", "github.com", "https://api.github.com"},
		{"github-checks", "ghe.acme.example", "https://ghe.acme.example/api/v3"},
		{"gitlab", "gitlab.com", "https://gitlab.com/api/v4"},
		{"gitea", "http://127.0.0.1:3000", "http://127.0.0.1:3000/api/v1"},
		{"forgejo", "https://acme.example/forge/", "https://acme.example/forge/api/v1"},
	} {
		if got := announce.Base(c.system, c.host); got != c.want {
			t.Errorf("%s at %s: %s, want %s", c.system, c.host, got, c.want)
		}
	}
}
