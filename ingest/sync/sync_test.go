package sync_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	gosync "sync"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/hooks"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/ingest/sync"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

const token = "a token that nobody may see"

func noon() time.Time { return time.Date(2026, 9, 15, 12, 0, 0, 0, time.UTC) }

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// A fake is a system as far as its interface is asked: an object or a list at each path,
// lists in small pages.
type fake struct {
	at    map[string]any
	size  int    // of a page
	pages string // the parameter that counts them; "" for a header that links them

	mu    gosync.Mutex
	asked []string
	busy  int // every so many requests it wants to be left alone
	down  int // after so many requests it answers no more
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked = append(f.asked, r.URL.EscapedPath())
	n, down := len(f.asked), f.down
	f.mu.Unlock()
	switch {
	case r.Header.Get("Authorization") == "":
		w.WriteHeader(http.StatusUnauthorized)
	case down > 0 && n > down:
		w.WriteHeader(http.StatusBadGateway)
	case f.busy > 0 && n%f.busy == 0:
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
	default:
		f.answer(w, r)
	}
}

func (f *fake) answer(w http.ResponseWriter, r *http.Request) {
	v, ok := f.at[r.URL.EscapedPath()]
	if make, is := v.(func(r *http.Request) any); is {
		v = make(r)
	}
	if no, is := v.(refusal); is {
		w.WriteHeader(no.code)
		v = map[string]any{"message": no.message}
	}
	if list, is := v.([]any); is {
		v = f.page(w, r, list)
	}
	if held, is := v.(held); is {
		v = map[string]any{held.name: f.page(w, r, held.list), "total_count": len(held.list)}
	}
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		v = map[string]any{"message": "Not Found"}
	}
	text, err := json.Marshal(v)
	if err == nil {
		_, _ = w.Write(text)
	}
}

// A refusal is an answer that is none.
type refusal struct {
	code    int
	message string
}

// since lists what changed since the time that a parameter tells.
func since(param string, all ...any) func(*http.Request) any {
	return func(r *http.Request) any {
		list := []any{}
		for _, v := range all {
			if updated, _ := v.(map[string]any)["updated_at"].(string); updated >= r.URL.Query().Get(param) {
				list = append(list, v)
			}
		}
		return list
	}
}

// held is a list that is a member of the answer.
type held struct {
	name string
	list []any
}

func (f *fake) page(w http.ResponseWriter, r *http.Request, list []any) []any {
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	n = max(n, 1)
	from, to := min(f.size*(n-1), len(list)), min(f.size*n, len(list))
	if to < len(list) && f.pages == "" {
		q := r.URL.Query()
		q.Set("page", strconv.Itoa(n+1))
		w.Header().Set("Link", fmt.Sprintf(`<https://%s%s?%s>; rel="next"`, r.Host, r.URL.Path, q.Encode()))
	}
	return append([]any{}, list[from:to]...)
}

func (f *fake) serve(tb testing.TB) string {
	tb.Helper()
	s := httptest.NewServer(f)
	tb.Cleanup(s.Close)
	return s.URL
}

// A target is a space that is fetched into.
type target struct {
	t     *testing.T
	space *ingest.Space
	box   *inbox.Inbox
	url   string
}

func into(t *testing.T, db *storage.DB, url string) *target {
	t.Helper()
	x := &target{t: t, space: ingesttest.Must(t, db, noon), url: url}
	var err error
	x.box, err = inbox.Open(t.Context(), x.space.DB, noon)
	must(t, err)
	return x
}

// web is what the systems of these tests say that they are.
var web = map[string]string{"github": "https://github.com", "gitlab": "https://gitlab.com", "gitea": "https://git.example"}

func (x *target) config(system, place string) sync.Config {
	return sync.Config{
		Space: x.space, Inbox: x.box, Now: noon, System: system, Server: x.url, Web: web[system], Place: place, Token: token, Holder: "test",
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }, Progress: func(string, int64, int64) {},
	}
}

func (x *target) fetch(system, place string) ingest.Synced {
	x.t.Helper()
	r, err := sync.Run(x.t.Context(), x.config(system, place))
	must(x.t, err)
	return r
}

// told has webhooks tell what they tell.
func (x *target) told(system string, list []sample) {
	x.t.Helper()
	must(x.t, x.box.Register(x.t.Context(), system, system))
	for i, s := range list {
		_, _, err := x.box.Accept(x.t.Context(), inbox.Delivery{Source: system, Key: strconv.Itoa(i), Event: s.event, Grade: "A", Raw: s.body})
		must(x.t, err)
	}
	h, err := hooks.Open(x.t.Context(), hooks.Config{Space: x.space, Inbox: x.box, Now: noon, Holder: "test"})
	must(x.t, err)
	_, err = h.Settle(x.t.Context())
	must(x.t, err)
}

