// Package form reads what the forms of the pages send: who may send it, and what a
// person says about a cause of an incident.
//
// What comes is hostile until it was read here: bounded, checked, and sure to come from a
// page of this server. The package writes nothing.
package form

import (
	"errors"
	"net/http"
	"net/mail"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/judged"
)

// MaxBytes is how long a form is at most.
const MaxBytes = 16 << 10

// Limits of what it may say, in characters.
const (
	maxName   = 200
	maxReason = 1000
)

// A Fault says why a form cannot be taken.
type Fault string

func (f Fault) Error() string { return string(f) }

// SameOrigin fails unless a browser says that a page of this server sent the request.
// What no browser sent fails too: programs have the command line.
func SameOrigin(r *http.Request) error {
	if r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
		return errors.New("no browser says where it comes from")
	}
	return http.NewCrossOriginProtection().Check(r)
}

// Verdict reads what a person says about a cause of an incident. The error is a [Fault].
func Verdict(incident stemma.Ref, sent url.Values) (judged.Verdict, error) {
	v := judged.Verdict{Incident: incident, Name: strings.TrimSpace(sent.Get("name")), Reason: strings.TrimSpace(sent.Get("reason"))}
	confirm, reject := sent.Get("confirm"), sent.Get("reject")
	v.Confirmed = confirm != ""
	if (confirm == "") == (reject == "") {
		return v, Fault("It does not say whether something is confirmed or rejected.")
	}
	var err error
	if v.Cause, err = stemma.ParseRef(confirm + reject); err != nil {
		return v, Fault("The cause is not named by a ref.")
	}
	switch v.Cause.Kind() {
	case stemma.KindChange, stemma.KindCommit, stemma.KindDeployment:
	default:
		return v, Fault("A change, a commit or a deployment may be a cause.")
	}
	address, err := mail.ParseAddress(strings.TrimSpace(sent.Get("mail")))
	switch {
	case v.Name == "" || !fits(v.Name, maxName):
		return v, Fault("Say your name, in at most 200 characters.")
	case err != nil || !fits(address.Address, maxName):
		return v, Fault("Say your mail address, so that it is known who decided.")
	case !fits(v.Reason, maxReason):
		return v, Fault("The reason has at most 1000 characters.")
	}
	v.Mail = address.Address
	return v, nil
}

// fits reports whether s is text of at most so many characters, which a fact can hold.
func fits(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsRune(s, 0)
}
