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
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
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

// FeedAdvisories states the advisories of a file, directory or zip: records of OSV, or, in a
// file of its own, a feed about models (see [ParseFeed]).
func FeedAdvisories(ctx context.Context, s *ingest.Space, now func() time.Time, name string) (Fed, error) {
	body, err := readFile(name, maxFeed)
	if err != nil || len(body) > maxFeed || !ofModels(body) { // of a directory there is an error
		return FeedOSV(ctx, s, now, OSV, name)
	}
	b := NewBulk(ctx, s, now, Advisories)
	list, fault := ParseFeed(Local, body)
	if fault != nil {
		b.wrong(fmt.Errorf("%s: %w", name, fault))
		list = nil
	}
	return b.Fed, errors.Join(putAll(ctx, b, list), b.Close(ctx))
}

// ofModels reports whether a text is a list of things that name a model.
func ofModels(body []byte) bool {
	r := jsonwalk.New(body)
	if r.Kind() != '[' {
		return false
	}
	for range r.Array() {
		if r.Kind() != '{' {
			return false
		}
		for name := range r.Object() {
			if name == "model" {
				return true
			}
		}
		return false
	}
	return false
}

// FeedPackages states what registries told of packages, from files. What is wrong with one
// is told, and holds up no other; the error says that one was not read at all, and may be
// another time.
func FeedPackages(ctx context.Context, s *ingest.Space, now func() time.Time, names ...string) (Fed, error) {
	b := NewBulk(ctx, s, now, Registry)
	var err error
	for _, name := range names {
		body, failed := readFile(name, MaxPackages)
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		list, fault := ParsePackages(body)
		if fault != nil {
			b.wrong(fmt.Errorf("%s: %w", name, fault))
			continue
		}
		err = errors.Join(err, putAll(ctx, b, list))
	}
	err = errors.Join(err, b.Close(ctx))
	return b.Fed, err
}

// readFile reads a file, up to one byte more than it may have.
func readFile(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(f, most+1))
	return body, errors.Join(err, f.Close())
}
