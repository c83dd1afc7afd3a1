package listing_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/ingest/sync/api"
	"github.com/stemma-dev/stemma/ingest/sync/listing"
)

func noon() time.Time { return time.Date(2026, 9, 15, 12, 0, 0, 0, time.UTC) }

// A thing is what the system of these tests lists.
type thing struct {
	ID      int       `json:"id"`
	Changed time.Time `json:"changed"`
}

// A shelf lists things, two a page, those first that changed last.
type shelf struct {
	things []thing
	asked  []string // queries
	tags   bool
	fail   func(asked int) int // the status of an answer that is none
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.URL.RawQuery)
	if s.fail != nil {
		if code := s.fail(len(s.asked)); code != 0 {
			w.WriteHeader(code)
			return
		}
	}
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	page = max(page, 1)
	sorted := slices.Clone(s.things)
	slices.SortStableFunc(sorted, func(a, b thing) int { return b.Changed.Compare(a.Changed) })
	from, to := min(2*(page-1), len(sorted)), min(2*page, len(sorted))
	text, _ := json.Marshal(append([]thing{}, sorted[from:to]...)) // things are plain
	if s.tags {
		tag := strconv.Quote(fmt.Sprint(len(text), sorted[0]))
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if to < len(sorted) {
		w.Header().Set("Link", fmt.Sprintf(`<https://elsewhere.example/things?page=%d>; rel="next"`, page+1))
	}
	_, _ = w.Write(text)
}

// list is the listing of a shelf.
func list(overlap time.Duration) listing.List {
	return listing.List{
		Name: "things", Path: "/things", Changed: []string{"changed"}, Newest: true, Overlap: overlap,
		Read: listing.Each(func(_ context.Context, clerk *listing.Clerk, item event.Value) error {
			clerk.Tell("thing", map[string]any{"thing": item, "action": clerk.Action(item.At("changed"))})
			return nil
		}),
	}
}

// A walker walks a shelf again and again.
type walker struct {
	t     *testing.T
	clerk *listing.Clerk
	place listing.Place
	pages int
	stop  int // after that many pages, if not 0
}

var errStop = errors.New("stopped")

