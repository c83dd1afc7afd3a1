package secret

import "bytes"

// maxUser is how long the part of an address before its host may be.
const maxUser = 1024

// address looks at "://" and cuts the password before the host, or a name that
// is drawn by lot and needs no password.
func (s *scanner) address(i int) int {
	b := s.b
	from := i + 3
	colon, end := -1, -1
	if bytes.HasPrefix(b[from:], []byte(MarkStart)) { // the user was cut before
		from += bytes.IndexByte(b[from:min(len(b), from+maxName)], ']') + 1
	}
	for k := from; k < len(b) && k < from+maxUser && !addressStop[b[k]]; k++ {
		switch b[k] {
		case '@':
			end = k
		case ':':
			if colon < 0 {
				colon = k
			}
		}
	}
	if end < 0 || i == 0 || !isAlnum(b[i-1]) {
		return from
	}
	if colon < 0 || colon > end {
		if user := b[from:end]; len(user) >= 20 && isMixed(user) && !isReference(user) {
			return s.cut("url-password", from, end)
		}
		return from
	}
	secret := b[colon+1 : end]
	if len(secret) == 0 || isReference(secret) || bytes.HasPrefix(secret, []byte(MarkStart)) {
		return from
	}
	return s.cut("url-password", colon+1, end)
}

var addressStop = *byteSet(" \t\r\n\"'`<>/?#\\")

// home looks at a path and cuts the home directory of an account at its start.
func (s *scanner) home(i int) int {
	b := s.b
	from := 0
	for _, dir := range []string{"/home/", "/Users/", "/projects/-Users-", "/projects/-home-"} {
		if bytes.HasPrefix(b[i:], []byte(dir)) {
			from = i + len(dir)
		}
	}
	if from == 0 {
		from = windowsHome(b, i)
	}
	if from == 0 || from >= len(b) {
		return i
	}
	start, slug := from, b[from-1] == '-'
	end := from
	for end < len(b) && end < from+maxName && !(slug && b[end] == '-') && homeByte(b[end]) {
		end++
	}
	for end > from && (b[end-1] == '.' || b[end-1] == ':') {
		end--
	}
	if end == from || end < len(b) && homeByte(b[end]) && !(slug && b[end] == '-') && b[end] != '.' && b[end] != ':' {
		return i
	}
	if !slug {
		start = homeStart(b, i)
	}
	if start < 0 {
		return i
	}
	s.add(Match{Rule: "home", Start: start, End: end, From: start, To: end, With: "~"})
	return end
}

// homeStart returns where the path begins whose "/home/" or "/Users/" is at i:
// before a drive or a root that homes may lie under. It is -1 inside of other
// paths and of addresses.
func homeStart(b []byte, i int) int {
	before := b[max(0, i-32):i]
	for _, root := range []string{"/var", "/export", "/usr", "/System/Volumes/Data", "/mnt/c", "/mnt/d", "/c", "/d", "/private"} {
		if bytes.HasSuffix(before, []byte(root)) && (len(before) == len(root) || !pathByte(before[len(before)-len(root)-1])) {
			return i - len(root)
		}
	}
	if n := len(before); n >= 2 && before[n-1] == ':' && isAlnum(before[n-2]) && (n == 2 || !isAlnum(before[n-3])) {
		return i - 2 // a drive
	}
	if bytes.HasSuffix(before, []byte("file://")) || len(before) == 0 || !pathByte(before[len(before)-1]) {
		return i
	}
	return -1
}

// windowsHome returns where the name begins behind "\Users\" at i, or 0.
func windowsHome(b []byte, i int) int {
	k := i
	for k < len(b) && k < i+16 && b[k] == '\\' {
		k++
	}
	if k == i || i > 0 && b[i-1] == '\\' || !bytes.HasPrefix(b[k:], []byte(`Users\`)) {
		return 0
	}
	for k += len("Users"); k < len(b) && k < i+40 && b[k] == '\\'; {
		k++
	}
	return k
}

func pathByte(c byte) bool {
	return isAlnum(c) || c == '/' || c == '\\' || c == '_' || c == '-' || c == '.' || c == '~' || c >= 0x80
}

// homeByte reports whether c may be in the name of an account.
func homeByte(c byte) bool {
	return isAlnum(c) || c == '_' || c == '-' || c == '.' || c == '@' || c == '+' || c >= 0x80
}

// mail looks at an at sign and cuts the address around it.
func (s *scanner) mail(i int) int {
	b := s.b
	start := i
	for start > 0 && i-start < 64 && mailByte[b[start-1]] {
		start--
	}
	for start < i && (b[start] == '.' || b[start] == '-') {
		start++
	}
	end, dot := i+1, 0
	for end < len(b) && end < i+254 && (isAlnum(b[end]) || b[end] == '-' || b[end] == '.' || b[end] >= 0x80) {
		if b[end] == '.' {
			dot = end
		}
		end++
	}
	if dot == end-1 && dot > 0 { // the end of a sentence
		end, dot = dot, bytes.LastIndexByte(b[:dot], '.')
	}
	if start == i || dot <= i+1 || !isTop(b[dot+1:end]) || isNobody(b[start:i], b[i+1:end]) {
		return i
	}
	return s.cut("mail", start, end)
}

var mailByte = func() (t [256]bool) {
	t = *byteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.!#$%&*+-_~")
	for c := 0x80; c < 256; c++ {
		t[c] = true
	}
	return t
}()

// isTop reports whether a domain may end in label.
func isTop(label []byte) bool {
	for _, c := range label {
		if c < 0x80 && (!isAlnum(c) || c <= '9') {
			return false
		}
	}
	return len(label) >= 2
}

// isNobody reports whether an address is one that no person reads.
func isNobody(local, domain []byte) bool {
	for _, l := range []string{"noreply", "no-reply", "donotreply", "git", "hg"} {
		if bytes.EqualFold(local, []byte(l)) {
			return true
		}
	}
	domain = append([]byte{'.'}, bytes.ToLower(domain)...)
	for _, d := range []string{".example.com", ".example.org", ".example.net", ".example", ".test", ".invalid", ".local", ".localhost"} {
		if bytes.HasSuffix(domain, []byte(d)) {
			return true
		}
	}
	return false
}
