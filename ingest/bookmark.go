package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/storage"
)

// A Bookmark says how far a source was read.
type Bookmark struct {
	Source string
	State  string // the reader's own words, as JSON
	Read   time.Time
}

// Progress is what a reader's words say that others may know. Whoever reads
// repositories writes them so.
type Progress struct {
	Path  string `json:"path"` // where the repository was found last
	Total struct {
		Branch  string           `json:"branch"`
		Commits int64            `json:"commits"`
		Notes   int64            `json:"notes"`   // records of line origin
		Orphans int64            `json:"orphans"` // of them, about commits that are not here
		Gaps    map[string]int64 `json:"gaps"`    // what could not be read, by source
	} `json:"total"` // of all readings
}

// Progress is what the bookmark says for others. Of a reader that says nothing
// to them, and of a source that was never read, it is empty.
func (b Bookmark) Progress() Progress {
	var p Progress
	if json.Unmarshal([]byte(b.State), &p) != nil {
		return Progress{}
	}
	return p
}

// Bookmark returns how far a source was read; its State is "" if it never was.
func (s *Space) Bookmark(ctx context.Context, source string) (Bookmark, error) {
	all, err := s.bookmarks(ctx, `SELECT source, state, read FROM bookmark WHERE source = $1`, source)
	if err != nil || len(all) == 0 {
		return Bookmark{Source: source}, err
	}
	return all[0], nil
}

// Bookmarks returns all of them in order of their sources.
func (s *Space) Bookmarks(ctx context.Context) ([]Bookmark, error) {
	return s.bookmarks(ctx, `SELECT source, state, read FROM bookmark ORDER BY source`)
}

func (s *Space) bookmarks(ctx context.Context, query string, args ...any) ([]Bookmark, error) {
	var all []Bookmark
	err := s.DB.Each(ctx, func(scan func(...any) error) error {
		var b Bookmark
		var read int64
		err := scan(&b.Source, &b.State, &read)
		b.Read = time.UnixMicro(read).UTC()
		all = append(all, b)
		return err
	}, query, args...)
	if err != nil {
		return nil, fmt.Errorf("ingest: bookmarks: %w", err)
	}
	return all, nil
}

// A Move puts a bookmark further, together with what the reader keeps.
type Move struct {
	Source   string
	From, To string // states; it moves only if it still is where it was
	Now      time.Time
	Segment  []byte // kept as segment Number, from 1 on, unless nil
	Number   int64
	Missed   []string // kept in the place of those before
}

// missedNumber is the segment that holds the objects of git that a source could
// not read.
const missedNumber = 0

// MoveBookmark moves a bookmark in one transaction and reports whether it was
// still where the caller had found it. Call it after the facts read so far are
// durable, never before.
func (s *Space) MoveBookmark(ctx context.Context, m Move) (moved bool, err error) {
	err = s.DB.Write(ctx, func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO bookmark (source, state, read) VALUES ($1, $2, $3)
			ON CONFLICT (source) DO UPDATE SET state = excluded.state, read = excluded.read
			WHERE bookmark.state = $4`, m.Source, m.To, m.Now.UnixMicro(), m.From)
		if err != nil {
			return err
		}
		moved = n == 1
		if !moved {
			return nil
		}
		if m.Segment != nil {
			if err := keep(ctx, tx, m.Source, m.Number, m.Segment); err != nil {
				return err
			}
		}
		if len(m.Missed) == 0 {
			_, err := tx.Exec(ctx, `DELETE FROM segment WHERE source = $1 AND number = $2`, m.Source, missedNumber)
			return err
		}
		return keep(ctx, tx, m.Source, missedNumber, []byte(strings.Join(m.Missed, "\n")))
	})
	if err != nil {
		return false, fmt.Errorf("ingest: bookmark of %s: %w", m.Source, err)
	}
	return moved, nil
}

func keep(ctx context.Context, tx *storage.Tx, source string, number int64, body []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO segment (source, number, body) VALUES ($1, $2, $3)
		ON CONFLICT (source, number) DO UPDATE SET body = excluded.body`, source, number, body)
	return err
}

// Missed returns the objects of git that a source could not read so far; not
// all, if they are very many.
func (s *Space) Missed(ctx context.Context, source string) ([]string, error) {
	list, err := s.segments(ctx, source, missedNumber, missedNumber)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return strings.Split(string(list[0]), "\n"), nil
}

// Segments returns the segments 1 to last of a source, in order. Missing ones
// are left out.
func (s *Space) Segments(ctx context.Context, source string, last int64) ([][]byte, error) {
	return s.segments(ctx, source, 1, last)
}

func (s *Space) segments(ctx context.Context, source string, first, last int64) ([][]byte, error) {
	var all [][]byte
	err := s.DB.Each(ctx, func(scan func(...any) error) error {
		var body []byte
		err := scan(&body)
		all = append(all, body)
		return err
	}, `SELECT body FROM segment WHERE source = $1 AND number BETWEEN $2 AND $3 ORDER BY number`, source, first, last)
	if err != nil {
		return nil, fmt.Errorf("ingest: segments of %s: %w", source, err)
	}
	return all, nil
}
