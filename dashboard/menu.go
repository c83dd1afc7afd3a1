package dashboard

import (
	"slices"

	"github.com/stemma-dev/stemma/dashboard/page"
)

// chapters are the entries of the menu, each with the pages of one subject; the first
// page is where the entry leads.
var chapters = []page.Entry{
	{Text: "Overview", Pages: []page.Entry{{Href: "/", Text: "Overview", Key: "o"}}},
	{Text: "Intent", Pages: []page.Entry{{Href: "/tickets", Text: "Tickets", Key: "t"}, {Href: "/requirements", Text: "Requirements"}}},
	{Text: "Changes", Pages: []page.Entry{
		{Href: "/changes", Text: "Changes", Key: "c"}, {Href: "/commits", Text: "Commits"}, {Href: "/reviews", Text: "Reviews"}, {Href: "/files", Text: "Files", Key: "f"},
	}},
	{Text: "Agents", Pages: []page.Entry{{Href: "/sessions", Text: "Sessions", Key: "s"}, {Href: "/models", Text: "Models", Key: "m"}}},
	{Text: "Production", Pages: []page.Entry{
		{Href: "/environments", Text: "Environments", Key: "e"},
		{Href: "/deployments", Text: "Deployments", Key: "d"},
		{Href: "/runs", Text: "Pipelines", Key: "p"},
		{Href: "/releases", Text: "Releases"},
		{Href: "/incidents", Text: "Incidents", Key: "i"},
	}},
	{Text: "Governance", Pages: []page.Entry{
		{Href: "/governance", Text: "Overview", Key: "v"},
		{Href: "/governance/population", Text: "Population"},
		{Href: "/governance/exceptions", Text: "Exceptions"},
		{Href: "/governance/policies", Text: "Policies"},
		{Href: "/governance/rounds", Text: "Judged again"},
		{Href: "/governance/advisories", Text: "Advisories"},
	}},
	{Text: "People", Pages: []page.Entry{{Href: "/people", Text: "People"}}},
	{Text: "Records", Pages: []page.Entry{{Href: "/sources", Text: "Sources", Key: "q"}, {Href: "/log", Text: "Log"}}},
	{Text: "Help", Pages: []page.Entry{{Href: "/help", Text: "Help"}}},
}

// menu is the menu as a page shows it that belongs to the one at nav.
func menu(nav string) []page.Entry {
	out := slices.Clone(chapters)
	for i := range out {
		c := &out[i]
		c.Href, c.Pages = c.Pages[0].Href, slices.Clone(c.Pages)
		for j := range c.Pages {
			c.Pages[j].Current = c.Pages[j].Href == nav
			c.Current = c.Current || c.Pages[j].Current
		}
	}
	return out
}
