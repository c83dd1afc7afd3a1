package storage_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/storage"
)

// taken asks in one transaction, and tells the rows of (id, word, raw, n) in the order in
// which they came.
func taken(t *testing.T, db *storage.DB, asks ...storage.Ask) (list []string, err error) {
	t.Helper()
	for i := range asks {
		asks[i].Take = func(scan func(...any) error) error {
			var id int64
			var n int
			var word string
			var raw []byte
			var odd bool
			err := scan(&id, &word, &raw, &n, &odd)
			list = append(list, fmt.Sprintf("%d: %d %s %x %d %v", i, id, word, raw, n, odd))
			return err
		}
	}
	err = db.Read(t.Context(), func(tx *storage.Tx) error { return tx.Ask(t.Context(), asks...) })
	return list, err
}

const row = `SELECT id, COALESCE(word, ''), raw, n, CASE WHEN n % 2 = 1 THEN 1 ELSE 0 END FROM item WHERE id `

func TestAsksAreAnsweredInTheirOrder(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		for i := range 5 {
			must(t, do(t, db, `INSERT INTO item (id, word, raw, n) VALUES ($1, $2, $3, $4)`, i, strings.Repeat("ä", i), []byte{byte(i)}, 10-i))
		}
		must(t, do(t, db, `INSERT INTO item (id, n) VALUES (9, -1)`))
		for range 2 { // known by the connection the second time
			got, err := taken(t, db,
				storage.Ask{Query: row + `>= $1 ORDER BY id`, Args: []any{3}},
				storage.Ask{Query: row + `< $1`, Args: []any{int64(0)}},
				storage.Ask{Query: row + `BETWEEN $1 AND $2 ORDER BY id DESC`, Args: []any{0, 1}},
			)
			want := []string{"0: 3 äää 03 7 true", "0: 4 ääää 04 6 false", "0: 9   -1 false", "2: 1 ä 01 9 true", "2: 0  00 10 false"}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%q, %v, want %q", got, err, want)
			}
		}
		must(t, db.Read(t.Context(), func(tx *storage.Tx) error { return tx.Ask(t.Context()) }))
	})
}

func TestAnAskThatFailsIsNamed(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		must(t, do(t, db, `INSERT INTO item (id, word, n) VALUES (1, 'a', 1), (2, 'b', 2)`))
		_, err := taken(t, db, storage.Ask{Query: row + `= 1`}, storage.Ask{Query: `SELECT nothing FROM item`}, storage.Ask{Query: row + `= 2`})
		if err == nil || !strings.Contains(err.Error(), "SELECT nothing") {
			t.Errorf("%v", err)
		}
		if got, err := taken(t, db, storage.Ask{Query: row + `= 2`}); err != nil || len(got) != 1 {
			t.Errorf("%q, %v after a failure", got, err)
		}
	})
}

func TestWhatTakesRowsMayStop(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db, stop := open(), errors.New("enough")
		must(t, do(t, db, `INSERT INTO item (id, word, n) VALUES (1, 'a', 1), (2, 'b', 2)`))
		rows := 0
		ask := storage.Ask{Query: `SELECT id FROM item`, Take: func(func(...any) error) error { rows++; return stop }}
		err := db.Read(t.Context(), func(tx *storage.Tx) error {
			if err := tx.Ask(t.Context(), ask, ask); !errors.Is(err, stop) || rows != 1 {
				t.Errorf("%v after %d rows", err, rows)
			}
			var n int64 // the transaction goes on
			return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM item`).Scan(&n)
		})
		must(t, err)
	})
}

func TestWhatDoesNotFitIsNoValue(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		must(t, do(t, db, `INSERT INTO item (id, word, raw, n) VALUES (1, 'a', NULL, 7)`))
		var n int
		var is bool
		var word string
		raw := []byte{1}
		for query, into := range map[string]any{
			`SELECT word FROM item`: &n, `SELECT n FROM item`: &is, `SELECT NULL FROM item`: &n, `SELECT CAST(NULL AS TEXT) FROM item`: &word,
		} {
			err := db.Read(t.Context(), func(tx *storage.Tx) error {
				return tx.Ask(t.Context(), storage.Ask{Query: query, Take: func(scan func(...any) error) error { return scan(into) }})
			})
			if err == nil {
				t.Errorf("%s fits %T", query, into)
			}
		}
		must(t, db.Read(t.Context(), func(tx *storage.Tx) error {
			return tx.Ask(t.Context(), storage.Ask{Query: `SELECT raw FROM item`, Take: func(scan func(...any) error) error { return scan(&raw) }})
		}))
		if raw != nil || bytes.Equal(raw, []byte{1}) {
			t.Errorf("what is not there is %v", raw)
		}
	})
}

func TestWhoTakesRowsCannotAsk(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		must(t, do(t, db, `INSERT INTO item (id, n) VALUES (1, 1)`))
		err := db.Read(t.Context(), func(tx *storage.Tx) error {
			return tx.Ask(t.Context(), storage.Ask{Query: `SELECT id FROM item`, Take: func(func(...any) error) error {
				_, err := tx.Query(t.Context(), `SELECT id FROM item`)
				return err
			}})
		})
		if err == nil || !strings.Contains(err.Error(), "still being read") {
			t.Errorf("%v", err)
		}
	})
}
