package exempted

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/osv"
)

// Fed is what came of reading files with what others tell.
type Fed struct {
	Read    int `json:"read"`
	Added   int `json:"added"`   // that say something new
	Nothing int `json:"nothing"` // records about nothing that a bill of materials could name
	Wrong   int `json:"wrong"`   // records and files that cannot be read

	faults []error
}

func (f *Fed) wrong(fault error) {
	if f.Wrong++; len(f.faults) < maxFaults {
		f.faults = append(f.faults, fault)
	}
}

// Fault says what cannot be read, the first of it; nil if all was.
func (f Fed) Fault() error {
	if f.Wrong == 0 {
		return nil
	}
	return fmt.Errorf("%d records or files cannot be read, and the others were taken in: %w", f.Wrong, errors.Join(f.faults...))
}

// FeedOSV states the records of OSV in files, directories and zips. What cannot be read is
// told, and holds up nothing else; the error says that some of it was not read at all, and
// may be another time.
func FeedOSV(ctx context.Context, s *ingest.Space, now func() time.Time, source string, names ...string) (Fed, error) {
	b := NewBulk(ctx, s, now, Advisories)
	var err error
	for _, name := range names {
		err = errors.Join(err, osv.Read(source, name, func(a governance.Advisory, fault error) error {
			switch {
			case errors.Is(fault, osv.ErrNoPackage):
				b.Nothing++
			case fault != nil:
				b.wrong(fault)
			default:
				return b.Put(ctx, a)
			}
			return ctx.Err()
		}))
	}
	err = errors.Join(err, b.Close(ctx))
	return b.Fed, err
}

// FeedPackages states what registries told of packages, from files. What is wrong with one
// is told, and holds up no other; the error says that one was not read at all, and may be
// another time.
func FeedPackages(ctx context.Context, s *ingest.Space, now func() time.Time, names ...string) (Fed, error) {
	b := NewBulk(ctx, s, now, Registry)
	var err error
	for _, name := range names {
		body, failed := readFile(name)
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		list, fault := ParsePackages(body)
		if fault != nil {
			b.wrong(fmt.Errorf("%s: %w", name, fault))
			continue
		}
		for _, p := range list {
			if failed := b.Put(ctx, p); failed != nil {
				err = errors.Join(err, failed)
				break
			}
		}
	}
	err = errors.Join(err, b.Close(ctx))
	return b.Fed, err
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(f, MaxPackages+1))
	return body, errors.Join(err, f.Close())
}
