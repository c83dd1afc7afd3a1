package output

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/query/querytest"
)

// hostile is a result whose texts attack every reader.
func hostile(rows int) *query.Result {
	texts := []string{"=1+1", "+x", "-x", "@x", "\x1b[31mred\x1b[0m", "a\nb", "\u202eevil", `"q",`, "<script>", "日本", strings.Repeat("w", 100), "\xff"}
	r := &query.Result{Kind: "changes", Query: `"<x>"`, Columns: []query.Column{{Name: "title", Type: filter.Words}, {Name: "n", Type: filter.Int}, {Name: "share", Type: filter.Percent}, {Name: "at", Type: filter.Time}, {Name: "model", Type: filter.Ref, Many: true}}}
	r.Rows = iter.Seq2[query.Row, error](func(yield func(query.Row, error) bool) {
		for i := range rows {
			row := query.Row{
				{Type: filter.Words, Text: texts[i%len(texts)]},
				{Type: filter.Int, Int: int64(-i)},
				{Type: filter.Percent, Int: int64(i % 1001)},
				{Type: filter.Time, Int: querytest.Noon().UnixMicro() + int64(i)},
				{Type: filter.Ref, List: []string{"model:a/b", "model:c/d"}},
			}
			if i%5 == 4 {
				row[1], row[2], row[3], row[4] = query.Cell{Type: filter.Int, Null: true}, query.Cell{Type: filter.Percent, Null: true}, query.Cell{Type: filter.Time, Null: true}, query.Cell{Type: filter.Ref, List: []string{}, Null: true}
			}
			if !yield(row, nil) {
				return
			}
		}
	})
	return r
}

func written(t *testing.T, f Format, r *query.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, f, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTableNeverActsOnTheTerminal(t *testing.T) {
	for _, n := range []int{0, 1, 12, tableSample, tableSample + 30} {
		out := written(t, Table, hostile(n))
		for _, r := range out {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Fatalf("%d rows: the table has %q", n, r)
			}
		}
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		if len(lines) != n+2 {
			t.Errorf("%d rows make %d lines", n, len(lines))
		}
		for _, l := range lines {
			if filter.Width(l) > 5*maxWidth+8 {
				t.Errorf("a line is %d columns wide", filter.Width(l))
			}
		}
	}
	want := "title  n  share  at                model              \n=1+1   0   0.0%  2026-09-15 12:00  model:a/b model:c/d\n1 row\n"
	if got := written(t, Table, hostile(1)); strings.ReplaceAll(got, " \n", "\n") != strings.ReplaceAll(strings.ReplaceAll(want, "              \n", "\n"), " \n", "\n") {
		t.Errorf("table:\n%s\nwant\n%s", got, want)
	}
}

func TestSpreadsheetGetsNoFormula(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(written(t, CSV, hostile(12)))).ReadAll()
	if err != nil || len(rows) != 13 {
		t.Fatalf("%d records, %v", len(rows), err)
	}
	for i, want := range []string{"'=1+1", "'+x", "'-x", "'@x"} {
		if got := rows[i+1][0]; got != want {
			t.Errorf("row %d begins with %q, want %q", i, got, want)
		}
	}
	if got, want := strings.Join(rows[2][1:], "|"), "-1|0.1|2026-09-15T12:00:00.000001Z|model:a/b model:c/d"; got != want {
		t.Errorf("row 1 is %s, want %s", got, want)
	}
}

func TestJSONIsWholeAndTyped(t *testing.T) {
	var got struct {
		Kind, Query string
		Columns     []string
		Rows        []map[string]any
		Count       int
	}
	if err := json.Unmarshal([]byte(written(t, JSON, hostile(12))), &got); err != nil {
		t.Fatal(err)
	}
	if got.Count != 12 || len(got.Rows) != 12 || got.Query != `"<x>"` || got.Kind != "changes" || len(got.Columns) != 5 {
		t.Errorf("got %+v", got)
	}
	want := map[string]any{"title": "+x", "n": -1.0, "share": 0.1, "at": "2026-09-15T12:00:00.000001Z", "model": []any{"model:a/b", "model:c/d"}}
	if diff := cmp.Diff(want, got.Rows[1]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	empty := map[string]any{"title": "\x1b[31mred\x1b[0m", "n": nil, "share": nil, "at": nil, "model": []any{}}
	if diff := cmp.Diff(empty, got.Rows[4]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	lines := strings.Split(strings.TrimSpace(written(t, NDJSON, hostile(12))), "\n")
	if len(lines) != 12 || !json.Valid([]byte(lines[5])) {
		t.Errorf("%d lines: %s", len(lines), lines[5])
	}
}

func TestBrokenAnswerIsNoWholeJSON(t *testing.T) {
	boom := errors.New("disk gone")
	for _, f := range []Format{JSON, NDJSON, CSV, Table} {
		r := hostile(0)
		r.Rows = func(yield func(query.Row, error) bool) { yield(nil, boom) }
		var b bytes.Buffer
		if err := Write(&b, f, r); !errors.Is(err, boom) {
			t.Errorf("%s: %v", f, err)
		}
		if f == JSON && json.Valid(b.Bytes()) {
			t.Errorf("a broken answer is whole JSON: %s", b.String())
		}
		if err := Write(full{}, f, hostile(3)); err == nil {
			t.Errorf("%s: a full disk was not told", f)
		}
	}
	if err := Write(&bytes.Buffer{}, "jsno", hostile(1)); err == nil || !strings.Contains(err.Error(), "did you mean json?") {
		t.Errorf("unknown format: %v", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }
