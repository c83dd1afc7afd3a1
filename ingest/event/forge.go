package event

import (
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/intent"
)

// A Home is a repository at a host, or the whole host if it has no name.
type Home struct{ Host, Name string }

// HomeOf is the repository at an address, in lower case; nothing if that is none.
func HomeOf(address string) Home {
	host, name, _ := change.ParseRemote(address)
	return Home{host, strings.ToLower(name)}
}

// A Forge is one repository as the deliveries of a forge tell of it.
type Forge struct {
	*Reading
	Host, Name string // "github.com", "acme/pay", in lower case
	Repository stemma.Ref
	Platform   string // a word of package change
}

// Forge finds the repository behind an address to clone or to browse it from, as a
// scan of a clone finds it, and states it. It reports false if that is no address.
func (r *Reading) Forge(platform string, addresses ...Value) (*Forge, bool) {
	for _, a := range addresses {
		host, name, web := change.ParseRemote(a.Text(MaxURL))
		if name == "" || len(name) > MaxName {
			continue
		}
		f := &Forge{Reading: r, Host: host, Name: strings.ToLower(name), Repository: change.RepositoryRef(host, name), Platform: platform}
		r.Homes = append(r.Homes, Home{f.Host, f.Name})
		r.Once(change.Repository{ID: f.Repository, Name: name, Host: host, URL: web}, "shallow", "partial", "bare")
		return f, true
	}
	return nil, false
}

// Change names a merge request of the repository.
func (f *Forge) Change(number int) stemma.Ref {
	if number <= 0 {
		return ""
	}
	return change.NumberedRef(f.Repository, number)
}

// Key begins the ids of what only the forge numbers within a repository.
func (f *Forge) Key(parts ...string) string {
	key := f.Host + "/" + f.Name
	for _, p := range parts {
		key += "/" + p
	}
	return key
}

// Ticket is an issue of the repository itself.
func (f *Forge) Ticket(number int64) intent.Ticket {
	if number <= 0 {
		return intent.Ticket{}
	}
	return intent.Ticket{Tracker: f.Host, Key: f.Name + "#" + strconv.FormatInt(number, 10)}
}

// maxMentions is how many tickets and requirements one text may name.
const maxMentions = 100

// Mentions finds the tickets and requirements that a text or the name of a branch
// names, and states them. That the text says so is as sure as the delivery; how it was
// found is the method of the edge. The number of the merge request itself is none.
func (f *Forge) Mentions(text, branch string, own int) (tickets, requirements []stemma.Edge) {
	at := intent.Context{Host: f.Host, Repo: f.Name}
	itself := f.Name + "#" + strconv.Itoa(own)
	for _, found := range append(intent.FromMessage(text, at), intent.FromBranch(branch, at)...) {
		authority, key := found.Ref.Split()
		if found.Ref == "" || len(found.Ref) > stemma.MaxIndexed || len(tickets)+len(requirements) == maxMentions {
			continue
		}
		edge := stemma.Edge{To: found.Ref, Method: found.Method}
		switch {
		case found.Kind == stemma.KindTicket && key != itself:
			f.Once(intent.Ticket{Tracker: authority, Key: key, URL: found.URL})
			tickets = stemma.AddEdge(tickets, edge)
		case found.Kind == stemma.KindRequirement:
			f.Once(intent.Requirement{Source: authority, Key: key, URL: found.URL})
			requirements = stemma.AddEdge(requirements, edge)
		}
	}
	return tickets, requirements
}

// title is the first line of a message, as a scan of the repository keeps it.
func title(message string) string {
	line, _, _ := strings.Cut(strings.TrimLeft(message, "\r\n\t "), "\n")
	line = strings.TrimSpace(line)
	if len(line) <= MaxTitle {
		return line
	}
	return strings.ToValidUTF8(line[:MaxTitle], "") + "…"
}

// A Commit is one commit as a push tells of it.
type Commit struct {
	SHA, Tree, Message     string
	Author, Mail           string
	Login                  string // of the account that the forge knows for the author
	Committer, CommitterAt string // name and mail address
}

// Commit states a commit, as far as a push tells of it; a scan will tell the rest.
func (f *Forge) Commit(c Commit) {
	ref := change.ShaRef(c.SHA)
	if ref == "" {
		return
	}
	author := f.Author(f.Host, c.Author, c.Mail)
	f.wrote(author, c.Login)
	tickets, _ := f.Mentions(c.Message, "", 0)
	for i := range tickets {
		tickets[i].Grade = stemma.GradeD // anybody may push any message
	}
	f.Once(change.Commit{
		Repository: f.Repository, SHA: c.SHA, Tree: c.Tree, Title: title(c.Message),
		Author: author, Committer: f.Author(f.Host, c.Committer, c.CommitterAt),
		Implements: tickets,
	})
}
