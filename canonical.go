package stemma

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// CanonicalJSON rewrites one JSON value in the form of RFC 8785 (JCS): no
// white space, members sorted by UTF-16 code units, the shortest escapes.
// Numbers must be integers that every JSON reader can hold (section 3.2.2.3
// leaves fractions to IEEE 754, which facts do without), text must be valid
// UTF-8, and a member may appear once.
func CanonicalJSON(raw []byte) ([]byte, error) {
	return appendCanonical(make([]byte, 0, len(raw)), raw, 0)
}

// appendCanonical appends the canonical form of raw, which lies as deep as told.
func appendCanonical(out, raw []byte, depth int) ([]byte, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("text is not valid UTF-8")
	}
	c := canonical{in: raw, out: out, members: make([]canonicalMember, 0, 32)}
	if err := c.value(depth); err != nil {
		return nil, err
	}
	c.space()
	if c.at < len(raw) {
		return nil, errors.New("more than one JSON value")
	}
	c.flush()
	return c.out, nil
}

// maxDepth bounds nesting, so that a hostile record cannot exhaust the stack.
const maxDepth = 64

// canonical rewrites in to out in one pass. What is canonical already is not
// touched: it is copied when something else comes, so that canonical input is
// copied at once.
type canonical struct {
	in   []byte
	at   int // next byte of in
	done int // bytes of in that are in out already, or were left out
	out  []byte

	members []canonicalMember // of the objects that are open, innermost last
	said    []byte            // what names with escapes say
	scratch []byte            // for members that change places
}

// A canonicalMember is where one member of an object begins and ends in out.
type canonicalMember struct {
	name       span
	start, end int
}

// A span is a part of the input or, if it had to be unescaped, of said. It has
// no pointers, so that sorting members is cheap.
type span struct {
	from, to int
	escaped  bool
}

func (c *canonical) text(s span) []byte {
	if s.escaped {
		return c.said[s.from:s.to]
	}
	return c.in[s.from:s.to]
}

// compare orders members by their names.
func (c *canonical) compare(x, y canonicalMember) int {
	return compareUTF16(c.text(x.name), c.text(y.name))
}

// flush copies what was read and stays as it is.
func (c *canonical) flush() {
	c.out = append(c.out, c.in[c.done:c.at]...)
	c.done = c.at
}

// length is how long out is when flushed.
func (c *canonical) length() int { return len(c.out) + c.at - c.done }

// next is the next byte, or 0 at the end.
func (c *canonical) next() byte {
	if c.at == len(c.in) {
		return 0
	}
	return c.in[c.at]
}

// space leaves out white space.
func (c *canonical) space() {
	at := c.at
	for at < len(c.in) && (c.in[at] == ' ' || c.in[at] == '\n' || c.in[at] == '\t' || c.in[at] == '\r') {
		at++
	}
	if at > c.at {
		c.flush()
		c.at, c.done = at, at
	}
}

func (c *canonical) unexpected() error {
	if c.at == len(c.in) {
		return errors.New("JSON ends too early")
	}
	r, _ := utf8.DecodeRune(c.in[c.at:])
	return fmt.Errorf("JSON has %q at offset %d", r, c.at)
}

// expect reads one byte, after white space.
func (c *canonical) expect(b byte) error {
	if c.space(); c.next() != b {
		return c.unexpected()
	}
	c.at++
	return nil
}

func (c *canonical) value(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	c.space()
	switch b := c.next(); {
	case b == '"':
		said := len(c.said)
		_, err := c.quoted()
		c.said = c.said[:said]
		return err
	case b == '-', b >= '0' && b <= '9':
		return c.number()
	case b == '{':
		return c.object(depth)
	case b == '[':
		return c.array(depth)
	case b == 't':
		return c.literal("true")
	case b == 'f':
		return c.literal("false")
	case b == 'n':
		return c.literal("null")
	}
	return c.unexpected()
}

func (c *canonical) literal(word string) error {
	if !bytes.HasPrefix(c.in[c.at:], []byte(word)) {
		return c.unexpected()
	}
	c.at += len(word)
	return nil
}

// number reads an integer. All but minus zero are canonical.
func (c *canonical) number() error {
	from := c.at
	if c.next() == '-' {
		c.at++
	}
	digits, n := c.at, uint64(0)
	for ; c.at < len(c.in) && c.in[c.at]-'0' <= 9; c.at++ {
		if n <= 1<<53 { // beyond that only the sign of having failed counts
			n = n*10 + uint64(c.in[c.at]-'0')
		}
	}
	switch b := c.next(); {
	case c.at == digits, c.in[digits] == '0' && c.at > digits+1:
		return c.unexpected()
	case n > 1<<53, b == '.', b == 'e', b == 'E':
		literal := c.in[from:]
		if end := bytes.IndexAny(literal, ",]} \n\t\r"); end >= 0 {
			literal = literal[:end]
		}
		return fmt.Errorf("number %.40s is not an integer of at most 53 bits", literal)
	}
	if n == 0 && digits > from {
		end := c.at
		c.at = from
		c.flush()
		c.at, c.done = end, end-1
	}
	return nil
}

