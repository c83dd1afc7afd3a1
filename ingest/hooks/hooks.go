// Package hooks receives the webhooks of other systems and makes facts of them.
//
// Receiving checks the signature, keeps the raw bytes durably in the inbox and is done:
// the sender may be told that its delivery is safe. Making facts comes after, in one
// process at a time for each space, see [Hooks.Run]: it reads a delivery, states what it
// says through [ingest.Writer.Latest], and only then marks it as done, so that a process
// may die at any time: the delivery is read again and its facts are found to be there.
//
// What cannot be read is refused with its reason and kept, and stands as a gap until it
// was read after all.
package hooks

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/ingest/event/signature"
	"github.com/stemma-dev/stemma/ingest/event/system"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// MaxBody bounds the body of one delivery: GitHub sends no larger one.
const MaxBody = 25 << 20

// MinSecret is how many bytes a secret has at least.
const MinSecret = 16

// An Endpoint is an address at which one system, or one part of it, delivers.
type Endpoint struct {
	Name    string   // in the address: "github", "github-eu"
	System  string   // see package system
	Host    string   // of which alone it may speak; "" for that of the system
	Secrets [][]byte // any of them may sign: a new one is added before the old one goes
}

// A Config says what is received and where it goes.
type Config struct {
	Space     *ingest.Space
	Inbox     *inbox.Inbox
	Now       func() time.Time
	Log       *slog.Logger // nil drops what it is told
	Endpoints []Endpoint
	Holder    string        // names this process among those that share the space
	Lease     time.Duration // after which a process that died is not waited for; half a minute if zero
}

// Hooks receives for one space. It may be used concurrently and by several processes.
type Hooks struct {
	c         Config
	endpoints map[string]endpoint
	wake      chan struct{}
	accepted  atomic.Int64 // deliveries, by this process
	forgot    time.Time    // when old keys were dropped last; of the one who settles
	held      time.Time    // until when the lease is ours; of the one who settles

	mu     sync.Mutex
	turned []inbox.Turned   // not written yet; under mu
	more   map[string]int64 // likewise
}

type endpoint struct {
	system  system.System
	secrets [][]byte
}

