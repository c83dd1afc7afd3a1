// Package event turns what other systems report, one delivery at a time, into
// records of the rooms. A reader of one system's words lives in a package below;
// what all readers share is here: a delivery, what was read of it, and JSON of
// unknown shape.
//
// Readers are pure: bytes in, records out. They know no store and read no clock,
// and nothing that arrives can make them panic. A delivery may come late, twice or
// before what it builds on, so a statement carries the source's own time of when
// it was so, and says nothing that the delivery does not say.
package event

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/identity"
)

// A Delivery is what a system sent at once.
type Delivery struct {
	Event    string // what its sender calls it, outside of the body: "pull_request"; "" if it does not
	Body     []byte
	Received stemma.Moment // by our clock; stands in where the source tells no time of something that may change
}

// A Record is what the rooms keep: it can be stated as a fact.
type Record interface {
	Ref() stemma.Ref
	Fact(source string, grade stemma.Grade) (stemma.Fact, error)
}

// A Statement is one record as a system told it.
type Statement struct {
	Record Record
	// AsOf is when it was so, by the system's clock, see [Order]. A statement that
	// is older than another about the same thing takes nothing of it away, whenever
	// it arrives. Zero is for what never changes.
	AsOf stemma.Moment
	// Unsaid are attributes that the record spells in any case, and of which the
	// delivery says nothing.
	Unsaid []string
}

// A Problem is a part of a delivery that could not be read.
type Problem struct {
	Place  string // in the body: "pull_request.head.sha"
	Reason string
}

// Own is what a status is called by which a forge is told how a commit stands. What comes
// back of it is no run of a pipeline, and no evidence.
const Own = "stemma"

// A Reading is what one delivery says.
type Reading struct {
	Statements []Statement
	Problems   []Problem
	// Skipped is why nothing is kept of a delivery that was read: it tells of
	// something that no room keeps.
	Skipped string
	// Homes are what it says it comes from: the sender alone vouches for that.
	Homes []Home

	who   func(Account) stemma.Ref
	known map[stemma.Ref]bool // what never changes and was stated

	logins map[string]stemma.Ref // accounts known by id, by what they are called in this delivery
}

// A Reader reads the deliveries of one system. Who gives the pseudonym of a
// person. An error refuses the delivery: it is kept, to be read again once the
// reader has learnt more.
type Reader func(d Delivery, who func(Account) stemma.Ref) (*Reading, error)

// New is an empty reading.
func New(who func(Account) stemma.Ref) *Reading {
	return &Reading{who: who, known: map[stemma.Ref]bool{}, logins: map[string]stemma.Ref{}}
}

// Skip is the reading of a delivery of which nothing is kept.
func Skip(format string, args ...any) *Reading {
	return &Reading{Skipped: fmt.Sprintf(format, args...)}
}

// Order is when something was so. Clocks that tell only whole seconds let several
// steps fall together, so the number of the step, in the order in which they
// always come, goes into the microseconds.
func Order(at stemma.Moment, step int) stemma.Moment {
	if at == 0 {
		return 0
	}
	return at + stemma.Moment(step)
}

// Synced stands where a delivery tells what was done, in a document that was fetched:
// it tells how a thing stands after all that was done by then.
const Synced = "synced"

// afterAll is the step of what was fetched.
const afterAll = 999

// Step is the place of a word in a list that begins with what comes first; a word
// that is not in it comes before all.
func Step(word, order string) int {
	if word == Synced {
		return afterAll
	}
	for i, w := range strings.Fields(order) {
		if w == word {
			return i + 1
		}
	}
	return 0
}

// State adds a record that was so at a time.
func (r *Reading) State(record Record, asOf stemma.Moment, unsaid ...string) {
	if ref := record.Ref(); ref == "" {
		return
	}
	r.Statements = append(r.Statements, Statement{Record: record, AsOf: asOf, Unsaid: unsaid})
}

// Once adds a record of what never changes, unless it was added before.
func (r *Reading) Once(record Record, unsaid ...string) {
	ref := record.Ref()
	if ref == "" || r.known[ref] {
		return
	}
	r.known[ref] = true
	r.State(record, 0, unsaid...)
}

