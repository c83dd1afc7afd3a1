package query

import (
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/query/querytest"
	"github.com/stemma-dev/stemma/storage"
)

// Values are arguments; the text of a statement is ours alone.
func TestNoValueEntersTheStatement(t *testing.T) {
	for _, k := range kinds() {
		for _, f := range k.Fields {
			if f.Type == filter.Enum || f.Type == filter.Choice || f.Type == filter.Hash || f.Type.Numeric() {
				continue
			}
			for i, v := range []string{`"'; DROP TABLE node --"`, `zzz'=*`, `a/zzz'*=/**/*b`} {
				if f.Type == filter.Trailer && i == 2 {
					continue // no pattern in its key
				}
				q := mustParse(t, k.Name, f.Name+":"+v)
				for _, engine := range []storage.Engine{storage.SQLite, storage.Postgres} {
					text, args := q.SQL(engine, true)
					if strings.Contains(text, "DROP") || strings.Contains(text, "zzz") || len(args) == 0 {
						t.Errorf("%s %s: %s", k.Name, q, text)
					}
				}
			}
		}
	}
}

// A filter and its canonical spelling ask the same.
func FuzzSQL(f *testing.F) {
	for _, s := range []string{
		"", "model:claude-opus-4* merged:>-30d -is:mixed", `(a OR -(b "c d")) sort:merged-desc,number group:repo limit:3`,
		"path:src/**/x?.go merged:2026-Q1..2026-Q3", `trailer:Refs="a b" has:model no:ticket`, "at:main group:origin", "ai-share:>=12.5%",
		"group:merged-month sort:changes", "--a", "sha:abcd", "ancestor:p1 tree:x", "author:Ada*",
	} {
		for i := range kinds() {
			f.Add(uint8(i), s)
		}
	}
	f.Fuzz(func(t *testing.T, k uint8, text string) {
		kind := kinds()[int(k)%len(kinds())].Name
		q, err := Parse(kind, text, querytest.Noon())
		if err != nil {
			return
		}
		again, err := Parse(kind, q.String(), querytest.Noon())
		if err != nil && len(q.String()) <= 4096 { // the longest that is read
			t.Fatal(err)
		} else if err != nil {
			return
		}
		for _, engine := range []storage.Engine{storage.SQLite, storage.Postgres} {
			one, args := q.SQL(engine, true)
			two, args2 := again.SQL(engine, true)
			if one != two || len(args) != len(args2) {
				t.Fatalf("%q and %q ask differently:\n%s\n%s", text, q, one, two)
			}
		}
	})
}
