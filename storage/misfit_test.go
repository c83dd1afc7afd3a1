package storage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestMisfitsAreFoundInEveryColumn(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		statements := []string{
			`CREATE TABLE thing (n BIGINT NOT NULL PRIMARY KEY, small INTEGER, "text" TEXT, bytes BYTEA)`,
			`INSERT INTO thing (n, small, "text", bytes) VALUES (1, 2, 'three', NULL), (2, NULL, NULL, NULL)`,
		}
		var want []storage.Misfit
		if db.Engine() == storage.SQLite {
			statements = append(statements,
				`INSERT INTO thing (n, small, "text", bytes) VALUES (3, '4', 5, x'06')`, // taken for what they look like
				`INSERT INTO thing (n, small, "text", bytes) VALUES (4, 'x', x'05', 'six'), ('key', 1.5, 'x', 7)`)
			want = []storage.Misfit{
				{Row: "4", Column: "small", Want: "integer", Got: "text"},
				{Row: "4", Column: "text", Want: "text", Got: "blob"},
				{Row: "4", Column: "bytes", Want: "blob", Got: "text"},
				{Row: "key", Column: "n", Want: "integer", Got: "text"},
				{Row: "key", Column: "small", Want: "integer", Got: "real"},
				{Row: "key", Column: "bytes", Want: "blob", Got: "integer"},
			}
		}
		var got []storage.Misfit
		err := db.Write(t.Context(), func(tx *storage.Tx) error {
			for _, s := range statements {
				if _, err := tx.Exec(t.Context(), s); err != nil {
					return err
				}
			}
			return tx.Misfits(t.Context(), "thing", "n", func(m storage.Misfit) { got = append(got, m) })
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
