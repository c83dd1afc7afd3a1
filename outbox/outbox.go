// Package outbox keeps what could not be sent to a server, in files, until it can: a
// build must not wait for a server, and must not fail because there is none.
//
// The messages for one server lie in a directory of their own, each a file that only
// this account may read. There is room for [MaxMessages] and [MaxBytes]; what is too
// much is an error, never dropped in silence. After a failure the next try waits, longer
// each time. What a server refuses for good is put aside, with the reason, and not sent
// again.
//
// The package knows nothing of what messages say. It may be used by several processes at
// once: two of them may send a message twice, so it has to have a key.
package outbox

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// MaxMessages is how many messages wait for one server at most.
	MaxMessages = 1000
	// MaxBytes is how many bytes they may have together.
	MaxBytes = 256 << 20

	maxRefused = 100 // that are put aside

	firstWait = 10 * time.Second
	lastWait  = 10 * time.Minute
)

// An Outbox is that of one server.
type Outbox struct {
	dir string
	now func() time.Time
}

// A RefusedError says that a server will not take a message, whenever it is sent.
type RefusedError struct{ Why string }

func (e *RefusedError) Error() string { return "refused: " + e.Why }

// ErrFull says that there is no room for another message.
var ErrFull = errors.New("there is no room for more reports that wait")

// Open is the outbox for a server below a directory, which is made when it is needed.
func Open(dir, server string, now func() time.Time) *Outbox {
	sum := sha256.Sum256([]byte(server))
	return &Outbox{filepath.Join(dir, hex.EncodeToString(sum[:8])), now}
}

// A message is a file that waits.
type message struct {
	name string
	size int64
}

// messages are those that wait, the oldest first.
func (o *Outbox) messages() (list []message, bytes int64, err error) {
	entries, err := os.ReadDir(o.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("outbox: %w", err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".message") || !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err == nil { // else another process sent it
			list, bytes = append(list, message{e.Name(), info.Size()}), bytes+info.Size()
		}
	}
	slices.SortFunc(list, func(a, b message) int { return cmp.Compare(a.name, b.name) })
	return list, bytes, nil
}

// Waiting is how many messages wait.
func (o *Outbox) Waiting() (int, error) {
	list, _, err := o.messages()
	return len(list), err
}

// Keep puts a message with its key into the outbox, durably. One that waits already is
// not kept twice. It is [ErrFull] if there is no room.
func (o *Outbox) Keep(key string, body []byte) error {
	list, bytes, err := o.messages()
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(key))
	tail := "-" + hex.EncodeToString(sum[:16]) + ".message"
	if slices.ContainsFunc(list, func(m message) bool { return strings.HasSuffix(m.name, tail) }) {
		return nil
	}
	if len(list) >= MaxMessages || bytes+int64(len(body)) > MaxBytes {
		return fmt.Errorf("outbox: %w: %d messages of %d bytes wait in %s", ErrFull, len(list), bytes, o.dir)
	}
	return o.write(fmt.Sprintf("%020d%s", o.now().UnixNano(), tail), body)
}

// write makes a file whole, or not at all.
func (o *Outbox) write(name string, body []byte) (err error) {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	f, err := os.CreateTemp(o.dir, ".new-*") // for this account alone
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	_, err = f.Write(body)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(o.dir, name))
	}
	if err != nil {
		_ = os.Remove(f.Name()) // it is of no use
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}

// A pause says since how many failures, and until when, nothing is tried.
type pause struct {
	Failures int       `json:"failures"`
	Until    time.Time `json:"until"`
}

func (o *Outbox) pause() (p pause) {
	b, err := os.ReadFile(filepath.Join(o.dir, "pause"))
	if err != nil || json.Unmarshal(b, &p) != nil {
		return pause{}
	}
	return p
}

// Due reports whether a server may be tried, or whether it failed so lately that it is
// not to be asked again yet.
func (o *Outbox) Due() bool {
	until := o.pause().Until
	return !o.now().Before(until) || until.Sub(o.now()) > lastWait // a clock was set back
}

// Failed makes the next try wait, longer after each failure.
func (o *Outbox) Failed() error {
	p := o.pause()
	wait := min(firstWait<<min(p.Failures, 10), lastWait)
	p.Failures++
	p.Until = o.now().Add(wait)
	b, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return o.write("pause", b)
}

// Reached says that the server answered: nothing waits any more.
func (o *Outbox) Reached() { _ = os.Remove(filepath.Join(o.dir, "pause")) } // most often there is none

// A Sent says what became of the messages that waited.
type Sent struct {
	Sent    int      `json:"sent"`
	Left    int      `json:"left"`
	Refused []string `json:"refused,omitempty"` // why
}

// Send sends what waits, the oldest first, until something fails that may be better
// later: that error is returned, and the rest stays.
func (o *Outbox) Send(ctx context.Context, post func(context.Context, []byte) error) (s Sent, err error) {
	list, _, err := o.messages()
	if err != nil {
		return s, err
	}
	s.Left = len(list)
	for _, m := range list {
		body, err := os.ReadFile(filepath.Join(o.dir, m.name))
		if errors.Is(err, fs.ErrNotExist) {
			s.Left-- // another process sent it
			continue
		}
		if err != nil {
			return s, fmt.Errorf("outbox: %w", err)
		}
		err = post(ctx, body)
		var refused *RefusedError
		switch {
		case errors.As(err, &refused):
			s.Refused = append(s.Refused, refused.Why)
			err = o.putAside(m.name, refused.Why)
		case err != nil:
			return s, errors.Join(err, o.Failed())
		default:
			s.Sent++
			if err = os.Remove(filepath.Join(o.dir, m.name)); errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
		}
		if err != nil {
			return s, fmt.Errorf("outbox: %w", err)
		}
		s.Left--
	}
	if s.Sent > 0 {
		o.Reached()
	}
	return s, nil
}

// putAside keeps what a server refused, the last of it, beside the reason.
func (o *Outbox) putAside(name, why string) error {
	at := filepath.Join(o.dir, "refused")
	if err := os.MkdirAll(at, 0o700); err != nil {
		return err
	}
	if old, err := os.ReadDir(at); err == nil && len(old) >= 2*maxRefused {
		for _, e := range old[:2] { // they are in the order of their times
			_ = os.Remove(filepath.Join(at, e.Name()))
		}
	}
	if err := os.WriteFile(filepath.Join(at, name+".why"), []byte(why+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(filepath.Join(o.dir, name), filepath.Join(at, name))
}
