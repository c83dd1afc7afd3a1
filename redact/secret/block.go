package secret

import "bytes"

var (
	beginKey = []byte("-----BEGIN ")
	endKey   = []byte("-----END ")
)

// MaxBlock is how long a block of a key may be.
const MaxBlock = 64 << 10

// block looks at a private key in armour and cuts it whole, from its first
// dash to its last. One whose end is missing is cut as far as lines look like
// a key. A bare heading, as source code has it, is no key.
func (s *scanner) block(i int) int {
	b := s.b
	body := i + len(beginKey)
	for body < len(b) && body < i+80 && b[body] != '-' && b[body] >= ' ' {
		body++
	}
	if !bytes.Contains(b[i:body], []byte("PRIVATE KEY")) || !bytes.HasPrefix(b[body:], []byte("-----")) {
		return i
	}
	body += 5
	end := s.endOfKey(body)
	next := bytes.Index(b[body:min(len(b), body+MaxBlock)], beginKey)
	if end > 0 && (next < 0 || end < body+next) && isKeyText(b[body:end]) {
		end += len(endKey)
		if line := bytes.Index(b[end:min(len(b), end+80)], []byte("-----")); line >= 0 {
			end += line + 5
		}
		return s.cut("private-key", i, end)
	}
	last := min(len(b), body+MaxBlock)
	if next >= 0 {
		last = body + next
	}
	if end = keyLines(b[:last], body); end > body {
		return s.cut("private-key", i, end)
	}
	return i
}

// endOfKey returns where the end of a block begins, or 0.
func (s *scanner) endOfKey(from int) int {
	if s.noEnd <= from {
		s.noEnd = len(s.b)
		if n := bytes.Index(s.b[from:], endKey); n >= 0 {
			s.noEnd = from + n
		}
	}
	if s.noEnd == len(s.b) || s.noEnd-from > MaxBlock {
		return 0
	}
	return s.noEnd
}

// isKeyText reports whether most of a text is the body of a key, whatever
// numbers, quotes and plus signs stand around its lines.
func isKeyText(text []byte) bool {
	key, all, odd := 0, 0, 0
	for _, word := range bytes.Fields(text) {
		all += len(word)
		word = bytes.Trim(word, "\"'`+,\\")
		if n := keyBytes(word); n*10 >= len(word)*8 && len(word) >= 16 {
			key += len(word)
		} else if n < len(word) {
			odd++
		}
	}
	return key*10 >= all*6 && key > 0 || odd == 0 && all >= 8
}

// keyLines returns the end of the lines from i on that look like the body of a
// key, or i.
func keyLines(b []byte, i int) int {
	end := i
	for line := i; line < len(b); {
		next := len(b)
		if n := bytes.IndexByte(b[line:], '\n'); n >= 0 {
			next = line + n + 1
		}
		text := bytes.TrimSpace(b[line:next])
		long := false
		for _, word := range bytes.Fields(text) {
			long = long || len(word) >= 32 && keyBytes(word)*10 >= len(word)*9
		}
		header := bytes.HasPrefix(text, []byte("Proc-Type:")) || bytes.HasPrefix(text, []byte("DEK-Info:"))
		if long {
			end = line + len(bytes.TrimRight(b[line:next], "\r\n"))
		} else if !header && len(text) > 0 && line > i {
			break
		}
		line = next
	}
	return end
}

// keyBytes counts the bytes of a text that the body of a key may have.
func keyBytes(text []byte) int {
	n := 0
	for _, c := range text {
		if isAlnum(c) || c == '+' || c == '/' || c == '=' {
			n++
		}
	}
	return n
}
