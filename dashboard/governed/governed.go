// Package governed makes the pages that say how changes stand against the controls: an
// overview, one for each control and framework, what was let pass, and how it came to be
// judged so.
//
// A share is printed with the number that it is of, with how much of that is known, and
// with what was let pass: unknown counts as not passing. Every figure leads to a list with
// exactly that many rows. No page says that anybody complies with anything; pages say what
// is evidence for what.
package governed

import (
	"context"
	"embed"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/reading"
	"github.com/stemma-dev/stemma/dashboard/verdicts"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/catalogue"
)

//go:embed templates/*.html
var templates embed.FS

// Templates are those of these pages, beside the ones that all pages share.
func Templates() (page.Templates, error) {
	own, err := fs.Sub(templates, "templates")
	if err != nil {
		return nil, err
	}
	return page.Parse(own)
}

// Pages are those of one space. They may be used concurrently. What is not known fails with
// stemma.ErrNotFound, and what cannot be asked with an [AskedError].
type Pages struct {
	verdicts *verdicts.Reader
	names    *reading.Reader
	now      func() time.Time
	controls map[string]*policy.Control
	packs    []*policy.Pack // by their ids
}

// New makes the pages of what a reader reads. The set is what changes are judged by; nil if
// that is only known from the verdicts.
func New(v *verdicts.Reader, names *reading.Reader, set *policy.Set, now func() time.Time) (*Pages, error) {
	controls, err := catalogue.Controls()
	if err != nil {
		return nil, err
	}
	packs, err := catalogue.Packs()
	if err != nil {
		return nil, err
	}
	p := &Pages{verdicts: v, names: names, now: now, controls: map[string]*policy.Control{}}
	byID := map[string]*policy.Pack{}
	if set != nil {
		controls, packs = slices.Concat(controls, set.Controls), slices.Concat(packs, set.Packs)
	}
	for _, c := range controls {
		p.controls[c.ID] = c
	}
	for _, k := range packs {
		byID[k.ID] = k
	}
	for _, k := range byID {
		p.packs = append(p.packs, k)
	}
	slices.SortFunc(p.packs, func(a, b *policy.Pack) int { return strings.Compare(a.ID, b.ID) })
	return p, nil
}

// pack finds a framework.
func (p *Pages) pack(id string) (*policy.Pack, error) {
	i := slices.IndexFunc(p.packs, func(k *policy.Pack) bool { return k.ID == id })
	if i < 0 {
		return nil, stemma.ErrNotFound
	}
	return p.packs[i], nil
}

// frameworks are the packs that have requirements.
func (p *Pages) frameworks() []*policy.Pack {
	return slices.DeleteFunc(slices.Clone(p.packs), func(k *policy.Pack) bool { return len(k.Requirements) == 0 })
}

// title is what a control says, as far as that is known here.
func (p *Pages) title(control string) string {
	if c := p.controls[control]; c != nil {
		return c.Title
	}
	return ""
}

func (p *Pages) severity(control string) string {
	if c := p.controls[control]; c != nil {
		return string(c.Severity)
	}
	return ""
}

// An AskedError says what is wrong with what was asked.
type AskedError struct{ Why string }

func (e *AskedError) Error() string { return e.Why }

// Asked is what an address asks for; what it leaves out is "".
type Asked struct {
	State, Repository, Control, Framework, Requirement string
	From, To, Since, After                             string
	Data                                               bool // the whole list, not a page of it
}

// home is where the pages begin.
const home = "/governance"

// address is that of a page, with parameters: pairs of a name and a value. What is empty is
// left out.
func address(path string, pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	if len(v) == 0 {
		return home + path
	}
	return home + path + "?" + v.Encode()
}

// ControlHref is the address of the page about a control.
func ControlHref(id string) string { return address("/controls/" + url.PathEscape(id)) }

// control leads to the page about a control.
func control(id string) page.Cell {
	c := page.Mono(id)
	c.Href = ControlHref(id)
	return c
}

// behind is the list of the findings of a control in a state.
func behind(id, state string, pairs ...string) string {
	return address("/controls/"+url.PathEscape(id), append([]string{"state", state}, pairs...)...) + "#findings"
}

// called gives the names of things.
func (p *Pages) called(ctx context.Context, refs ...stemma.Ref) (map[stemma.Ref]string, error) {
	return p.names.Names(ctx, refs...)
}

// day reads a day, written as in addresses; nothing is the zero time.
func day(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1970 || t.Year() > 9000 {
		return time.Time{}, &AskedError{"A day is written like 2026-11-27."}
	}
	return t, nil
}
