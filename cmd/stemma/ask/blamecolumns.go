package ask

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/git/blame"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/ingest/origins"
)

// Columns of the usual look, by git blame's own flags.
type columns struct {
	long, name, number, mail, raw, bare bool
	blank                               bool // -b: no id for a boundary
	annotate                            bool // -c: as git annotate
	abbrev                              int  // digits of an id, by --abbrev
	usual                               int  // digits of an id without it
	date                                dateForm
}

// A dateForm is one of git's forms of a date. It writes a date at least so wide.
type dateForm struct {
	layout string
	width  int
}

// dateForms by the names that --date gives them.
var dateForms = map[string]dateForm{
	"iso":        isoDate,
	"iso8601":    isoDate,
	"iso-strict": {"2006-01-02T15:04:05-07:00", 25}, "iso8601-strict": {"2006-01-02T15:04:05-07:00", 25},
	"rfc": {"Mon, 2 Jan 2006 15:04:05 -0700", 31}, "rfc2822": {"Mon, 2 Jan 2006 15:04:05 -0700", 31},
	"short":   {time.DateOnly, 10},
	"default": {"Mon Jan 2 15:04:05 2006 -0700", 30},
	"raw":     {"", 16},
	"unix":    {"", 10},
}

var isoDate = dateForm{"2006-01-02 15:04:05 -0700", 25}

// take takes a flag that is about columns.
func (c *columns) take(flag string) bool {
	name, value, _ := strings.Cut(flag, "=")
	switch name {
	case "--abbrev":
		n, err := strconv.Atoi(value)
		c.long = c.long || n == 0
		c.abbrev = max(n, 4)
		return err == nil && n >= 0
	case "--date":
		form, ok := dateForms[value]
		if form.layout == "" {
			form.layout = value
		}
		c.date = form
		return ok
	}
	switch flag {
	case "-l":
		c.long = true
	case "-f", "--show-name":
		c.name = true
	case "-n", "--show-number":
		c.number = true
	case "-e", "--show-email":
		c.mail = true
	case "-t":
		c.raw = true
	case "-s":
		c.bare = true
	case "-b":
		c.blank = true
	case "-c":
		c.annotate = true
	default:
		return false
	}
	return true
}

// id is how a commit is shown. Git blame keeps a place for the mark of a boundary,
// but none beside a whole id that was asked for.
func (c columns) id(commit *blame.Commit) string {
	whole := len(commit.ID)
	n := c.usual + 1
	switch {
	case c.long:
		n = whole
	case c.abbrev > 0:
		n = min(c.abbrev+1, whole)
	}
	switch {
	case commit.Boundary && c.blank:
		return strings.Repeat(" ", n)
	case commit.Boundary && !c.annotate:
		return "^" + commit.ID[:n-1]
	}
	return commit.ID[:min(n, whole)]
}

// who names who wrote a line, or by mail who committed it.
func (c columns) who(l origins.Line) string {
	const most = 36
	name := ""
	if c.mail && l.Mark.Origin != stemma.OriginAI {
		name = "<" + text(l.Commit.Author.Mail) + ">"
	} else {
		name = writer(l)
	}
	if name = terminal.OneLine(name); utf8.RuneCountInString(name) > most {
		name = string([]rune(name)[:most-1]) + "…"
	}
	return name
}

func (c columns) when(l origins.Line) string {
	form, when := c.date, l.Commit.Author.When
	if form.layout == "" {
		form = isoDate
	}
	switch {
	case c.raw:
		return fmt.Sprintf("%d %s", when.Unix(), when.Format("-0700"))
	case form.layout == "raw":
		return fmt.Sprintf("%-*s", form.width, fmt.Sprintf("%d %s", when.Unix(), when.Format("-0700")))
	case form.layout == "unix":
		return fmt.Sprintf("%-*d", form.width, when.Unix())
	}
	return fmt.Sprintf("%-*s", form.width, when.Format(form.layout))
}

// A blameWriter prints git blame's columns. Neighbours are mostly alike: what
// stands around the numbers is made once for a run of lines.
type blameWriter struct {
	columns
	terminal.Palette
	whoWidth, nameWidth, origWidth, finalWidth int

	last origins.Line // the line that the rest is made for
	id   string       // with the name of the file
	who  string       // with the date
}

// writeBlame prints git blame's columns. The third says who wrote the line: a
// question mark behind a name says that only the commit is theirs for sure.
func writeBlame(w io.Writer, p terminal.Palette, c columns, path string, lines []origins.Line) error {
	b := blameWriter{columns: c, Palette: p}
	var last origins.Line
	for _, l := range lines {
		b.origWidth, b.finalWidth = max(b.origWidth, l.OrigLine), max(b.finalWidth, l.FinalLine)
		if alike(last, l) {
			continue
		}
		last = l
		b.whoWidth = max(b.whoWidth, utf8.RuneCountInString(c.who(l)))
		b.nameWidth = max(b.nameWidth, utf8.RuneCountInString(quote.Path(l.OrigPath)))
		b.name = b.name || l.OrigPath != path
	}
	b.origWidth, b.finalWidth = len(strconv.Itoa(b.origWidth)), len(strconv.Itoa(b.finalWidth))
	var out []byte
	for _, l := range lines {
		out = b.append(out[:0], l)
		if _, err := w.Write(out); err != nil {
			return err
		}
	}
	return nil
}

func alike(a, b origins.Line) bool {
	return a.Commit == b.Commit && a.OrigPath == b.OrigPath && a.Origin == b.Origin
}

// append appends a line as it is shown.
func (b *blameWriter) append(out []byte, l origins.Line) []byte {
	if !alike(b.last, l) {
		b.last = l
		b.prepare(l)
	}
	out = append(out, b.id...)
	if b.annotate {
		out = strconv.AppendInt(append(out, b.who...), int64(l.FinalLine), 10)
		return append(append(append(out, ')'), terminal.Plain(string(l.Text))...), '\n')
	}
	if b.number {
		out = appendNumber(append(out, ' '), b.origWidth, l.OrigLine)
	}
	out = appendNumber(append(append(out, b.who...), ' '), b.finalWidth, l.FinalLine)
	return append(append(append(out, ") "...), terminal.Plain(string(l.Text))...), '\n')
}

// prepare makes what lines like l have in common.
func (b *blameWriter) prepare(l origins.Line) {
	b.id = b.columns.id(l.Commit)
	width := b.whoWidth
	if b.annotate {
		width = -10
	} else if b.name {
		b.id += fmt.Sprintf(" %-*s", b.nameWidth, quote.Path(l.OrigPath))
	}
	who := fmt.Sprintf("%*s", -width, b.columns.who(l))
	if l.Mark.Origin == stemma.OriginAI {
		who = b.Blue(who)
	}
	switch {
	case b.annotate:
		b.who = fmt.Sprintf("\t(%s\t%10s\t", who, b.when(l))
	case b.bare:
		b.who = ""
	default:
		b.who = fmt.Sprintf(" (%s %10s", who, b.when(l))
	}
}

func appendNumber(out []byte, width, n int) []byte {
	var digits [20]byte
	number := strconv.AppendInt(digits[:0], int64(n), 10)
	for range width - len(number) {
		out = append(out, ' ')
	}
	return append(out, number...)
}
