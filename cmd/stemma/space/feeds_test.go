package space

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/ingest/exempted"
)

func TestAFeedIsReadAgainWhenItIsAnother(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a.json", "1")
	ctx, stop := context.WithCancel(t.Context())
	tick, looked := make(chan time.Time), make(chan int, 10) // a tick may find what is written after it
	times, fail := 0, true
	var work sync.WaitGroup
	work.Go(func() {
		follow(ctx, slog.New(slog.DiscardHandler), dir, tick, func() (fed exempted.Fed, err error) {
			if times++; fail {
				err = errors.New("the database is not there")
			}
			looked <- times
			return fed, err
		})
	})
	if n := <-looked; n != 1 {
		t.Errorf("at the start it was read %d times", n)
	}
	fail = false
	tick <- time.Time{}
	if n := <-looked; n != 2 {
		t.Errorf("after it could not be stated it was read %d times", n)
	}
	tick <- time.Time{} // as before: it is not read
	write("b.json", "22")
	tick <- time.Time{}
	if n := <-looked; n != 3 {
		t.Errorf("with another file it was read %d times", n)
	}
	stop()
	work.Wait()
}
