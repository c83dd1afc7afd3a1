package patch

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/stemma-dev/stemma/git/internal/wire"
)

// A merger takes the hunks of a combined patch, which show a file against all
// parents at once, apart into the hunks against each parent.
type merger struct {
	open []bool // a hunk of that parent is being collected
	cur  []Hunk
	old  []int // the next line of that parent
	left []int // lines of that parent still to come in this combined hunk
	line int   // the next line of the result
	rest int   // lines of the result still to come
}

func newMerger(f *File) *merger {
	n := len(f.Parents)
	return &merger{open: make([]bool, n), cur: make([]Hunk, n), old: make([]int, n), left: make([]int, n)}
}

// heading reads "@@@ -1,2 -3,4 +5,6 @@@".
func (m *merger) heading(line []byte) error {
	n := len(m.old)
	rest, ok := bytes.CutPrefix(line, bytes.Repeat([]byte("@"), n+1))
	for i := range m.old {
		if rest, ok = wire.CutIf(rest, " -", ok); ok {
			m.old[i], m.left[i], rest, ok = span(rest)
		}
		m.old[i] = max(m.old[i], 1)
	}
	if rest, ok = wire.CutIf(rest, " +", ok); ok {
		m.line, m.rest, rest, ok = span(rest)
	}
	m.line = max(m.line, 1)
	if _, ok = wire.CutIf(rest, " @", ok); !ok {
		return fmt.Errorf("malformed hunk %.200q", line)
	}
	return nil
}

func (m *merger) done() bool {
	for _, n := range m.left {
		if n > 0 {
			return false
		}
	}
	return m.rest == 0
}

// combined reads one hunk of a combined patch. Its lines have a column for each
// parent: "-" is a line of that parent that is gone, "+" a line of the result
// that the parent has not, " " a line of the result that it has, or, beside a
// "-", nothing of that parent.
func (p *Reader) combined(f *File, m *merger, text *int) error {
	line, err := p.r.Line()
	if err != nil {
		return err
	}
	if err := m.heading(line); err != nil {
		return err
	}
	n := len(m.old)
	columns := make([]byte, n)
	for !m.done() {
		ahead, err := p.r.Peek(n)
		if err != nil {
			return wire.Unexpected(err)
		}
		copy(columns, ahead)
		kept, err := p.content(f, n, text)
		if err != nil {
			return err
		}
		if bytes.IndexByte(columns, '-') >= 0 {
			err = m.lost(f, columns, kept)
		} else {
			err = m.present(f, columns, kept, p.limits.Hunks)
		}
		if err != nil {
			return err
		}
	}
	for i := range m.open {
		m.close(f, i, p.limits.Hunks)
	}
	return nil
}

var errColumns = errors.New("a combined hunk does not add up")

// lost takes a line that some parents had and the result has not.
func (m *merger) lost(f *File, columns, text []byte) error {
	all := true
	for i, c := range columns {
		if c != '-' {
			all = false
			continue
		}
		if m.left[i] == 0 {
			return errColumns
		}
		h := m.hunk(i)
		if h.OldLines == 0 {
			h.OldStart = m.old[i]
		}
		h.OldLines++
		if text != nil {
			h.Old = append(h.Old, text)
		}
		m.old[i]++
		m.left[i]--
	}
	if all {
		f.Deleted++
	}
	return nil
}

// present takes a line of the result.
func (m *merger) present(f *File, columns, text []byte, limit int) error {
	if m.rest == 0 {
		return errColumns
	}
	all := true
	for i, c := range columns {
		switch c {
		case '+':
			h := m.hunk(i)
			h.NewLines++
			if text != nil {
				h.New = append(h.New, text)
			}
		case ' ':
			if m.left[i] == 0 {
				return errColumns
			}
			all = false
			m.close(f, i, limit)
			m.old[i]++
			m.left[i]--
		default:
			return errColumns
		}
	}
	if all {
		f.Added++
	}
	m.line++
	m.rest--
	return nil
}

// hunk is the open hunk of a parent; its starts are where it was opened.
func (m *merger) hunk(i int) *Hunk {
	if !m.open[i] {
		m.open[i] = true
		m.cur[i] = Hunk{OldStart: m.old[i], NewStart: m.line}
	}
	return &m.cur[i]
}

// close ends the open hunk of a parent, if there is one.
func (m *merger) close(f *File, i, limit int) {
	if !m.open[i] {
		return
	}
	m.open[i] = false
	h := m.cur[i]
	if h.OldLines == 0 {
		h.OldStart--
	}
	if h.NewLines == 0 {
		h.NewStart--
	}
	list := &f.Parents[i].Hunks
	addHunk(f, list, h, limit)
}
