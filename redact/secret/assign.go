package secret

import "bytes"

// maxValue is how long a value in quotes may be, and judged how much of a value
// is looked at.
const (
	maxValue = 4096
	judged   = 512
)

// assignment looks at a colon, an equals sign or the end of a tag at i: the
// password in an address, or a value that stands behind a name.
func (s *scanner) assignment(i int) int {
	b := s.b
	if b[i] == ':' && bytes.HasPrefix(b[i:], []byte("://")) {
		return s.address(i)
	}
	as, bare := nameBefore(b, i)
	if as == Nameless {
		return i
	}
	from := i + 1
	if b[i] == '>' {
		return s.element(as, from)
	}
	for from < len(b) && (b[from] == '=' || b[from] == '>') {
		from++
	}
	return s.assigned(as, from, bare && b[i] == '=')
}

// nameBefore reads the name that stands before i. It is bare at the start of a
// line, as in a file of variables of an environment.
func nameBefore(b []byte, i int) (as Name, bare bool) {
	end := i
	for end > 0 && i-end < 8 && (b[end-1] == ' ' || b[end-1] == '\t' || b[end-1] == ':' || b[end-1] == '?') {
		end--
	}
	for end > 0 && i-end < 12 {
		switch b[end-1] {
		case '"', '\'', '`', ']', '\\':
			end--
			continue
		}
		break
	}
	from := end
	for from > 0 && end-from <= maxName && nameByte[b[from-1]] {
		from--
	}
	tag := from > 0 && b[from-1] == '<'
	if from == end || end-from > maxName || (b[i] == '>') != tag {
		return Nameless, false
	}
	line := bytes.TrimSpace(b[max(0, from-8):from])
	bare = end == i && (from == 0 || b[from-1] == '\n' || bytes.Equal(line, []byte("export")) || bytes.HasSuffix(line, []byte("\nexport")))
	return NameOf(b[from:end]), bare
}

// assigned looks at a value that begins at from, behind spaces and in quotes or
// without. A bare one goes on to the next space.
func (s *scanner) assigned(as Name, from int, bare bool) int {
	b := s.b
	start := from
	for start < len(b) && start < from+8 && (b[start] == ' ' || b[start] == '\t') {
		start++
	}
	if start == len(b) {
		return from
	}
	if q := b[start]; q == '"' || q == '\'' || q == '`' {
		start++
		end := closing(b, start, q)
		if end < 0 {
			return from
		}
		return s.judge(as, start, end, true)
	}
	if b[start] == '\\' { // a quote under escapes, which is read without them later
		return from
	}
	if as == authorization {
		return s.judge(as, start, lineOf(b, start), true)
	}
	end := s.run(start, bare)
	if end < len(b) && !bare {
		switch b[end] {
		case '(', '[', '{', '<', '`':
			return from // code
		}
	}
	return s.judge(as, start, end, bare || b[from-1] == ' ')
}

// run returns where a value without quotes ends. Of one run it is asked again
// and again, so it is remembered.
func (s *scanner) run(start int, bare bool) int {
	r, stop := &s.runs[0], &valueStop
	if bare {
		r, stop = &s.runs[1], &bareStop
	}
	if start < r.from || start >= r.end {
		r.from, r.end = start, start
		for r.end < len(s.b) && !stop[s.b[r.end]] {
			r.end++
		}
	}
	return r.end
}

// closing returns where a quoted value ends on its line, or -1.
func closing(b []byte, from int, quote byte) int {
	for i := from; i < len(b) && i < from+maxValue && b[i] != '\n'; i++ {
		switch b[i] {
		case quote:
			return i
		case '\\':
			i++
		}
	}
	return -1
}

// lineOf returns the end of what stands on the line in no quotes.
func lineOf(b []byte, from int) int {
	i := from
	for i < len(b) && i < from+maxValue && b[i] != '\n' && b[i] != '\r' && b[i] != '"' && b[i] != '\'' && b[i] != '`' && b[i] != '\\' {
		i++
	}
	return i
}

// Where values without quotes end: anywhere, and in a file of variables.
var (
	valueStop = *byteSet(" \t\r\n\"'`,;&|<>(){}[]\\")
	bareStop  = *byteSet(" \t\r\n\"'`")
)

// element looks at the text of an element of XML.
func (s *scanner) element(as Name, from int) int {
	b := s.b
	end := from
	for end < len(b) && end < from+maxValue && b[end] != '<' && b[end] != '\n' {
		end++
	}
	if end == len(b) || b[end] != '<' {
		return from
	}
	return s.judge(as, from, end, true)
}

