// Package names states whom and what facts name: people, bots, agents, models,
// tickets, requirements. Each is stated the first time it is met, however many
// facts name it.
package names

import (
	"cmp"
	"context"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/words"
	"github.com/stemma-dev/stemma/session"
)

// source is what facts about those whom a repository names say they come from.
const source = "git"

// A Writer states facts, and those whom they name.
type Writer struct {
	*ingest.Writer
	host string // of accounts that name none
	met  map[stemma.Ref]bool
}

// New makes a Writer for the repository of a host.
func New(w *ingest.Writer, host string) *Writer {
	return &Writer{w, host, map[stemma.Ref]bool{}}
}

// Who returns the ref of whoever a commit names: a bot or agent by its
// account, everybody else by a pseudonym. Nobody is named by an empty identity.
func (w *Writer) Who(ctx context.Context, id git.Ident) (stemma.Ref, error) {
	return w.Account(ctx, words.Fit(id.Name), words.Fit(id.Mail))
}

// Account is [Writer.Who] of a name and an address that are fit for a fact.
func (w *Writer) Account(ctx context.Context, name, mail string) (stemma.Ref, error) {
	if name == "" && mail == "" {
		return "", nil
	}
	known := identity.Recognise(name, mail)
	if known.Kind == stemma.KindPerson {
		ref := w.Person(name, mail, known.Login)
		return ref, w.madeFor(ctx, ref, mail, known.Login)
	}
	if known.AI() {
		if err := w.Agent(ctx, known.Agent.Name); err != nil {
			return "", err
		}
	}
	bot := identity.Bot{Name: cmp.Or(known.Login, known.Agent.Name, name), Host: cmp.Or(known.Host, w.host)}
	return bot.Ref(), w.Once(ctx, bot.Ref(), bot)
}

// madeFor ties the person with an address to the account for which a forge made that.
// The forge gives it to nobody else, whoever wrote the commit.
func (w *Writer) madeFor(ctx context.Context, ref stemma.Ref, mail, login string) error {
	host, id, ok := identity.NoreplyAccount(mail)
	if !ok || w.met[ref] {
		return nil
	}
	w.met[ref] = true
	account := w.Writer.Account(ingest.Account{Host: host, ID: id, Login: login})
	return w.Record(ctx, identity.NewTie(identity.TieNoreply, ref, account), source, stemma.GradeC)
}

// Mailmap suggests that the addresses which a mail map gives to one person are one.
func (w *Writer) Mailmap(ctx context.Context, text string) error {
	for _, p := range identity.ParseMailmap(text) {
		one, err := w.Account(ctx, "", words.Fit(p.Proper))
		if err != nil {
			return err
		}
		other, err := w.Account(ctx, "", words.Fit(p.Commit))
		if err != nil {
			return err
		}
		tie := identity.NewTie(identity.TieMailmap, one, other)
		if one.Kind() != stemma.KindPerson || other.Kind() != stemma.KindPerson || tie.Ref() == "" {
			continue
		}
		if err := w.Once(ctx, tie.Ref(), tie); err != nil {
			return err
		}
	}
	return nil
}

// Agent states an agent the first time it is met.
func (w *Writer) Agent(ctx context.Context, name string) error {
	agent, ok := identity.FindAgent(name)
	if !ok {
		agent = identity.Agent{Name: name}
	}
	if agent.Name == "" {
		return nil
	}
	return w.Once(ctx, agent.Ref(), agent)
}

// Model states a model the first time it is met, if the name names one.
func (w *Writer) Model(ctx context.Context, name string) error {
	m := identity.ParseModel(name)
	if !m.Named {
		return nil
	}
	return w.Once(ctx, m.Ref(), m)
}

// Once states a record that does not change unless it was stated already.
func (w *Writer) Once(ctx context.Context, ref stemma.Ref, r ingest.Record) error {
	if w.met[ref] {
		return nil
	}
	w.met[ref] = true
	return w.Record(ctx, r, source, stemma.GradeD)
}

// Intents states the tickets and requirements that a message names.
func (w *Writer) Intents(ctx context.Context, m words.Message) error {
	for _, t := range m.Named {
		if err := w.Once(ctx, t.Ref(), t); err != nil {
			return err
		}
	}
	for _, r := range m.Required {
		if err := w.Once(ctx, r.Ref(), r); err != nil {
			return err
		}
	}
	return nil
}

// Session states a session with the agent and the models that ran it.
func (w *Writer) Session(ctx context.Context, x session.Session, source string, grade stemma.Grade) error {
	if x.Agent != "" {
		if err := w.Agent(ctx, x.Tool); err != nil {
			return err
		}
	}
	for _, m := range x.Models {
		if err := w.Model(ctx, m.Name); err != nil {
			return err
		}
	}
	return w.Record(ctx, x, source, grade)
}
