package dashboard

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/figure"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/query/output"
)

//go:embed templates/*.html
var templateFiles embed.FS

func parseTemplates() (page.Templates, error) {
	own, err := fs.Sub(templateFiles, "templates")
	if err != nil {
		return nil, err
	}
	return page.Parse(own)
}

// A view makes the page that a request asks for.
type view func(*http.Request) (*page.Page, error)

// asked makes sure that v is asked what it can answer: by these parameters.
func (v view) asked(names ...string) view {
	return func(r *http.Request) (*page.Page, error) {
		if err := checkAsked(r, names); err != nil {
			return nil, err
		}
		return v(r)
	}
}

// page answers with the page of a view, or with one of its tables as CSV or
// JSON if the address asks for it.
func (d *Dashboard) page(v view) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := v(r)
		if err != nil {
			d.fail(w, r, problemOf(err))
			return
		}
		if p.Redirect != "" {
			http.Redirect(w, r, p.Redirect, http.StatusSeeOther)
			return
		}
		if format := output.Format(r.FormValue("format")); format != "" {
			d.data(w, r, p, format)
		} else {
			d.render(w, r, p)
		}
	})
}

func (d *Dashboard) data(w http.ResponseWriter, r *http.Request, p *page.Page, f output.Format) {
	if f == output.CSV {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	} else {
		w.Header().Set("Content-Type", "application/json")
	}
	var err error
	if p.Stream != nil && r.FormValue("table") == "" {
		err = p.Stream(r.Context(), f, w)
	} else if t := p.Table(r.FormValue("table")); t != nil {
		err = t.Write(w, f)
	} else {
		d.fail(w, r, problem{Status: http.StatusNotFound, What: "No such table", Why: "This page has no table of that name."})
		return
	}
	if err != nil && r.Context().Err() == nil {
		d.log.Warn("a table was cut short", "path", r.URL.Path, "error", err)
		panic(http.ErrAbortHandler) // nobody shall take a part for the whole
	}
}

func (d *Dashboard) render(w http.ResponseWriter, r *http.Request, p *page.Page) {
	if err := d.frame(r, p); err != nil {
		d.log.Warn("reading the state of the log", "error", err)
	}
	var b bytes.Buffer
	if err := d.templates.Write(&b, p); err != nil {
		d.log.Error("a page could not be written", "path", r.URL.Path, "error", err)
		http.Error(w, "this page could not be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	if p.Status != 0 {
		w.WriteHeader(p.Status)
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(b.Bytes()) // the reader went away
	}
}

// frame fills in what every page has.
func (d *Dashboard) frame(r *http.Request, p *page.Page) error {
	p.Menu = menu(p.Nav)
	if r.URL.Path == "/search" {
		p.Query = r.FormValue("q")
	}
	applied, err := d.space.Graph.Applied(r.Context())
	if err != nil {
		return err
	}
	size, err := d.space.Ledger.Size(r.Context())
	if err != nil {
		return err
	}
	p.AsOf = page.AsOf{Facts: applied, Behind: size - applied}
	if applied > 0 {
		e, err := d.space.Ledger.Entry(r.Context(), applied-1)
		if err != nil {
			return err
		}
		p.AsOf.Recorded = e.Recorded
	}
	return nil
}

// A problem is told instead of a page.
type problem struct {
	Status    int
	What, Why string
	Search    string // what to look for instead
}

func problemOf(err error) problem {
	var given problem
	var fault *filter.Error
	var invalid *stemma.InvalidError
	var asked *figure.AskedError
	switch {
	case errors.As(err, &given):
		return given
	case errors.As(err, &fault):
		return problem{Status: http.StatusBadRequest, What: "This question cannot be read", Why: fault.Error()}
	case errors.As(err, &asked):
		return problem{Status: http.StatusBadRequest, What: "This address cannot be read", Why: asked.Why}
	case errors.Is(err, stemma.ErrNotFound), errors.As(err, &invalid):
		return problem{
			Status: http.StatusNotFound, What: "Nothing is known under that name",
			Why: "It may be spelled differently, or its source was not read yet.",
		}
	case errors.Is(err, context.Canceled):
		return problem{Status: 499, What: "Cancelled", Why: "The request was cancelled."}
	}
	return problem{Status: http.StatusInternalServerError, What: "This page could not be made", Why: err.Error()}
}

func (p problem) Error() string { return p.What + ": " + p.Why }

// fail answers with a problem, as a page or as JSON.
func (d *Dashboard) fail(w http.ResponseWriter, r *http.Request, p problem) {
	if p.Status >= http.StatusInternalServerError {
		d.log.Error("a page could not be made", "path", r.URL.Path, "error", p.Why)
		p.Why = "The log of the server says why."
	}
	if r.FormValue("format") == "json" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(p.Status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": p.What + ": " + p.Why}) // the reader went away
		return
	}
	d.render(w, r, &page.Page{Template: "problem", Title: p.What, Status: p.Status, Body: p})
}

// nowhere is the page of an address that no page has.
func (d *Dashboard) nowhere(r *http.Request) (*page.Page, error) {
	name := path.Base(r.URL.Path)
	return nil, problem{Status: http.StatusNotFound, What: "There is no such page", Why: "Perhaps the search finds what you meant.", Search: name}
}

// static serves the style sheet and the scripts. A browser may keep them as
// long as their content stays.
func (d *Dashboard) static(w http.ResponseWriter, r *http.Request) {
	asset, ok := page.FindAsset(r.PathValue("name"))
	if !ok {
		d.fail(w, r, problem{Status: http.StatusNotFound, What: "There is no such file", Why: "Pages of this version do not ask for it."})
		return
	}
	h := w.Header()
	h.Set("Content-Type", asset.Media)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", asset.Tag)
	if strings.Contains(r.Header.Get("If-None-Match"), asset.Tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(asset.Data) // the reader went away
}
