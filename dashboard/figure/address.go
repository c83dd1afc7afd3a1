package figure

import (
	"net/url"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/policy"
)

// An AskedError says what is wrong with what was asked.
type AskedError struct{ Why string }

func (e *AskedError) Error() string { return e.Why }

// Wrong says what is wrong with what was asked.
func Wrong(why string) error { return &AskedError{why} }

// Asked is what an address asks for; what it leaves out is "".
type Asked struct {
	State, Repository, Team, Control, Framework, Requirement string
	From, To, Since, After                                   string
	Data                                                     bool // the whole list, not a page of it
}

// Home is where the pages begin.
const Home = "/governance"

// Address is that of a page, with parameters: pairs of a name and a value. What is empty is
// left out.
func Address(path string, pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	if len(v) == 0 {
		return Home + path
	}
	return Home + path + "?" + v.Encode()
}

// ControlHref is the address of the page about a control.
func ControlHref(id string) string { return Address("/controls/" + url.PathEscape(id)) }

// Control leads to the page about a control.
func Control(id string) page.Cell {
	c := page.Mono(id)
	c.Href = ControlHref(id)
	return c
}

// Behind is the list of the findings of a control in a state.
func Behind(id, state string, pairs ...string) string {
	return Address("/controls/"+url.PathEscape(id), append([]string{"state", state}, pairs...)...) + "#findings"
}

// Change leads to the findings on the page of a change.
func Change(ref stemma.Ref) page.Cell {
	c := page.To(ref, "")
	if ref != "" {
		c.Href += "#controls"
	}
	return c
}

// Mode is what comes of a finding.
func Mode(m string, blocks bool) page.Cell {
	if blocks {
		return page.Text(m + ", holds it up")
	}
	return page.Text(m)
}

// FrameworkHref is the address of the page about a framework.
func FrameworkHref(id string) string { return Address("/frameworks/" + url.PathEscape(id)) }

// Anchor is the id of the section about a requirement.
func Anchor(requirement string) string { return "r-" + url.PathEscape(requirement) }

// Requirement finds one of a framework; it is false if there is none.
func Requirement(k *policy.Pack, id string) (policy.Requirement, bool) {
	i := slices.IndexFunc(k.Requirements, func(r policy.Requirement) bool { return r.ID == id })
	if i < 0 {
		return policy.Requirement{}, false
	}
	return k.Requirements[i], true
}

// Bounds of lists.
const (
	PageSize   = 50      // rows of a list on one page
	RowsAsData = 100_000 // rows of one that is asked for as data
)

// Twins makes the tables of a page lead to themselves as data with what was asked of the
// page.
func Twins(out *page.Page, path string, pairs ...string) {
	at := Address(path, pairs...)
	if at == Home+path {
		at += "?"
	} else {
		at += "&"
	}
	for _, s := range out.Sections {
		if t := s.Table; t != nil && t.Data == "" {
			t.Data = at + "table=" + url.QueryEscape(t.ID) + "&format="
		}
	}
}
