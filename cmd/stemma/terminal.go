package main

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

// What goes where: results to standard output, everything about the work
// (progress, warnings, errors) to standard error. Colour and progress bars
// only on a terminal, and no colour where NO_COLOR is set. Text that comes
// from a repository or a store passes plain before it is printed.

// plain makes text harmless on a terminal: no control or direction characters.
func plain(s string) string {
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

// oneLine is plain without line breaks.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, plain(s))
}

// isTerminal reports whether w is one.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// A palette colours words, or leaves them alone.
type palette struct{ on bool }

func (a *app) colours() palette {
	return palette{isTerminal(a.out) && os.Getenv("NO_COLOR") == ""}
}

func (p palette) paint(code, s string) string {
	if !p.on {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p palette) bold(s string) string  { return p.paint("1", s) }
func (p palette) faint(s string) string { return p.paint("2", s) }
func (p palette) blue(s string) string  { return p.paint("34", s) }

// printJSON writes one value as indented JSON.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// streamJSON prints one JSON object a line.
func streamJSON[T any](w io.Writer, records []T) error {
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

// A progress shows how far long work has come: a bar that is redrawn on a
// terminal, now and then a plain line elsewhere.
type progress struct {
	w     io.Writer
	now   func() time.Time
	live  bool
	last  time.Time
	drawn bool
}

func (a *app) progress() *progress {
	return &progress{w: a.err, now: a.now, live: isTerminal(a.err), last: a.now()}
}

// show draws done of total in the named stage; total 0 means not known.
func (p *progress) show(stage string, done, total int64) {
	every := 10 * time.Second
	if p.live {
		every = 100 * time.Millisecond
	}
	if now := p.now(); now.Sub(p.last) >= every {
		p.last = now
		p.draw(stage, done, total)
	}
}

func (p *progress) draw(stage string, done, total int64) {
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

// end takes the bar away.
func (p *progress) end() {
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}
