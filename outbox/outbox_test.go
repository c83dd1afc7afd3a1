package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/outbox"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A clock is set by the test.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func begin(t *testing.T) (dir string, c *clock, o *outbox.Outbox) {
	dir, c = filepath.Join(t.TempDir(), "outbox"), &clock{time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)}
	return dir, c, outbox.Open(dir, "https://stemma.example.com", c.now)
}

// inbox is a server that takes messages, or fails.
type inbox struct {
	got  []string
	fail error
}

func (i *inbox) post(_ context.Context, b []byte) error {
	if i.fail != nil {
		return i.fail
	}
	i.got = append(i.got, string(b))
	return nil
}

func TestWhatWaitsIsSentOnceInItsOrder(t *testing.T) {
	dir, c, o := begin(t)
	for _, m := range []string{"b", "a", "c", "a"} {
		must(t, o.Keep(m, []byte(m)))
		c.Time = c.Add(time.Second)
	}
	must(t, outbox.Open(dir, "https://other.example.com", c.now).Keep("x", []byte("for another server")))
	if n, err := o.Waiting(); err != nil || n != 3 {
		t.Fatalf("%d wait, %v", n, err)
	}
	s := &inbox{fail: errors.New("away")}
	if sent, err := o.Send(t.Context(), s.post); err == nil || sent.Left != 3 || o.Due() {
		t.Errorf("%+v, %v", sent, err)
	}
	s.fail = nil
	if sent, err := o.Send(t.Context(), s.post); err != nil || sent.Sent != 3 || sent.Left != 0 || !o.Due() || !slices.Equal(s.got, []string{"b", "a", "c"}) {
		t.Errorf("%+v, %v, %q", sent, err, s.got)
	}
	if sent, err := o.Send(t.Context(), s.post); err != nil || sent.Sent != 0 {
		t.Errorf("%+v, %v", sent, err)
	}
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		info, infoErr := e.Info()
		if err == nil && infoErr == nil && info.Mode().Perm()&0o077 != 0 && path != dir {
			t.Errorf("%s may be read by others: %s", path, info.Mode())
		}
		return errors.Join(err, infoErr)
	}))
}

func TestTriesWaitLongerAfterEachFailure(t *testing.T) {
	_, c, o := begin(t)
	must(t, o.Keep("a", []byte("a")))
	if !o.Due() {
		t.Error("the first try waits")
	}
	for _, wait := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second, 320 * time.Second, 600 * time.Second, 600 * time.Second} {
		must(t, o.Failed())
		c.Time = c.Add(wait - 1)
		if o.Due() {
			t.Errorf("it is due before %s", wait)
		}
		if c.Time = c.Add(1); !o.Due() {
			t.Errorf("it is not due after %s", wait)
		}
	}
	must(t, o.Failed())
	if c.Time = c.Add(-time.Hour); !o.Due() {
		t.Error("a clock that was set back stops all")
	}
}

func TestRefusedIsPutAsideWithTheReason(t *testing.T) {
	dir, c, o := begin(t)
	for i := range 120 {
		must(t, o.Keep(fmt.Sprint(i), []byte("bad")))
		c.Time = c.Add(time.Second)
	}
	s := &inbox{fail: &outbox.RefusedError{Why: "it is no envelope"}}
	sent, err := o.Send(t.Context(), s.post)
	if err != nil || sent.Left != 0 || len(sent.Refused) != 120 || sent.Refused[0] != "it is no envelope" {
		t.Errorf("%+v, %v", sent, err)
	}
	kept, err := filepath.Glob(filepath.Join(dir, "*", "refused", "*"))
	if err != nil || len(kept) != 200 {
		t.Errorf("%d are kept, %v", len(kept), err)
	}
	why, err := os.ReadFile(kept[len(kept)-1])
	if err != nil || string(why) != "it is no envelope\n" {
		t.Errorf("%s, %v", why, err)
	}
}

func TestThereIsRoomForSoMany(t *testing.T) {
	_, _, o := begin(t)
	must(t, o.Keep("large", make([]byte, outbox.MaxBytes-1)))
	if err := o.Keep("more", []byte("xx")); !errors.Is(err, outbox.ErrFull) || !strings.Contains(err.Error(), "1 messages") {
		t.Errorf("%v", err)
	}
	must(t, o.Keep("large", []byte("it is there")))
	_, c, o := begin(t)
	for i := range outbox.MaxMessages {
		must(t, o.Keep(fmt.Sprint(i), nil))
		c.Time = c.Add(1)
	}
	if err := o.Keep("more", nil); !errors.Is(err, outbox.ErrFull) {
		t.Errorf("%v", err)
	}
}

func TestPlaceThatCannotBeWrittenIsAnError(t *testing.T) {
	dir, c, _ := begin(t)
	must(t, os.WriteFile(dir, nil, 0o600))
	if err := outbox.Open(dir, "x", c.now).Keep("a", nil); err == nil {
		t.Error("a message is kept nowhere")
	}
}
