// Package alert tells people when a question of the query language has too many results
// or too few: by webhook or mail, once when that begins, once when it is over, and again
// now and then while it lasts. Exceptions that end soon, or that nobody looked at again in
// time, need no rule.
//
// How a rule stands, and what is to be told of it, is written down in one transaction. A
// message is tried until its receiver took it: one that is down for an hour is told an
// hour later, and only how the rule stands then. A message may come twice, with the same
// id, if a process dies right behind the delivery. Several processes may work on one
// space: each rule and each message is taken by one of them at a time.
//
// The package knows no git, and reads no clock but that it is given.
package alert

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A Config says what to look at and whom to tell.
type Config struct {
	DB      *storage.DB
	File    *File
	Secrets map[string]string                // of receivers with a webhook, by their names
	Mail    *Server                          // nil if nobody is told by mail
	Link    func(kind, filter string) string // page of a list, "" if there is none to show
	Now     func() time.Time
	Log     *slog.Logger
}

// An Alerter looks at the rules of one space.
type Alerter struct {
	c       Config
	senders map[string]sender // by the names of receivers
}

// A sender tells one receiver. An error tells no secret, and no more of an address than
// its host.
type sender interface {
	send(ctx context.Context, m Message) error
}

// A refusal is an answer that will not change soon.
type refusal struct{ error }

// Open brings the tables up to date and makes the receivers ready.
func Open(ctx context.Context, c Config) (*Alerter, error) {
	if err := c.DB.Migrate(ctx, "alert", migrations); err != nil {
		return nil, err
	}
	a := &Alerter{c: c, senders: map[string]sender{}}
	for _, r := range c.File.Receivers {
		switch {
		case r.Webhook != "":
			a.senders[r.Name] = newWebhook(r.Webhook, c.Secrets[r.Name])
		case c.Mail == nil:
			return nil, stemma.WithHint(fmt.Errorf("alert: %s is told by mail, and no server is named that sends it", r.Name),
				"give its address in STEMMA_SMTP, or in the file that STEMMA_SMTP_FILE names: smtp://USER:PASSWORD@HOST:587?from=ADDRESS")
		default:
			a.senders[r.Name] = &mails{server: c.Mail, to: r.Mail}
		}
	}
	return a, c.DB.Write(ctx, func(tx *storage.Tx) error {
		for _, name := range append(a.names(), builtIn) {
			if _, err := tx.Exec(ctx, `INSERT INTO alert_rule (name) VALUES ($1) ON CONFLICT (name) DO NOTHING`, name); err != nil {
				return fmt.Errorf("alert: %w", err)
			}
		}
		return nil
	})
}

func (a *Alerter) names() (list []string) {
	for _, r := range a.c.File.Rules {
		list = append(list, r.Name)
	}
	return list
}

// poll is how often it is looked whether something is due.
const poll = time.Second

// Run looks at rules and tells receivers as they come due, until ctx ends. A receiver that
// is slow holds up no rule and no other receiver.
func (a *Alerter) Run(ctx context.Context) {
	var work sync.WaitGroup
	work.Go(func() {
		a.every(ctx, "rules wait to be looked at", a.Look)
	})
	for name := range a.senders {
		work.Go(func() {
			a.every(ctx, "receivers wait to be told", func(ctx context.Context) error { return a.drain(ctx, name) })
		})
	}
	work.Wait()
}

func (a *Alerter) every(ctx context.Context, trouble string, do func(context.Context) error) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			a.c.Log.Error(trouble, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Send tells every receiver what is due.
func (a *Alerter) Send(ctx context.Context) error {
	var failed []error
	for _, r := range a.c.File.Receivers {
		failed = append(failed, a.drain(ctx, r.Name))
	}
	return errors.Join(failed...)
}

// Test sends a message that says that it is a test, to the receivers of a rule or to one of
// that name, and says whom it reached. All of them are tried.
func (a *Alerter) Test(ctx context.Context, name string) (reached []string, err error) {
	var to []string
	for _, r := range a.c.File.Rules {
		if r.Name == name {
			to = r.To
		}
	}
	switch {
	case name == builtIn && len(a.c.File.Exceptions) > 0:
		to = a.c.File.Exceptions
	case to == nil && a.senders[name] != nil:
		to = []string{name}
	case to == nil:
		return nil, fmt.Errorf("alert: there is no rule and no receiver %.60q: %w", name, stemma.ErrNotFound)
	}
	now := a.c.Now().UTC()
	m := Message{ID: fmt.Sprintf("test-%d", now.UnixMicro()), Rule: name, State: test, Text: "stemma: this is a test of " + name + ", nothing has happened", At: now}
	var failed []error
	for _, receiver := range to {
		if err := a.deliver(ctx, receiver, m); err != nil {
			failed = append(failed, fmt.Errorf("alert: %s could not be told: %w", receiver, err))
			continue
		}
		reached = append(reached, receiver)
	}
	return reached, errors.Join(failed...)
}
