package shape

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
)

// A link is the value of a ref column before its node has an id.
type link stemma.Ref

// attributes are those of one fact, fitted to the columns of its kind.
type attributes struct {
	values []any           // by column; nil where the fact is silent
	lists  map[int][][]any // by list; present even when the list is empty
	faults []string        // sorted; what did not fit, and why
}

// maxFaults bounds what one fact may leave in graph_skip.
const maxFaults = 16

// fit reads attrs, valid JSON, into the columns and lists of t.
func (t *Table) fit(attrs json.RawMessage) attributes {
	a := attributes{values: make([]any, len(t.Columns))}
	fault := func(format string, args ...any) { a.faults = append(a.faults, fmt.Sprintf(format, args...)) }
	if len(attrs) == 0 {
		return a
	}
	if firstByte(attrs) != '{' {
		fault("attributes are not a JSON object")
		return a
	}
	eachMember(attrs, func(name, raw []byte) {
		if string(raw) == "null" {
			return
		}
		if i, ok := t.at[string(name)]; ok {
			v, err := fitValue(t.Columns[i], raw)
			if err != nil {
				fault("attribute %.60q: %v", name, err)
				return
			}
			a.values[i] = v
			return
		}
		i := slices.IndexFunc(t.Lists, func(l *List) bool { return l.Spec.Name == string(name) })
		if i < 0 {
			fault("attribute %.60q: not declared", name)
			return
		}
		rows, faults := t.Lists[i].fit(raw)
		a.faults = append(a.faults, faults...)
		if rows != nil {
			if a.lists == nil {
				a.lists = map[int][][]any{}
			}
			a.lists[i] = rows
		}
	})
	slices.Sort(a.faults)
	a.faults = slices.Compact(a.faults)
	if n := len(a.faults); n > maxFaults {
		a.faults = append(a.faults[:maxFaults:maxFaults], fmt.Sprintf("and %d more of its attributes", n-maxFaults))
	}
	return a
}

// fit reads a JSON array of objects into rows; nil rows mean that the list
// does not stand. A value that does not fit leaves its cell empty.
func (l *List) fit(raw []byte) (rows [][]any, faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if firstByte(raw) != '[' {
		fault("list %.60q: not an array", l.Spec.Name)
		return nil, faults
	}
	rows = [][]any{}
	eachElement(raw, func(item []byte) {
		row := make([]any, len(l.Columns))
		if firstByte(item) != '{' {
			fault("list %.60q: an item is not an object", l.Spec.Name)
		} else {
			eachMember(item, func(name, raw []byte) {
				i, ok := l.at[string(name)]
				if !ok {
					fault("list %.60q: attribute %.60q: not declared", l.Spec.Name, name)
					return
				}
				if string(raw) == "null" {
					return
				}
				v, err := fitValue(l.Columns[i], raw)
				if err != nil {
					fault("list %.60q: attribute %.60q: %v", l.Spec.Name, name, err)
					return
				}
				row[i] = v
			})
		}
		rows = append(rows, row)
	})
	return rows, faults
}

var (
	errNotText = errors.New("not text")
	errNotInt  = errors.New("not an integer")
	errNotBool = errors.New("not true or false")
	errNotTime = errors.New("not a time")
	errNotRef  = errors.New("not a ref")
	errTooLong = fmt.Errorf("longer than the %d bytes an index takes", maxIndexed)
)

// fitValue reads one scalar as the type of its column: string, int64 or link.
func fitValue(c stemma.Column, raw []byte) (any, error) {
	switch c.Type {
	case stemma.Int:
		n, err := strconv.ParseInt(string(raw), 10, 64)
		if err != nil {
			return nil, errNotInt
		}
		return n, nil
	case stemma.Bool:
		switch string(raw) {
		case "true":
			return int64(1), nil
		case "false":
			return int64(0), nil
		}
		return nil, errNotBool
	}
	s, ok := unquote(raw)
	if !ok {
		return nil, errNotText
	}
	if s == "" && c.Type != stemma.Text {
		return nil, nil // how a zero time or ref may be written
	}
	switch c.Type {
	case stemma.Time:
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return nil, errNotTime
		}
		return t.UnixMicro(), nil
	case stemma.Link:
		if !stemma.Ref(s).Valid() {
			return nil, errNotRef
		}
		return link(s), nil
	}
	s = Storable(s)
	if c.Index && len(s) > maxIndexed {
		return nil, errTooLong
	}
	return s, nil
}

// Storable is s without NUL, which PostgreSQL does not keep in text. The ledger
// has the bytes as they came.
func Storable(s string) string {
	if strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(s, "\x00", "\uFFFD")
}

// unquote reads a JSON string.
func unquote(raw []byte) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	inner := raw[1 : len(raw)-1]
	if !plain(inner) {
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err == nil
	}
	return string(inner), true
}

// plain reports whether a JSON string means the bytes between its quotes.
func plain(inner []byte) bool {
	for _, c := range inner {
		if c == '\\' || c >= 0x80 {
			return false
		}
	}
	return true
}

func firstByte(raw []byte) byte {
	if i := skipSpace(raw, 0); i < len(raw) {
		return raw[i]
	}
	return 0
}

// eachMember calls f for the members of a valid JSON object in their order.
// encoding/json would take three times as long here, through maps.
func eachMember(raw []byte, f func(name, value []byte)) {
	i := skipSpace(raw, 0) + 1
	for {
		i = skipSpace(raw, i)
		switch raw[i] {
		case '}':
			return
		case ',':
			i++
			continue
		}
		end := skipValue(raw, i)
		name := raw[i+1 : end-1]
		if !plain(name) {
			s, _ := unquote(raw[i:end])
			name = []byte(s)
		}
		i = skipSpace(raw, end) + 1 // the colon
		i = skipSpace(raw, i)
		end = skipValue(raw, i)
		f(name, raw[i:end])
		i = end
	}
}

// eachElement calls f for the elements of a valid JSON array.
func eachElement(raw []byte, f func(value []byte)) {
	i := skipSpace(raw, 0) + 1
	for {
		i = skipSpace(raw, i)
		switch raw[i] {
		case ']':
			return
		case ',':
			i++
			continue
		}
		end := skipValue(raw, i)
		f(raw[i:end])
		i = end
	}
}

func skipSpace(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\t' || raw[i] == '\n' || raw[i] == '\r') {
		i++
	}
	return i
}

// skipValue returns the end of the valid JSON value that begins at i.
func skipValue(raw []byte, i int) int {
	depth := 0
	for ; i < len(raw); i++ {
		switch c := raw[i]; c {
		case '"':
			for i++; raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // the end of what holds a number or a word
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
		}
	}
	return i
}
