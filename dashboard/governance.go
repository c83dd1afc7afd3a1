package dashboard

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/figure"
	"github.com/stemma-dev/stemma/dashboard/governed"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/populated"
)

// governance adds the addresses of the pages about controls.
func (d *Dashboard) governance(show func(pattern string, v view, parameters ...string)) {
	g, f, h := d.controls, d.frameworks, d.decisions
	d.mux.Handle("GET /governance", d.visited(d.page(view(func(r *http.Request) (*page.Page, error) {
		return g.Overview(r.Context(), governed.LastVisit(r, d.now()))
	}).asked())))
	show("/governance/findings", func(r *http.Request) (*page.Page, error) { return g.Findings(r.Context(), askedOf(r)) },
		"control", "framework", "requirement", "state", "repository", "team", "from", "to", "after")
	show("/governance/turned", func(r *http.Request) (*page.Page, error) { return g.Turned(r.Context(), askedOf(r)) }, "since", "after")
	show("/governance/blocked", func(r *http.Request) (*page.Page, error) { return g.Blocked(r.Context(), askedOf(r)) }, "after")
	show("/governance/repositories", func(r *http.Request) (*page.Page, error) { return g.Repositories(r.Context(), askedOf(r)) }, "team")
	show("/governance/population", func(r *http.Request) (*page.Page, error) {
		return d.reached.Environments(r.Context(), populated.Asked{
			Environment: r.FormValue("env"), Service: r.FormValue("service"), From: r.FormValue("from"), To: r.FormValue("to"), Part: r.FormValue("of"), After: r.FormValue("after"),
			Seed: r.FormValue("seed"), Size: r.FormValue("n"), Data: r.FormValue("format") != "",
		})
	}, "env", "service", "from", "to", "of", "after", "seed", "n")
	show("/governance/controls/{id}", func(r *http.Request) (*page.Page, error) {
		return g.Control(r.Context(), r.PathValue("id"), askedOf(r))
	},
		"state", "repository", "team", "from", "to", "after")
	show("/governance/frameworks/{id}", func(r *http.Request) (*page.Page, error) {
		return f.Framework(r.Context(), r.PathValue("id"), askedOf(r))
	}, "team")
	show("/governance/frameworks/{id}/report", func(r *http.Request) (*page.Page, error) {
		return f.Report(r.Context(), r.PathValue("id"), askedOf(r))
	}, "from", "to")
	show("/governance/exceptions", func(r *http.Request) (*page.Page, error) { return h.Exceptions(r.Context()) })
	show("/governance/policies", func(r *http.Request) (*page.Page, error) { return h.Policies(r.Context()) })
	show("/governance/rounds", func(r *http.Request) (*page.Page, error) { return h.Rounds(r.Context(), askedOf(r)) }, "after")
	show("/governance/rounds/{key...}", func(r *http.Request) (*page.Page, error) { return h.Round(r.Context(), r.PathValue("key")) })
	show("/governance/advisories", func(r *http.Request) (*page.Page, error) { return h.Advisories(r.Context()) })
	d.mux.HandleFunc("GET /badges/governance.svg", d.badge("", "governance.svg"))
	d.mux.HandleFunc("GET /badges/governance/{key...}", d.badge(stemma.KindRepository, ""))
	d.mux.HandleFunc("GET /badges/change/{key...}", d.badge(stemma.KindChange, ""))
}

// askedOf is what an address asks for.
func askedOf(r *http.Request) figure.Asked {
	return figure.Asked{
		State: r.FormValue("state"), Repository: r.FormValue("repository"), Team: r.FormValue("team"), Control: r.FormValue("control"), Framework: r.FormValue("framework"), Requirement: r.FormValue("requirement"),
		From: r.FormValue("from"), To: r.FormValue("to"), Since: r.FormValue("since"), After: r.FormValue("after"), Data: r.FormValue("format") != "",
	}
}

// visited lets the browser remember when it was here, for whoever looks at a page.
func (d *Dashboard) visited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.RawQuery == "" {
			governed.RememberVisit(w, r, d.now())
		}
		next.ServeHTTP(w, r)
	})
}

// badge draws how things stand, for pages of other sites, too: it says nothing that a link
// to it does not.
func (d *Dashboard) badge(kind stemma.Kind, name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key := name
		if key == "" {
			key = r.PathValue("key")
		}
		picture, err := d.controls.Badge(r.Context(), kind, key)
		if err == nil {
			err = checkAsked(r, nil)
		}
		if err != nil {
			d.fail(w, r, problemOf(err))
			return
		}
		sum := sha256.Sum256(picture)
		tag := `"` + hex.EncodeToString(sum[:8]) + `"`
		h := w.Header()
		h.Set("Content-Type", "image/svg+xml")
		h.Set("Cache-Control", "public, max-age=60")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("ETag", tag)
		if strings.Contains(r.Header.Get("If-None-Match"), tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = bytes.NewReader(picture).WriteTo(w) // the reader went away
	}
}
