package dashboard

import (
	"net/http"
	"strconv"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/form"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/ingest/judged"
)

// taken is a handler of what forms of these pages send. A page of another site cannot
// send it.
func (d *Dashboard) taken(take http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := form.SameOrigin(r); err != nil {
			d.fail(w, r, problem{Status: http.StatusForbidden, What: "This was not sent by a page of this server", Why: "Open the page here, and send it from there."})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, form.MaxBytes)
		if err := r.ParseForm(); err != nil {
			d.fail(w, r, problem{Status: http.StatusBadRequest, What: "This form cannot be read", Why: "It is too long, or not written as forms are."})
			return
		}
		take(w, r)
	}
}

// judge takes what a person found out about a cause of an incident, from the form on its
// page, and goes back there.
func (d *Dashboard) judge(w http.ResponseWriter, r *http.Request) {
	incident, err := stemma.ParseRef(string(stemma.KindIncident) + ":" + r.PathValue("key"))
	if err != nil {
		d.fail(w, r, problemOf(err))
		return
	}
	v, err := form.Verdict(incident, r.PostForm)
	if err != nil {
		d.fail(w, r, problem{Status: http.StatusBadRequest, What: "This decision cannot be recorded", Why: err.Error() + " Go back and complete it."})
		return
	}
	if err := judged.Judge(r.Context(), d.space, d.now, v); err != nil {
		d.fail(w, r, problemOf(err))
		return
	}
	http.Redirect(w, r, page.Href(incident)+"#chronicle", http.StatusSeeOther)
}

// replay has a dead letter read again.
func (d *Dashboard) replay(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PostForm.Get("id"), 10, 64)
	if err != nil || id <= 0 || d.inbox == nil {
		d.fail(w, r, problem{Status: http.StatusBadRequest, What: "This letter cannot be read again", Why: "It is not named by its number, or nothing reports here."})
		return
	}
	if _, err := d.inbox.Replay(r.Context(), id); err != nil {
		d.fail(w, r, problemOf(err))
		return
	}
	http.Redirect(w, r, "/sources#webhooks", http.StatusSeeOther)
}
