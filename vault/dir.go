package vault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"syscall"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// A Directory is [Blobs] in a directory: the blob NAME is the file XX/NAME,
// XX being the first two bytes of the name. Files on their way are in tmp.
type Directory struct{ root string }

// manyFiles is how many files are synced one by one; more are synced with
// their whole file system where that can be done.
const manyFiles = 16

// Dir keeps blobs in the directory at path and makes it where it is missing.
func Dir(path string) (*Directory, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("vault: blobs in %s: %w", path, err)
	}
	d := &Directory{root: path}
	if err := os.MkdirAll(d.tmp(), 0o700); err != nil {
		return nil, d.explain("opening", err)
	}
	return d, nil
}

func (d *Directory) tmp() string              { return filepath.Join(d.root, "tmp") }
func (d *Directory) shard(name string) string { return filepath.Join(d.root, name[:2]) }
func (d *Directory) file(name string) string  { return filepath.Join(d.shard(name), name) }

// Put implements [Blobs]. Every file is whole on disk before it gets its name.
func (d *Directory) Put(ctx context.Context, items ...Blob) (err error) {
	var temps []string
	defer func() {
		for _, t := range temps {
			_ = os.Remove(t) // those left after an error; the others have moved
		}
	}()
	each := len(items) <= manyFiles
	for _, b := range items {
		if err := cmp.Or(ctx.Err(), b.check()); err != nil {
			return err
		}
		t, err := d.writeTemp(b.Data, each)
		if err != nil {
			return d.explain("writing blob "+b.Name+" to", err)
		}
		temps = append(temps, t)
	}
	if err := d.syncAll(each, nil); err != nil {
		return d.explain("writing blobs to", err)
	}
	touched := map[string]bool{}
	for i, b := range items {
		if err := d.place(temps[i], b.Name, touched); err != nil {
			return d.explain("writing blob "+b.Name+" to", err)
		}
	}
	temps = nil
	return d.explain("writing blobs to", d.syncAll(each, touched))
}

func (d *Directory) writeTemp(data []byte, sync bool) (name string, err error) {
	f, err := os.CreateTemp(d.tmp(), "put-")
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(f.Name()) // the first error counts
		}
	}()
	if _, err := f.Write(data); err != nil {
		return "", err
	}
	if sync {
		if err := f.Sync(); err != nil {
			return "", err
		}
	}
	return f.Name(), nil
}

// place gives a written file its name and notes which directories changed.
func (d *Directory) place(temp, name string, touched map[string]bool) error {
	shard := d.shard(name)
	if !touched[shard] {
		switch err := os.Mkdir(shard, 0o700); {
		case err == nil:
			touched[d.root] = true
		case !errors.Is(err, fs.ErrExist):
			return err
		}
		touched[shard] = true
	}
	return os.Rename(temp, d.file(name))
}

// syncAll makes durable what was written: the directories one by one, or, for
// many files, everything on the file system at once.
func (d *Directory) syncAll(each bool, dirs map[string]bool) error {
	if !each {
		done, err := syncFileSystem(d.root)
		if done || err != nil {
			return err
		}
		if err := d.syncTemps(); err != nil {
			return err
		}
	}
	for dir := range dirs {
		if err := syncPath(dir); err != nil {
			return err
		}
	}
	return nil
}

// syncTemps stands in for syncFileSystem where there is none.
func (d *Directory) syncTemps() error {
	entries, err := os.ReadDir(d.tmp())
	if err != nil {
		return err
	}
	for _, e := range entries {
		err := syncPath(filepath.Join(d.tmp(), e.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err // one that is gone was another Put's
		}
	}
	return nil
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Get implements [Blobs].
func (d *Directory) Get(ctx context.Context, name string) ([]byte, error) {
	if err := cmp.Or(ctx.Err(), CheckName(name)); err != nil {
		return nil, err
	}
	f, err := os.Open(d.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("vault: blob %s: %w", name, stemma.ErrNotFound)
	}
	if err != nil {
		return nil, d.explain("reading blob "+name+" from", err)
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxBlob+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, d.explain("reading blob "+name+" from", err)
	}
	if len(b) > MaxBlob {
		return nil, fmt.Errorf("vault: blob %s has more than %d bytes: %w", name, MaxBlob, stemma.ErrTampered)
	}
	return b, nil
}

// Delete implements [Blobs].
func (d *Directory) Delete(ctx context.Context, name string) error {
	if err := cmp.Or(ctx.Err(), CheckName(name)); err != nil {
		return err
	}
	err := os.Remove(d.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = syncPath(d.shard(name))
	}
	return d.explain("deleting blob "+name+" from", err)
}

// Names implements [Blobs].
func (d *Directory) Names(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		shards, err := os.ReadDir(d.root)
		if err != nil {
			yield("", d.explain("listing", err))
			return
		}
		for _, shard := range shards {
			if len(shard.Name()) != 2 || !shard.IsDir() {
				continue
			}
			files, err := os.ReadDir(filepath.Join(d.root, shard.Name()))
			if err := cmp.Or(ctx.Err(), d.explain("listing", err)); err != nil {
				yield("", err)
				return
			}
			for _, f := range files {
				if CheckName(f.Name()) == nil && !yield(f.Name(), nil) {
					return
				}
			}
		}
	}
}

// explain says what failed, why and what to do.
func (d *Directory) explain(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return stemma.WithHint(fmt.Errorf("vault: %s %s: %w (%w)", what, d.root, storage.ErrFull, err),
			"Free some space on that disk (or raise its quota) and try again; what was stored before is unharmed.")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return stemma.WithHint(fmt.Errorf("vault: %s %s: %w (%w)", what, d.root, storage.ErrReadOnly, err),
			"Change the permissions of that directory or choose another one.")
	}
	return fmt.Errorf("vault: %s %s: %w", what, d.root, err)
}
