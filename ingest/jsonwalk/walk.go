// Package jsonwalk reads JSON by walking over it once, without building a
// tree. The caller goes into the members it wants and everything else is
// stepped over at the speed of a byte scan, so that a note whose transcript is
// megabytes long costs no more memory than the few fields taken from it.
//
// It is strict about syntax, so that damage is reported and not guessed at, and
// lenient about types: asking for a string where there is a number gives the
// empty string. Strings are made valid UTF-8; what goes into a record as one
// line is read by [Reader.Text]. Depth is bounded. The package never panics on
// any input and keeps no reference to what it returns.
package jsonwalk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how many arrays and objects may be open at once.
const MaxDepth = 512

// A Reader stands before one value of a text. It is for one goroutine. After
// the first syntax error every method does nothing and returns a zero value.
type Reader struct {
	b     []byte
	i     int
	depth int
	err   error
}

// New returns a Reader before the first value of b.
func New(b []byte) *Reader { return &Reader{b: b} }

// Err returns the first syntax error.
func (r *Reader) Err() error { return r.err }

// Offset is how many bytes were read.
func (r *Reader) Offset() int { return r.i }

// Since returns the bytes read since an earlier Offset; they are part of the text.
func (r *Reader) Since(offset int) []byte { return r.b[offset:r.i] }

// End checks that nothing but white space follows, and returns the first error.
func (r *Reader) End() error {
	r.space()
	if r.err == nil && r.i < len(r.b) {
		r.fail("more after the end of the value")
	}
	return r.err
}

// Valid reports why b is not exactly one JSON value, or nil.
func Valid(b []byte) error {
	r := New(b)
	r.Skip()
	return r.End()
}

// Kind is the first byte of the next value: one of { [ " t f n, or 0 for a
// number, or ' ' at the end of the text and after an error.
func (r *Reader) Kind() byte {
	r.space()
	if r.err != nil || r.i >= len(r.b) {
		return ' '
	}
	c := r.b[r.i]
	if c == '-' || c >= '0' && c <= '9' {
		return 0
	}
	return c
}

// Object walks the members of an object. The Reader stands before the value of
// the member; a value that the loop does not read is skipped. Leaving the loop
// early leaves the Reader inside the object, so it must then be dropped. A
// value of another type has no members and is skipped.
func (r *Reader) Object() iter.Seq[string] {
	return func(yield func(string) bool) {
		if r.Kind() != '{' {
			r.Skip()
			return
		}
		if !r.open() {
			return
		}
		for first := true; ; first = false {
			if r.close('}', first) {
				return
			}
			name := r.member()
			if r.err != nil {
				return
			}
			if at := r.i; !yield(name) {
				return
			} else if r.i == at {
				r.Skip()
			}
			if r.err != nil {
				return
			}
		}
	}
}

// Array walks the elements of an array, as [Reader.Object] does members.
func (r *Reader) Array() iter.Seq[int] {
	return func(yield func(int) bool) {
		if r.Kind() != '[' {
			r.Skip()
			return
		}
		if !r.open() {
			return
		}
		for n := 0; ; n++ {
			if r.close(']', n == 0) {
				return
			}
			r.space()
			if at := r.i; !yield(n) {
				return
			} else if r.i == at {
				r.Skip()
			}
			if r.err != nil {
				return
			}
		}
	}
}

// String reads a string; another value is skipped and gives "".
func (r *Reader) String() string {
	if r.Kind() != '"' {
		r.Skip()
		return ""
	}
	from := r.i + 1
	escaped := r.skipString()
	if r.err != nil {
		return ""
	}
	raw := r.b[from : r.i-1]
	if !escaped {
		return strings.ToValidUTF8(string(raw), "\uFFFD")
	}
	return unescape(raw)
}

