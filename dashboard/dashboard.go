// Package dashboard shows a space to people, as pages written on the server.
//
// Every page is one GET of a stable address; filter, order and page of a list
// are in it. A page here is the choice of what is said in which order: what is
// known comes from package reading, lists from package listing, and package
// page writes it all.
//
// The package keeps nothing but the overview, which is dear to compute, by how
// far the graph has come. It never shows what was said in a session, and changes
// nothing but where forms are allowed: what a person says about the cause of an
// incident, and that a dead letter is to be read again.
package dashboard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/stemma-dev/stemma/dashboard/decided"
	"github.com/stemma-dev/stemma/dashboard/figure"
	"github.com/stemma-dev/stemma/dashboard/framework"
	"github.com/stemma-dev/stemma/dashboard/governed"
	"github.com/stemma-dev/stemma/dashboard/listing"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/populated"
	"github.com/stemma-dev/stemma/dashboard/portrait"
	"github.com/stemma-dev/stemma/dashboard/reading"
	"github.com/stemma-dev/stemma/dashboard/sourced"
	"github.com/stemma-dev/stemma/dashboard/verdicts"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/query/views"
)

// A Config is what the pages are made from.
type Config struct {
	Space *ingest.Space
	// Inbox tells how the sources of webhooks fare; nil if there are none.
	Inbox *inbox.Inbox
	// Now is the clock that relative times in queries count from.
	Now func() time.Time
	// Log receives what a page cannot tell its reader; nil drops it.
	Log *slog.Logger
	// VerifierKey is the public key of the log, as C2SP signed notes write it.
	VerifierKey string
	// Forms allows whoever reads the pages to say what caused an incident, and to have
	// dead letters read again. It is for servers that only this machine can reach.
	Forms bool
	// Set is what changes are judged by; nil if that is only known from their verdicts.
	Set *policy.Set
}

// A Dashboard serves the pages. It may be used concurrently.
type Dashboard struct {
	space *ingest.Space
	inbox *inbox.Inbox
	now   func() time.Time
	log   *slog.Logger
	key   string
	takes bool // what forms send

	mux        *http.ServeMux
	templates  page.Templates
	reader     *reading.Reader
	portraits  *portrait.Gallery
	sources    *sourced.Pages
	controls   *governed.Pages
	frameworks *framework.Pages
	reached    *populated.Pages
	decisions  *decided.Pages

	mu   sync.Mutex
	seen *overview // the last overview; mu protects it
}

// New returns the pages of a space. Close it when no request is under way.
func New(c Config) (*Dashboard, error) {
	if c.Space == nil || c.Now == nil {
		return nil, errors.New("dashboard: a space and a clock are needed")
	}
	d := &Dashboard{space: c.Space, inbox: c.Inbox, now: c.Now, log: c.Log, key: c.VerifierKey, takes: c.Forms, reader: reading.New(c.Space)}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if err := views.Ensure(context.Background(), c.Space.DB); err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	judged, err := verdicts.New(context.Background(), c.Space)
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	book, err := figure.NewBook(judged, d.reader, c.Set, d.now)
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	d.reached = &populated.Pages{DB: c.Space.DB, Now: d.now}
	d.controls, d.frameworks, d.decisions = &governed.Pages{Book: book}, &framework.Pages{Book: book, Populations: d.reached}, &decided.Pages{Book: book}
	d.portraits = &portrait.Gallery{Space: d.space, Reader: d.reader, Judged: d.decisions, Now: d.now, Log: d.log, Judge: c.Forms}
	d.sources = &sourced.Pages{Space: d.space, Reader: d.reader, Inbox: d.inbox, Now: d.now}
	if d.takes {
		d.sources.Replay = replayPath
	}
	if d.templates, err = parseTemplates(); err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	d.routes()
	return d, nil
}

// Close lets go of the repositories that were read.
func (d *Dashboard) Close() error { return d.reader.Close() }

// routes is the whole map of addresses.
func (d *Dashboard) routes() {
	d.mux = http.NewServeMux()
	show := func(pattern string, v view, parameters ...string) {
		d.mux.Handle("GET "+pattern, d.page(v.asked(parameters...)))
	}
	about := func(pattern string, of func(ctx context.Context, key string) (*page.Page, error)) {
		show(pattern, func(r *http.Request) (*page.Page, error) { return of(r.Context(), r.PathValue("key")) })
	}
	show("/{$}", d.overviewPage)
	for _, l := range listing.All() {
		show("/"+l.Kind, d.listPage(l), "q", "from")
	}
	about("/changes/{key...}", d.portraits.Change)
	about("/commits/{key}", d.portraits.Commit)
	about("/sessions/{key...}", d.portraits.Session)
	about("/models/{key...}", d.portraits.Model)
	about("/people/{key...}", d.portraits.Person)
	about("/tickets/{key...}", d.portraits.Ticket)
	about("/requirements/{key...}", d.portraits.Requirement)
	about("/runs/{key...}", d.portraits.Run)
	about("/environments/{key...}", d.portraits.Environment)
	about("/deployments/{key...}", d.portraits.Deployment)
	about("/incidents/{key...}", d.portraits.Incident)
	about("/things/{key...}", d.portraits.Thing)
	show("/files/{key...}", d.filePage, "from", "path")
	show("/facts/{pos}", d.factPage, "verify")
	show("/search", d.searchPage, "q")
	show("/sources", func(r *http.Request) (*page.Page, error) { return d.sources.Sources(r.Context()) })
	show("/gaps", d.gapsPage, "source", "reason", "from")
	show("/records", d.recordsPage, "repo", "kind", "from")
	show("/things", d.thingsPage, "kind", "named", "from")
	show("/log", d.logPage)
	show("/help", d.helpPage)
	d.governance(show)
	show("/pipelines", func(*http.Request) (*page.Page, error) { return &page.Page{Redirect: "/runs"}, nil })
	d.mux.HandleFunc("POST "+judgePath+"{key...}", d.taken(d.judge))
	d.mux.HandleFunc("POST "+replayPath, d.taken(d.replay))
	d.mux.Handle("GET /", d.page(d.nowhere))
	d.mux.Handle("GET /static/{name}", http.HandlerFunc(d.static))
}

// contentPolicy is the content security policy of every answer: what a page needs
// comes from here, nothing in a page is a script or a style of its own.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Where forms of the pages send: judgements about incidents, and dead letters that are to
// be read again.
const (
	judgePath  = "/incidents/"
	replayPath = "/sources/replay"
)

// Takes reports whether a request may change something: where that is allowed, a form of
// a page.
func (d *Dashboard) Takes(r *http.Request) bool {
	return d.takes && r.Method == http.MethodPost && (strings.HasPrefix(r.URL.Path, judgePath) || r.URL.Path == replayPath)
}

// ServeHTTP answers GET and HEAD, and what [Dashboard.Takes].
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin") // with none at all, browsers do not say where a form comes from
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !d.Takes(r) {
		h.Set("Allow", "GET, HEAD")
		d.fail(w, r, problem{Status: http.StatusMethodNotAllowed, What: "Pages can only be read", Why: "This address answers GET."})
		return
	}
	d.mux.ServeHTTP(w, r)
}
