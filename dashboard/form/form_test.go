package form_test

import (
	"errors"
	"net/url"
	"testing"
	"unicode/utf8"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/form"
)

const outage = stemma.Ref("incident:pagerduty/P7")

// FuzzVerdict sends any form: what is taken is bounded text about a thing that may be a
// cause, and what is not says why.
func FuzzVerdict(f *testing.F) {
	f.Add("confirm=change%3Agithub.com%2Facme%2Fpay%237&name=Ann+Lee&mail=ann%40x.test&reason=half+a+cent")
	f.Add("reject=commit%3Asha1%2F00&name=%00&mail=ann%40x.test")
	f.Add("confirm=person%3A0f1e&reject=x&name=%FF&mail=%3Ca%40b%3E")
	f.Fuzz(func(t *testing.T, body string) {
		sent, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		v, err := form.Verdict(outage, sent)
		var fault form.Fault
		switch {
		case err != nil && (!errors.As(err, &fault) || fault == ""):
			t.Errorf("%q is refused without a reason: %v", body, err)
		case err != nil:
		case v.Incident != outage || v.Name == "" || v.Mail == "" || v.Confirmed != (sent.Get("confirm") != ""):
			t.Errorf("%q is taken as %+v", body, v)
		case !utf8.ValidString(v.Name+v.Mail+v.Reason) || utf8.RuneCountInString(v.Name) > 200 || utf8.RuneCountInString(v.Reason) > 1000:
			t.Errorf("%q is taken though it does not fit: %+v", body, v)
		}
		if _, invalid := stemma.ParseRef(string(v.Cause)); err == nil && invalid != nil {
			t.Errorf("%q is taken for the cause %q", body, v.Cause)
		}
	})
}