// Int reads a number without its fraction; another value gives 0, as does one
// beyond 64 bits.
func (r *Reader) Int() int64 {
	if r.Kind() != 0 {
		r.Skip()
		return 0
	}
	from := r.i
	r.Skip()
	text := string(r.b[from:r.i])
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil {
		return n
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f >= 1<<63 || f < -1<<63 {
		return 0
	}
	return int64(f)
}

// Bool reads true or false; another value gives false.
func (r *Reader) Bool() bool {
	is := r.Kind() == 't'
	r.Skip()
	return is && r.err == nil
}

// Raw steps over the value and returns its bytes, which are part of the text.
func (r *Reader) Raw() []byte {
	r.space()
	from := r.i
	r.Skip()
	if r.err != nil {
		return nil
	}
	return r.b[from:r.i]
}

// Skip steps over the value and checks its syntax.
func (r *Reader) Skip() {
	switch c := r.Kind(); c {
	case '"':
		r.skipString()
	case '{':
		r.skipObject()
	case '[':
		r.skipArray()
	case 0:
		r.skipNumber()
	case 't':
		r.literal("true")
	case 'f':
		r.literal("false")
	case 'n':
		r.literal("null")
	default:
		r.fail("a value is missing")
	}
}

func (r *Reader) skipObject() {
	if !r.open() {
		return
	}
	for first := true; !r.close('}', first); first = false {
		r.space()
		if r.i >= len(r.b) || r.b[r.i] != '"' {
			r.fail("the name of a member is missing")
			return
		}
		r.skipString()
		r.colon()
		r.Skip()
	}
}

func (r *Reader) skipArray() {
	if !r.open() {
		return
	}
	for first := true; !r.close(']', first); first = false {
		r.Skip()
	}
}

func (r *Reader) open() bool {
	if r.depth++; r.depth > MaxDepth {
		r.fail(fmt.Sprintf("nested deeper than %d", MaxDepth))
		return false
	}
	r.i++
	return true
}

// close steps over the end of a container, or over the comma before the next
// element; it reports true when the walk is over, also after an error.
func (r *Reader) close(end byte, first bool) bool {
	r.space()
	switch {
	case r.err != nil:
		return true
	case r.i >= len(r.b):
		r.fail("the text ends inside a value")
		return true
	case r.b[r.i] == end:
		r.i++
		r.depth--
		return true
	case first:
		return false
	case r.b[r.i] != ',':
		r.fail("a comma is missing")
		return true
	}
	r.i++
	return false
}

func (r *Reader) member() string {
	r.space()
	if r.i >= len(r.b) || r.b[r.i] != '"' {
		r.fail("the name of a member is missing")
		return ""
	}
	name := r.String()
	r.colon()
	r.space()
	return name
}

func (r *Reader) colon() {
	r.space()
	if r.err != nil {
		return
	}
	if r.i >= len(r.b) || r.b[r.i] != ':' {
		r.fail("a colon is missing")
		return
	}
	r.i++
}

func (r *Reader) space() {
	for r.i < len(r.b) {
		switch r.b[r.i] {
		case ' ', '\n', '\t', '\r':
			r.i++
		default:
			return
		}
	}
}

// plain marks the bytes of a string that need no look.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c != '"' && c != '\\'
	}
	return t
}()

// skipPlain steps over plain bytes from i on, eight at a time: of long strings
// this is nearly all there is to do.
func skipPlain(b []byte, i int) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, slash := x^'"'*ones, x^'\\'*ones
		// The highest bit of a byte is set where it is below 0x20 or became
		// zero; and sometimes above such a byte, which the slow way sorts out.
		if ((x-0x20*ones)&^x|(quote-ones)&^quote|(slash-ones)&^slash)&high != 0 {
			break
		}
	}
	for i < len(b) && plain[b[i]] {
		i++
	}
	return i
}

func (r *Reader) skipString() (escaped bool) {
	b, i := r.b, r.i+1
	for {
		i = skipPlain(b, i)
		switch {
		case i >= len(b):
			r.i = i
			r.fail("the text ends inside a string")
			return escaped
		case b[i] == '"':
			r.i = i + 1
			return escaped
		case b[i] != '\\':
			r.i = i
			r.fail("a control character in a string")
			return escaped
		}
		escaped = true
		n := escapeLength(b[i:])
		if n == 0 {
			r.i = i
			r.fail("a bad escape in a string")
			return escaped
		}
		i += n
	}
}

func escapeLength(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(b); ok {
			return 6
		}
	}
	return 0
}

// hex4 reads an escape of \u and four hexadecimal digits.
func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(v), err == nil
}

// unescape reads the inside of a string that skipString has passed.
func unescape(raw []byte) string {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			i++
			continue
		}
		c := raw[i+1]
		if at := strings.IndexByte("bfnrt", c); at >= 0 {
			c = "\b\f\n\r\t"[at]
		} else if c == 'u' {
			v, _ := hex4(raw[i:])
			i += 6
			if low, ok := hex4(raw[i:]); ok && utf16.IsSurrogate(v) {
				if pair := utf16.DecodeRune(v, low); pair != utf8.RuneError {
					v = pair
					i += 6
				}
			}
			out = utf8.AppendRune(out, v)
			continue
		}
		out = append(out, c)
		i += 2
	}
	return strings.ToValidUTF8(string(out), "\uFFFD")
}

func (r *Reader) skipNumber() {
	digits := func() bool {
		from := r.i
		for r.i < len(r.b) && r.b[r.i] >= '0' && r.b[r.i] <= '9' {
			r.i++
		}
		return r.i > from
	}
	at := func(set string) bool {
		if r.i < len(r.b) && strings.IndexByte(set, r.b[r.i]) >= 0 {
			r.i++
			return true
		}
		return false
	}
	at("-")
	zero := r.i < len(r.b) && r.b[r.i] == '0'
	from := r.i
	if !digits() || zero && r.i > from+1 {
		r.fail("a bad number")
		return
	}
	if at(".") && !digits() {
		r.fail("a bad number")
		return
	}
	if at("eE") {
		at("+-")
		if !digits() {
			r.fail("a bad number")
		}
	}
}

func (r *Reader) literal(word string) {
	if len(r.b)-r.i < len(word) || string(r.b[r.i:r.i+len(word)]) != word {
		r.fail("a word that is not JSON")
		return
	}
	r.i += len(word)
}

var errSyntax = errors.New("not JSON")

func (r *Reader) fail(why string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s at byte %d", errSyntax, why, r.i)
	}
}
