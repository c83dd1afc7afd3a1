package stemma

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Ref names one thing: "kind:authority/key", for example
// "commit:sha1/9f2c…" or "ticket:jira/PAY-17". Two refs name the same thing
// exactly when they are equal strings. A Ref is made by [NewRef] or checked by
// [ParseRef]; it is never renamed, other names are edges.
//
// Any byte of a key that is not a printable character is written as %XX, as is
// the percent sign itself, so that every sequence of bytes has exactly one
// spelling and no spelling carries a space or a control character.
type Ref string

// MaxRef is the longest Ref in bytes: what every engine can keep in an index.
// Longer keys are refused, not cut.
const MaxRef = 2048

// NewRef spells the Ref of the given kind whose key is the parts joined by a
// slash. The parts are taken as raw bytes and escaped where needed.
func NewRef(kind Kind, parts ...string) Ref {
	var b strings.Builder
	b.WriteString(string(kind))
	b.WriteByte(':')
	for i, part := range parts {
		if i > 0 {
			b.WriteByte('/')
		}
		escape(&b, part)
	}
	return Ref(b.String())
}

// ParseRef returns s as a Ref if it is a canonical one.
func ParseRef(s string) (Ref, error) {
	r := Ref(s)
	if why := r.fault(); why != "" {
		return "", &InvalidError{Ref: r, Field: "ref", Why: why}
	}
	return r, nil
}

// Valid reports whether r is canonical.
func (r Ref) Valid() bool { return r.fault() == "" }

// Kind returns what r names; it is empty if r has no kind.
func (r Ref) Kind() Kind {
	kind, _, ok := strings.Cut(string(r), ":")
	if !ok {
		return ""
	}
	return Kind(kind)
}

// Key returns what follows the kind, still escaped.
func (r Ref) Key() string {
	_, key, _ := strings.Cut(string(r), ":")
	return key
}

// Split returns the unescaped authority, up to the first slash, and the
// unescaped rest of the key. A key without a slash has no authority.
func (r Ref) Split() (authority, rest string) {
	authority, rest, ok := strings.Cut(r.Key(), "/")
	if !ok {
		authority, rest = "", authority
	}
	return unescape(authority), unescape(rest)
}

// fault says why r is not canonical, or nothing.
func (r Ref) fault() string {
	kind, key, ok := strings.Cut(string(r), ":")
	switch {
	case !ok:
		return "no colon after the kind"
	case kind == "":
		return "the kind is empty"
	case key == "":
		return "the key is empty"
	case len(r) > MaxRef:
		return fmt.Sprintf("%d bytes, more than %d", len(r), MaxRef)
	}
	for _, c := range []byte(kind) {
		if (c < 'a' || c > 'z') && c != '-' {
			return fmt.Sprintf("the kind %q has a character that is not a lower-case letter", kind)
		}
	}
	if plain(key) {
		return ""
	}
	var b strings.Builder
	escape(&b, unescape(key))
	if b.String() != key {
		return "the key is not in its canonical spelling"
	}
	return ""
}

const upperHex = "0123456789ABCDEF"

// plain reports whether s is its own canonical spelling and means itself, as
// nearly all keys do.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '%' {
			return false
		}
	}
	return true
}

func escape(b *strings.Builder, s string) {
	if plain(s) {
		b.WriteString(s)
		return
	}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		bad := r == utf8.RuneError && n <= 1
		if bad || r == '%' || r == ' ' || !unicode.IsPrint(r) {
			for _, c := range []byte(s[i : i+n]) {
				b.WriteByte('%')
				b.WriteByte(upperHex[c>>4])
				b.WriteByte(upperHex[c&15])
			}
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
}

func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := strings.IndexByte(upperHex, s[i+1]), strings.IndexByte(upperHex, s[i+2])
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
