package inbox_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

func at() time.Time { return time.Date(2026, 11, 24, 9, 0, 0, 123456000, time.UTC) }

func openInbox(t *testing.T, db *storage.DB) *inbox.Inbox {
	t.Helper()
	b, err := inbox.Open(t.Context(), db, at)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDeliveryIsKeptUntilItIsSettled(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		b := openInbox(t, db)
		accept := func(source, key, raw string) (int64, bool) {
			t.Helper()
			id, fresh, err := b.Accept(t.Context(), inbox.Delivery{Source: source, Key: key, Raw: []byte(raw)})
			if err != nil {
				t.Fatal(err)
			}
			return id, fresh
		}
		one, _ := accept("github", "d-1", "\x00\xff{}")
		two, _ := accept("gitlab", "d-1", "two")
		three, fresh := accept("github", "d-2", "")
		if !fresh || one >= two || two >= three {
			t.Errorf("ids %d, %d, %d, fresh %t", one, two, three, fresh)
		}
		if again, fresh := accept("github", "d-1", "something else"); again != one || fresh {
			t.Errorf("the same key again got %d, fresh %t; want %d", again, fresh, one)
		}
		want := []inbox.Delivery{
			{ID: one, Source: "github", Key: "d-1", Raw: []byte("\x00\xff{}"), Received: at()},
			{ID: two, Source: "gitlab", Key: "d-1", Raw: []byte("two"), Received: at()},
			{ID: three, Source: "github", Key: "d-2", Raw: []byte{}, Received: at()},
		}
		expect := func(after int64, want ...inbox.Delivery) {
			t.Helper()
			// What was accepted survives a new process.
			got, err := openInbox(t, open()).Pending(t.Context(), after)
			for i := range got {
				got[i].Raw = append([]byte{}, got[i].Raw...)
			}
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("Pending(%d): %v\n%s", after, err, diff)
			}
		}
		expect(0, want...)
		expect(one, want[1:]...)
		if err := b.Done(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if err := b.Refuse(t.Context(), two, "not JSON\x00 \xff"+strings.Repeat("é", 5000)); err != nil {
			t.Fatal(err)
		}
		expect(0, want[2])
		if again, fresh := accept("github", "d-1", "late"); again != one || fresh {
			t.Errorf("a settled delivery came again and got %d, fresh %t", again, fresh)
		}
		expect(0, want[2])

		if err := b.Done(t.Context(), one); err != nil {
			t.Errorf("saying Done twice: %v", err)
		}
		if err := b.Done(t.Context(), two); err == nil {
			t.Error("a refused delivery became done")
		}
		if err := b.Done(t.Context(), 99); !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("Done of nothing: %v, want ErrNotFound", err)
		}
	})
}

func TestCrookedDeliveryIsRefused(t *testing.T) {
	b := openInbox(t, storagetest.SQLite(t))
	for name, d := range map[string]inbox.Delivery{
		"no source": {Key: "1"}, "no key": {Source: "github"}, "zero byte": {Source: "github", Key: "a\x00"},
		"not text": {Source: "\xff", Key: "1"}, "long key": {Source: "github", Key: strings.Repeat("k", 600)},
		"too much": {Source: "github", Key: "1", Raw: make([]byte, inbox.MaxDelivery+1)},
	} {
		if _, _, err := b.Accept(t.Context(), d); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestTableOfAnOlderSpaceIsTakenOver(t *testing.T) {
	db := storagetest.SQLite(t)
	older := fstest.MapFS{"migrations/00001_ledger.sql": {Data: []byte(`-- +goose Up
CREATE TABLE inbox (id BIGINT NOT NULL PRIMARY KEY, source TEXT NOT NULL, delivery TEXT NOT NULL, received BIGINT NOT NULL,
    raw BYTEA, state TEXT NOT NULL, reason TEXT NOT NULL, UNIQUE (source, delivery));
CREATE INDEX inbox_state ON inbox (state, id);
INSERT INTO inbox VALUES (7, 'github', 'd', 0, x'00', 'pending', '');
`)}}
	if err := db.Migrate(t.Context(), "ledger", older); err != nil {
		t.Fatal(err)
	}
	list, err := openInbox(t, db).Pending(t.Context(), 0)
	if err != nil || len(list) != 1 || list[0].ID != 7 {
		t.Errorf("Pending = %+v, %v", list, err)
	}
}
