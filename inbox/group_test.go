package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestConcurrentDeliveriesAreAllKeptOnce(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		const senders, each = 16, 30
		boxes := []*inbox.Inbox{openInbox(t, open()), openInbox(t, open())} // two processes
		var mu sync.Mutex
		ids := map[int64]string{}
		news := 0
		var wg sync.WaitGroup
		for s := range senders {
			wg.Go(func() {
				for i := range each {
					key := fmt.Sprint("d-", (s/2)*each+i) // two senders say the same
					id, fresh, err := boxes[s%2].Accept(t.Context(), inbox.Delivery{Source: "github", Key: key, Raw: []byte(key)})
					mu.Lock()
					if was, ok := ids[id]; err != nil || ok && was != key {
						t.Errorf("%s got id %d, which %q has: %v", key, id, was, err)
					}
					ids[id] = key
					if fresh {
						news++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if len(ids) != senders/2*each || news != len(ids) {
			t.Errorf("%d ids, %d of them fresh, want %d", len(ids), news, senders/2*each)
		}
		h, err := boxes[0].Health(t.Context())
		if err != nil || len(h) != 1 || h[0].Accepted != int64(news) || h[0].Repeated != int64(news) || h[0].Pending != int64(news) {
			t.Errorf("Health = %+v, %v", h, err)
		}
	})
}

func TestWhoGivesUpLeavesTheQueue(t *testing.T) {
	b := openInbox(t, storagetest.SQLite(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 { // it may be committed or not, but it says which
		id, fresh, err := b.Accept(ctx, inbox.Delivery{Source: "github", Key: "d"})
		if err == nil && id == 0 || err != nil && (fresh || !errors.Is(err, context.Canceled)) {
			t.Fatalf("%d, %t, %v", id, fresh, err)
		}
	}
}

func TestRefusedDeliveryIsReplayed(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		b := openInbox(t, open())
		var ids []int64
		for _, key := range []string{"a", "b", "c"} {
			id, _, err := b.Accept(t.Context(), inbox.Delivery{Source: "jira", Key: key, Event: "issue", Grade: stemma.GradeA, Raw: []byte("{}")})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		err := b.Settle(t.Context(), inbox.Outcome{ID: ids[0], Refused: true, Reason: "no key"}, inbox.Outcome{ID: ids[1], Refused: true}, inbox.Outcome{ID: ids[2]})
		if err != nil {
			t.Fatal(err)
		}
		letters, err := b.Letters(t.Context(), 10)
		if err != nil || len(letters) != 2 || letters[1].ID != ids[0] || letters[1].Reason != "no key" || letters[1].Event != "issue" || letters[1].Size != 2 {
			t.Errorf("Letters = %+v, %v", letters, err)
		}
		if n, err := b.Replay(t.Context(), ids[0]); n != 1 || err != nil {
			t.Errorf("Replay: %d, %v", n, err)
		}
		if _, err := b.Replay(t.Context(), ids[2]); !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("a done delivery was replayed: %v", err)
		}
		if n, err := b.Replay(t.Context(), 0); n != 1 || err != nil {
			t.Errorf("Replay of all: %d, %v", n, err)
		}
		again, err := b.Pending(t.Context(), 0)
		if err != nil || len(again) != 2 || again[0].Reason != "no key" || again[0].Grade != stemma.GradeA || string(again[0].Raw) != "{}" {
			t.Errorf("Pending = %+v, %v", again, err)
		}
	})
}

func TestLeaseHasOneHolder(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		now := at()
		box := func() *inbox.Inbox {
			b, err := inbox.Open(t.Context(), open(), func() time.Time { return now })
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		one, two := box(), box()
		id, _, err := one.Accept(t.Context(), inbox.Delivery{Source: "github", Key: "d"})
		if err != nil {
			t.Fatal(err)
		}
		hold := func(b *inbox.Inbox, who string, want bool) {
			t.Helper()
			if held, err := b.Hold(t.Context(), who, time.Minute); held != want || err != nil {
				t.Errorf("%s holds it: %t, %v; want %t", who, held, err, want)
			}
		}
		hold(one, "one", true)
		hold(two, "two", false)
		hold(one, "one", true)
		now = now.Add(2 * time.Minute) // one died
		hold(two, "two", true)
		if err := one.SettleAs(t.Context(), "one", inbox.Outcome{ID: id}); !errors.Is(err, inbox.ErrNotHeld) {
			t.Errorf("who lost the lease settled: %v", err)
		}
		if err := two.SettleAs(t.Context(), "two", inbox.Outcome{ID: id}); err != nil {
			t.Error(err)
		}
		if err := two.Release(t.Context(), "two"); err != nil {
			t.Error(err)
		}
		hold(one, "one", true)
	})
}

func TestTurnedAwayIsBounded(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		b := openInbox(t, open())
		for i := range 3 {
			var list []inbox.Turned
			for j := range 60 {
				raw := []byte("{}")
				if j == 59 {
					raw = []byte(strings.Repeat("x", inbox.MaxTurnedBytes+1))
				}
				list = append(list, inbox.Turned{Source: "github", Key: fmt.Sprint(i, "-", j), Received: at(), Size: int64(len(raw)), Raw: raw, Reason: "unsigned"})
			}
			if err := b.Turn(t.Context(), list, map[string]int64{"github": 1000}); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := b.TurnedAway(t.Context(), 1000)
		if err != nil || len(kept) != inbox.MaxTurned || kept[0].Key != "2-59" || kept[0].Raw != nil || string(kept[1].Raw) != "{}" {
			t.Errorf("%d kept, %v", len(kept), err)
		}
		h, err := b.Health(t.Context())
		if err != nil || len(h) != 1 || h[0].Turned != 3180 || h[0].Accepted != 0 || !h[0].LastTurn.Equal(at()) {
			t.Errorf("Health = %+v, %v", h, err)
		}
		if _, err := b.Admit(t.Context(), kept[0].ID); err == nil {
			t.Error("a delivery was admitted whose bytes are not kept")
		}
		if fresh, err := b.Admit(t.Context(), kept[1].ID); !fresh || err != nil {
			t.Errorf("Admit: %t, %v", fresh, err)
		}
		if p, err := b.Pending(t.Context(), 0); err != nil || len(p) != 1 || p[0].Grade != stemma.GradeD {
			t.Errorf("Pending = %+v, %v", p, err)
		}
	})
}

func TestOldKeysAreForgotten(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		b := openInbox(t, open())
		var last int64
		for _, key := range []string{"a", "b", "c", "d"} {
			id, _, err := b.Accept(t.Context(), inbox.Delivery{Source: "jira", Key: key})
			if err != nil {
				t.Fatal(err)
			}
			last = id
		}
		if err := b.Settle(t.Context(), inbox.Outcome{ID: last - 3}, inbox.Outcome{ID: last - 2, Refused: true}, inbox.Outcome{ID: last}); err != nil {
			t.Fatal(err)
		}
		if n, err := b.Forget(t.Context(), at()); n != 0 || err != nil {
			t.Errorf("too early: %d, %v", n, err)
		}
		if n, err := b.Forget(t.Context(), at().Add(time.Second)); n != 1 || err != nil {
			t.Errorf("Forget: %d, %v; the last one keeps its number from being given again", n, err)
		}
		if id, fresh, err := b.Accept(t.Context(), inbox.Delivery{Source: "jira", Key: "a"}); !fresh || id <= last || err != nil {
			t.Errorf("%d, %t, %v", id, fresh, err)
		}
	})
}

func TestBodiesComeBackAsTheyWere(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		b := openInbox(t, open())
		noise := make([]byte, 100_000)
		for i, x := 0, uint32(1); i < len(noise); i++ {
			x = x*1664525 + 1013904223
			noise[i] = byte(x >> 24)
		}
		bodies := []string{"", "{}", strings.Repeat(`{"a":1},`, 100_000), string(noise), strings.Repeat("x", inbox.MaxDelivery)}
		for i, body := range bodies {
			if _, _, err := b.Accept(t.Context(), inbox.Delivery{Source: "jira", Key: fmt.Sprint(i), Raw: []byte(body)}); err != nil {
				t.Fatal(err)
			}
		}
		after := int64(0)
		for i, body := range bodies {
			list, err := b.Pending(t.Context(), after)
			if err != nil || len(list) == 0 || string(list[0].Raw) != body {
				t.Fatalf("body %d of %d bytes: %v", i, len(body), err)
			}
			after = list[0].ID
		}
	})
}
