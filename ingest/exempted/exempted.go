// Package exempted states what people decide about controls: that one does not have to be
// met for a while; and what they bring in by which changes are judged: that something is
// wrong with a model or a package, and what registries say of packages.
//
// An exception is asked for by one person and granted by another; in an emergency it may be
// taken first and granted afterwards. What was decided stays in the log, and so does who did.
package exempted

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest"
)

// What the facts say they come from.
const (
	Source     = "exception"
	Advisories = "advisory"
	Registry   = "registry"
)

// Who tells of advisories, as they are called by, if nobody says.
const (
	OSV   = "osv"
	Local = "local"
)

// Longest is for how long an exception may be asked for.
const Longest = 366 * 24 * time.Hour

// A Person is who decides.
type Person struct{ Name, Mail string }

// A Request asks that a control does not have to be met.
type Request struct {
	Control   string     // id; * for all
	For       stemma.Ref // a change, or a repository for all of its changes
	Reason    string
	Until     time.Time
	Emergency bool // it holds at once, and has to be granted afterwards
	By        Person
}

// maxReason bounds what people write.
const maxReason = 4000

// Ask states a request, and names the exception.
func Ask(ctx context.Context, s *ingest.Space, now time.Time, r Request) (stemma.Ref, error) {
	switch kind := r.For.Kind(); {
	case kind != stemma.KindChange && kind != stemma.KindRepository:
		return "", stemma.WithHint(fmt.Errorf("an exception for %s: it is neither a change nor a repository", r.For), "name a change, such as #142")
	case strings.TrimSpace(r.Control) == "":
		return "", errors.New("an exception from which control is not said")
	case strings.TrimSpace(r.Reason) == "" || len(r.Reason) > maxReason:
		return "", fmt.Errorf("an exception needs a reason of 1 to %d bytes", maxReason)
	case !r.Until.After(now):
		return "", fmt.Errorf("an exception until %s is over already", r.Until.UTC().Format(time.RFC3339))
	case r.Until.Sub(now) > Longest:
		return "", stemma.WithHint(fmt.Errorf("an exception until %s is longer than a year", r.Until.UTC().Format(time.DateOnly)), "a control that never has to be met does not belong into the policy")
	}
	if known, err := s.Graph.Nodes(ctx, r.For); err != nil {
		return "", err
	} else if len(known) == 0 {
		return "", fmt.Errorf("an exception for %s: %w", r.For, stemma.ErrNotFound)
	}
	owner, err := person(ctx, s, now, r.By)
	if err != nil {
		return "", err
	}
	id := now.UTC().Format("20060102-150405-") + s.Mark(string(r.For), string(owner), now.String())[:8]
	e := governance.Exception{
		ID: governance.ExceptionRef(strings.ReplaceAll(r.Control, "*", "all"), id), Control: r.Control, Reason: stemma.CleanText(r.Reason, maxReason), Emergency: r.Emergency,
		Owner: owner, Opened: stemma.At(now), Until: stemma.At(r.Until),
	}
	if r.For.Kind() == stemma.KindChange {
		e.Change = r.For
	} else {
		e.Repository = r.For
	}
	return e.ID, s.Revise(ctx, e.ID, func() (stemma.Fact, error) { return e.Fact(Source, stemma.GradeD) })
}

// person is the pseudonym of who decides, whose name is kept beside the log.
func person(ctx context.Context, s *ingest.Space, now time.Time, p Person) (stemma.Ref, error) {
	w := ingest.NewWriter(ctx, s, func() time.Time { return now })
	ref := w.Person(p.Name, p.Mail, "")
	return ref, w.Close(ctx)
}

// human refuses the name or the address of a program: it decides nothing for people. The same
// names in a commit are those of an agent or a bot.
func human(exception stemma.Ref, by Person) error {
	is := identity.Recognise(by.Name, by.Mail)
	if is.Kind == stemma.KindPerson {
		return nil
	}
	return stemma.WithHint(
		fmt.Errorf("granting %s: %s <%s> is no person: it is known as the %s %s", exception, by.Name, by.Mail, is.Kind, cmp.Or(is.Agent.Name, is.Login)),
		"a person has to grant it, by their own name: --by \"Name <mail>\"",
	)
}

// A Standing is how an exception stands with the change that it is for.
type Standing struct {
	Makers []stemma.Ref // who made the change; none of them grants
	Void   bool         // it was granted by somebody who cannot: somebody else still may
}

