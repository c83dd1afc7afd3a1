package hooks_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/hooks"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// children are processes that settle deliveries until they are killed.
var children = storagetest.Children{"settle": func(ctx context.Context, where string) error {
	dsn, bodies, _ := strings.Cut(where, "\n")
	db, err := storage.Open(ctx, dsn)
	if err != nil {
		return err
	}
	space, err := ingesttest.Open(ctx, db, bodies, time.Now)
	if err != nil {
		return err
	}
	h, err := open(ctx, space, time.Now, fmt.Sprint("child-", os.Getpid()), 200*time.Millisecond)
	if err != nil {
		return err
	}
	for {
		n, err := h.Settle(ctx)
		if err != nil && !errors.Is(err, context.DeadlineExceeded) { // the lease of this test is short
			return err
		}
		fmt.Println(n)
		time.Sleep(5 * time.Millisecond)
	}
}}

func TestMain(m *testing.M) { children.Main(m) }

func noon() time.Time { return time.Date(2026, 9, 15, 12, 0, 0, 0, time.UTC) }

const secret = "a secret of sixteen bytes and more"

func open(ctx context.Context, space *ingest.Space, now func() time.Time, holder string, lease time.Duration) (*hooks.Hooks, error) {
	box, err := inbox.Open(ctx, space.DB, now)
	if err != nil {
		return nil, err
	}
	return hooks.Open(ctx, hooks.Config{
		Space: space, Inbox: box, Now: now, Holder: holder, Lease: lease,
		Endpoints: []hooks.Endpoint{{Name: "github", System: "github", Secrets: [][]byte{[]byte("another secret of a sender"), []byte(secret)}}},
	})
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// A delivery is one as GitHub sends it.
type delivery struct{ id, event, body string }

func (d delivery) header() http.Header {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(d.body))
	return http.Header{
		"X-Github-Delivery": {d.id}, "X-Github-Event": {d.event}, "X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(mac.Sum(nil))},
	}
}

// deliveries are those of the tests of package github.
func deliveries(tb testing.TB) []delivery {
	tb.Helper()
	archive, err := txtar.ParseFile("../event/github/testdata/deliveries.txtar")
	must(tb, err)
	var list []delivery
	for i := 0; i+1 < len(archive.Files); i += 2 {
		event, _, _ := strings.Cut(archive.Files[i].Name, ": ")
		list = append(list, delivery{fmt.Sprint("d-", i), event, string(archive.Files[i].Data)})
	}
	if len(list) < 20 {
		tb.Fatalf("only %d deliveries", len(list))
	}
	return list
}

func send(tb testing.TB, h *hooks.Hooks, list ...delivery) {
	tb.Helper()
	for _, d := range list {
		_, err := h.Receive(tb.Context(), "github", d.header(), []byte(d.body))
		must(tb, err)
	}
}

func settle(tb testing.TB, h *hooks.Hooks) {
	tb.Helper()
	_, err := h.Settle(tb.Context())
	must(tb, err)
}

// ordered is what the graph says when all goes well, and of how many facts.
func ordered(tb testing.TB, list []delivery) (told string, facts int64) {
	tb.Helper()
	space := ingesttest.Must(tb, storagetest.SQLite(tb), noon)
	h, err := open(tb.Context(), space, noon, "one", time.Minute)
	must(tb, err)
	for _, d := range list {
		send(tb, h, d)
		settle(tb, h)
	}
	return ingesttest.Told(tb, space), ingesttest.Facts(tb, space)
}

