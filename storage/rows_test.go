package storage_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestEachRowIsTakenUntilOneIsRefused(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		const query = `SELECT n FROM (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3) x WHERE n <> $1 ORDER BY n`
		enough := errors.New("enough")
		for _, c := range []struct {
			stop error
			want []int
		}{{nil, []int{1, 3}}, {enough, []int{1}}} {
			var got []int
			err := db.Each(t.Context(), func(scan func(...any) error) error {
				var n int
				if err := scan(&n); err != nil {
					return err
				}
				got = append(got, n)
				return c.stop
			}, query, 2)
			if d := cmp.Diff(c.want, got); d != "" || !errors.Is(err, c.stop) {
				t.Errorf("%v (-want +got):\n%s", err, d)
			}
		}
		if err := db.Each(t.Context(), func(func(...any) error) error { return nil }, `SELECT nothing FROM nowhere`); err == nil {
			t.Error("a query that cannot be asked is no error")
		}
	})
}

func TestKeysComeInChunks(t *testing.T) {
	keys := map[stemma.Ref]bool{}
	for i := range 901 {
		keys[stemma.NewRef(stemma.KindTicket, "jira", string(rune('A'+i%26))+string(rune('a'+i/26)))] = true
	}
	var sizes []int
	last := ""
	err := storage.InChunks(keys, func(refs []any, marks string) error {
		sizes = append(sizes, len(refs))
		for _, r := range refs {
			if r.(string) <= last {
				t.Errorf("%s comes behind %s", r, last)
			}
			last = r.(string)
		}
		if marks[:8] != "$1,$2,$3" {
			t.Errorf("placeholders %.20s", marks)
		}
		return nil
	})
	if d := cmp.Diff([]int{400, 400, 101}, sizes); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
}
