package page

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma/query/output"
)

// A Table is shown on a page and can be had as CSV and JSON. Its rows have a
// cell for each of its columns.
type Table struct {
	ID, Caption string
	Columns     []Column
	Rows        []Row
	Empty       string // said when there are no rows
	Command     string // the command line that gives the same
	More        *Cell  // link to the rest, where only a part is shown
	Data        string // address of the twins up to "format="; without it, they are of this page
	Post        string // where its buttons send, if it has any
}

// A Column is the head of one.
type Column struct {
	Name   string // in data
	Title  string
	Num    bool
	Sort   string // address that sorts by it
	Sorted string // "ascending" or "descending"
	Doc    string
}

// A Row is one of a table.
type Row struct {
	Cells []Cell
}

// Head makes columns of names; those that begin with # are numbers.
func Head(names ...string) []Column {
	var out []Column
	for _, n := range names {
		num := strings.HasPrefix(n, "#")
		n = strings.TrimPrefix(n, "#")
		out = append(out, Column{Name: strings.ReplaceAll(n, " ", "_"), Title: Capital(Words(n)), Num: num})
	}
	return out
}

// Add adds a row.
func (t *Table) Add(cells ...Cell) { t.Rows = append(t.Rows, Row{Cells: cells}) }

// Rest sets what leads to the rows that are not shown.
func (t *Table) Rest(c Cell) { t.More = &c }

// Drop leaves a column out.
func (t *Table) Drop(name string) {
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return
	}
	t.Columns = slices.Delete(t.Columns, i, i+1)
	for j := range t.Rows {
		t.Rows[j].Cells = slices.Delete(t.Rows[j].Cells, i, i+1)
	}
}

// Write writes the rows as CSV or JSON.
func (t *Table) Write(w io.Writer, f output.Format) error {
	if f == output.CSV {
		return t.writeCSV(w)
	}
	rows := make([]map[string]any, 0, len(t.Rows))
	for _, r := range t.Rows {
		m := map[string]any{}
		for i, c := range t.Columns {
			m[c.Name] = r.Cells[i].value()
		}
		rows = append(rows, m)
	}
	return json.NewEncoder(w).Encode(map[string]any{"table": t.ID, "rows": rows, "count": len(rows)})
}

func (t *Table) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	line := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		line[i] = c.Name
	}
	if err := out.Write(line); err != nil {
		return err
	}
	for _, r := range t.Rows {
		for i := range t.Columns {
			line[i] = sheet(r.Cells[i])
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// sheet is a cell as a spreadsheet or a terminal may see it.
func sheet(c Cell) string {
	var s string
	switch v := c.value().(type) {
	case nil:
	case int64:
		return strconv.FormatInt(v, 10)
	case []any:
		var parts []string
		for _, p := range v {
			parts = append(parts, fmt.Sprint(p))
		}
		s = strings.Join(parts, "; ")
	default:
		s = fmt.Sprint(v)
	}
	return output.Inert(s)
}

// Ask is the command line of a query.
func Ask(kind, filter string) string {
	if filter == "" {
		return "stemma query " + kind
	}
	return "stemma query " + kind + " " + Shell(filter)
}

// SQL is the command line of a statement over the public views. Each ? in it
// becomes one of the texts.
func SQL(statement string, texts ...string) string {
	var b strings.Builder
	for i, part := range strings.Split(statement, "?") {
		if i > 0 {
			b.WriteString("'" + strings.ReplaceAll(texts[i-1], "'", "''") + "'")
		}
		b.WriteString(part)
	}
	return "stemma sql " + Shell(b.String())
}

// Shell quotes a word for a POSIX shell.
func Shell(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
