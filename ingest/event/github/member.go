package github

import (
	"net/url"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/event"
)

// member tells which permission somebody has in the repository from now on. The
// delivery has no time of its own: it is when it came.
func (d *delivery) member() {
	who := d.account(d.body.At("member"))
	if d.at == 0 {
		d.Skipped = "nothing tells since when it is so"
		return
	}
	if who == "" {
		d.Problem("member.id", "it is missing, so nobody can tell whose permission this is")
		return
	}
	m := identity.Mandate{Holder: who, Host: d.Host, Repository: d.Repository, Since: d.at, Method: identity.MandateMember}
	if d.action != "removed" {
		changes := d.body.At("changes")
		m.Role = strings.ToLower(or(event.First(changes.At("role_name", "to"), changes.At("permission", "to")).Text(60), "collaborator"))
	}
	d.State(m, d.at)
}

// membership reads who has become a member of a team, or is none any more: no
// repository has a part in it.
func (x Dialect) membership(body event.Value, at stemma.Moment, r *event.Reading) *event.Reading {
	team, page := body.At("team"), body.At("team", "html_url").URL()
	u, err := url.Parse(page)
	org, slug := body.At("organization", "login").Name(), team.At("slug").Name()
	if err != nil || u.Host == "" || org == "" || slug == "" || at == 0 {
		return event.Skip("it does not tell which team it is about")
	}
	d := &delivery{Dialect: x, Forge: &event.Forge{Reading: r, Host: strings.ToLower(u.Host)}}
	r.Homes = append(r.Homes, event.Home{Host: d.Host})
	m := identity.Mandate{
		Holder: d.account(body.At("member")), Team: "@" + strings.ToLower(org+"/"+slug), Host: d.Host, Since: at, Method: identity.MandateTeam,
	}
	if m.Holder == "" {
		r.Problem("member.id", "it is missing, so nobody can tell whose membership this is")
		return r
	}
	if body.At("action").Name() != "removed" {
		m.Role = "member"
	}
	r.State(m, at)
	return r
}
