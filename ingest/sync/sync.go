// Package sync fetches from the interfaces of forges and trackers what their webhooks did
// not tell: they get lost, and tell nothing of before they were set up.
//
// What is fetched becomes deliveries in the words of webhooks, see package listing. Those
// that say something new go into the inbox as what was sent does, and become facts by the
// same way; the others are counted. So a fetch states nothing itself, may run beside a
// server, and says what was missing.
//
// How far each listing of a place was read stands in a bookmark of [ingest.SyncPrefix] and
// the place. It moves after a page is safe: a fetch that was broken off goes on there, and
// the next one asks for what changed since.
package sync

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/ingest/event/system"
	"github.com/stemma-dev/stemma/ingest/hooks"
	"github.com/stemma-dev/stemma/ingest/sync/api"
	"github.com/stemma-dev/stemma/ingest/sync/listing"
)

// maxMissing is how many of the things that were missing are remembered by name.
const maxMissing = 200

// maxPartly bounds what is said of what could not be read of one listing.
const maxPartly = 1000

// A Config says what is fetched and where it goes.
type Config struct {
	Space    *ingest.Space
	Inbox    *inbox.Inbox
	Now      func() time.Time
	Log      *slog.Logger // nil drops what it is told
	System   string       // github, gitlab, gitea, forgejo, jira
	Server   string       // "https://git.example"; "" for the one that everybody knows
	Web      string       // where it says that it is browsed, if that is elsewhere
	Place    string       // "acme/pay"
	Token    string
	Whole    bool   // read all again, not only what changed
	Holder   string // names this process among those that make facts
	Progress func(stage string, done, total int64)
	Sleep    func(ctx context.Context, d time.Duration) error
}

// A fetch is one that is under way.
type fetch struct {
	Config
	system system.System
	source string     // in the inbox
	home   event.Home // of what is asked for
	clerk  *listing.Clerk
	hooks  *hooks.Hooks

	bookmark string
	was      string // what the bookmark says
	state    state
	seen     map[stemma.Ref]bool // what was missing, by this fetch
}

// state is what a bookmark says.
type state struct {
	Lists map[string]listing.Place `json:"lists"`
	Last  ingest.Synced            `json:"last"`
}

// ErrBusy says that the place is fetched by another process.
var ErrBusy = errors.New("another process is fetching the same")

// Run fetches a place and says what was missing. If it fails, what was read until then is
// kept, and the answer tells of it.
func Run(ctx context.Context, c Config) (s ingest.Synced, err error) {
	f, err := begin(ctx, c)
	if err != nil {
		return ingest.Synced{}, err
	}
	defer func() { err = errors.Join(err, f.end(ctx)) }()
	lists, err := sources[c.System].lists(ctx, f.clerk, c.Place)
	if err != nil {
		return ingest.Synced{}, f.explain(err)
	}
	for _, l := range lists {
		if err := f.list(ctx, l); err != nil {
			return f.state.Last, f.explain(fmt.Errorf("sync: %s of %s: %w", l.Name, c.Place, err))
		}
	}
	f.state.Last.Ended = c.Now().UTC()
	return f.state.Last, f.move(ctx)
}

// begin opens what a fetch needs and finds where the last one ended.
func begin(ctx context.Context, c Config) (*fetch, error) {
	from, ok := sources[c.System]
	switch {
	case !ok:
		return nil, stemma.WithHint(fmt.Errorf("sync: nothing is known to fetch from %.40q", c.System), "there are %s", strings.Join(Systems(), ", "))
	case !from.check(c.Place):
		return nil, stemma.WithHint(fmt.Errorf("sync: %.100q is no place of %s", c.Place, c.System), "write it as %s", from.example)
	case c.Server == "" && from.needsServer:
		return nil, stemma.WithHint(fmt.Errorf("sync: it is not said which %s", c.System), "name it with --url https://…")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	f := &fetch{Config: c, source: c.System + "-sync", seen: map[stemma.Ref]bool{}}
	f.system, _ = system.Find(c.System)
	f.home = event.HomeOf(strings.TrimSuffix(cmp.Or(c.Web, from.web(c.Server)), "/") + "/" + c.Place)
	client, err := api.Open(api.Config{
		Base: from.base(c.Server), Header: from.header(c.Token), Secret: c.Token, Now: c.Now, Sleep: c.Sleep, Wait: f.waits,
	})
	if err != nil {
		return nil, err
	}
	f.clerk = listing.NewClerk(client, c.Now)
	if err := c.Inbox.Register(ctx, f.source, c.System); err != nil {
		return nil, err
	}
	if f.hooks, err = hooks.Open(ctx, hooks.Config{Space: c.Space, Inbox: c.Inbox, Now: c.Now, Log: c.Log, Holder: c.Holder}); err != nil {
		return nil, err
	}
	place := client.Host() + "/" + strings.ToLower(c.Place)
	f.bookmark = ingest.SyncPrefix + c.System + ":" + place
	if err := f.settled(ctx); err != nil { // what webhooks told and waits is not missing
		return nil, err
	}
	return f, f.resume(ctx, place)
}

// end lets others make facts at once, also if the fetch was broken off.
func (f *fetch) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return f.Inbox.Release(ctx, f.Holder)
}

