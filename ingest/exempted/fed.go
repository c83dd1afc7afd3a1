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

// Fault says what cannot be read, the first of it; nil if all was.
func (f Fed) Fault() error {
	if f.Wrong == 0 {
		return nil
	}
	return fmt.Errorf("%d records or files cannot be read, and the others were taken in: %w", f.Wrong, errors.Join(f.faults...))
}

// FeedOSV states the records of OSV in files, directories and zips. What cannot be read is
// told, and holds up nothing else.
func FeedOSV(ctx context.Context, s *ingest.Space, now func() time.Time, source string, names ...string) (fed Fed, err error) {
	b := NewBulk(ctx, s, now, Advisories)
	for _, name := range names {
		err = errors.Join(err, osv.Read(source, name, func(a governance.Advisory, fault error) error {
			switch {
			case errors.Is(fault, osv.ErrNoPackage):
				fed.Nothing++
			case fault != nil:
				if fed.Wrong++; len(fed.faults) < maxFaults {
					fed.faults = append(fed.faults, fault)
				}
			default:
				return b.Put(ctx, a)
			}
			return ctx.Err()
		}))
	}
	err = errors.Join(err, b.Close(ctx))
	fed.Read, fed.Added = b.Read, b.Added
	return fed, err
}

// FeedPackages states what registries told of packages, from files.
func FeedPackages(ctx context.Context, s *ingest.Space, now func() time.Time, names ...string) (fed Fed, err error) {
	b := NewBulk(ctx, s, now, Registry)
	for _, name := range names {
		body, fault := readFile(name)
		if fault == nil {
			list, wrong := ParsePackages(body)
			if fault = wrong; fault == nil {
				for _, p := range list {
					err = errors.Join(err, b.Put(ctx, p))
				}
			}
		}
		if fault != nil {
			fed.Wrong++
			fed.faults = append(fed.faults, fmt.Errorf("%s: %w", name, fault))
		}
	}
	err = errors.Join(err, b.Close(ctx))
	fed.Read, fed.Added = b.Read, b.Added
	return fed, err
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(f, MaxPackages+1))
	return body, errors.Join(err, f.Close())
}