// value looks at a text that is as a whole the value of a name.
func (s *scanner) value(as Name) {
	if len(s.b) <= maxValue {
		s.judge(as, 0, len(s.b), true)
	}
}

// judge cuts the value from start to end if it looks like a secret; meant says
// that it is a value for sure and not code. It returns where to go on.
func (s *scanner) judge(as Name, start, end int, meant bool) int {
	v := s.b[start:min(end, start+judged)]
	switch {
	case as == authorization:
		if skip := credentials(v); skip >= 0 {
			return s.cut("authorization", start+skip, end)
		}
	case bytes.HasPrefix(v, []byte(MarkStart)):
	case as == Password:
		if isPassword(v, meant) {
			return s.cut("password", start, end)
		}
		fallthrough
	case as == token:
		if isSecret(v, meant) {
			return s.cut("secret", start, end)
		}
	}
	return start
}

// schemes are how a header says what kind of credentials follow.
var schemes = []string{"basic", "bearer", "token", "digest", "apikey", "negotiate", "aws4-hmac-sha256", "bot", "key", "ntlm", "hawk", "dpop"}

// credentials returns where the secret in an Authorization header begins, or
// -1 if there is none.
func credentials(v []byte) int {
	skip := 0
	if n := bytes.IndexByte(v, ' '); n > 0 {
		for _, scheme := range schemes {
			if bytes.EqualFold(v[:n], []byte(scheme)) {
				skip = n + 1
			}
		}
		if skip == 0 {
			return -1 // a sentence
		}
	}
	for skip < len(v) && v[skip] == ' ' {
		skip++
	}
	rest := v[skip:]
	if len(rest) < 8 || bytes.HasPrefix(rest, []byte(MarkStart)) || isReference(rest) || !isMixed(rest) {
		return -1
	}
	return skip
}

// isPassword reports whether a value may be a password: letters with digits or
// with signs that words do not have.
func isPassword(v []byte, meant bool) bool {
	if len(v) < 6 || len(v) > 256 || isReference(v) || isDigest(v) || isPath(v) {
		return false
	}
	var letters, digits, signs, odd int
	for _, c := range v {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= 0x80:
			letters++
		case c <= ' ':
			return false
		case c == '_' || c == '-' || c == '.' || c == '/' || c == ':':
			odd++
		default:
			signs++
		}
	}
	switch {
	case meant:
		return letters > 0 && digits > 0 || signs > 0 && letters+digits > 3 || digits > 5 && letters == 0
	case odd > 0:
		return false // a path of names in code
	}
	return letters > 0 && digits > 0 && len(v) >= 8 && entropy(v) >= 2.5
}

// isSecret reports whether a value looks drawn by lot.
func isSecret(v []byte, meant bool) bool {
	if len(v) < 12 || !meant && len(v) < 16 || isReference(v) || isUUID(v) || isDigest(v) {
		return false
	}
	var letters, digits int
	for _, c := range v {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z':
			letters++
		case c <= ' ' || c >= 0x80 || c == '(' || c == '<':
			return false
		}
	}
	if letters == 0 || digits < 2 && len(v) < 40 || bytes.Contains(v, []byte("://")) || isPath(v) {
		return isMixed(v) && digits == 0 && len(v) >= 20 && letters == len(v) && entropy(v) >= 3.8
	}
	return entropy(v) >= 3.0
}

// isReference reports whether a value stands for another one: a variable, a
// template, a format, an example.
func isReference(v []byte) bool {
	switch v[0] {
	case '$', '<', '{', '%', '*', '&':
		return true
	}
	for _, part := range []string{"${", "#{", "{{", "$(", "%s", "...", "xxxx", "XXXX", "****", "process.env", "os.environ", "getenv"} {
		if bytes.Contains(v, []byte(part)) {
			return true
		}
	}
	return false
}

// isPath reports whether a value begins as a path does.
func isPath(v []byte) bool {
	return v[0] == '/' || bytes.HasPrefix(v, []byte("~/")) || bytes.HasPrefix(v, []byte("./")) || bytes.HasPrefix(v, []byte("../"))
}

// isUUID reports whether v is 32 hexadecimal digits in five groups.
func isUUID(v []byte) bool {
	if len(v) != 36 {
		return false
	}
	for i, c := range v {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && !isHex(c) {
			return false
		}
	}
	return true
}

// isDigest reports whether v says that it is a digest, as lock files write it.
func isDigest(v []byte) bool {
	for _, p := range []string{"sha1-", "sha256-", "sha384-", "sha512-", "sha1:", "sha256:", "sha384:", "sha512:", "md5:", "h1:"} {
		if bytes.HasPrefix(v, []byte(p)) {
			return true
		}
	}
	return false
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }
