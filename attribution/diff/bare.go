package diff

import (
	"unicode"
	"unicode/utf8"
)

// endsOf is a sum of the first two and the last two bytes of a line that are no
// white space: lines that are equal but for white space have the same, if plain
// holds, as it does where these bytes are ASCII. Hardly any line of a text has to be
// read whole to see that it is none of some others.
func endsOf(line []byte) (sum uint32, plain bool) {
	all := byte(0)
	for i, n := 0, 0; i < len(line) && n < 2; i++ {
		if c := line[i]; !isSpace(c) {
			sum, all, n = sum<<8|uint32(c), all|c, n+1
		}
	}
	for i, n := len(line)-1, 0; i >= 0 && n < 2; i-- {
		if c := line[i]; !isSpace(c) {
			sum, all, n = sum<<8|uint32(c), all|c, n+1
		}
	}
	return sum, all < utf8.RuneSelf
}

// isSpace reports whether an ASCII byte is white space.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// An endSet holds sums, and may say that it holds others.
type endSet [1 << 16 / 64]uint64

func (e *endSet) add(sum uint32) {
	h := sum * 0x9E3779B1 >> 16
	e[h/64] |= 1 << (h % 64)
}

func (e *endSet) has(sum uint32) bool {
	h := sum * 0x9E3779B1 >> 16
	return e[h/64]>>(h%64)&1 != 0
}

// appendSpaceless appends a line without its white space.
func appendSpaceless(to, line []byte) []byte {
	for i := 0; i < len(line); {
		from := i
		for i < len(line) && line[i] < utf8.RuneSelf && !isSpace(line[i]) {
			i++
		}
		to = append(to, line[from:i]...)
		if i == len(line) {
			break
		}
		c, n := utf8.DecodeRune(line[i:])
		if !unicode.IsSpace(c) {
			to = append(to, line[i:i+n]...)
		}
		i += n
	}
	return to
}