// nothingIsWrong makes sure that what was fetched became facts, and the log is whole.
func (x *target) nothingIsWrong() {
	x.t.Helper()
	health, err := x.box.Health(x.t.Context())
	must(x.t, err)
	letters, err := x.box.Letters(x.t.Context(), 10)
	must(x.t, err)
	for _, h := range health {
		if h.Pending > 0 || h.Refused > 0 {
			x.t.Errorf("%+v, %+v", h, letters)
		}
	}
	must(x.t, x.space.Ledger.Verify(x.t.Context(), func(p ledger.Problem) { x.t.Error(p) }))
}

// A sample is a webhook.
type sample struct {
	event string
	body  []byte
}

// repeated makes sure that a second fetch finds nothing and states nothing.
func (x *target) repeated(system, place string) {
	x.t.Helper()
	before := ingesttest.Facts(x.t, x.space)
	again := x.fetch(system, place)
	if after := ingesttest.Facts(x.t, x.space); again.Absent+again.Different > 0 || after != before {
		x.t.Errorf("fetched again, %d are absent and %d different, and there are %d new facts: %+v", again.Absent, again.Different, after-before, again.Missing)
	}
}

// small is a Gitea with two issues and a pull request.
func small() *fake {
	base := "/api/v1/repos/acme/pay"
	issue := func(n int, title string) any {
		return map[string]any{
			"number": n, "title": title, "state": "open", "html_url": fmt.Sprintf("https://git.example/acme/pay/issues/%d", n), "user": map[string]any{"id": 1, "login": "ada"},
			"created_at": "2026-03-01T10:00:00Z", "updated_at": fmt.Sprintf("2026-03-0%dT10:00:00Z", n),
		}
	}
	return &fake{size: 1, pages: "page", at: map[string]any{
		"/api/v1/settings/api":     map[string]any{"max_response_items": 1},
		base:                       map[string]any{"id": 1, "full_name": "acme/pay", "html_url": "https://git.example/acme/pay", "default_branch": "main"},
		base + "/pulls":            []any{},
		base + "/activities/feeds": []any{},
		base + "/issues":           since("since", issue(3, "Refund in part"), issue(2, "Refund in full"), issue(1, "Refund")),
		base + "/releases":         []any{},
	}}
}

func TestWhatWebhooksMissedIsFound(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, openDB func() *storage.DB) {
		f := small()
		x := into(t, openDB(), f.serve(t))
		x.told("gitea", []sample{
			{"issues", []byte(`{"action":"opened","repository":{"html_url":"https://git.example/acme/pay"},"issue":{"number":1,"title":"Refund","state":"open",
				"html_url":"https://git.example/acme/pay/issues/1","user":{"id":1,"login":"ada"},"created_at":"2026-03-01T10:00:00Z","updated_at":"2026-03-01T10:00:00Z"}}`)},
			{"issues", []byte(`{"action":"opened","repository":{"html_url":"https://git.example/acme/pay"},"issue":{"number":2,"title":"Refunds","state":"open",
				"html_url":"https://git.example/acme/pay/issues/2","user":{"id":1,"login":"ada"},"created_at":"2026-03-01T10:00:00Z","updated_at":"2026-03-01T10:00:00Z"}}`)},
		})
		r := x.fetch("gitea", "acme/pay")
		want := []ingest.SyncedRef{{Ref: "ticket:git.example/acme/pay#3", Why: "absent"}, {Ref: "ticket:git.example/acme/pay#2", Why: "different"}}
		if r.Looked != 3 || r.Absent != 1 || r.Different != 1 || !slices.Equal(r.Missing, want) || r.Ended.IsZero() {
			t.Errorf("%+v", r)
		}
		if told := ingesttest.Told(t, x.space); !strings.Contains(told, "Refund in full") || !strings.Contains(told, "Refund in part") || strings.Contains(told, `"Refunds"`) {
			t.Errorf("the graph says\n%s", told)
		}
		x.nothingIsWrong()
		x.repeated("gitea", "acme/pay")
		syncs, err := x.space.Syncs(t.Context())
		if err != nil || len(syncs) != 1 || !strings.HasSuffix(syncs[0].Place, "/acme/pay") || syncs[0].Looked == 0 {
			t.Errorf("%+v, %v", syncs, err)
		}
	})
}