func (c *canonical) array(depth int) error {
	c.at++
	c.space()
	if c.next() == ']' {
		c.at++
		return nil
	}
	for {
		if err := c.value(depth + 1); err != nil {
			return err
		}
		c.space()
		switch c.next() {
		case ',':
			c.at++
		case ']':
			c.at++
			return nil
		default:
			return c.unexpected()
		}
	}
}

func (c *canonical) object(depth int) error {
	c.at++
	c.space()
	if c.next() == '}' {
		c.at++
		return nil
	}
	first := len(c.members)
	sorted := true
	for {
		c.space()
		m := canonicalMember{start: c.length()}
		if c.next() != '"' {
			return c.unexpected()
		}
		var err error
		if m.name, err = c.quoted(); err != nil {
			return err
		}
		if err := c.expect(':'); err != nil {
			return err
		}
		if err := c.value(depth + 1); err != nil {
			return err
		}
		m.end = c.length()
		sorted = sorted && (len(c.members) == first || c.compare(c.members[len(c.members)-1], m) < 0)
		c.members = append(c.members, m)
		if c.space(); c.next() != ',' {
			break
		}
		c.at++
	}
	if !sorted {
		if err := c.sort(c.members[first:]); err != nil {
			return err
		}
	}
	c.members = c.members[:first]
	return c.expect('}')
}

// sort puts the members of an object, which end out, in their order.
func (c *canonical) sort(members []canonicalMember) error {
	c.flush()
	from := members[0].start
	c.scratch = append(c.scratch[:0], c.out[from:]...)
	slices.SortFunc(members, c.compare)
	c.out = c.out[:from]
	for i, m := range members {
		if i > 0 {
			if c.compare(members[i-1], m) == 0 {
				return fmt.Errorf("member %.60q appears twice", c.text(m.name))
			}
			c.out = append(c.out, ',')
		}
		c.out = append(c.out, c.scratch[m.start-from:m.end-from]...)
	}
	return nil
}

// compareUTF16 orders UTF-8 as RFC 8785, section 3.2.3, demands: astral
// characters come before U+E000..U+FFFF. Where two texts first differ that is
// to be seen in the first bytes of characters: from 0xF0 they begin astral
// ones, 0xEE and 0xEF those that come after them.
func compareUTF16(x, y []byte) int {
	n := min(len(x), len(y))
	for i := range n {
		a, b := x[i], y[i]
		if a == b {
			continue
		}
		if a >= 0xee && b >= 0xee && (a >= 0xf0) != (b >= 0xf0) {
			return cmp.Compare(b, a)
		}
		return cmp.Compare(a, b)
	}
	return cmp.Compare(len(x), len(y))
}

// quoted reads a string and returns what it says.
func (c *canonical) quoted() (span, error) {
	c.at++
	from := c.at
	c.plain()
	if c.next() == '"' {
		c.at++
		return span{from: from, to: c.at - 1}, nil
	}
	said := span{from: len(c.said), escaped: true}
	c.said = append(c.said, c.in[from:c.at]...)
	for {
		switch c.next() {
		case '"':
			c.at++
			said.to = len(c.said)
			return said, nil
		case '\\':
			r, n := readEscape(c.in[c.at:])
			if n == 0 {
				return span{}, c.unexpected()
			}
			c.said = utf8.AppendRune(c.said, r)
			c.spell(r, n)
		default:
			return span{}, c.unexpected()
		}
		from = c.at
		c.plain()
		c.said = append(c.said, c.in[from:c.at]...)
	}
}

// plain reads what has no quote, no escape and no control character.
func (c *canonical) plain() {
	in := c.in
	at := c.at
	for at < len(in) && in[at] >= 0x20 && in[at] != '"' && in[at] != '\\' {
		at++
	}
	c.at = at
}

// spell reads an escape of n bytes that stands for r, and writes r in its
// canonical spelling.
func (c *canonical) spell(r rune, n int) {
	var room [6]byte
	b := room[:0]
	switch {
	case r == '"', r == '\\':
		b = append(b, '\\', byte(r))
	case r >= 0x20:
		b = utf8.AppendRune(b, r)
	default:
		if i := bytes.IndexByte([]byte("\b\t\n\f\r"), byte(r)); i >= 0 {
			b = append(b, '\\', "btnfr"[i])
		} else {
			const hex = "0123456789abcdef"
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		}
	}
	if bytes.Equal(b, c.in[c.at:c.at+n]) {
		c.at += n
		return
	}
	c.flush()
	c.out = append(c.out, b...)
	c.at += n
	c.done = c.at
}

// readEscape returns the character that an escape at the start of b stands for, and
// its length, which is 0 if it is none. Half of a surrogate pair stands for
// U+FFFD.
func readEscape(b []byte) (rune, int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\', '/':
		return rune(b[1]), 2
	case 'u':
	default:
		i := bytes.IndexByte([]byte("btnfr"), b[1])
		if i < 0 {
			return 0, 0
		}
		return rune("\b\t\n\f\r"[i]), 2
	}
	r, ok := hex4(b[2:])
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
		if low, ok := hex4(b[8:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 12
			}
		}
	}
	return utf8.RuneError, 6
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, d := range b[:4] {
		switch {
		case d >= '0' && d <= '9':
			d -= '0'
		case d >= 'a' && d <= 'f':
			d -= 'a' - 10
		case d >= 'A' && d <= 'F':
			d -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}
