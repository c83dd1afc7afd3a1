package alert_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
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
	"github.com/stemma-dev/stemma/policy/alert"
	"github.com/stemma-dev/stemma/query/views"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

const (
	secret = "a-secret-between-us"
	path   = "/hooks/a-path-that-nobody-may-see"
)

// A hook takes what it is told, or answers as it is asked to.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(w http.ResponseWriter, r *http.Request) // nil: it takes it
	told   []alert.Message
}

func newHook(t *testing.T) *hook {
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		h.mu.Lock()
		answer := h.answer
		h.mu.Unlock()
		if answer != nil {
			answer(w, r)
			return
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); r.Header.Get(alert.Signature) != want || r.Method != http.MethodPost || r.URL.Path != path {
			t.Errorf("%s %s is signed %q, want %q", r.Method, r.URL.Path, r.Header.Get(alert.Signature), want)
		}
		var m alert.Message
		if err := json.Unmarshal(body, &m); err != nil {
			t.Error(err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.told = append(h.told, m)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) answers(answer func(w http.ResponseWriter, r *http.Request)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = answer
}

func code(n int) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, secret, n) }
}

// heard is what the hook was told since, a line for each.
func (h *hook) heard() (lines []string) {
	for _, m := range h.messages() {
		lines = append(lines, m.Rule+" "+m.State)
	}
	return lines
}

func (h *hook) messages() []alert.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	told := h.told
	h.told = nil
	return told
}

// A house is a space with alerts, whose clock goes on only when it is told.
type house struct {
	t      *testing.T
	space  *ingest.Space
	clock  time.Time
	log    bytes.Buffer
	alerts *alert.Alerter
}

const blocked = "rules: [{name: held, kind: changes, filter: 'blocked:true', above: 1, to: [team]}]\n"

func newHouse(t *testing.T, db *storage.DB, rules, address string) *house {
	t.Helper()
	h := &house{t: t, clock: noon}
	h.space = ingesttest.Must(t, db, func() time.Time { return h.clock })
	h.must(views.Ensure(t.Context(), db))
	h.alerts = h.another(rules, address)
	return h
}

// another is one more process on the same space.
func (h *house) another(rules, address string) *alert.Alerter {
	h.t.Helper()
	file, err := alert.Parse("alerts.yaml", []byte("receivers: [{name: team, webhook: '"+address+path+"'}]\n"+rules), noon)
	h.must(err)
	a, err := alert.Open(h.t.Context(), alert.Config{
		DB: h.space.DB, File: file, Secrets: map[string]string{"team": secret}, Now: func() time.Time { return h.clock }, Log: slog.New(slog.NewTextHandler(&h.log, nil)),
		Link: func(kind, filter string) string { return "https://stemma.acme.example/" + kind + "?q=" + filter },
	})
	h.must(err)
	return a
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) put(records ...ingest.Record) {
	h.t.Helper()
	for _, r := range records {
		f, err := r.Fact("test", stemma.GradeA)
		h.must(err)
		_, err = h.space.Ledger.Append(h.t.Context(), f)
		h.must(err)
	}
	_, err := h.space.Graph.Apply(h.t.Context(), h.space.Ledger)
	h.must(err)
}

// pass lets time go by and everything be done that is due.
func (h *house) pass(d time.Duration) {
	h.t.Helper()
	h.clock = h.clock.Add(d)
	h.must(h.alerts.Look(h.t.Context()))
	h.must(h.alerts.Send(h.t.Context()))
}

// judged states how changes stand by REV-01, from the first one on.
func (h *house) judged(states ...string) {
	h.t.Helper()
	for i, state := range states {
		c := change.Change{Repository: "repository:github.com/acme/pay", Number: i + 1, State: "merged", Merged: stemma.At(noon)}
		h.put(c, governance.Assessment{
			ID: governance.AssessmentRef(c.Ref()), Change: c.Ref(), Repository: c.Repository, Evaluated: stemma.At(h.clock), Merged: c.Merged, Trigger: "merge",
			Blocks: state == "fail", Findings: []governance.Finding{{Control: "REV-01", Version: 1, Severity: "high", Mode: "enforce", State: state, Blocks: state == "fail"}},
		})
	}
}

func (h *house) expect(hook *hook, about string, want ...string) {
	h.t.Helper()
	if got := hook.heard(); !slices.Equal(got, want) {
		h.t.Errorf("%s: told %q, want %q", about, got, want)
	}
}

