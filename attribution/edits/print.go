package edits

import (
	"encoding/binary"
	"unicode"
	"unicode/utf8"
)

// A Print is lines that stood together, of which no more is kept than it takes to
// find them.
type Print struct {
	marks   []Key   // of the lines without their white space; 0 of those with nothing else
	letters []uint8 // and digits that a line has; many are as good as more
}

const manyLetters = 255

// PrintOf is that of some lines.
func PrintOf(text [][]byte) Print {
	p := Print{make([]Key, len(text)), make([]uint8, len(text))}
	for i, l := range text {
		mark, letters := markOf(l)
		p.marks[i], p.letters[i] = mark, uint8(min(letters, manyLetters))
	}
	return p
}

// Len is how many lines it is of.
func (p Print) Len() int { return len(p.marks) }

// Marks are those of its lines that are not blank.
func (p Print) Marks(yield func(Key) bool) {
	for _, m := range p.marks {
		if m != 0 && !yield(m) {
			return
		}
	}
}

// Line is the mark of a line, by its number from 0, 0 if it is blank; and how many
// letters and digits it has.
func (p Print) Line(i int) (mark Key, letters int) { return p.marks[i], int(p.letters[i]) }

// Key is the key of a line, by its number from 0.
func (p Print) Key(i int) Key {
	if p.letters[i] < movedText {
		return 0
	}
	return p.marks[i]
}

// Slice is the lines from one up to another.
func (p Print) Slice(from, to int) Print { return Print{p.marks[from:to], p.letters[from:to]} }

// Short is the print with marks of 32 bits, which is what records carry of a text: less
// to store, and enough for blocks of it.
func (p Print) Short() Print {
	short := Print{make([]Key, len(p.marks)), p.letters}
	for i, m := range p.marks {
		short.marks[i] = m >> 32
	}
	return short
}

// AppendShort adds the short marks to a record, four bytes for a line, blank ones zero.
func (p Print) AppendShort(b []byte) []byte {
	for _, m := range p.marks {
		b = binary.BigEndian.AppendUint32(b, uint32(m>>32))
	}
	return b
}

// ReadShort reads what [Print.AppendShort] wrote. How many letters the lines have
// is not in it. It is not ok if the bytes end within a line.
func ReadShort(b []byte) (p Print, ok bool) {
	p = Print{make([]Key, len(b)/4), make([]uint8, len(b)/4)}
	for i := range p.marks {
		p.marks[i] = Key(binary.BigEndian.Uint32(b[4*i:]))
	}
	return p, len(b)%4 == 0
}

// Append adds the lines of another print behind its own.
func (p *Print) Append(more Print) {
	p.marks, p.letters = append(p.marks, more.marks...), append(p.letters, more.letters...)
}

// A Key stands for the text of a line without its white space. Lines with too
// little text to be told from others have none: 0.
type Key uint64

// KeyOf is the key of a line.
func KeyOf(line []byte) Key {
	mark, letters := markOf(line)
	if letters < movedText {
		return 0
	}
	return mark
}

// Of FNV-1a with 64 bits (RFC 9923, section 5).
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// markOf is the key of any line, 0 if it is blank, and how many letters and digits
// it has.
func markOf(line []byte) (mark Key, letters int) {
	h, blank := uint64(fnvOffset), true
	for i := 0; i < len(line); {
		c := line[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(line[i:])
			i += size
			if unicode.IsSpace(r) {
				continue
			}
			var buf [utf8.UTFMax]byte
			for _, c := range utf8.AppendRune(buf[:0], r) {
				h = (h ^ uint64(c)) * fnvPrime
			}
			blank = false
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				letters++
			}
			continue
		}
		i++
		switch {
		case c == ' ' || '\t' <= c && c <= '\r':
			continue
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9':
			letters++
		}
		h, blank = (h^uint64(c))*fnvPrime, false
	}
	if blank {
		return 0, 0
	}
	return Key(h | 1), letters
}