// settle makes facts of what waits, unless another process does.
func (f *fetch) settle(ctx context.Context) error {
	_, err := f.hooks.Settle(ctx)
	return err
}

// How long a process that makes facts is waited for while it gets on with none.
const (
	turn  = 100 * time.Millisecond
	turns = 50
)

// settled waits until what waits became facts, here or by the process that has the lease; not
// for what nobody makes facts of.
func (f *fetch) settled(ctx context.Context) error {
	for first, idle := int64(0), 0; idle < turns; idle++ {
		if err := f.settle(ctx); err != nil {
			return err
		}
		waiting, err := f.Inbox.Pending(ctx, 0)
		if err != nil || len(waiting) == 0 {
			return err
		}
		if waiting[0].ID != first {
			first, idle = waiting[0].ID, 0
		}
		if err := f.Sleep(ctx, turn); err != nil {
			return err
		}
	}
	return nil
}

// resume finds where the last fetch ended.
func (f *fetch) resume(ctx context.Context, place string) error {
	mark, err := f.Space.Bookmark(ctx, f.bookmark)
	if err != nil {
		return err
	}
	f.was = mark.State
	if f.was != "" && json.Unmarshal([]byte(f.was), &f.state) != nil {
		f.state = state{} // of another version: all is read again
	}
	if f.state.Lists == nil || f.Whole {
		f.state.Lists = map[string]listing.Place{}
	}
	f.state.Last = ingest.Synced{System: f.System, Place: place, Began: f.Now().UTC()}
	return nil
}

// waits says that the system wants to be left alone for a while.
func (f *fetch) waits(until time.Time, why string) {
	f.Log.Warn("waiting", "until", until.UTC().Format(time.RFC3339), "why", why)
}

// explain adds what to do about an error that the token is to blame for.
func (f *fetch) explain(err error) error {
	var status *api.StatusError
	switch {
	case !errors.As(err, &status):
		return err
	case status.Limited:
		return stemma.WithHint(err, "too much was asked of it: say the same command again later, it goes on where it is")
	case status.Code == 401:
		return stemma.WithHint(err, "the token is missing, wrong or too old: see docs/sources.md for what it has to be allowed")
	case status.Code == 403 || status.Code == 404:
		return stemma.WithHint(err, "there is no such place, or the token may not read it")
	}
	return err
}

// list reads one listing.
func (f *fetch) list(ctx context.Context, l listing.List) error {
	f.state.Last.Lists = append(f.state.Last.Lists, ingest.SyncedList{Name: l.Name})
	at := &f.state.Last.Lists[len(f.state.Last.Lists)-1]
	err := listing.Walk(ctx, f.clerk, l, f.state.Lists[l.Name], func(p listing.Page) error {
		if err := f.page(ctx, at, p.Deliveries); err != nil {
			return err
		}
		f.Progress(l.Name, at.Looked, 0)
		partly(at, f.clerk.Partly())
		f.state.Lists[l.Name] = p.Place
		return f.move(ctx)
	})
	if listing.Missing(err) { // it is switched off, or the token may not read it
		at.Skipped = err.Error()
		return nil
	}
	return err
}