// A fetch dies again and again, after one more request each time; all of it becomes facts,
// each once.
func TestWhatAnotherProcessMakesFactsOfIsNotMissing(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, openDB func() *storage.DB) {
		f := small()
		x := into(t, openDB(), f.serve(t))
		x.fetch("gitea", "acme/pay")
		f.at["/api/v1/repos/acme/pay/issues"] = since("since")
		_, _, err := x.box.Accept(t.Context(), inbox.Delivery{Source: "gitea-sync", Key: "waits", Event: "issues", Grade: "A", Raw: []byte(
			`{"action":"opened","repository":{"html_url":"https://git.example/acme/pay"},"issue":{"number":4,"title":"Refund","user":{"id":1,"login":"ada"}}}`)})
		must(t, err)
		server, err := hooks.Open(t.Context(), hooks.Config{Space: x.space, Inbox: x.box, Now: noon, Holder: "server"})
		must(t, err)
		held, err := x.box.Hold(t.Context(), "server", time.Hour)
		must(t, err)
		c, slept := x.config("gitea", "acme/pay"), 0
		c.Sleep = func(ctx context.Context, _ time.Duration) error {
			if slept++; slept < 3 {
				return nil
			}
			_, err := server.Settle(ctx)
			return err
		}
		_, err = sync.Run(t.Context(), c)
		must(t, err)
		if told := ingesttest.Told(t, x.space); !held || slept != 3 || !strings.Contains(told, "acme/pay#4") {
			t.Errorf("held: %v, slept %d times; the graph says\n%s", held, slept, told)
		}
	})
}

func TestBrokenOffFetchGoesOn(t *testing.T) {
	f := small()
	url := f.serve(t)
	whole := into(t, storagetest.SQLite(t), url)
	whole.fetch("gitea", "acme/pay")
	x := into(t, storagetest.SQLite(t), url)
	for tries := 1; ; tries++ {
		f.asked, f.down = nil, 5+tries%5
		_, err := sync.Run(t.Context(), x.config("gitea", "acme/pay"))
		if err == nil {
			break
		}
		if tries == 20 {
			t.Fatalf("it gets nowhere: %v", err)
		}
	}
	if got, want := ingesttest.Told(t, x.space), ingesttest.Told(t, whole.space); got != want {
		t.Errorf("the graph says\n%s\nwant\n%s", got, want)
	}
	if got, want := ingesttest.Facts(t, x.space), ingesttest.Facts(t, whole.space); got != want {
		t.Errorf("%d facts, want %d", got, want)
	}
	x.nothingIsWrong()
}

func TestTwoFetchesOfOnePlaceDoNotContend(t *testing.T) {
	f := small()
	x := into(t, storagetest.SQLite(t), f.serve(t))
	first := true
	f.at["/api/v1/repos/acme/pay/pulls"] = func(*http.Request) any {
		if first {
			first = false
			x.fetch("gitea", "acme/pay")
		}
		return []any{}
	}
	if _, err := sync.Run(t.Context(), x.config("gitea", "acme/pay")); !errors.Is(err, sync.ErrBusy) {
		t.Errorf("%v", err)
	}
	x.nothingIsWrong()
}

func TestTokenNeverShows(t *testing.T) {
	f := small()
	x := into(t, storagetest.SQLite(t), f.serve(t))
	c := x.config("gitea", "acme/pay")
	c.Place = "acme/none"
	_, err := sync.Run(t.Context(), c)
	if err == nil || strings.Contains(err.Error(), token) {
		t.Errorf("%v", err)
	}
	c.Token = ""
	if _, err := sync.Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("without a token: %v", err)
	}
	x.fetch("gitea", "acme/pay")
	marks, err := x.space.Bookmarks(t.Context())
	must(t, err)
	if text := fmt.Sprint(marks) + ingesttest.Told(t, x.space); strings.Contains(text, token) {
		t.Errorf("the store holds the token: %s", text)
	}
}

func TestCrookedPlacesAreRefused(t *testing.T) {
	x := into(t, storagetest.SQLite(t), "https://git.example")
	for _, c := range []struct{ system, place string }{
		{"cvs", "a/b"},
		{"gitea", "acme"},
		{"gitea", "acme/pay/more"},
		{"gitea", "acme/.."},
		{"github", "acme/pay?x=1"},
		{"github", "/pay"},
		{"gitlab", "acme/%2e%2e"},
		{"gitlab", "acme/pa y"},
		{"jira", `PAY" OR 1=1`},
		{"jira", ""},
	} {
		if _, err := sync.Run(t.Context(), x.config(c.system, c.place)); err == nil || !strings.Contains(err.Error(), "sync: ") {
			t.Errorf("%s %s: %v", c.system, c.place, err)
		}
	}
	c := x.config("jira", "PAY")
	c.Server = ""
	if _, err := sync.Run(t.Context(), c); err == nil {
		t.Error("which Jira?")
	}
}