// Open checks the endpoints and makes them known.
func Open(ctx context.Context, c Config) (*Hooks, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Lease == 0 {
		c.Lease = 30 * time.Second
	}
	h := &Hooks{c: c, endpoints: map[string]endpoint{}, wake: make(chan struct{}, 1), more: map[string]int64{}}
	for _, e := range c.Endpoints {
		s, err := check(e)
		if err != nil {
			return nil, err
		}
		if _, twice := h.endpoints[e.Name]; twice {
			return nil, fmt.Errorf("hooks: %s is given twice", e.Name)
		}
		h.endpoints[e.Name] = endpoint{s, e.Secrets}
		if err := errors.Join(c.Inbox.Register(ctx, e.Name, e.System), c.Inbox.Bind(ctx, e.Name, bound(e, s))); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// check finds the system of an endpoint.
func check(e Endpoint) (system.System, error) {
	s, ok := system.Find(e.System)
	switch {
	case !ok:
		return s, stemma.WithHint(fmt.Errorf("hooks: %s: the system %.60q is not known", e.Name, e.System), "there are %s", strings.Join(system.Names(), ", "))
	case e.Name == "" || len(e.Name) > 60 || strings.Trim(e.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		return s, fmt.Errorf("hooks: %.80q is no name of an endpoint: it may have a to z, 0 to 9 and -", e.Name)
	case e.Host != "" && !isHost(e.Host):
		return s, stemma.WithHint(fmt.Errorf("hooks: %s: %.100q is no name of a host", e.Name, e.Host), "write it as git.acme.example")
	case len(e.Secrets) == 0:
		return s, stemma.WithHint(fmt.Errorf("hooks: %s has no secret", e.Name), "make one, for example with: openssl rand -hex 24")
	}
	for _, secret := range e.Secrets {
		if len(secret) < MinSecret {
			return s, stemma.WithHint(fmt.Errorf("hooks: a secret of %s has less than %d bytes", e.Name, MinSecret), "make a long one, for example with: openssl rand -hex 24")
		}
	}
	return s, nil
}

// isHost reports whether a text is the host of an address, as readers find it.
func isHost(text string) bool {
	return event.HomeOf("https://"+text+"/x/y") == event.Home{Host: text, Name: "x/y"}
}

// bound is the host of which alone an endpoint may speak. A forge that may stand anywhere
// names it with its first delivery; what is none speaks of what it works on.
func bound(e Endpoint, s system.System) string {
	host := cmp.Or(e.Host, s.Home)
	if host == "" && s.Forge {
		return inbox.Unlearnt
	}
	return host
}

// Why a delivery is turned away.
var (
	ErrUnknown    = errors.New("no source delivers here")
	ErrUnsigned   = errors.New("the delivery is not signed as it should be")
	ErrUnreadable = errors.New("the body is no JSON")
)

// A Receipt says that a delivery is safe.
type Receipt struct {
	ID       int64 `json:"id"`
	Repeated bool  `json:"repeated"` // it was received before
}

// Receive checks a delivery and keeps it. When it returns no error the delivery is
// durable; the error is one of those above, or the store is away.
func (h *Hooks) Receive(ctx context.Context, name string, header http.Header, body []byte) (Receipt, error) {
	e, ok := h.endpoints[name]
	if !ok {
		return Receipt{}, ErrUnknown
	}
	grade, err := e.system.Check(signature.Request{Header: header, Body: body, Now: h.c.Now()}, e.secrets)
	if err != nil {
		h.turn(name, e.system, header, body, err.Error())
		return Receipt{}, fmt.Errorf("%w: %w", ErrUnsigned, err)
	}
	if err := jsonwalk.Valid(body); err != nil {
		h.turn(name, e.system, header, body, err.Error())
		return Receipt{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	id, fresh, err := h.c.Inbox.Accept(ctx, inbox.Delivery{
		Source: name, Key: e.system.Key(header, body), Event: e.system.Event(header), Grade: grade, Raw: body,
	})
	if err != nil {
		return Receipt{}, err
	}
	h.accepted.Add(1)
	select {
	case h.wake <- struct{}{}:
	default: // it is awake
	}
	return Receipt{ID: id, Repeated: !fresh}, nil
}

// Known reports whether a source delivers under a name.
func (h *Hooks) Known(name string) bool { _, ok := h.endpoints[name]; return ok }

// TurnAway counts a delivery of which nothing but the reason is kept: it is too large,
// or of another form.
func (h *Hooks) TurnAway(name, reason string, size int64) {
	if h.Known(name) {
		h.remember(inbox.Turned{Source: name, Key: "-", Received: h.c.Now(), Size: max(size, 0), Reason: reason})
	}
}

func (h *Hooks) turn(name string, s system.System, header http.Header, body []byte, reason string) {
	sum := sha256.Sum256(body)
	t := inbox.Turned{
		Source: name, Key: "unsigned:" + hex.EncodeToString(sum[:16]), Event: s.Event(header), Received: h.c.Now(), Size: int64(len(body)), Reason: reason,
	}
	if len(body) <= inbox.MaxTurnedBytes {
		t.Raw = body
	}
	h.remember(t)
}

// remember keeps what was turned away until it is written, not without bound: whoever
// knows no secret may send as much as the line takes.
func (h *Hooks) remember(t inbox.Turned) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keep(t)
}

// keep is remember under mu.
func (h *Hooks) keep(t inbox.Turned) {
	const most = 32
	if len(h.turned) >= most {
		h.more[t.Source]++
		return
	}
	h.turned = append(h.turned, t)
}

// Flush writes down what was turned away.
func (h *Hooks) Flush(ctx context.Context) error {
	h.mu.Lock()
	turned, more := h.turned, h.more
	h.turned, h.more = nil, map[string]int64{}
	h.mu.Unlock()
	if len(turned)+len(more) == 0 {
		return nil
	}
	err := h.c.Inbox.Turn(ctx, turned, more)
	if err != nil { // as when the server ends meanwhile: the next time writes them
		h.mu.Lock()
		defer h.mu.Unlock()
		since := h.turned
		h.turned = turned
		for name, n := range more {
			h.more[name] += n
		}
		for _, t := range since {
			h.keep(t)
		}
	}
	return err
}