// Problem adds a part that could not be read.
func (r *Reading) Problem(place, format string, args ...any) {
	const most = 100
	if len(r.Problems) < most {
		r.Problems = append(r.Problems, Problem{place, fmt.Sprintf(format, args...)})
	}
}

// An Account is somebody as a system calls them. Systems tell more or less of it.
type Account struct {
	Host  string // whose account it is: "github.com", "jira"
	ID    string // which never changes there
	Login string // which may
	Name  string
	Mail  string
	Bot   bool // the system says that a program uses it
}

// Account is the ref of whoever has an account: a program by its name, everybody
// else by a pseudonym. Nobody has an empty one, nor one that stands for all that are
// gone.
func (r *Reading) Account(a Account) stemma.Ref {
	if a.ID == "" && a.Login == "" && a.Mail == "" && a.Name == "" || identity.Nobody(a.Login) {
		return ""
	}
	if a.Bot || strings.HasSuffix(strings.ToLower(a.Login), "[bot]") {
		return r.bot(identity.Recognise(a.Login, mailOf(a)), a)
	}
	ref := r.who(a)
	if a.ID == "" {
		return ref
	}
	if a.Login != "" {
		r.logins[strings.ToLower(a.Login)] = ref
	}
	if identity.OwnMail(a.Mail) {
		r.Once(identity.NewTie(identity.TieAccountMail, ref, r.who(Account{Name: a.Name, Mail: a.Mail})))
	}
	return ref
}

// Author is the ref of whom a commit names, as a scan of the repository gives it:
// by the mail address, whatever account a forge knows for it. An address that a forge
// made for an account is tied to that.
func (r *Reading) Author(host, name, mail string) stemma.Ref {
	if name == "" && mail == "" {
		return ""
	}
	known := identity.Recognise(name, mail)
	if known.Kind != stemma.KindPerson {
		return r.bot(known, Account{Host: host, Login: name})
	}
	ref := r.who(Account{Name: name, Mail: mail, Login: known.Login})
	if at, id, ok := identity.NoreplyAccount(mail); ok {
		r.Once(identity.NewTie(identity.TieNoreply, ref, r.who(Account{Host: at, ID: id, Login: known.Login})))
	}
	return ref
}

// wrote ties the author of a commit to the account that the forge knows for it, if the
// delivery tells which one has that login now.
func (r *Reading) wrote(author stemma.Ref, login string) {
	if account := r.logins[strings.ToLower(login)]; account != "" && author.Kind() == stemma.KindPerson {
		r.Once(identity.NewTie(identity.TieForgeCommit, author, account))
	}
}

// mailOf is the address under which a forge makes commits for an account: by it the
// accounts of agents are recognised as in commits.
func mailOf(a Account) string {
	if a.Host != "github.com" || a.Login == "" {
		return a.Mail
	}
	if a.ID == "" {
		return a.Login + "@users.noreply.github.com"
	}
	return a.ID + "+" + a.Login + "@users.noreply.github.com"
}

// bot states a program, and the agent that it is.
func (r *Reading) bot(known identity.Identity, a Account) stemma.Ref {
	b := identity.Bot{Name: first(known.Login, a.Login, a.Name), Host: first(known.Host, a.Host)}
	if known.AI() {
		r.Once(known.Agent)
		b.Name = first(known.Login, known.Agent.Name, a.Login)
	}
	r.Once(b)
	return b.Ref()
}

func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// Fact is what a statement says as a fact, without what the delivery does not say.
func (s Statement) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	f, err := s.Record.Fact(source, grade)
	if err != nil {
		return f, err
	}
	f.Occurred = s.AsOf.Time()
	if len(s.Unsaid) == 0 {
		return f, nil
	}
	var attrs map[string]json.RawMessage
	if err := json.Unmarshal(f.Attrs, &attrs); err != nil {
		return f, fmt.Errorf("event: %s: %w", f.Subject, err)
	}
	for _, name := range s.Unsaid {
		delete(attrs, name)
	}
	f.Attrs, err = json.Marshal(attrs)
	return f, err
}
