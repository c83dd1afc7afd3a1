// Package people tells which accounts are one person, and on which evidence: from the
// graph, and from the table of names as far as it is not erased. It writes nothing.
package people

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// Max is how many people are told of at once.
const Max = 5000

// A Person is everybody's accounts and what ties them.
type Person struct {
	Ref      stemma.Ref `json:"ref"` // by which all accounts are known
	Accounts []Account  `json:"accounts"`
	Ties     []Tie      `json:"ties"` // all that is said about one of the accounts and another one
}

// An Account is one account or mail address. Who it is is left out unless it is asked for.
type Account struct {
	Ref   stemma.Ref `json:"ref"`
	Name  string     `json:"name,omitempty"`
	Login string     `json:"login,omitempty"`
	Mail  string     `json:"mail,omitempty"`
	Host  string     `json:"host,omitempty"`
}

// A Tie is what is said about two accounts.
type Tie struct {
	One      stemma.Ref   `json:"one"`
	Other    stemma.Ref   `json:"other"`
	Method   string       `json:"method"`
	Grade    stemma.Grade `json:"grade"`
	Apart    bool         `json:"apart"`
	Open     bool         `json:"open"`     // it is a suggestion, or a word that was taken back
	Followed bool         `json:"followed"` // else it is open, or something that goes before it says otherwise
	By       stemma.Ref   `json:"by,omitempty"`
	At       *time.Time   `json:"at,omitempty"`
	Reason   string       `json:"reason,omitempty"`
}

// An Ask says what is told.
type Ask struct {
	Of    []stemma.Ref // the people with these accounts; all if there is none
	Alone bool         // also those with one account of which nothing is said
	Names bool         // who they are
}

// A reader gathers people.
type reader struct {
	ctx  context.Context
	db   *storage.DB
	ask  Ask
	of   map[stemma.Ref]*Person // by any account
	more bool                   // there are more
	list []*Person
}

// Of tells of people, in order of their refs, and whether there are more than are told.
func Of(ctx context.Context, db *storage.DB, ask Ask) (people []*Person, more bool, err error) {
	r := &reader{ctx: ctx, db: db, ask: ask, of: map[stemma.Ref]*Person{}}
	for _, step := range []func() error{r.accounts, r.ties, r.names} {
		if err := step(); err != nil {
			return nil, false, fmt.Errorf("people: %w", err)
		}
	}
	return r.list, r.more, nil
}

// asked is the condition of the accounts that are asked for.
func (r *reader) asked() (string, []any) {
	if len(r.ask.Of) > 0 {
		marks, args := placeholders(r.ask.Of)
		return `COALESCE(s.self, n.id) IN (SELECT COALESCE(a.self, m.id) FROM node m LEFT JOIN same a ON a.id = m.id WHERE m.ref IN (` + marks + `))`, args
	}
	if r.ask.Alone {
		return `n.kind IN ('person', 'bot')`, nil
	}
	return `(s.self IS NOT NULL OR n.id IN (SELECT t."one" FROM k_tie t) OR n.id IN (SELECT t."other" FROM k_tie t))`, nil
}

func placeholders(refs []stemma.Ref) (string, []any) {
	var marks []string
	var args []any
	for i, ref := range refs {
		marks, args = append(marks, fmt.Sprintf("$%d", i+1)), append(args, string(ref))
	}
	return strings.Join(marks, ", "), args
}

func (r *reader) accounts() error {
	where, args := r.asked()
	return r.db.Each(r.ctx, func(scan func(...any) error) error {
		var self, account stemma.Ref
		if err := scan(&self, &account); err != nil {
			return err
		}
		p := r.of[self]
		if p == nil && len(r.list) == Max {
			r.more = true
			return nil
		}
		if p == nil {
			p = &Person{Ref: self, Accounts: []Account{}, Ties: []Tie{}}
			r.of[self] = p
			r.list = append(r.list, p)
		}
		r.of[account] = p
		p.Accounts = append(p.Accounts, Account{Ref: account})
		return nil
	}, `SELECT x.ref, n.ref FROM node n LEFT JOIN same s ON s.id = n.id JOIN node x ON x.id = COALESCE(s.self, n.id)
		WHERE n.kind IN ('person', 'bot') AND `+where+` ORDER BY x.ref, n.ref`, args...)
}

func (r *reader) ties() error {
	return r.db.Each(r.ctx, func(scan func(...any) error) error {
		var t Tie
		var at int64
		if err := scan(&t.One, &t.Other, &t.Method, &t.Grade, &t.Apart, &t.Open, &t.By, &at, &t.Reason); err != nil {
			return err
		}
		if at != 0 {
			when := stemma.Moment(at).Time()
			t.At = &when
		}
		one, other := r.of[t.One], r.of[t.Other]
		t.Followed = !t.Open && t.Apart != (one == other && one != nil)
		if one != nil {
			one.Ties = append(one.Ties, t)
		}
		if other != nil && other != one {
			other.Ties = append(other.Ties, t)
		}
		return nil
	}, `SELECT a.ref, b.ref, COALESCE(t."method", ''), n.grade, COALESCE(t."apart", 0), COALESCE(t."open", 0), COALESCE(y.ref, ''), COALESCE(t."at", 0), COALESCE(t."reason", '')
		FROM k_tie t JOIN node n ON n.id = t.id JOIN node a ON a.id = t."one" JOIN node b ON b.id = t."other" LEFT JOIN node y ON y.id = t."by"
		ORDER BY a.ref, b.ref, n.ref`)
}

// names fills in who the accounts are.
func (r *reader) names() error {
	if !r.ask.Names {
		return nil
	}
	return storage.InChunks(r.of, func(refs []any, marks string) error {
		return r.db.Each(r.ctx, func(scan func(...any) error) error {
			var a Account
			if err := scan(&a.Ref, &a.Name, &a.Login, &a.Mail, &a.Host); err != nil {
				return err
			}
			list := r.of[a.Ref].Accounts
			list[slices.IndexFunc(list, func(o Account) bool { return o.Ref == a.Ref })] = a
			return nil
		}, `SELECT ref, name, login, email, host FROM profile WHERE ref IN (`+marks+`)`, refs...)
	})
}
