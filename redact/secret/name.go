package secret

import "bytes"

// A Name is what a value is called, as far as it matters.
type Name uint8

// What names say of their values.
const (
	Nameless      Name = iota // nothing that is kept secret
	Password                  // what a person or a program thought up
	token                     // what was drawn by lot
	authorization             // a scheme and then a secret
)

// maxName is how long a name may be.
const maxName = 64

// nameByte are the bytes of names.
var nameByte = byteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")

// What the words of a name may end in if it names a secret, and the pairs of
// words that do.
var (
	secretEnds = []struct {
		end string
		is  Name
	}{
		{"password", Password},
		{"passwd", Password},
		{"passphrase", Password},
		{"passcode", Password},
		{"pwd", Password},
		{"pass", Password},
		{"secret", token},
		{"token", token},
		{"apikey", token},
		{"accesskey", token},
		{"secretkey", token},
		{"privatekey", token},
		{"accountkey", token},
		{"authkey", token},
		{"credential", token},
		{"authorization", authorization},
	}
	secretPairs = map[string]bool{
		"api": true, "access": true, "secret": true, "private": true, "account": true, "auth": true, "encryption": true,
		"signing": true, "master": true, "shared": true, "service": true, "storage": true, "subscription": true, "deploy": true,
	}

	// harmless are words that make a name one of something else about a secret,
	// or of a token that is a place in a list.
	harmless = map[string]bool{
		"type": true, "name": true, "names": true, "count": true, "counts": true, "limit": true, "max": true, "min": true, "length": true,
		"len": true, "size": true, "url": true, "uri": true, "endpoint": true, "path": true, "file": true, "filename": true, "dir": true,
		"id": true, "ids": true, "expires": true, "expiry": true, "expiration": true, "expired": true, "ttl": true, "age": true,
		"format": true, "field": true, "hint": true, "policy": true, "prefix": true, "suffix": true, "usage": true, "budget": true,
		"version": true, "label": true, "placeholder": true, "description": true, "ref": true, "arn": true, "scope": true, "env": true,
		"public": true, "page": true, "next": true, "continuation": true, "input": true, "output": true, "prompt": true,
		"completion": true, "cache": true, "cached": true, "reasoning": true, "thinking": true, "num": true, "total": true, "regex": true, "pattern": true,
		"index": true, "position": true, "kind": true, "status": true, "error": true, "message": true, "sha": true, "sha1": true, "sha256": true,
		"checksum": true, "digest": true, "class": true, "tooltip": true,
	}
)

// NameOf tells what a name says of its value. Words are set apart by dots,
// dashes, underscores and capitals.
func NameOf(text []byte) Name {
	if len(text) > maxName || len(text) < 3 {
		return Nameless
	}
	var buf [maxName]byte
	is, before := Nameless, ""
	for len(text) > 0 {
		n := wordLength(text)
		w := buf[:0]
		for _, c := range text[:n] {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			w = append(w, c)
		}
		text = text[n:]
		for len(text) > 0 && !isAlnum(text[0]) {
			text = text[1:]
		}
		if harmless[string(w)] {
			return Nameless
		}
		if string(w) == "key" && secretPairs[before] {
			is = max(is, token)
		}
		for _, e := range secretEnds {
			if bytes.HasSuffix(w, []byte(e.end)) && (e.end != "pass" || isPass(w, before)) {
				is = max(is, e.is)
				break
			}
		}
		before = string(w)
	}
	return is
}

// isPass reports whether "pass" is short for a password, of something that has
// one. "PASS: TestX" is what a test says.
func isPass(w []byte, before string) bool {
	switch before {
	case "db", "database", "user", "admin", "root", "smtp", "mail", "ftp", "mysql", "pg", "postgres", "redis", "mongo", "proxy", "login":
		return len(w) == len("pass")
	}
	return false
}

// wordLength is how long the first word of a name is.
func wordLength(text []byte) int {
	n := 1
	for n < len(text) && isAlnum(text[n]) {
		lowerBefore, capital := text[n-1] < 'A' || text[n-1] > 'Z', text[n] >= 'A' && text[n] <= 'Z'
		if capital && lowerBefore {
			break
		}
		// The last of several capitals begins a word: APIKey is API and Key.
		if capital && n+1 < len(text) && text[n+1] >= 'a' && text[n+1] <= 'z' {
			break
		}
		n++
	}
	return n
}