func TestAnAlertFiresOnceRemindsAndIsOverOnce(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		hook := newHook(t)
		h := newHouse(t, open(), blocked, hook.URL)
		h.judged("fail", "pass", "unknown")
		h.pass(0)
		h.expect(hook, "one is not above one")
		h.judged("fail", "fail", "unknown")
		h.pass(time.Minute)
		h.expect(hook, "it is not looked at again so soon")
		h.pass(5 * time.Minute)
		told := hook.messages()
		if len(told) != 1 {
			t.Fatalf("told %+v", told)
		}
		m := told[0]
		if m.Rule != "held" || m.State != "firing" || *m.Value != 2 || *m.Above != 1 || !m.Since.Equal(h.clock) || m.Link != "https://stemma.acme.example/changes?q=blocked:true" ||
			m.Text != "stemma: held is firing, which is above 1: 2 of changes" {
			t.Errorf("%+v", m)
		}
		since := h.clock
		for range 10 {
			h.pass(5 * time.Minute)
		}
		h.expect(hook, "it lasts")
		h.pass(24 * time.Hour)
		h.expect(hook, "a day later", "held reminder")
		h.judged("pass")
		h.pass(5 * time.Minute)
		if told = hook.messages(); len(told) != 1 || told[0].State != "over" || !told[0].Since.Equal(since) || *told[0].Value != 1 {
			t.Errorf("told %+v", told)
		}
		h.pass(48 * time.Hour)
		h.expect(hook, "it is over")
	})
}

func TestWhatIsUnknownIsNoPartOfWhatPassesInAShare(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		hook := newHook(t)
		h := newHouse(t, open(), "rules: [{name: reviewed, kind: findings, filter: 'state:pass', of: 'control:REV-01', below: 66.7, to: [team]}]\n", hook.URL)
		h.pass(0)
		h.expect(hook, "there is no share of nothing")
		h.judged("pass", "pass", "unknown", "not-applicable", "waived")
		h.pass(5 * time.Minute)
		if told := hook.messages(); len(told) != 1 || *told[0].Value != 66.6 || !told[0].Share || !strings.Contains(told[0].Text, "66.6 % (2 of 3)") {
			t.Errorf("told %+v", told)
		}
		h.judged("pass", "pass", "pass")
		h.pass(5 * time.Minute)
		h.expect(hook, "it is known now", "reviewed over")
		list, err := h.alerts.Statuses(t.Context())
		h.must(err)
		if len(list) != 1 || list[0].Firing || list[0].Crossed || list[0].Value.String() != "100.0 % (3 of 3)" || !list[0].Looked.Equal(h.clock) {
			t.Errorf("%+v", list)
		}
	})
}

// TestAShareOfNothingEndsNoAlert: what fired is not taken for over because there is
// nothing left to measure.
func TestAShareOfNothingEndsNoAlert(t *testing.T) {
	hook := newHook(t)
	h := newHouse(t, storagetest.SQLite(t), "rules: [{name: reviewed, kind: findings, filter: 'state:pass', of: 'control:REV-01', below: 50, to: [team]}]\n", hook.URL)
	h.judged("fail")
	h.pass(0)
	h.expect(hook, "none passes", "reviewed firing")
	h.judged("not-applicable")
	h.pass(5 * time.Minute)
	h.expect(hook, "nothing is left")
	list, err := h.alerts.Statuses(t.Context())
	h.must(err)
	if !list[0].Firing || list[0].Measured || list[0].Value.String() != "none" {
		t.Errorf("%+v", list[0])
	}
}

