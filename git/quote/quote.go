// Package quote gives raw bytes of a repository a form for human eyes: paths,
// back and forth, and lines of foreign text. It also writes paths as git does.
//
// It does no I/O and keeps nothing.
package quote

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Path gives the text form of a raw path: the path itself when it is UTF-8
// without control characters and does not begin with a double quote, otherwise
// git's C-quoted form with its quotes, as with core.quotePath off for the
// characters that can be shown. Different paths have different forms.
func Path(raw string) string {
	if !strings.HasPrefix(raw, `"`) && plain(raw) {
		return raw
	}
	b := append(make([]byte, 0, len(raw)+8), '"')
	for i := 0; i < len(raw); {
		r, n := utf8.DecodeRuneInString(raw[i:])
		switch {
		case r == utf8.RuneError && n == 1, r >= utf8.RuneSelf && !visible(r):
			for _, c := range []byte(raw[i : i+n]) {
				b = octal(b, c)
			}
		case r < utf8.RuneSelf:
			b = quoteByte(b, byte(r))
		default:
			b = append(b, raw[i:i+n]...)
		}
		i += n
	}
	return string(append(b, '"'))
}

// Raw undoes [Path] and git's own C quoting. A form that does not
// begin with a double quote is the path itself.
func Raw(form string) (string, error) {
	if !strings.HasPrefix(form, `"`) {
		return form, nil
	}
	if len(form) < 2 || form[len(form)-1] != '"' {
		return "", errors.New("git: quoted path without its closing quote")
	}
	in := form[1 : len(form)-1]
	out := make([]byte, 0, len(in))
	for i := 0; i < len(in); i++ {
		switch c := in[i]; {
		case c == '"':
			return "", errors.New("git: bare quote inside a quoted path")
		case c != '\\':
			out = append(out, c)
		default:
			c, n := unescape(in[i+1:])
			if n == 0 {
				return "", errors.New("git: bad escape in a quoted path")
			}
			out = append(out, c)
			i += n
		}
	}
	return string(out), nil
}

// unescape reads what follows a backslash; n is 0 when that is nothing known.
func unescape(s string) (c byte, n int) {
	if s == "" {
		return 0, 0
	}
	if i := strings.IndexByte(`abtnvfr"\`, s[0]); i >= 0 {
		return "\a\b\t\n\v\f\r\"\\"[i], 1
	}
	if len(s) < 3 || s[0] > '3' {
		return 0, 0
	}
	v := 0
	for _, d := range []byte(s[:3]) {
		if d < '0' || d > '7' {
			return 0, 0
		}
		v = v*8 + int(d-'0')
	}
	return byte(v), 3
}

// plain: the text can be shown as it is.
func plain(s string) bool {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || !visible(r) {
			return false
		}
		i += n
	}
	return true
}

// visible: neither a control character nor one that turns the direction of the
// text around it.
func visible(r rune) bool {
	return !unicode.IsControl(r) && !unicode.In(r, unicode.Bidi_Control) && r != '\u2028' && r != '\u2029'
}

func octal(b []byte, c byte) []byte {
	return append(b, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
}

func quoteByte(b []byte, c byte) []byte {
	if i := strings.IndexByte("\a\b\t\n\v\f\r\"\\", c); i >= 0 {
		return append(b, '\\', `abtnvfr"\`[i])
	}
	if c < 0x20 || c >= 0x7f {
		return octal(b, c)
	}
	return append(b, c)
}

// Append appends prefix and path as git writes them in the head of a
// patch with core.quotePath on: both inside one pair of quotes, if at all.
func Append(b []byte, prefix, path string) []byte {
	clean := true
	for i := 0; i < len(path) && clean; i++ {
		c := path[i]
		clean = c >= 0x20 && c < 0x7f && c != '"' && c != '\\'
	}
	if clean {
		return append(append(b, prefix...), path...)
	}
	b = append(append(b, '"'), prefix...)
	for i := range len(path) {
		b = quoteByte(b, path[i])
	}
	return append(b, '"')
}

// Line makes a line of foreign text safe to stand in an error.
func Line(s string) string {
	if plain(s) {
		return s
	}
	q := Path(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}
