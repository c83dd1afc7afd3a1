// Package secret knows what secrets look like: tokens that begin in a known way,
// keys in armour, passwords in addresses, headers, what is assigned to names that
// say what it is; and homes and mail addresses. It knows one text as it
// reads, and nothing of JSON. It does no I/O.
package secret

import "bytes"

// Options say what is told beside secrets.
type Options struct{ Homes, Mail bool }

// A Match is what is to be cut from a text, inside of what it was known by.
type Match struct {
	Rule       string // lower case letters, digits and dashes
	Start, End int    // what is cut
	From, To   int    // what had to be seen to know it
	With       string // what takes its place, where that is no mark
}

// MarkStart begins every mark, which is no secret.
const MarkStart = "[redacted:"

// A scanner goes once over a text as it reads, and tells what to cut.
type scanner struct {
	b   []byte
	o   Options
	add func(Match)

	noJWT int // no token of three parts begins before
	noEnd int // no block of a key ends before

	runs [2]struct{ from, end int } // values without quotes, up to where each kind ends
}

// What may begin at a byte.
const (
	tokenStart = 1 << iota // a token with a known beginning
	separator              // between a name and what is assigned to it
	dash                   // an option of a command, or a block of a key
	place                  // a path
	at                     // a mail address
)

// starts tells by a byte what to look for, and pairs by two bytes whether a
// token may begin with them.
var (
	starts = startTable()
	pairs  = pairTable()
)

func startTable() (t [256]uint8) {
	for _, p := range prefixes {
		t[p.text[0]] |= tokenStart
	}
	t[':'] |= separator
	t['='] |= separator
	t['>'] |= separator
	t['-'] |= dash
	t['/'] |= place
	t['\\'] |= place
	t['@'] |= at
	return t
}

// pairTable has a bit for each pair: the table is filled whenever the program
// starts, and so small a one costs nothing then.
func pairTable() (t [1 << 10]uint64) {
	for _, p := range prefixes {
		at, bit := pairAt(p.text[0], p.text[1])
		t[at] |= bit
	}
	return t
}

// pairAt is where two bytes are in the table of pairs.
func pairAt(a, b byte) (at int, bit uint64) {
	return int(a)<<2 | int(b)>>6, 1 << (b & 63)
}

func isPair(a, b byte) bool {
	at, bit := pairAt(a, b)
	return pairs[at]&bit != 0
}

// Find tells, in order of where they begin but for a value as a whole, what is
// to be cut from a text that is the value of a name, as it reads: escapes are
// taken for what they say. It takes time in proportion to the text.
func Find(text []byte, as Name, o Options, found func(Match)) {
	s := scanner{b: text, o: o, add: found}
	if as != Nameless {
		s.value(as)
	}
	b := s.b
	for i := 0; i < len(b); {
		what := starts[b[i]]
		if what == 0 {
			i++
			continue
		}
		end := i
		switch {
		case what&tokenStart != 0:
			if i+1 < len(b) && isPair(b[i], b[i+1]) && (i == 0 || !isAlnum(b[i-1])) {
				end = s.token(i)
			}
		case what&separator != 0:
			end = s.assignment(i)
		case what&dash != 0:
			end = s.dashes(i)
		case what&place != 0:
			if s.o.Homes {
				end = s.home(i)
			}
		case what&at != 0:
			if s.o.Mail {
				end = s.mail(i)
			}
		}
		i = max(end, i+1)
	}
}

// cut tells a secret, and returns where to go on.
func (s *scanner) cut(rule string, start, end int) int {
	s.add(Match{Rule: rule, Start: start, End: end, From: start, To: end})
	return end
}

// dashes looks at what begins with dashes: a block of a key, or an option of a
// command whose value stands behind a space.
func (s *scanner) dashes(i int) int {
	b := s.b
	if bytes.HasPrefix(b[i:], beginKey) {
		return s.block(i)
	}
	if i+2 >= len(b) || b[i+1] != '-' || !isAlnum(b[i+2]) {
		return i
	}
	end := i + 2
	for end < len(b) && end < i+maxName && nameByte[b[end]] {
		end++
	}
	if end == len(b) || b[end] != ' ' {
		return i
	}
	as := NameOf(b[i+2 : end])
	if as == Nameless {
		return i
	}
	return s.assigned(as, end+1, false)
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}
