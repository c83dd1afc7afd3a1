package dashboard

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma/dashboard/figure"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/query/population"
)

// choices are the values of parameters that have few. An empty one asks for
// nothing.
var choices = map[string][]string{"format": {"csv", "json"}, "verify": {"1"}, "named": {"only"}, "state": figure.States, "of": population.Parts}

// maxFrom is how far from the first row or line a page may begin.
const maxFrom = 1 << 40

// checkAsked refuses an address with a parameter that its page does not have, or
// one with a value that it cannot have: nothing that was asked is left out
// silently. Every page has format and table.
func checkAsked(r *http.Request, names []string) error {
	refuse := func(why string) error {
		return problem{Status: http.StatusBadRequest, What: "This address cannot be read", Why: why}
	}
	asked, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return refuse("What follows the ? is not written as addresses are.")
	}
	names = append([]string{"format", "table"}, names...)
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		shown, value := page.Show(page.Short(40, name)), asked[name][0]
		values, few := choices[name]
		switch {
		case !slices.Contains(names, name):
			return refuse("There is no parameter " + shown + " here: there are " + strings.Join(names, ", ") + ".")
		case len(asked[name]) > 1:
			return refuse("The parameter " + shown + " is given twice.")
		case few && value != "" && !slices.Contains(values, value):
			return refuse("The parameter " + shown + " can be " + strings.Join(values, " or ") + ".")
		case name == "from" && slices.Contains(names, "to"): // a day, which its page reads
		case name == "from" && !isOffset(value):
			return refuse("The parameter from is a number of rows or lines, from 0 on.")
		case name == "from" && asked.Get("format") != "":
			return refuse("As data everything is whole: leave out the parameter from.")
		case name == "table" && asked.Get("format") == "":
			return refuse("The parameter table goes with format.")
		}
	}
	return nil
}

func isOffset(s string) bool {
	n, err := strconv.ParseUint(s, 10, 64)
	return s == "" || err == nil && n <= maxFrom
}

// from is where the part begins that a page shows, of a request that was checked.
func from(r *http.Request) int64 {
	n, _ := strconv.ParseInt(r.FormValue("from"), 10, 64) // nothing is the beginning
	return n
}