func TestAnyOrderGivesTheSameGraph(t *testing.T) {
	list := deliveries(t)
	want, _ := ordered(t, list)
	if !strings.Contains(want, "change:github.com/acme/pay#142") {
		t.Fatalf("the graph says\n%s", want)
	}
	storagetest.Both(t, func(t *testing.T, openDB func() *storage.DB) {
		one := ingesttest.Must(t, openDB(), noon)
		two := ingesttest.Must(t, openDB(), noon)
		a, err := open(t.Context(), one, noon, "one", time.Minute)
		must(t, err)
		b, err := open(t.Context(), two, noon, "two", time.Minute)
		must(t, err)
		rng := rand.New(rand.NewPCG(3, 4))
		all := append(list[:len(list):len(list)], list...)
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for i, d := range all {
			if i%3 == 0 && !strings.Contains(d.body, `"pull_request": null`) { // what is refused has a gap for each name
				d.id += " again" // sent again by hand, under another name
			}
			send(t, []*hooks.Hooks{a, b}[i%2], d)
			if i%5 == 0 {
				settle(t, a)
				settle(t, b) // does nothing while the other one holds the lease
			}
		}
		settle(t, a)
		if got := ingesttest.Told(t, one); got != want {
			t.Errorf("the graph says\n%s\nwant\n%s", got, want)
		}
		must(t, one.Ledger.Verify(t.Context(), func(p ledger.Problem) { t.Error(p) }))
		must(t, one.Graph.Rebuild(t.Context(), one.Ledger))
		if got := ingesttest.Told(t, one); got != want {
			t.Error("derived anew, the graph says something else")
		}
		h, err := inboxOf(t, one).Health(t.Context())
		must(t, err)
		if h[0].Pending != 0 || h[0].Refused == 0 || h[0].Accepted+h[0].Repeated != int64(len(all)) {
			t.Errorf("%+v", h)
		}
	})
}

func inboxOf(tb testing.TB, s *ingest.Space) *inbox.Inbox {
	tb.Helper()
	b, err := inbox.Open(tb.Context(), s.DB, noon)
	must(tb, err)
	return b
}