// partly adds what of a listing could not be read to what is said of it.
func partly(at *ingest.SyncedList, unread map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(unread)) {
		if !strings.Contains(at.Partly, name+": ") {
			at.Partly = stemma.CleanText(strings.TrimPrefix(at.Partly+"; "+name+": "+unread[name], "; "), maxPartly)
		}
	}
}

// page takes in what a page says.
func (f *fetch) page(ctx context.Context, at *ingest.SyncedList, page []event.Delivery) error {
	fresh, err := f.fresh(ctx, at, page)
	if err != nil || len(fresh) == 0 {
		return err
	}
	for _, d := range fresh {
		if _, _, err := f.Inbox.Accept(ctx, d); err != nil {
			return err
		}
	}
	return f.settle(ctx)
}

// fresh are those deliveries of a page that say something new, or cannot be read, as the
// inbox keeps them.
func (f *fetch) fresh(ctx context.Context, at *ingest.SyncedList, page []event.Delivery) ([]inbox.Delivery, error) {
	var facts []stemma.Fact
	var of []int // the delivery of each fact
	all := make([]inbox.Delivery, len(page))
	keep := make([]bool, len(page))
	for i, d := range page {
		sum := sha256.Sum256(d.Body)
		all[i] = inbox.Delivery{
			Source: f.source, Key: "sync:" + d.Event + ":" + hex.EncodeToString(sum[:]), Event: d.Event, Grade: stemma.GradeA, Raw: d.Body, Received: f.Now(),
		}
		r := hooks.Read(f.system, all[i], f.who)
		if err := f.asked(r.Homes); err != nil {
			return nil, err
		}
		keep[i] = r.Outcome.Refused
		for _, fact := range r.Facts {
			facts, of = append(facts, fact), append(of, i)
		}
	}
	news, err := f.Space.News(ctx, facts...)
	if err != nil {
		return nil, err
	}
	at.Looked += int64(len(page))
	f.state.Last.Looked += int64(len(page))
	for i, what := range news {
		if what != ingest.Known {
			keep[of[i]] = true
			f.missed(at, facts[i], what)
		}
	}
	var fresh []inbox.Delivery
	for i, d := range all {
		if keep[i] {
			fresh = append(fresh, d)
		}
	}
	return fresh, nil
}

// asked is an error if an answer speaks of another place than was asked for: nobody but
// the asked host vouches for what it says, and for its own places only.
func (f *fetch) asked(homes []event.Home) error {
	for _, home := range homes {
		if home == f.home {
			continue
		}
		err := fmt.Errorf("asked for %s/%s, it speaks of %.100s/%.300s", f.home.Host, f.home.Name, home.Host, home.Name)
		if home.Host != f.home.Host {
			return stemma.WithHint(err, "if the server is browsed there, say --web https://…")
		}
		return stemma.WithHint(err, "if it has moved, ask for it by its new name")
	}
	return nil
}

func (f *fetch) who(a event.Account) stemma.Ref {
	return f.Space.Pseudonym(ingest.Account{Host: a.Host, ID: a.ID, Login: a.Login, Name: a.Name, Mail: a.Mail})
}

// missed counts something that had not been told.
func (f *fetch) missed(at *ingest.SyncedList, fact stemma.Fact, what ingest.Novelty) {
	if f.seen[fact.Subject] {
		return
	}
	f.seen[fact.Subject] = true
	at.Missing++
	why := "different"
	if what == ingest.Absent {
		why = "absent"
		f.state.Last.Absent++
	} else {
		f.state.Last.Different++
	}
	if len(f.state.Last.Missing) < maxMissing {
		f.state.Last.Missing = append(f.state.Last.Missing, ingest.SyncedRef{Ref: string(fact.Subject), Why: why})
	}
}

// move writes down how far the fetch is.
func (f *fetch) move(ctx context.Context) error {
	to, err := json.Marshal(f.state)
	if err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	moved, err := f.Space.MoveBookmark(ctx, ingest.Move{Source: f.bookmark, From: f.was, To: string(to), Now: f.Now()})
	if err == nil && !moved {
		err = stemma.WithHint(fmt.Errorf("sync: %s: %w", f.Place, ErrBusy), "say the same command again when it has ended")
	}
	f.was = string(to)
	return err
}

// Systems lists those that can be fetched from.
func Systems() []string {
	var names []string
	for name := range sources {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
