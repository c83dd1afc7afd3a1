// Package output writes the answers of package query: as JSON, as one object a
// line, as CSV, and as a table for people.
//
// The door is [Write]; other tables use [Inert] for their texts. Rows are written as they arrive and never gathered,
// but for the few that decide how wide the columns of a table are. What comes
// from outside cannot act where it is shown: a spreadsheet gets no formula, a
// terminal no control characters.
package output

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/filter"
)

// A Format is a way to write a result.
type Format string

// The formats.
const (
	JSON   Format = "json"   // one object
	NDJSON Format = "ndjson" // one object a row, nothing else
	CSV    Format = "csv"    // with a head; safe to open in a spreadsheet
	Table  Format = "table"  // aligned, for people; safe on a terminal
)

// Write writes r as it arrives. When it fails in the middle, JSON is left open,
// so that nobody takes a part for the whole.
func Write(w io.Writer, f Format, r *query.Result) error {
	out := &sink{w: bufio.NewWriter(w)}
	var err error
	switch f {
	case JSON:
		err = writeJSON(out, r)
	case NDJSON:
		err = writeNDJSON(out, r)
	case CSV:
		err = writeCSV(out, r)
	case Table:
		err = writeTable(out, r)
	default:
		return fmt.Errorf("query: unknown format %s: %s", filter.Visible(string(f)), filter.Suggest(string(f), []string{"json", "ndjson", "csv", "table"}))
	}
	return errors.Join(err, out.flush())
}

// A sink keeps the first failure of many small writes.
type sink struct {
	w   *bufio.Writer
	err error
}

func (s *sink) text(parts ...string) {
	for _, p := range parts {
		if s.err == nil {
			_, s.err = s.w.WriteString(p)
		}
	}
}

// json writes a value; every one we make can be encoded.
func (s *sink) json(v any) {
	b, err := encode(v)
	if s.err == nil {
		s.err = err
	}
	s.text(string(b))
}

func (s *sink) flush() error {
	if s.err == nil {
		s.err = s.w.Flush()
	}
	if s.err != nil {
		return fmt.Errorf("query: writing the result: %w", s.err)
	}
	return nil
}

func writeJSON(w *sink, r *query.Result) error {
	names := []string{}
	for _, c := range r.Columns {
		names = append(names, c.Name)
	}
	w.text(`{"kind":`)
	w.json(r.Kind)
	w.text(`,"query":`)
	w.json(r.Query)
	w.text(`,"columns":`)
	w.json(names)
	w.text(`,"rows":[`)
	n := 0
	for row, err := range r.Rows {
		if err != nil {
			return err
		}
		if n++; n > 1 {
			w.text(",")
		}
		w.text("\n")
		writeObject(w, r.Columns, row)
	}
	w.text("],\n", `"count":`, strconv.Itoa(n), "}\n")
	return nil
}

func writeNDJSON(w *sink, r *query.Result) error {
	for row, err := range r.Rows {
		if err != nil {
			return err
		}
		writeObject(w, r.Columns, row)
		w.text("\n")
	}
	return nil
}

func writeObject(w *sink, columns []query.Column, row query.Row) {
	w.text("{")
	for i, c := range row {
		if i > 0 {
			w.text(",")
		}
		w.json(columns[i].Name)
		w.text(":")
		w.json(value(c))
	}
	w.text("}")
}

func encode(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("query: writing a value: %w", err)
	}
	return b, nil
}

// value is the cell as JSON takes it. Times are RFC 3339, percentages numbers
// with one decimal, spans numbers of seconds.
func value(c query.Cell) any {
	switch {
	case c.List != nil:
		return c.List // also if it is empty
	case c.Null:
		return nil
	case c.Type == filter.Int:
		return c.Int
	case c.Type == filter.Percent, c.Type == filter.Span:
		return json.Number(c.String())
	}
	return c.String()
}

func writeCSV(w *sink, r *query.Result) error {
	out := csv.NewWriter(w.w)
	record := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		record[i] = Inert(c.Name)
	}
	if err := out.Write(record); err != nil {
		return fmt.Errorf("query: writing the head: %w", err)
	}
	for row, err := range r.Rows {
		if err != nil {
			out.Flush()
			return err
		}
		for i, c := range row {
			record[i] = c.String()
			if !c.Type.Numeric() {
				record[i] = Inert(record[i])
			}
		}
		if err := out.Write(record); err != nil {
			return fmt.Errorf("query: writing a row: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("query: writing a row: %w", err)
	}
	return nil
}

// Inert keeps a spreadsheet from taking a text for a formula, and a terminal
// from taking one for a command.
func Inert(s string) string {
	s = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control)) {
			return '\uFFFD'
		}
		return r
	}, s)
	if s != "" && strings.IndexByte("=+-@\t\r\n", s[0]) >= 0 {
		return "'" + s
	}
	return s
}

const (
	tableSample = 200 // rows that decide how wide the columns are
	maxWidth    = 60  // of a column
)

func writeTable(w *sink, r *query.Result) error {
	head := make([]string, len(r.Columns))
	widths := make([]int, len(r.Columns))
	for i, c := range r.Columns {
		head[i] = filter.Visible(c.Name)
		widths[i] = min(filter.Width(head[i]), maxWidth)
	}
	var sample [][]string
	flush := func() {
		for _, line := range append([][]string{head}, sample...) {
			for i, s := range line {
				widths[i] = max(widths[i], min(filter.Width(s), maxWidth))
			}
		}
		writeLine(w, r.Columns, widths, head)
		for _, line := range sample {
			writeLine(w, r.Columns, widths, line)
		}
		sample = nil
	}
	n := 0
	for row, err := range r.Rows {
		if err != nil {
			return err
		}
		line := make([]string, len(row))
		for i, c := range row {
			line[i] = short(c)
		}
		switch n++; {
		case n <= tableSample:
			sample = append(sample, line)
		default:
			if n == tableSample+1 {
				flush()
			}
			writeLine(w, r.Columns, widths, line)
		}
	}
	if n <= tableSample {
		flush()
	}
	w.text(strconv.Itoa(n), map[bool]string{true: " row\n", false: " rows\n"}[n == 1])
	return nil
}

// short is the cell for people: to the minute, and without what all refs share.
func short(c query.Cell) string {
	switch {
	case c.Null || c.String() == "":
		return "-"
	case c.Type == filter.Time:
		return c.Time().Format("2006-01-02 15:04")
	case c.Type == filter.Percent:
		return c.String() + "%"
	case c.Type == filter.Span:
		return (time.Duration(c.Int) * time.Microsecond).Round(time.Second).String()
	case c.Type == filter.Hash && filter.IsHex(c.Text) && len(c.Text) > 12:
		return c.Text[:12]
	}
	return filter.Visible(c.String())
}

func writeLine(w *sink, columns []query.Column, widths []int, line []string) {
	for i, s := range line {
		s = cut(s, widths[i])
		pad := strings.Repeat(" ", widths[i]-filter.Width(s))
		switch {
		case columns[i].Type != filter.Time && columns[i].Type.Numeric():
			w.text(pad, s)
		case i < len(line)-1:
			w.text(s, pad)
		default:
			w.text(s)
		}
		if i < len(line)-1 {
			w.text("  ")
		}
	}
	w.text("\n")
}

// cut shortens s to at most n columns.
func cut(s string, n int) string {
	if filter.Width(s) <= n {
		return s
	}
	var b strings.Builder
	used := 0
	for _, r := range s {
		if used += filter.Width(string(r)); used > n-1 {
			break
		}
		b.WriteRune(r)
	}
	return b.String() + "…"
}