func TestWhatIsTurnedAwayWhileAServerEndsIsCounted(t *testing.T) {
	space := ingesttest.Must(t, storagetest.SQLite(t), noon)
	h, err := open(t.Context(), space, noon, "one", time.Minute)
	must(t, err)
	for range 40 { // more than are kept with their bodies
		h.TurnAway("github", "no secret", 10)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := h.Flush(ended); err == nil {
		t.Error("it was written though the server had ended")
	}
	must(t, h.Flush(t.Context()))
	health, err := inboxOf(t, space).Health(t.Context())
	must(t, err)
	if health[0].Turned != 40 {
		t.Errorf("%d were counted", health[0].Turned)
	}
}

// Processes that settle are killed again and again while deliveries come.
func TestKilledProcessLosesAndDoublesNothing(t *testing.T) {
	list := slices.DeleteFunc(deliveries(t), func(d delivery) bool { // those of which only our clock tells since when
		return strings.HasPrefix(d.event, "member")
	})
	want, facts := ordered(t, list)
	for engine, dsn := range map[string]func(testing.TB) string{"sqlite": storagetest.SQLiteDSN, "postgres": storagetest.PostgresDSN} {
		t.Run(engine, func(t *testing.T) { killed(t, dsn(t), list, want, facts) })
	}
}

func killed(t *testing.T, dsn string, list []delivery, want string, facts int64) {
	bodies := t.TempDir()
	where := dsn + "\n" + bodies
	db, err := storage.Open(t.Context(), dsn)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	space, err := ingesttest.Open(t.Context(), db, bodies, time.Now)
	must(t, err)
	h, err := open(t.Context(), space, time.Now, "parent", time.Minute)
	must(t, err)
	rng := rand.New(rand.NewPCG(5, 6))
	for i := 0; i < len(list); {
		c := storagetest.Start(t, "settle", where)
		c.Line()
		for range 1 + rng.IntN(6) {
			if i < len(list) {
				send(t, h, list[i])
				i++
			}
		}
		time.Sleep(time.Duration(rng.IntN(40)) * time.Millisecond)
		must(t, c.Cmd.Process.Kill())
		_ = c.Cmd.Wait() // it was killed
	}
	for deadline := time.Now().Add(2 * time.Minute); ; {
		_, err := h.Settle(t.Context()) // nothing while the last of them holds the lease
		must(t, err)
		health, err := inboxOf(t, space).Health(t.Context())
		must(t, err)
		if health[0].Pending == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v", health)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if got := ingesttest.Told(t, space); got != want {
		t.Errorf("the graph says\n%s\nwant\n%s", got, want)
	}
	if n := ingesttest.Facts(t, space); n != facts {
		t.Errorf("there are %d facts, want %d", n, facts)
	}
}

// TestRestartOfTheDatabaseLosesAndDoublesNothing: senders send until they are told that a
// delivery is kept, in another order each, while the database fails again and again.
func TestRestartOfTheDatabaseLosesAndDoublesNothing(t *testing.T) {
	list := deliveries(t)
	want, _ := ordered(t, list)
	dsn, restart := storagetest.OwnPostgres(t)
	db, err := storage.Open(t.Context(), dsn)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	space := ingesttest.Must(t, db, noon)
	h, err := open(t.Context(), space, noon, "one", time.Minute)
	must(t, err)
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	box := inboxOf(t, space)
	var refused, accepted atomic.Int64
	var senders, settler sync.WaitGroup
	for n := range 3 {
		rng := rand.New(rand.NewPCG(uint64(n), 9))
		order := rng.Perm(len(list))
		senders.Go(func() {
			for _, i := range order {
				for ctx.Err() == nil {
					if _, err := h.Receive(ctx, "github", list[i].header(), []byte(list[i].body)); err == nil {
						accepted.Add(1)
						break
					}
					refused.Add(1)
					time.Sleep(5 * time.Millisecond)
				}
				time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
			}
		})
	}
	done := make(chan struct{})
	settler.Go(func() {
		for {
			_, err := h.Settle(ctx)
			health, failed := box.Health(ctx)
			select {
			case <-done:
				if err == nil && failed == nil && health[0].Pending == 0 || ctx.Err() != nil {
					return
				}
			case <-time.After(2 * time.Millisecond):
			}
		}
	})
	for range 3 {
		time.Sleep(100 * time.Millisecond)
		restart()
	}
	senders.Wait()
	close(done)
	settler.Wait()
	if err := ctx.Err(); err != nil {
		t.Fatal(err)
	}
	if accepted.Load() != int64(3*len(list)) || refused.Load() == 0 {
		t.Errorf("%d were accepted, %d refused", accepted.Load(), refused.Load())
	}
	if got := ingesttest.Told(t, space); got != want {
		t.Errorf("the graph says\n%s\nwant\n%s", got, want)
	}
	health, err := box.Health(t.Context())
	must(t, err)
	if health[0].Accepted != int64(len(list)) || health[0].Refused == 0 || health[0].Repeated < int64(2*len(list)) {
		t.Errorf("of %d deliveries, thrice each: %+v", len(list), health[0])
	}
	facts := ingesttest.Facts(t, space)
	for i := range list {
		list[i].id += " again"
	}
	send(t, h, list...)
	settle(t, h)
	if n := ingesttest.Facts(t, space); n != facts+health[0].Refused { // a gap is about a delivery
		t.Errorf("sent again, they made %d more facts", n-facts)
	}
	must(t, space.Ledger.Verify(t.Context(), func(p ledger.Problem) { t.Error(p) }))
}

func TestDoorIsShutToOthers(t *testing.T) {
	space := ingesttest.Must(t, storagetest.SQLite(t), noon)
	h, err := open(t.Context(), space, noon, "one", time.Minute)
	must(t, err)
	good := delivery{"d-1", "issues", `{"x":1}`}
	for _, c := range []struct {
		about, name string
		header      http.Header
		body        string
		want        error
	}{
		{"another source", "gitlab", good.header(), good.body, hooks.ErrUnknown},
		{"unsigned", "github", http.Header{"X-Github-Event": {"issues"}}, good.body, hooks.ErrUnsigned},
		{"changed", "github", good.header(), good.body + " ", hooks.ErrUnsigned},
		{"no JSON", "github", delivery{"d-2", "issues", "payload=%7B"}.header(), "payload=%7B", hooks.ErrUnreadable},
		{"deep", "github", delivery{"d-3", "issues", strings.Repeat("[", 9000)}.header(), strings.Repeat("[", 9000), hooks.ErrUnreadable},
	} {
		_, err := h.Receive(t.Context(), c.name, c.header, []byte(c.body))
		if !errors.Is(err, c.want) || strings.Contains(fmt.Sprint(err), secret) {
			t.Errorf("%s: %v, want %v", c.about, err, c.want)
		}
	}
	for range 500 { // a flood
		_, _ = h.Receive(t.Context(), "github", http.Header{}, []byte("x"))
	}
	h.TurnAway("github", "too large", 1<<30)
	must(t, h.Flush(t.Context()))
	box := inboxOf(t, space)
	health, err := box.Health(t.Context())
	must(t, err)
	kept, err := box.TurnedAway(t.Context(), 1000)
	must(t, err)
	if health[0].Turned != 505 || health[0].Accepted != 0 || len(kept) > inbox.MaxTurned || len(kept) < 5 {
		t.Errorf("%+v, %d kept", health, len(kept))
	}
}

func TestDeadLetterIsReadAfterAFix(t *testing.T) {
	space := ingesttest.Must(t, storagetest.SQLite(t), noon)
	h, err := open(t.Context(), space, noon, "one", time.Minute)
	must(t, err)
	// A pull request without a number is refused, and what else it tells is kept.
	send(t, h, delivery{"d-1", "pull_request", `{"action":"opened","repository":{"html_url":"https://github.com/acme/pay"},"pull_request":{}}`})
	settle(t, h)
	box := inboxOf(t, space)
	letters, err := box.Letters(t.Context(), 10)
	must(t, err)
	if len(letters) != 1 || !strings.Contains(letters[0].Reason, "pull_request.number") {
		t.Fatalf("%+v", letters)
	}
	told := ingesttest.Told(t, space)
	if !strings.Contains(told, "repository:github.com/acme/pay") || !strings.Contains(told, "delivery d-1") {
		t.Errorf("the graph says\n%s", told)
	}
	// The fix: what was sent is another thing now.
	must(t, space.DB.Write(t.Context(), func(tx *storage.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE inbox SET packed = 0, raw = $1", []byte(`{"action":"opened","repository":{"html_url":"https://github.com/acme/pay"},"pull_request":{"number":3}}`))
		return err
	}))
	n, err := box.Replay(t.Context(), 0)
	must(t, err)
	settle(t, h)
	told = ingesttest.Told(t, space)
	gap := stemma.Gap{Source: "github", Place: "delivery d-1", Reason: letters[0].Reason}.Ref()
	if n != 1 || !strings.Contains(told, "change:github.com/acme/pay#3") || !strings.Contains(told, string(gap)) {
		t.Errorf("the graph says\n%s", told)
	}
	open, _, err := space.OpenGaps(t.Context(), "")
	must(t, err)
	if letters, err = box.Letters(t.Context(), 10); err != nil || len(letters) != 0 || len(open) != 0 {
		t.Errorf("%+v, %v, %v", letters, open, err)
	}
}

func TestCrookedEndpointsAreRefused(t *testing.T) {
	space := ingesttest.Must(t, storagetest.SQLite(t), noon)
	good := hooks.Endpoint{Name: "github", System: "github", Secrets: [][]byte{[]byte(secret)}}
	for about, list := range map[string][]hooks.Endpoint{
		"unknown system": {{Name: "x", System: "cvs", Secrets: good.Secrets}}, "no secret": {{Name: "github", System: "github"}},
		"short secret": {{Name: "github", System: "github", Secrets: [][]byte{[]byte("short")}}}, "twice": {good, good},
		"a host with a path":  {{Name: "github", System: "github", Host: "ghe.acme.example/x", Secrets: good.Secrets}},
		"a name with a slash": {{Name: "a/b", System: "github", Secrets: good.Secrets}},
	} {
		if _, err := hooks.Open(t.Context(), hooks.Config{Space: space, Inbox: inboxOf(t, space), Now: noon, Endpoints: list}); err == nil {
			t.Errorf("%s: opened", about)
		}
	}
}