// Grant states that somebody else grants an exception. Who asked for it cannot, nor who made
// the change, under whichever account, and no agent or bot. What is withdrawn or over is not
// granted any more, except an emergency, which is taken first.
func Grant(ctx context.Context, s *ingest.Space, now time.Time, exception stemma.Ref, by Person, of Standing) error {
	if err := human(exception, by); err != nil {
		return err
	}
	who, err := person(ctx, s, now, by)
	if err != nil {
		return err
	}
	return change(ctx, s, exception, func(n graph.Node) (governance.Exception, error) {
		accounts, err := s.Graph.Same(ctx, who)
		if err != nil {
			return governance.Exception{}, err
		}
		if err := grantable(n, now, append(accounts, who), of); err != nil {
			return governance.Exception{}, stemma.WithHint(fmt.Errorf("granting %s: %w", exception, err), "%s", hintOf(err))
		}
		return governance.Exception{Approver: who, Approved: stemma.At(now)}, nil
	})
}

var (
	errAsked   = errors.New("who grants it asked for it")
	errMade    = errors.New("who grants it made the change")
	errGranted = errors.New("it was granted already")
	errEnded   = errors.New("nothing is left to grant")
)

// grantable says why an exception is not granted by somebody, by all of their accounts.
func grantable(n graph.Node, now time.Time, accounts []stemma.Ref, of Standing) error {
	until, withdrawn, emergency := n.Attrs.Time("until"), n.Attrs.Time("withdrawn"), n.Attrs.Bool("emergency")
	switch {
	case slices.Contains(accounts, n.Attrs.Ref("owner")):
		return errAsked
	case slices.ContainsFunc(accounts, func(a stemma.Ref) bool { return slices.Contains(of.Makers, a) }):
		return errMade
	case !n.Attrs.Time("approved").IsZero() && !of.Void:
		return errGranted
	case !withdrawn.IsZero() && !emergency:
		return fmt.Errorf("%w: it was withdrawn %s", errEnded, withdrawn.UTC().Format(time.RFC3339))
	case !until.IsZero() && !now.Before(until) && !emergency:
		return fmt.Errorf("%w: it ended %s", errEnded, until.UTC().Format(time.RFC3339))
	}
	return nil
}

// hintOf says what to do about an exception that is not granted.
func hintOf(err error) string {
	switch {
	case errors.Is(err, errGranted):
		return "it holds until its end; stemma exception lists all"
	case errors.Is(err, errEnded):
		return "ask for another one: stemma exception ask"
	}
	return "somebody else has to grant it, who neither asked for it nor made the change"
}

// FollowUp states what came out when somebody looked at an exception again.
func FollowUp(ctx context.Context, s *ingest.Space, now time.Time, exception stemma.Ref, text string, by Person) error {
	if strings.TrimSpace(text) == "" || len(text) > maxReason {
		return fmt.Errorf("following up %s: say what came out, in 1 to %d bytes", exception, maxReason)
	}
	if _, err := person(ctx, s, now, by); err != nil {
		return err
	}
	return change(ctx, s, exception, func(n graph.Node) (governance.Exception, error) {
		if !n.Attrs.Time("followed_up").IsZero() {
			return governance.Exception{}, fmt.Errorf("following up %s: somebody did already", exception)
		}
		return governance.Exception{FollowedUp: stemma.At(now), FollowUp: stemma.CleanText(text, maxReason)}, nil
	})
}

// Withdraw takes an exception back.
func Withdraw(ctx context.Context, s *ingest.Space, now time.Time, exception stemma.Ref) error {
	return change(ctx, s, exception, func(n graph.Node) (governance.Exception, error) {
		if !n.Attrs.Time("withdrawn").IsZero() {
			return governance.Exception{}, fmt.Errorf("taking %s back: somebody did already", exception)
		}
		return governance.Exception{Withdrawn: stemma.At(now)}, nil
	})
}

// change states more about an exception that is known.
func change(ctx context.Context, s *ingest.Space, exception stemma.Ref, more func(graph.Node) (governance.Exception, error)) error {
	if exception.Kind() != stemma.KindException {
		return fmt.Errorf("%s is no exception", exception)
	}
	return s.Revise(ctx, exception, func() (stemma.Fact, error) {
		nodes, err := s.Graph.Nodes(ctx, exception)
		if err == nil && (len(nodes) == 0 || !nodes[0].Stated) {
			err = fmt.Errorf("%s: %w", exception, stemma.ErrNotFound)
		}
		if err == nil {
			err = s.Graph.Fill(ctx, nodes)
		}
		if err != nil {
			return stemma.Fact{}, err
		}
		e, err := more(nodes[0])
		if err != nil {
			return stemma.Fact{}, err
		}
		e.ID = exception
		e.Opened = stemma.At(nodes[0].Attrs.Time("opened")) // the fact is about that exception, from then on
		return e.Fact(Source, stemma.GradeD)
	})
}

// Advise states advisories about models: those that are not known yet, or say something
// else. It says how many that were.
func Advise(ctx context.Context, s *ingest.Space, now func() time.Time, list ...governance.Advisory) (n int, err error) {
	b := NewBulk(ctx, s, now, Advisories)
	err = errors.Join(putAll(ctx, b, list), b.Close(ctx))
	return b.Added, errors.Join(err, b.Fault())
}
