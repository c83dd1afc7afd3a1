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

	previous, previousPath string // told, for the path that follows
}

func newReader(in *bufio.Reader) *reader {
	return &reader{read: wire.Reader{Reader: in}, known: map[string]*blamed{}}
}

const maxHeading = 16 << 10

// line reads the next line; io.EOF at the end.
func (b *reader) line() (Line, error) {
	c, g, err := b.head()
	if err != nil {
		return Line{}, err
	}
	for {
		if first, err := b.read.First(); err != nil {
			return Line{}, err
		} else if first == '\t' {
			break
		}
		if _, err := b.detail(c); err != nil {
			return Line{}, err
		}
	}
	line := c.first(g).Line
	line.Text, err = b.text()
	return line, err
}

// group reads the next group; io.EOF at the end. Its last heading is the path.
func (b *reader) group() (Group, error) {
	c, g, err := b.head()
	if err != nil {
		return Group{}, err
	}
	for named := false; !named; {
		if named, err = b.detail(c); err != nil {
			return Group{}, err
		}
	}
	return c.first(g), nil
}

// head reads the line that begins a line or a group.
func (b *reader) head() (*blamed, Group, error) {
	if _, err := b.read.Peek(1); err != nil {
		return nil, Group{}, err
	}
	head, err := b.read.Line()
	if err != nil {
		return nil, Group{}, err
	}
	g := Group{Lines: 1}
	id, rest, _ := bytes.Cut(head, []byte(" "))
	var ok, more bool
	g.OrigLine, rest, ok = wire.Number(rest)
	if rest, ok = wire.CutIf(rest, " ", ok); ok {
		g.FinalLine, rest, ok = wire.Number(rest)
	}
	if rest, more = wire.CutIf(rest, " ", ok); more { // of a line, also how many follow
		g.Lines, _, ok = wire.Number(rest)
	}
	if !ok || g.Lines < 1 || !wire.IsID(string(id)) {
		return nil, Group{}, fmt.Errorf("malformed line %.200q", head)
	}
	c := b.known[string(id)]
	if c == nil {
		c = &blamed{Commit: Commit{ID: string(id)}}
		b.known[c.ID] = c
	}
	return c, g, nil
}

// first completes the first line of a group by what was told of its commit.
func (c *blamed) first(g Group) Group {
	g.Commit, g.OrigPath, g.Previous, g.PreviousPath = &c.Commit, c.path, c.previous, c.previousPath
	return g
}

// detail reads a heading; named says that it was the path, before which the
// commit before is told if there is one.
func (b *reader) detail(c *blamed) (named bool, err error) {
	line, err := b.heading()
	if err != nil {
		return false, err
	}
	key, value, _ := strings.Cut(string(line), " ")
	switch key {
	case "previous":
		var path string
		b.previous, path, _ = strings.Cut(value, " ")
		b.previousPath, err = quote.Raw(path)
	case "filename":
		c.path, err = quote.Raw(value)
		c.previous, c.previousPath = b.previous, b.previousPath
		b.previous, b.previousPath = "", ""
		return true, err
	case "summary":
		c.Summary = value
	case "boundary":
		c.Boundary = true
	default:
		if ident, ok := strings.CutPrefix(key, "author"); ok {
			person(&c.Author, ident, value)
		} else if ident, ok := strings.CutPrefix(key, "committer"); ok {
			person(&c.Committer, ident, value)
		}
	}
	return false, err
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

// person takes one of the four headings about a person.
func person(i *git.Ident, which, value string) {
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
	kept := b.kept.Copy(line[:min(len(line), MaxText)])
	if !whole {
		return kept, b.read.SkipLine()
	}
	return kept, nil
}
