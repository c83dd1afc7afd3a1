package dashboard

import (
	"errors"
	"net/http"
	"net/mail"
	"strings"
	"unicode/utf8"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/ingest/judged"
)

// Limits of what a form may say.
const (
	maxForm   = 16 << 10 // bytes of all of it
	maxName   = 200      // characters
	maxReason = 1000
)

// taken is a handler of what forms of these pages send. A page of another site cannot
// send it.
func (d *Dashboard) taken(take http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := sameOrigin(r); err != nil {
			d.fail(w, r, problem{Status: http.StatusForbidden, What: "This was not sent by a page of this server", Why: "Open the page here, and send it from there."})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		take(w, r)
	}
}

// judge takes what a person found out about a cause of an incident, from the form on its
// page, and goes back there.
func (d *Dashboard) judge(w http.ResponseWriter, r *http.Request) {
	v, err := verdict(r)
	if err == nil {
		err = judged.Judge(r.Context(), d.space, d.now, v)
	}
	if err != nil {
		d.fail(w, r, problemOf(err))
		return
	}
	http.Redirect(w, r, page.Href(v.Incident)+"#chronicle", http.StatusSeeOther)
}

var crossOrigin = http.NewCrossOriginProtection()

// sameOrigin reports an error unless a browser says that a page of this server sent the
// request. What no browser sent is refused too: programs have the command line.
func sameOrigin(r *http.Request) error {
	if r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
		return errors.New("no browser says where it comes from")
	}
	return crossOrigin.Check(r)
}

// verdict reads the form.
func verdict(r *http.Request) (v judged.Verdict, err error) {
	if v.Incident, err = stemma.ParseRef(string(stemma.KindIncident) + ":" + r.PathValue("key")); err != nil {
		return v, err
	}
	refuse := func(why string) error {
		return problem{Status: http.StatusBadRequest, What: "This decision cannot be recorded", Why: why + " Go back and complete it."}
	}
	if err := r.ParseForm(); err != nil {
		return v, refuse("The form cannot be read, or is too long.")
	}
	confirm, reject := r.PostForm.Get("confirm"), r.PostForm.Get("reject")
	v.Confirmed = confirm != ""
	if (confirm == "") == (reject == "") {
		return v, refuse("It does not say whether something is confirmed or rejected.")
	}
	if v.Cause, err = stemma.ParseRef(confirm + reject); err != nil {
		return v, refuse("The cause is not named by a ref.")
	}
	switch v.Cause.Kind() {
	case stemma.KindChange, stemma.KindCommit, stemma.KindDeployment:
	default:
		return v, refuse("A change, a commit or a deployment may be a cause.")
	}
	v.Name, v.Reason = strings.TrimSpace(r.PostForm.Get("name")), strings.TrimSpace(r.PostForm.Get("reason"))
	address, err := mail.ParseAddress(strings.TrimSpace(r.PostForm.Get("mail")))
	switch {
	case v.Name == "" || !fits(v.Name, maxName):
		return v, refuse("Say your name, in at most 200 characters.")
	case err != nil || !fits(address.Address, maxName):
		return v, refuse("Say your mail address, so that it is known who decided.")
	case !fits(v.Reason, maxReason):
		return v, refuse("The reason has at most 1000 characters.")
	}
	v.Mail = address.Address
	return v, nil
}

func fits(s string, most int) bool { return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most }
