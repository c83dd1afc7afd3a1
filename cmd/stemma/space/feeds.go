package space

import (
	"context"
	"fmt"
	"hash/fnv"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/exempted"
)

// feeds are files in which others tell by what changes are judged: they are read when the
// server starts, and again when they are others.
type feeds struct {
	advisories []string // records of OSV: files, directories, zips; feeds about models
	packages   []string // what registries say
}

// look is how often it is looked whether files are others.
const look = 30 * time.Second

// run reads the files until ctx ends.
func (f feeds) run(ctx context.Context, work *sync.WaitGroup, a *program.App, s *ingest.Space) {
	begin := func(name string, read func() (exempted.Fed, error)) {
		work.Go(func() {
			tick := time.NewTicker(look)
			defer tick.Stop()
			follow(ctx, a.Log, name, tick.C, read)
		})
	}
	for _, name := range f.advisories {
		begin(name, func() (exempted.Fed, error) { return exempted.FeedAdvisories(ctx, s, a.Now, name) })
	}
	for _, name := range f.packages {
		begin(name, func() (exempted.Fed, error) { return exempted.FeedPackages(ctx, s, a.Now, name) })
	}
}

// follow has a file or directory read at once, and at every tick at which it is another.
func follow(ctx context.Context, log *slog.Logger, name string, tick <-chan time.Time, read func() (exempted.Fed, error)) {
	last := ""
	for {
		if now := state(name); now != last {
			fed, err := read()
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				log.Error("a feed cannot be read, and is tried again", "feed", name, "error", err)
			default:
				last = now
				log.Info("a feed was read", "feed", name, "read", fed.Read, "new", fed.Added)
				if fault := fed.Fault(); fault != nil {
					log.Error("a part of a feed cannot be read", "feed", name, "error", fault)
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
	}
}

// state tells whether a file, or what is in a directory, is another than before.
func state(name string) string {
	sum := fnv.New128a()
	if at, err := filepath.EvalSymlinks(name); err == nil {
		name = at
	}
	err := filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && !d.IsDir() {
			fmt.Fprintln(sum, path, info.Size(), info.ModTime().UnixNano())
		}
		return err
	})
	return fmt.Sprintf("%x %v", sum.Sum(nil), err)
}