func walk(t *testing.T, s *shelf) *walker {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	x, err := api.Open(api.Config{Base: server.URL, Now: noon, Sleep: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return &walker{t: t, clerk: listing.NewClerk(x, noon)}
}

// found walks and gives the ids of what was told.
func (w *walker) found(l listing.List) (ids []int, err error) {
	w.t.Helper()
	w.pages = 0
	err = listing.Walk(w.t.Context(), w.clerk, l, w.place, func(p listing.Page) error {
		if w.stop > 0 && w.pages == w.stop {
			return errStop
		}
		w.pages++
		for _, d := range p.Deliveries {
			v, err := event.Parse(d.Body)
			if err != nil {
				return err
			}
			ids = append(ids, int(v.At("thing", "id").Int()))
		}
		w.place = p.Place
		return nil
	})
	return ids, err
}

func (w *walker) must(l listing.List, want ...int) {
	w.t.Helper()
	got, err := w.found(l)
	if err != nil || !slices.Equal(got, want) {
		w.t.Errorf("found %v, %v, want %v", got, err, want)
	}
}

func five() *shelf {
	s := &shelf{}
	for i := 1; i <= 5; i++ {
		s.things = append(s.things, thing{i, noon().Add(time.Duration(i-10) * time.Hour)})
	}
	return s
}

func TestOnlyWhatChangedIsReadAgain(t *testing.T) {
	s := five()
	w := walk(t, s)
	w.must(list(0), 5, 4, 3, 2, 1)
	w.must(list(0), 5) // it may have changed again within its second
	s.things[0].Changed = noon().Add(-time.Hour)
	s.things = append(s.things, thing{6, noon().Add(-2 * time.Hour)})
	w.must(list(0), 1, 6, 5)
	if w.pages != 2 {
		t.Errorf("%d pages were read", w.pages)
	}
	w.must(list(4*time.Hour), 1, 6, 5)
	w.must(list(5*time.Hour), 1, 6, 5, 4)
}

func TestBrokenOffWalkGoesOn(t *testing.T) {
	s := five()
	w := walk(t, s)
	w.stop = 1
	if got, err := w.found(list(0)); !errors.Is(err, errStop) || !slices.Equal(got, []int{5, 4}) {
		t.Fatalf("%v, %v", got, err)
	}
	// Meanwhile one that was not read yet goes to the front, and a new one comes.
	s.things[0].Changed = noon().Add(-30 * time.Minute)
	s.things = append(s.things, thing{6, noon().Add(-20 * time.Minute)})
	w.stop = 0
	w.must(list(0), 5, 4, 3, 2)
	w.must(list(0), 6, 1, 5) // which are not lost
}

func TestPageThatIsGoneIsNoEnd(t *testing.T) {
	s := five()
	w := walk(t, s)
	w.stop = 2
	if _, err := w.found(list(0)); !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	w.stop = 0
	s.asked, s.fail = nil, func(asked int) int {
		if asked == 1 {
			return http.StatusGone
		}
		return 0
	}
	w.must(list(0), 5, 4, 3, 2, 1)
}

func TestUnchangedListingCostsOneQuestion(t *testing.T) {
	s := five()
	s.tags = true
	w := walk(t, s)
	w.must(list(0), 5, 4, 3, 2, 1)
	s.asked = nil
	w.must(list(0))
	if len(s.asked) != 1 {
		t.Errorf("asked %q", s.asked)
	}
	s.things[2].Changed = noon()
	w.must(list(0), 3, 5)
}

func TestWhatIsBelowIsReadThoughTheListingIsUnchanged(t *testing.T) {
	s := five()
	s.tags = true
	w := walk(t, s)
	l := list(2 * time.Hour)
	l.Below = true
	w.must(l, 5, 4, 3, 2, 1)
	w.must(l, 5, 4, 3)
}

func TestClockThatIsAheadHidesNothing(t *testing.T) {
	s := five()
	s.things[0].Changed = noon().Add(90 * 24 * time.Hour)
	w := walk(t, s)
	w.must(list(0), 1, 5, 4, 3, 2)
	s.things = append(s.things, thing{6, noon().Add(-time.Minute)})
	w.must(list(0), 1, 6, 5)
}

// Where the order says nothing about changes, a first page that is unchanged says nothing
// about the others.
func TestUnorderedListingIsReadWhole(t *testing.T) {
	s := five()
	s.tags = true
	w := walk(t, s)
	l := list(0)
	l.Newest = false
	w.must(l, 5, 4, 3, 2, 1)
	w.must(l, 5, 4, 3, 2, 1)
}

func TestTimeIsAskedFor(t *testing.T) {
	s := five()
	w := walk(t, s)
	l := list(time.Hour)
	l.Query = func(since time.Time) url.Values {
		if since.IsZero() {
			return nil
		}
		return url.Values{"since": {since.Format(time.RFC3339)}}
	}
	w.must(l, 5, 4, 3, 2, 1)
	s.asked = nil
	w.must(l, 5, 4)
	if want := "since=2026-09-15T06%3A00%3A00Z"; len(s.asked) == 0 || s.asked[0] != want {
		t.Errorf("asked %q, want %q", s.asked, want)
	}
}

func TestEndlessListingIsRefused(t *testing.T) {
	w := walk(t, five())
	l := list(0)
	l.Query = func(time.Time) url.Values { return url.Values{"page": {"1"}} }
	l.Next = func(_ event.Value, asked url.Values) url.Values { return asked }
	if _, err := w.found(l); err == nil || !strings.Contains(err.Error(), "names itself") {
		t.Errorf("%v", err)
	}
}

func TestFailedPageKeepsThePlace(t *testing.T) {
	s := five()
	w := walk(t, s)
	s.fail = func(asked int) int {
		if asked >= 2 && asked < 8 {
			return http.StatusBadGateway
		}
		return 0
	}
	if got, err := w.found(list(0)); err == nil || !slices.Equal(got, []int{5, 4}) {
		t.Fatalf("%v, %v", got, err)
	}
	w.must(list(0), 3, 2, 1)
}

// What changed within the last moments may change once more within the same second of
// the system's clock: it is not said to be the last word.
func TestFreshChangeIsNotTheLastWord(t *testing.T) {
	w := walk(t, &shelf{things: []thing{{1, noon().Add(-time.Second)}, {2, noon().Add(-time.Minute)}}})
	var actions []string
	err := listing.Walk(t.Context(), w.clerk, list(0), listing.Place{}, func(p listing.Page) error {
		for _, d := range p.Deliveries {
			v, err := event.Parse(d.Body)
			actions = append(actions, v.At("action").Name())
			if err != nil {
				return err
			}
		}
		return nil
	})
	if want := []string{"", event.Synced}; err != nil || !slices.Equal(actions, want) {
		t.Errorf("%q, %v, want %q", actions, err, want)
	}
}

// After finds what follows the items of a page, wherever it is.
func TestItemAfterThePageIsFound(t *testing.T) {
	s := five()
	w := walk(t, s)
	l := list(0)
	var after []int64
	l.Read = func(ctx context.Context, clerk *listing.Clerk, _ []event.Value) error {
		list, err := clerk.After(ctx)
		list = append(list, event.Value{})
		after = append(after, list[0].At("id").Int())
		return err
	}
	w.must(l)
	s.things = append(s.things, thing{6, noon()})
	w.must(l)
	if want := []int64{3, 1, 0, 4}; !slices.Equal(after, want) {
		t.Errorf("after the pages came %v, want %v", after, want)
	}
}

func TestBelowAnItemAllPagesAreRead(t *testing.T) {
	s := five()
	w := walk(t, s)
	all, err := w.clerk.All(t.Context(), "/things?state=all")
	if err != nil || len(all) != 5 {
		t.Errorf("%d items, %v", len(all), err)
	}
	s.fail = func(int) int { return http.StatusNotFound }
	if all, err := w.clerk.All(t.Context(), "/things"); err != nil || len(all) != 0 {
		t.Errorf("of what is switched off: %d items, %v", len(all), err)
	}
}

func FuzzWalk(f *testing.F) {
	f.Add([]byte(`[{"id":1,"changed":"2026-09-15T10:00:00Z"}]`), "page=2")
	f.Add([]byte(`{"items":[]}`), "")
	f.Add([]byte(`[[[`), "%zz")
	f.Fuzz(func(t *testing.T, body []byte, next string) {
		n := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if n++; n == 1 && !strings.ContainsAny(next, "\r\n>") {
				w.Header().Set("Link", `<https://x.example/?`+next+`>; rel="next"`)
			}
			_, _ = w.Write(body)
		}))
		defer server.Close()
		x, err := api.Open(api.Config{Base: server.URL, Now: noon, Sleep: func(context.Context, time.Duration) error { return nil }})
		if err != nil {
			t.Fatal(err)
		}
		w := &walker{t: t, clerk: listing.NewClerk(x, noon)}
		_, _ = w.found(list(0)) // which may be refused
		if w.place.Next != "" && n > 1 {
			t.Errorf("after the last page there is another: %+v", w.place)
		}
	})
}
