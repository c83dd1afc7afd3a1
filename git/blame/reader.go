package blame

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/internal/wire"
	"github.com/stemma-dev/stemma/git/quote"
)

// blamed is what was told of a commit, with the file it was told for last.
type blamed struct {
	Commit
	path, previous, previousPath string
}

// A reader reads the porcelain form.
type reader struct {
	read  wire.Reader
	kept  wire.Arena
	known map[string]*blamed
}

func newReader(in *bufio.Reader) *reader {
	return &reader{read: wire.Reader{Reader: in}, known: map[string]*blamed{}}
}

const (
	maxText    = 1 << 20
	maxHeading = 16 << 10
)

// line reads the next line; io.EOF at the end.
func (b *reader) line() (Line, error) {
	if _, err := b.read.Peek(1); err != nil {
		return Line{}, err
	}
	head, err := b.read.Line()
	if err != nil {
		return Line{}, err
	}
	id, rest, _ := bytes.Cut(head, []byte(" "))
	orig, rest, ok := wire.Number(rest)
	var final int
	if rest, ok = wire.CutIf(rest, " ", ok); ok {
		final, _, ok = wire.Number(rest)
	}
	if !ok || !wire.IsID(string(id)) {
		return Line{}, fmt.Errorf("malformed line %.200q", head)
	}
	c := b.known[string(id)]
	if c == nil {
		c = &blamed{Commit: Commit{ID: string(id)}}
		b.known[c.ID] = c
	}
	if err := b.details(c); err != nil {
		return Line{}, err
	}
	text, err := b.text()
	return Line{
		Commit: &c.Commit, OrigLine: orig, FinalLine: final, OrigPath: c.path,
		Previous: c.previous, PreviousPath: c.previousPath, Text: text,
	}, err
}

// details reads the headings of a line up to its text.
func (b *reader) details(c *blamed) error {
	previous, previousPath := "", ""
	for {
		if first, err := b.read.First(); err != nil || first == '\t' {
			return err
		}
		line, err := b.heading()
		if err != nil {
			return err
		}
		key, value, _ := strings.Cut(string(line), " ")
		switch key {
		case "previous":
			var path string
			previous, path, _ = strings.Cut(value, " ")
			if previousPath, err = quote.Raw(path); err != nil {
				return err
			}
		case "filename":
			if c.path, err = quote.Raw(value); err != nil {
				return err
			}
			c.previous, c.previousPath = previous, previousPath
		case "summary":
			c.Summary = value
		case "boundary":
			c.Boundary = true
		default:
			if ident, ok := strings.CutPrefix(key, "author"); ok {
				detail(&c.Author, ident, value)
			} else if ident, ok := strings.CutPrefix(key, "committer"); ok {
				detail(&c.Committer, ident, value)
			}
		}
	}
}

// heading reads a heading without its line end. Only its beginning is kept
// when it is long and names no path: a subject may be of any length.
func (b *reader) heading() ([]byte, error) {
	line, err := b.read.ReadSlice('\n')
	isPath := bytes.HasPrefix(line, []byte("filename ")) || bytes.HasPrefix(line, []byte("previous "))
	switch {
	case err == nil && (isPath || len(line) <= maxHeading):
		return line[:len(line)-1], nil
	case err == nil:
		return line[:maxHeading], nil
	case !errors.Is(err, bufio.ErrBufferFull):
		return nil, wire.Unexpected(err)
	case !isPath:
		beginning := bytes.Clone(line[:maxHeading])
		return beginning, b.read.SkipLine()
	}
	path := bytes.Clone(line)
	rest, err := b.read.Line()
	return bytes.TrimSuffix(append(path, rest...), []byte("\n")), err
}

// detail takes one of the four headings about a person.
func detail(i *git.Ident, which, value string) {
	switch which {
	case "":
		i.Name = value
	case "-mail":
		i.Mail = strings.TrimSuffix(strings.TrimPrefix(value, "<"), ">")
	case "-time":
		i.When, _ = wire.When(value + " +0000")
	case "-tz":
		i.When, _ = wire.When(fmt.Sprintf("%d %s", i.When.Unix(), value))
	}
}

// text reads a tab and the line.
func (b *reader) text() ([]byte, error) {
	line, whole, err := b.read.Text(1)
	if err != nil {
		return nil, err
	}
	kept := b.kept.Copy(line[:min(len(line), maxText)])
	if !whole {
		return kept, b.read.SkipLine()
	}
	return kept, nil
}
