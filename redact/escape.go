package redact

import (
	"bytes"
	"sort"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// A jump is an escape: where it begins before and after it was taken off, and
// how many bytes it takes up.
type jump struct {
	raw, plain       uint32
	rawLen, plainLen uint8
}

// unescape takes one layer of escapes off a text, those of JSON; a backslash
// before anything else stays. Without an escape the jumps are nil.
func unescape(b []byte) (plain []byte, jumps []jump) {
	i := bytes.IndexByte(b, '\\')
	if i < 0 {
		return b, nil
	}
	plain = append(make([]byte, 0, len(b)), b[:i]...)
	for i < len(b) {
		if b[i] != '\\' {
			next := bytes.IndexByte(b[i:], '\\')
			if next < 0 {
				next = len(b) - i
			}
			plain = append(plain, b[i:i+next]...)
			i += next
			continue
		}
		c, n := escape(b[i:])
		if n == 0 {
			plain = append(plain, '\\')
			i++
			continue
		}
		at := len(plain)
		if c < utf8.RuneSelf {
			plain = append(plain, byte(c))
		} else {
			plain = utf8.AppendRune(plain, c)
		}
		jumps = append(jumps, jump{uint32(i), uint32(at), uint8(n), uint8(len(plain) - at)})
		i += n
	}
	return plain, jumps
}

// escape reads the escape at the start of b; n is 0 if there is none.
func escape(b []byte) (c rune, n int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\', '/', '\'':
		return rune(b[1]), 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'u':
		c, ok := hex4(b)
		if !ok {
			return 0, 0
		}
		if utf16.IsSurrogate(c) {
			if low, ok := hex4(b[6:]); ok {
				if pair := utf16.DecodeRune(c, low); pair != utf8.RuneError {
					return pair, 12
				}
			}
			return utf8.RuneError, 6
		}
		return c, 6
	}
	return 0, 0
}

// hex4 reads an escape of \u and four hexadecimal digits.
func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(v), err == nil
}

// An origin leads from places in an unescaped text back to the text as it was.
type origin struct{ layers [][]jump }

func (o origin) under(jumps []jump) origin {
	return origin{append(o.layers[:len(o.layers):len(o.layers)], jumps)}
}

// back widens a part of the text to whole escapes of what it was.
func (o origin) back(start, end int) (int, int) {
	for i := len(o.layers) - 1; i >= 0; i-- {
		start, _ = unit(o.layers[i], start)
		_, end = unit(o.layers[i], end-1)
	}
	return start, end
}

// unit returns the bytes that one byte of the unescaped text was made of.
func unit(jumps []jump, at int) (start, end int) {
	i := sort.Search(len(jumps), func(i int) bool { return int(jumps[i].plain) > at }) - 1
	if i < 0 {
		return at, at + 1
	}
	j := jumps[i]
	past := at - int(j.plain) - int(j.plainLen)
	if past < 0 {
		return int(j.raw), int(j.raw) + int(j.rawLen)
	}
	start = int(j.raw) + int(j.rawLen) + past
	return start, start + 1
}