func TestSeveralProcessesTellOnce(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		hook := newHook(t)
		h := newHouse(t, open(), blocked, hook.URL)
		h.judged("fail", "fail")
		processes := []*alert.Alerter{h.alerts, h.another(blocked, hook.URL), h.another(blocked, hook.URL)}
		var work sync.WaitGroup
		for _, a := range processes {
			work.Go(func() {
				for range 5 {
					if err := a.Look(t.Context()); err != nil {
						t.Error(err)
					}
					if err := a.Send(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		work.Wait()
		h.expect(hook, "three processes", "held firing")
	})
}

func TestAReceiverThatIsDownIsToldLaterAndOnlyTheLast(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		hook := newHook(t)
		hook.answers(code(http.StatusInternalServerError))
		h := newHouse(t, open(), blocked, hook.URL)
		h.judged("fail", "fail")
		for range 20 {
			h.pass(4 * time.Minute)
		}
		list, err := h.alerts.Statuses(t.Context())
		h.must(err)
		if w := list[0].Waiting; len(w) != 1 || w[0].Tries < 3 || !strings.Contains(w[0].Error, "answers 500") {
			t.Errorf("%+v", w)
		}
		h.judged("pass")
		h.pass(5 * time.Minute)
		hook.answers(nil)
		for range 4 {
			h.pass(5 * time.Minute)
		}
		h.expect(hook, "it is up again", "held over")
		if list, err = h.alerts.Statuses(t.Context()); err != nil || len(list[0].Waiting) > 0 {
			t.Errorf("%+v %v", list, err)
		}
		h.quiet()
	})
}

// quiet sees that no secret and no path of an address is in the log or in the tables.
func (h *house) quiet() {
	h.t.Helper()
	text := h.log.String()
	h.must(h.space.DB.Each(h.t.Context(), func(scan func(...any) error) error {
		var s string
		err := scan(&s)
		text += s
		return err
	}, `SELECT error || body FROM alert_message UNION ALL SELECT error FROM alert_rule`))
	for _, s := range []string{secret, path} {
		if strings.Contains(text, s) {
			h.t.Errorf("%q is told in %s", s, text)
		}
	}
}

// TestHostileReceiversAreHeldOff: none of them is told twice at once, followed or read to the end,
// and what is refused is tried once an hour.
func TestHostileReceiversAreHeldOff(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other host was told") }))
	defer other.Close()
	read := make(chan int, 10)
	for about, c := range map[string]struct {
		answer  func(w http.ResponseWriter, r *http.Request)
		refuses bool
		want    string
	}{
		"it leads elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/x?"+secret, http.StatusTemporaryRedirect)
		}, true, "answers 307 Temporary Redirect: it is not followed"},
		"it leads round": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, path, http.StatusPermanentRedirect) }, true, "answers 308"},
		"it refuses":     {code(http.StatusNotFound), true, "answers 404"},
		"it is busy":     {code(http.StatusTooManyRequests), false, "answers 429"},
		"it hangs up": {func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = c.Close()
			}
		}, false, "EOF"},
		"it says and says": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			n := 0
			for n < 1<<30 {
				k, err := w.Write(bytes.Repeat([]byte(secret), 1000))
				if n += k; err != nil {
					break
				}
			}
			read <- n
		}, false, "answers 502"},
		"its headers have no end": {func(w http.ResponseWriter, _ *http.Request) {
			for i := range 2000 {
				w.Header().Set(fmt.Sprint("X-", i), strings.Repeat(secret, 10))
			}
		}, false, "header"},
	} {
		t.Run(about, func(t *testing.T) {
			hook := newHook(t)
			hook.answers(c.answer)
			h := newHouse(t, storagetest.SQLite(t), blocked, hook.URL)
			h.judged("fail", "fail")
			h.pass(0)
			list, err := h.alerts.Statuses(t.Context())
			h.must(err)
			if w := list[0].Waiting; len(w) != 1 || w[0].Tries != 1 || !strings.Contains(w[0].Error, c.want) {
				t.Errorf("%+v", w)
			}
			hook.answers(nil)
			h.pass(50 * time.Minute)
			if got := hook.heard(); (len(got) == 0) != c.refuses {
				t.Errorf("within an hour it was told %q", got)
			}
			h.pass(20 * time.Minute)
			hook.heard()
			if list, err = h.alerts.Statuses(t.Context()); err != nil || len(list[0].Waiting) > 0 {
				t.Errorf("%+v %v", list, err)
			}
			h.quiet()
		})
	}
	if n := <-read; n > 64<<20 {
		t.Errorf("%d bytes of one answer were taken", n)
	}
}

// TestASlowReceiverHoldsUpNobody: while it is being told, rules are looked at, and another
// process leaves its message alone.
func TestASlowReceiverHoldsUpNobody(t *testing.T) {
	hook := newHook(t)
	begun, end := make(chan bool, 10), make(chan bool)
	hook.answers(func(http.ResponseWriter, *http.Request) { begun <- true; <-end })
	h := newHouse(t, storagetest.SQLite(t), blocked, hook.URL)
	second := h.another(blocked, hook.URL)
	h.judged("fail", "fail")
	h.must(h.alerts.Look(t.Context()))
	done := make(chan error)
	go func() { done <- h.alerts.Send(t.Context()) }()
	<-begun
	hook.answers(nil)
	h.must(second.Send(t.Context()))
	h.expect(hook, "it is being told")
	h.judged("pass")
	h.clock = h.clock.Add(5 * time.Minute)
	h.must(second.Look(t.Context())) // over, while "firing" is on its way
	close(end)
	h.must(<-done)
	h.must(second.Send(t.Context()))
	h.expect(hook, "what came meanwhile", "held over")
}

