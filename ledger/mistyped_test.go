package ledger_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// mistyped are changes that put a value of another type into every column of the
// log, and how Verify names them. PostgreSQL refuses them all.
var mistyped = map[string]string{
	`UPDATE fact SET pos = 'x' WHERE pos = 5`:                           `position: pos of fact "x" is kept as text`,
	`UPDATE fact SET pos = 4.5 WHERE pos = 5`:                           `position: pos of fact "4.5" is kept as real`,
	`UPDATE fact SET pos = x'05' WHERE pos = 42`:                        `position: pos of fact "\x05" is kept as blob`,
	`UPDATE fact SET id = CAST(id AS TEXT) WHERE pos = 5`:               `id at position 5: id of fact "5" is kept as text instead of blob`,
	`UPDATE fact SET id = 7 WHERE pos = 5`:                              `id at position 5: id of fact "5" is kept as integer`,
	`UPDATE fact SET subject = CAST(subject AS BLOB) WHERE pos = 5`:     `subject at position 5: subject of fact "5" is kept as blob instead of text`,
	`UPDATE fact SET canonical = CAST(canonical AS TEXT) WHERE pos = 5`: `fact at position 5: canonical of fact "5" is kept as text`,
	`UPDATE fact SET canonical = 3 WHERE pos = 5`:                       `fact at position 5: canonical of fact "5" is kept as integer`,
	`UPDATE fact SET salt = 1.5 WHERE pos = 5`:                          `salt at position 5: salt of fact "5" is kept as real`,
	`UPDATE fact SET leaf = 'leaf' WHERE pos = 5`:                       `leaf at position 5: leaf of fact "5" is kept as text`,
	`UPDATE fact SET recorded = 'yesterday' WHERE pos = 5`:              `time at position 5: recorded of fact "5" is kept as text instead of integer`,
	`UPDATE fact SET tombstone = 'x' WHERE pos = 5`:                     `erasure at position 5: tombstone of fact "5" is kept as text`,
	`UPDATE tree SET block = 'x' WHERE block = 1`:                       `tree hash: block of tree "x" is kept as text`,
	`UPDATE tree SET block = 0.5 WHERE block = 1`:                       `tree hash: block of tree "0.5" is kept as real`,
	`UPDATE tree SET hashes = CAST(hashes AS TEXT) WHERE block = 1`:     `tree hash: hashes of tree "1" is kept as text`,
	`UPDATE tree SET hashes = 9 WHERE block = 2`:                        `tree hash: hashes of tree "2" is kept as integer`,
	`UPDATE checkpoint SET size = 'x' WHERE size = 43`:                  `checkpoint: size of checkpoint "x" is kept as text`,
	`UPDATE checkpoint SET size = 27.5 WHERE size = 28`:                 `checkpoint: size of checkpoint "27.5" is kept as real`,
	`UPDATE checkpoint SET note = CAST(note AS TEXT) WHERE size = 28`:   `checkpoint: note of checkpoint "28" is kept as text`,
	`UPDATE checkpoint SET note = 5 WHERE size = 43`:                    `checkpoint: note of checkpoint "43" is kept as integer`,
}

func TestValueOfAnotherTypeIsNamedInEveryColumn(t *testing.T) {
	for change, want := range mistyped {
		t.Run(want, func(t *testing.T) {
			v := newVictim(t, storagetest.SQLite(t))
			v.exec(change)
			list := v.problems()
			if !slices.ContainsFunc(list, func(p ledger.Problem) bool { return strings.HasPrefix(p.String(), want) }) {
				t.Errorf("after %s: problems %v, want %q", change, list, want)
			}
			if len(list) > 40 {
				t.Errorf("after %s: %d problems", change, len(list))
			}
			for _, err := range v.l.Entries(t.Context(), 0) {
				if err != nil && !errors.Is(err, stemma.ErrTampered) {
					t.Errorf("after %s: reading the entries: %v, want ErrTampered or nothing", change, err)
				}
			}
			if _, err := openLedger(t, v.db, v.key).Append(t.Context(), sample(777)); err != nil && !errors.Is(err, stemma.ErrTampered) {
				t.Errorf("after %s: appending: %v, want ErrTampered or nothing", change, err)
			}
		})
	}
}

func TestCursorOfAnotherTypeIsTampering(t *testing.T) {
	v := newVictim(t, storagetest.SQLite(t))
	v.exec(`INSERT INTO cursor (name, pos) VALUES ('graph', 'x')`)
	err := v.db.Read(t.Context(), func(tx *storage.Tx) error {
		_, err := ledger.Cursor(t.Context(), tx, "graph")
		return err
	})
	if !errors.Is(err, stemma.ErrTampered) {
		t.Errorf("Cursor: %v, want ErrTampered", err)
	}
}
