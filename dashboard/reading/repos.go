package reading

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/patch"
)

// repositories are those on this machine, opened when first needed. What is
// read of them is named by its content, so it is kept for the next reader.
type repositories struct {
	slots chan struct{} // taken by whoever reads, so that few processes run at once

	mu      sync.Mutex // protects the rest
	open    map[string]*git.Repo
	commits map[string][]patch.File // by commit
	blobs   map[string][]byte       // by id
	order   []kept                  // of both, oldest first
	bytes   int                     // that they take, about
}

// kept is something that was read and how much room it takes.
type kept struct {
	key   string
	bytes int
}

const (
	readers  = 4
	keepRead = 48 << 20
	maxBlob  = 4 << 20
	maxDiff  = 16 << 20 // of a file; git compares all of one, however little is shown
)

func newRepositories() *repositories {
	return &repositories{slots: make(chan struct{}, readers), open: map[string]*git.Repo{}, commits: map[string][]patch.File{}, blobs: map[string][]byte{}}
}

func (rs *repositories) close() error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	var all error
	for path, r := range rs.open {
		all = errors.Join(all, r.Close())
		delete(rs.open, path)
	}
	return all
}

// remember keeps count of one more thing and forgets the oldest; mu is held.
func (rs *repositories) remember(key string, bytes int) {
	rs.order = append(rs.order, kept{key, bytes})
	rs.bytes += bytes
	for rs.bytes > keepRead && len(rs.order) > 1 {
		delete(rs.commits, rs.order[0].key)
		delete(rs.blobs, rs.order[0].key)
		rs.bytes -= rs.order[0].bytes
		rs.order = slices.Delete(rs.order, 0, 1)
	}
}

// room is about how much memory differences take.
func room(files []patch.File) int {
	n := 256
	for _, f := range files {
		n += 256 + len(f.Path)
		for _, h := range f.Hunks {
			n += 128
			for _, l := range h.Old {
				n += 24 + len(l)
			}
			for _, l := range h.New {
				n += 24 + len(l)
			}
		}
	}
	return n
}

// at waits until few enough read and returns the repository of a place. Call
// done after the last use.
func (rs *repositories) at(ctx context.Context, path string) (r *git.Repo, done func(), err error) {
	select {
	case rs.slots <- struct{}{}:
		done = func() { <-rs.slots }
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r := rs.open[path]; r != nil {
		return r, done, nil
	}
	if r, err = git.Open(context.WithoutCancel(ctx), path); err != nil {
		done()
		return nil, nil, err
	}
	rs.open[path] = r
	return r, done, nil
}

// diffs reads what commits changed. Those that are not here are left out.
func (rs *repositories) diffs(ctx context.Context, path string, ids []string) (map[string][]patch.File, error) {
	out := map[string][]patch.File{}
	var ask []string
	rs.mu.Lock()
	for _, id := range ids {
		if files, ok := rs.commits[id]; ok {
			out[id] = files
		} else {
			ask = append(ask, id)
		}
	}
	rs.mu.Unlock()
	if len(ask) == 0 {
		return out, nil
	}
	r, done, err := rs.at(ctx, path)
	if err != nil {
		return nil, err
	}
	defer done()
	for c, err := range history.Log(ctx, r, history.Options{Tips: ask, Only: true, MaxFileText: 256 << 10, MaxCommitText: 1 << 20, MaxLine: 1000, MaxFile: maxDiff}) {
		if err != nil {
			return out, err
		}
		out[c.ID] = c.Files
		rs.mu.Lock()
		if rs.commits[c.ID] == nil {
			rs.commits[c.ID] = c.Files
			rs.remember(c.ID, room(c.Files))
		}
		rs.mu.Unlock()
	}
	return out, nil
}

// blob reads one object; stemma.ErrNotFound says that it is not here.
func (rs *repositories) blob(ctx context.Context, path, id string) ([]byte, error) {
	rs.mu.Lock()
	data, ok := rs.blobs[id]
	rs.mu.Unlock()
	if ok {
		return data, nil
	}
	r, done, err := rs.at(ctx, path)
	if err != nil {
		return nil, err
	}
	defer done()
	for o, err := range r.Objects(ctx, slices.Values([]string{id}), maxBlob) {
		if err != nil {
			return nil, err
		}
		if o.Missing || o.TooBig || o.Type != "blob" {
			return nil, stemma.ErrNotFound
		}
		rs.mu.Lock()
		if rs.blobs[id] == nil {
			rs.blobs[id] = o.Data
			rs.remember(id, len(o.Data)+64)
		}
		rs.mu.Unlock()
		return o.Data, nil
	}
	return nil, stemma.ErrNotFound
}