func TestAClockThatJumpsLosesNothing(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		hook := newHook(t)
		h := newHouse(t, open(), blocked, hook.URL)
		h.judged("fail", "fail")
		h.pass(365 * 24 * time.Hour) // it is a year ahead
		h.expect(hook, "ahead", "held firing")
		h.pass(-365 * 24 * time.Hour) // and is set right
		h.expect(hook, "nothing is told twice for that")
		list, err := h.alerts.Statuses(t.Context())
		h.must(err)
		if s := list[0]; !s.Firing || s.Since.After(h.clock) || !s.Looked.Equal(h.clock) {
			t.Errorf("%+v", s)
		}
		h.pass(24 * time.Hour)
		h.expect(hook, "a day later", "held reminder")
		h.judged("pass")
		h.pass(5 * time.Minute)
		h.expect(hook, "over", "held over")
		hook.answers(code(http.StatusBadGateway))
		h.judged("fail")
		h.pass(365 * 24 * time.Hour) // a try that fails puts the next one a year away
		hook.answers(nil)
		h.pass(-365 * 24 * time.Hour)
		h.expect(hook, "it is told all the same", "held firing")
	})
}

func TestARuleThatCannotBeMeasuredStandsAsItStood(t *testing.T) {
	hook := newHook(t)
	h := newHouse(t, storagetest.SQLite(t), blocked, hook.URL)
	h.judged("fail", "fail")
	h.pass(0)
	h.expect(hook, "two", "held firing")
	h.must(h.space.DB.Write(t.Context(), func(tx *storage.Tx) error {
		_, err := tx.Exec(t.Context(), `ALTER TABLE k_assessment RENAME TO k_lost`)
		return err
	}))
	h.clock = h.clock.Add(5 * time.Minute)
	if err := h.alerts.Look(t.Context()); err == nil || !strings.Contains(err.Error(), "held") {
		t.Errorf("no table, and it says %v", err)
	}
	h.must(h.alerts.Send(t.Context()))
	h.expect(hook, "nothing is known")
	list, err := h.alerts.Statuses(t.Context())
	h.must(err)
	if !list[0].Firing || list[0].Measured || list[0].Error == "" {
		t.Errorf("%+v", list[0])
	}
}

// TestExceptionsAreToldOfInTimeWithoutARule: when one comes to its end or was not looked
// at again in 48 hours, all that press are told, and again a day later.
func TestExceptionsAreToldOfInTimeWithoutARule(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		hook := newHook(t)
		h := newHouse(t, open(), "exceptions: [team]\n", hook.URL)
		exception := func(id string, until time.Duration) governance.Exception {
			return governance.Exception{
				ID: governance.ExceptionRef("REV-01", id), Control: "REV-01", Change: "change:github.com/acme/pay#7", Reason: "the site is down",
				Opened: stemma.At(noon), Approved: stemma.At(noon), Until: stemma.At(noon.Add(until)),
			}
		}
		short, long := exception("short", 30*time.Hour), exception("long", 240*time.Hour)
		h.put(short, long)
		listed := func(about string, state string, want ...string) {
			t.Helper()
			var got []string
			for _, m := range hook.messages() {
				for _, e := range m.Exceptions {
					got = append(got, fmt.Sprintf("%s %s %t", m.State, e.Exception, e.Overdue))
				}
			}
			for i, w := range want {
				want[i] = state + " exception:REV-01/" + w
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: told %q, want %q", about, got, want)
			}
		}
		h.pass(time.Hour)
		listed("nothing presses", "")
		h.pass(6 * time.Hour)
		listed("one ends in 23 hours", "firing", "short false")
		h.pass(time.Hour)
		listed("it was told", "")
		h.pass(20 * time.Hour)
		listed("still", "")
		h.pass(21 * time.Hour)
		listed("both are overdue", "firing", "short true", "long true")
		h.pass(24 * time.Hour)
		listed("a day later", "reminder", "short true", "long true")
		short.FollowedUp, long.Withdrawn = stemma.At(h.clock), stemma.At(h.clock)
		h.put(short, long)
		h.pass(24 * time.Hour)
		listed("both were looked at", "")
	})
}

func TestATestIsSentToThoseWhoWouldBeTold(t *testing.T) {
	hook := newHook(t)
	h := newHouse(t, storagetest.SQLite(t), blocked+"exceptions: [team]\n", hook.URL)
	for _, name := range []string{"held", "team", "exceptions"} {
		reached, err := h.alerts.Test(t.Context(), name)
		h.must(err)
		if !slices.Equal(reached, []string{"team"}) {
			t.Errorf("%s reached %q", name, reached)
		}
		h.expect(hook, name, name+" test")
	}
	if _, err := h.alerts.Test(t.Context(), "nobody"); err == nil {
		t.Error("nobody was told")
	}
	hook.answers(code(http.StatusForbidden))
	if reached, err := h.alerts.Test(t.Context(), "held"); err == nil || len(reached) > 0 || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), path) {
		t.Errorf("%v %q", err, reached)
	}
}
