package query

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/query/querytest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// identity is the columns by which the rows of a kind are told apart.
func identity(kind string) []string {
	switch kind {
	case "running":
		return []string{"snapshot", "name"}
	case "toolcalls":
		return []string{"session", "call"}
	case "findings":
		return []string{"change", "control"}
	case "records":
		return []string{"position"}
	case "lines":
		return []string{"repo", "path", "start"}
	}
	return []string{"ref"}
}

// names asks for rows and gives what they are called, sorted. If field is shown,
// those without a value of it are in missing.
func names(t *testing.T, db *storage.DB, kind, text string, field *filter.Field) (there, missing []string) {
	t.Helper()
	show := identity(kind)
	if field.Shows() {
		show = append(show, field.Name)
	}
	q, err := mustParse(t, kind, text).Select(show...)
	if err != nil {
		t.Fatal(err)
	}
	n := len(identity(kind))
	for _, row := range ask(t, db, q) {
		name := strings.Join(row[:n], " ")
		if field.Shows() && (row[n] == "" || field.Type == filter.Int && row[n] == "0") {
			missing = append(missing, name)
		} else {
			there = append(there, name)
		}
	}
	slices.Sort(there)
	slices.Sort(missing)
	return there, missing
}

// has: finds the rows that show a value, no: all the others, and what the naive
// evaluator knows it finds too.
func TestHasAndNoAddUpToAll(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		w := querytest.Chance(4)
		w.Store(t, db)
		n := newNaive(w)
		for _, k := range kinds() {
			for _, f := range k.Fields {
				if !mayBeThere(f) {
					continue
				}
				has, hasNot := names(t, db, k.Name, "has:"+f.Name, f)
				noNot, no := names(t, db, k.Name, "no:"+f.Name, f)
				all, missing := names(t, db, k.Name, "", f)
				if f.Shows() {
					if len(hasNot) > 0 || len(noNot) > 0 {
						t.Errorf("%s has:%s finds %d without, no: finds %d with one", k.Name, f.Name, len(hasNot), len(noNot))
					}
					if diff := cmp.Diff([][]string{all, missing}, [][]string{has, no}); diff != "" {
						t.Errorf("%s has:%s and no:%s (-shown +got):\n%s", k.Name, f.Name, f.Name, diff)
					}
					all = append(all, missing...)
				} else {
					no = noNot
				}
				if both := slices.Sorted(slices.Values(append(slices.Clone(has), no...))); !slices.Equal(both, slices.Sorted(slices.Values(all))) {
					t.Errorf("%s has:%s finds %d and no: %d of %d", k.Name, f.Name, len(has), len(no), len(all))
				}
				if !slices.Contains(generated[k.Name], f.Name) || k.Name == "lines" {
					continue
				}
				want, _, _ := n.answer(mustParse(t, k.Name, "has:"+f.Name))
				if diff := cmp.Diff(want, has); diff != "" {
					t.Errorf("%s has:%s (-naive +got):\n%s", k.Name, f.Name, diff)
				}
			}
		}
	})
}
