// Package listing walks the listings of a system's interface: page by page, from where
// the last walk ended, or from the page at which it was broken off.
//
// What is found becomes deliveries in the system's own words, those of its webhooks, so
// that one reader reads both; see package event. The package knows no system and no
// store.
package listing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/ingest/sync/api"
)

const (
	maxPages = 100_000 // of one listing: a system that always names a next page is ill
	maxBelow = 1000    // likewise, of a listing below an item

	// fresh is how long ago a change must be for what is fetched to be the last word: a
	// clock of whole seconds does not tell what came after within its second.
	fresh = 2 * time.Second
)

// A List is one listing.
type List struct {
	Name string
	Path string
	// Query asks for what changed since a time, or for all since the zero time.
	Query func(since time.Time) url.Values
	Items []string // where the items lie in an answer; none if it is a list of them
	// Changed is the member that says when an item changed last, or since when it is
	// there. Without one the whole listing is read every time.
	Changed []string
	// Newest says that the listing begins with what changed last, so that a walk may
	// end where the one before began.
	Newest bool
	// Overlap is how long items may change after the time that Changed tells.
	Overlap time.Duration
	// Below says that there is more below the items, which may change while the listing
	// says that it is unchanged.
	Below bool
	// Next is the query of the next page, where no header tells it.
	Next func(answer event.Value, asked url.Values) url.Values
	// Read has the clerk tell the items of a page; those that the last walk saw are not
	// among them.
	Read func(ctx context.Context, clerk *Clerk, page []event.Value) error
}

// Pages is a [List.Query] that asks for large pages, in a certain way, whatever changed.
func Pages(params ...string) func(time.Time) url.Values {
	return func(time.Time) url.Values {
		q := url.Values{"per_page": {"100"}}
		for i := 0; i+1 < len(params); i += 2 {
			q.Set(params[i], params[i+1])
		}
		return q
	}
}

// A Place is how far a listing was walked.
type Place struct {
	Since  time.Time `json:"since,omitzero"`   // whatever changed until then was read
	Next   string    `json:"next,omitempty"`   // the query of the page with which an unfinished walk goes on
	High   time.Time `json:"high,omitzero"`    // the last change that an unfinished walk saw
	ETag   string    `json:"etag,omitempty"`   // of the first page
	Tagged string    `json:"tagged,omitempty"` // the query that had it
}

// A Page is what became of one page.
type Page struct {
	Deliveries []event.Delivery
	Place      Place // from here on, once they are kept
	Unchanged  bool  // there is nothing new, and that was all that was said
}

// Walk walks a listing from a place to its end and gives what it finds to take.
func Walk(ctx context.Context, clerk *Clerk, l List, from Place, take func(Page) error) error {
	resumed := from.Next != ""
	for n := 0; ; n++ {
		if n == maxPages {
			return fmt.Errorf("listing: %s: there is no end to its pages", l.Name)
		}
		page, err := l.page(ctx, clerk, from)
		if resumed && n == 0 && outdated(err) { // it was too long ago: from the beginning
			from.Next, resumed, n = "", false, -1
			continue
		}
		if err != nil {
			return err
		}
		if err := take(page); err != nil {
			return err
		}
		if from = page.Place; from.Next == "" {
			return nil
		}
	}
}

// outdated reports whether an error says that the page is none any more.
func outdated(err error) bool {
	var status *api.StatusError
	return Gone(err) || errors.As(err, &status) && (status.Code == http.StatusBadRequest || status.Code == http.StatusUnprocessableEntity)
}

// page reads the page that a place leads to.
func (l List) page(ctx context.Context, clerk *Clerk, from Place) (Page, error) {
	query, etag := from.Next, ""
	if query == "" {
		query = l.query(from).Encode()
		if l.Newest && !l.Below && from.Tagged == query { // an unchanged first page tells of the others
			etag = from.ETag
		}
	}
	a, err := clerk.client.Get(ctx, l.Path+"?"+query, etag)
	if err != nil {
		return Page{}, err
	}
	if a.Unchanged {
		return Page{Place: from, Unchanged: true}, nil
	}
	to := from
	if from.Next == "" {
		to.High, to.ETag, to.Tagged = time.Time{}, a.ETag, query
	}
	items, seen := l.unread(a.Value.At(l.Items...), &to, clerk.now())
	p := Page{Place: to}
	if p.Place.Next = l.next(a, query); p.Place.Next == query && query != "" {
		return Page{}, fmt.Errorf("listing: %s: a page names itself as the next one", l.Name)
	}
	clerk.rest = rest{list: l, seen: seen, next: p.Place.Next}
	if len(items) > 0 {
		err = l.Read(ctx, clerk, items)
		if p.Deliveries, err = clerk.told(err); err != nil {
			return Page{}, err
		}
	}
	if len(seen) > 0 || p.Place.Next == "" {
		if to.High.After(to.Since) {
			p.Place.Since = to.High
		}
		p.Place.Next, p.Place.High = "", time.Time{}
	}
	return p, nil
}

func (l List) query(from Place) url.Values {
	if l.Query == nil {
		return url.Values{}
	}
	since := from.Since
	if !since.IsZero() {
		since = since.Add(-l.Overlap)
	}
	return l.Query(since)
}

