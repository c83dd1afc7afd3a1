// Package words takes apart what the message of a commit says: how it landed,
// what it was meant for, the tickets, commits and agents it names. It also
// makes what a repository says fit to be a fact: valid text, of a bounded
// length, without people's names and addresses.
//
// The package is pure: it knows no store, runs no git and reads no clock.
package words

import (
	"slices"
	"strconv"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/intent"
)

// A Message is what the message of a commit says, taken apart.
type Message struct {
	Committed    time.Time
	Title        string
	Landing      change.Landing
	Purpose      change.Purpose
	Trailers     []change.MessageTrailer
	Declared     []note.Declared
	Tickets      []stemma.Edge
	Requirements []stemma.Edge
	Named        []intent.Ticket // the tickets behind the edges
	Required     []intent.Requirement
	Fixes        []string // ids of commits that it says it fixes
	Picked       []string // and of those that it was picked from
	Overfull     bool     // it names more tickets than are kept
}

// maxNamed is how many tickets and requirements one message may name.
const maxNamed = 100

// Of takes the message of a commit apart; at is where short names of tickets
// lead.
func Of(c *git.Commit, at intent.Context) Message {
	forge := identity.Recognise(Fit(c.Committer.Name), Fit(c.Committer.Mail)).Forge
	message := Fit(c.Message)
	m := Message{
		Committed: c.Committer.When,
		Title:     Title(message),
		Landing:   change.ReadLanding(message, len(c.Parents), forge),
		Trailers:  change.LooseTrailers(message),
	}
	m.Purpose = change.ReadPurpose(message, m.Landing.Branch)
	for _, t := range m.Trailers {
		switch {
		case t.Is(change.CherryPicked):
			m.Picked = append(m.Picked, t.Value)
		case t.Is("Fixes"):
			if id := leadingHash(t.Value); id != "" {
				m.Fixes = append(m.Fixes, id)
			}
		}
	}
	m.Declared = declared(c, m.Trailers)
	m.findIntents(message, at)
	return m
}

// Declared are the marks of AI origin that a commit carries in words.
func Declared(c *git.Commit) []note.Declared {
	return declared(c, change.LooseTrailers(Fit(c.Message)))
}

func declared(c *git.Commit, trailers []change.MessageTrailer) []note.Declared {
	var marks []note.Trailer
	for _, t := range trailers {
		marks = append(marks, note.Trailer{Key: t.Key, Value: t.Value})
	}
	return note.Declare(
		note.Person{Name: Fit(c.Author.Name), Mail: Fit(c.Author.Mail)},
		note.Person{Name: Fit(c.Committer.Name), Mail: Fit(c.Committer.Mail)}, marks)
}

// leadingHash is the commit that a trailer such as "Fixes: 9f2c… ("title")"
// begins with, or nothing.
func leadingHash(value string) string {
	n := 0
	for n < len(value) && (value[n] >= '0' && value[n] <= '9' || value[n] >= 'a' && value[n] <= 'f') {
		n++
	}
	if n < 7 || n > 64 || n < len(value) && value[n] != ' ' && value[n] != '\n' {
		return ""
	}
	return value[:n]
}

// findIntents finds the tickets and requirements that a message names.
func (m *Message) findIntents(message string, at intent.Context) {
	for _, found := range slices.Concat(intent.FromMessage(message, at), intent.FromBranch(m.Landing.Branch, at)) {
		if found.Ref == "" || len(found.Ref) > stemma.MaxIndexed {
			continue
		}
		authority, key := found.Ref.Split()
		edge := stemma.Edge{To: found.Ref, Method: found.Method}
		if len(m.Tickets)+len(m.Requirements) == maxNamed {
			m.Overfull = true
			break
		}
		switch found.Kind {
		case stemma.KindTicket:
			if isOwn(key, at.Repo, m.Landing.Numbers) {
				continue
			}
			m.Named = append(m.Named, intent.Ticket{Tracker: authority, Key: key, URL: Fit(found.URL)})
			m.Tickets = stemma.AddEdge(m.Tickets, edge)
		case stemma.KindRequirement:
			m.Required = append(m.Required, intent.Requirement{Source: authority, Key: key, URL: Fit(found.URL)})
			m.Requirements = stemma.AddEdge(m.Requirements, edge)
		}
	}
}

// isOwn reports whether the key of a ticket is the number of the merge request
// itself, which titles repeat.
func isOwn(key, repo string, numbers []int) bool {
	return slices.ContainsFunc(numbers, func(n int) bool { return key == repo+"#"+strconv.Itoa(n) })
}
