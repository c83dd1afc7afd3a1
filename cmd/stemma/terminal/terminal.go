// Package terminal says what may be written where: results to standard output,
// everything about the work (progress, warnings, errors) to standard error.
// Colour and progress bars are only for a terminal, and no colour where NO_COLOR
// is set. Text that comes from a repository or a store passes [Plain] or
// [OneLine] before it is printed.
package terminal

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"golang.org/x/term"
)

// Plain makes text harmless on a terminal: no control or direction characters.
func Plain(s string) string {
	if !strings.ContainsFunc(s, notASCIIText) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), unicode.In(r, unicode.Bidi_Control):
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func notASCIIText(r rune) bool { return r != '\n' && r != '\t' && (r < ' ' || r > '~') }

// OneLine is [Plain] without line breaks.
func OneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, Plain(s))
}

// Is reports whether what is read or written is a terminal.
func Is(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// A Palette colours words, or leaves them alone.
type Palette struct{ on bool }

// Colours is the palette for what is written to w.
func Colours(w io.Writer) Palette {
	return Palette{Is(w) && os.Getenv("NO_COLOR") == ""}
}

func (p Palette) paint(code, s string) string {
	if !p.on {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// Bold marks what an answer is about.
func (p Palette) Bold(s string) string { return p.paint("1", s) }

// Faint marks what can be passed over.
func (p Palette) Faint(s string) string { return p.paint("2", s) }

// Blue marks what is AI's.
func (p Palette) Blue(s string) string { return p.paint("34", s) }

// JSON writes one value as indented JSON.
func JSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// JSONLines writes one JSON object a line.
func JSONLines[T any](w io.Writer, records []T) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for _, r := range records {
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	return out.Flush()
}

// A Progress shows how far long work has come: a bar that is redrawn on a
// terminal, now and then a plain line elsewhere.
type Progress struct {
	w     io.Writer
	now   func() time.Time
	live  bool
	last  time.Time
	drawn bool
}

// NewProgress begins to show progress on w.
func NewProgress(w io.Writer, now func() time.Time) *Progress {
	return &Progress{w: w, now: now, live: Is(w), last: now()}
}

// Show draws done of total in the named stage; total 0 means not known.
func (p *Progress) Show(stage string, done, total int64) {
	every := 10 * time.Second
	if p.live {
		every = 100 * time.Millisecond
	}
	if now := p.now(); now.Sub(p.last) >= every {
		p.last = now
		p.draw(stage, done, total)
	}
}

func (p *Progress) draw(stage string, done, total int64) {
	const width = 30
	line := fmt.Sprintf("%s %d", stage, done)
	if total > 0 {
		done = min(done, total)
		line = fmt.Sprintf("%-22s %d/%d", stage, done, total)
		if p.live {
			full := int(done * width / total)
			line = fmt.Sprintf("%-22s [%s%s] %d/%d", stage, strings.Repeat("=", full), strings.Repeat(" ", width-full), done, total)
		}
	}
	if p.live {
		fmt.Fprintf(p.w, "\r\x1b[K%s", line)
		p.drawn = true
		return
	}
	fmt.Fprintln(p.w, line)
}

// End takes the bar away.
func (p *Progress) End() {
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}