// unread are the items of a page that the last walk did not see; if all that follow were
// seen, the others are those that follow on the page.
func (l List) unread(page event.Value, to *Place, now time.Time) (items, seen []event.Value) {
	for item := range page.Items() {
		if len(l.Changed) > 0 {
			at := item.At(l.Changed...).Moment().Time()
			if to.High.Before(at) && !at.After(now) { // a clock that is ahead must not hide what comes after
				to.High = at
			}
			if l.Newest && !at.IsZero() && at.Before(to.Since.Add(-l.Overlap)) || len(seen) > 0 {
				seen = append(seen, item)
				continue
			}
		}
		items = append(items, item)
	}
	return items, seen
}

func (l List) next(a api.Answer, asked string) string {
	if l.Next == nil {
		return a.Next
	}
	was, err := url.ParseQuery(asked)
	if err != nil {
		return ""
	}
	return l.Next(a.Value, was).Encode()
}

// Each reads a page item by item.
func Each(read func(ctx context.Context, clerk *Clerk, item event.Value) error) func(context.Context, *Clerk, []event.Value) error {
	return func(ctx context.Context, clerk *Clerk, page []event.Value) error {
		for _, item := range page {
			if err := read(ctx, clerk, item); err != nil {
				return err
			}
		}
		return nil
	}
}

// A Clerk asks for what an item does not tell itself, and writes down what was found.
type Clerk struct {
	client *api.Client
	now    func() time.Time
	list   []event.Delivery
	err    error
	rest   rest
	unread map[string]string
}

// A rest is what follows the items that are read.
type rest struct {
	list List
	seen []event.Value
	next string
}

// After are the items that follow those of the page, as far as the last walk saw them or they are on
// the next page; none if they are the last ones.
func (k *Clerk) After(ctx context.Context) (list []event.Value, err error) {
	if len(k.rest.seen) > 0 || k.rest.next == "" {
		return k.rest.seen, nil
	}
	a, err := k.client.Get(ctx, k.rest.list.Path+"?"+k.rest.next, "")
	for item := range a.Value.At(k.rest.list.Items...).Items() {
		list = append(list, item)
	}
	return list, err
}

// NewClerk asks a system.
func NewClerk(c *api.Client, now func() time.Time) *Clerk {
	return &Clerk{client: c, now: now, unread: map[string]string{}}
}

// Tell writes down a document in the words of a webhook.
func (k *Clerk) Tell(name string, members map[string]any) {
	body, err := json.Marshal(members)
	k.err = errors.Join(k.err, err)
	k.list = append(k.list, event.Delivery{Event: name, Body: body})
}

// told gives what was written down since the last time.
func (k *Clerk) told(err error) ([]event.Delivery, error) {
	list := k.list
	err = errors.Join(err, k.err)
	k.list, k.err = nil, nil
	return list, err
}

// One is the answer to one question.
func (k *Clerk) One(ctx context.Context, path string) (event.Value, error) {
	answer, err := k.client.Get(ctx, path, "")
	return answer.Value, err
}

// Unread remembers that there is nothing to read at a path for whom the token belongs to:
// what is not told must not look as if it were not there.
func (k *Clerk) Unread(path string, err error) {
	path = bare(path)
	k.unread[path[strings.LastIndexByte(path, '/')+1:]] = err.Error()
}

// bare is a path without its query.
func bare(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}

// Partly are those of what Unread remembers that are new since the last time: a reason
// for each of the last names of the paths.
func (k *Clerk) Partly() map[string]string {
	unread := k.unread
	k.unread = map[string]string{}
	return unread
}

// All are the items of a listing below an item, of all its pages; none, which is
// remembered, if there is no such listing.
func (k *Clerk) All(ctx context.Context, path string, items ...string) ([]event.Value, error) {
	var all []event.Value
	at := path
	for range maxBelow {
		answer, err := k.client.Get(ctx, at, "")
		if Missing(err) {
			k.Unread(path, err)
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		for item := range answer.Value.At(items...).Items() {
			all = append(all, item)
		}
		if answer.Next == "" {
			return all, nil
		}
		at = bare(path) + "?" + answer.Next
	}
	return nil, fmt.Errorf("listing: %s: there is no end to its pages", path)
}

// Missing reports whether an error says that there is no such thing, or none for whom the
// token belongs to: what is switched off looks so.
func Missing(err error) bool {
	var status *api.StatusError
	return Gone(err) || errors.As(err, &status) && status.Code == http.StatusForbidden && !status.Limited
}

// Gone reports whether an error says that there is no such thing. Of one that was listed,
// nothing else says that it was deleted meanwhile.
func Gone(err error) bool {
	var status *api.StatusError
	return errors.As(err, &status) && (status.Code == http.StatusNotFound || status.Code == http.StatusGone)
}

// Action stands for what was done, in a document of something that changed last at a
// time: it is how the thing stands after that, unless this may not be all of it yet.
func (k *Clerk) Action(changed event.Value) string {
	if at := changed.Moment(); at != 0 && k.now().Sub(at.Time()) < fresh {
		return ""
	}
	return event.Synced
}

// Now is what time it is.
func (k *Clerk) Now() time.Time { return k.now() }
