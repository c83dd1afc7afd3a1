package page

import (
	"html"
	"html/template"
	"strconv"
	"strings"
)

// markup is HTML while it is written: tables have thousands of cells, for each of which the
// engine of templates would take many steps. What is put into it is escaped here.
type markup struct{ strings.Builder }

// text writes text, or the value of an attribute between double quotes.
func (m *markup) text(s string) { m.WriteString(html.EscapeString(s)) }

// attribute writes one, unless it is empty.
func (m *markup) attribute(name, value string) {
	if value != "" {
		m.WriteString(" " + name + `="`)
		m.text(value)
		m.WriteByte('"')
	}
}

// reachable is an address that a link may have: one of these pages, or of the web. Of any
// other, nothing is left but a mark.
func reachable(href string) string {
	scheme, _, ok := strings.Cut(href, ":")
	if !ok || strings.ContainsAny(scheme, "/?#") || strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http") {
		return href
	}
	return "#"
}

func (m *markup) cell(c Cell) {
	switch {
	case c.Press != nil:
		m.WriteString(`<button type="submit"`)
		m.attribute("name", c.Press.Name)
		m.attribute("value", c.Press.Value)
		m.attribute("aria-label", c.Press.Label)
		m.WriteByte('>')
		m.text(c.Text)
		m.WriteString("</button>")
		return
	case len(c.Parts) > 0:
		for i, p := range c.Parts {
			if i > 0 {
				m.WriteString(", ")
			}
			m.cell(p)
		}
		return
	}
	if c.Bar != nil {
		m.bar(c.Bar)
	}
	if c.Href == "" {
		m.said(c, Show(c.Title))
		return
	}
	m.WriteString("<a")
	m.attribute("href", reachable(c.Href))
	m.attribute("title", Show(c.Title))
	m.WriteByte('>')
	m.said(c, "")
	m.WriteString("</a>")
}

// said writes what a cell says, as a time or as text of any direction.
func (m *markup) said(c Cell, title string) {
	switch {
	case !c.Time.IsZero():
		m.WriteString("<time")
		m.attribute("datetime", iso(c.Time))
		if c.Href == "" {
			m.attribute("title", "UTC")
		}
		m.WriteByte('>')
		m.text(c.Text)
		m.WriteString("</time>")
	case c.Text != "" || c.Href != "":
		m.WriteString("<bdi")
		m.attribute("title", title)
		m.WriteByte('>')
		m.text(c.Text)
		m.WriteString("</bdi>")
	}
}

func (m *markup) bar(b *Bar) {
	ai, human := strconv.FormatInt(b.AI, 10), strconv.FormatInt(b.Human, 10)
	m.WriteString(`<svg class="bar" viewBox="0 0 1000 100" width="72" height="10" preserveAspectRatio="none" role="img"><title>`)
	m.text(b.Label)
	m.WriteString(`</title><rect class="b-unknown" width="1000" height="100"/><rect class="b-ai" width="` + ai + `" height="100"/><rect class="b-human" x="` + ai + `" width="` + human + `" height="100"/></svg>`)
}

// cellHTML, barHTML and rowsHTML are what templates call.
func cellHTML(c Cell) template.HTML {
	var m markup
	m.cell(c)
	return template.HTML(m.String())
}

func barHTML(b *Bar) template.HTML {
	var m markup
	m.bar(b)
	return template.HTML(m.String())
}

func rowsHTML(rows []Row) template.HTML {
	var m markup
	for _, r := range rows {
		m.WriteString("<tr>")
		for _, c := range r.Cells {
			m.WriteString("<td")
			m.attribute("class", c.Class)
			m.WriteByte('>')
			m.cell(c)
			m.WriteString("</td>")
		}
		m.WriteString("</tr>\n")
	}
	return template.HTML(m.String())
}
