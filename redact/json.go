package redact

import "github.com/stemma-dev/stemma/redact/secret"

// A level is an object or an array that is open, and the name of the member
// that its strings are the values of.
type level struct {
	object bool
	as     secret.Name
	names  bool        // the member is "name" or "key", as in {"name": "TOKEN", "value": "…"}
	named  secret.Name // what it said
}

// strings returns a valid JSON value with its string literals redacted, names
// of members too. Elements of an array are values of what the array is.
func (r *Redactor) strings(b []byte, report Report) []byte {
	out := make([]byte, 0, len(b))
	open := []level{{}}
	done := 0
	for i := 0; i < len(b); i++ {
		top := &open[len(open)-1]
		switch b[i] {
		case '{', '[':
			open = append(open, level{object: b[i] == '{', as: top.as})
		case '}', ']':
			open = open[:len(open)-1]
		case '"':
			from := i + 1
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			as := top.as
			member := top.object && isMember(b, i+1)
			if member {
				as = secret.Nameless
			}
			if clean := r.settle(b[from:i], 1, as, report); !same(clean, b[from:i]) {
				out = append(append(out, b[done:from]...), clean...)
				done = i
			}
			switch text, _ := unescape(b[from:i]); {
			case member:
				top.is(text)
			case top.names:
				top.named = secret.NameOf(text)
			}
		}
	}
	return append(out, b[done:]...)
}

// is notes the name of the member that comes.
func (l *level) is(member []byte) {
	l.as, l.names = secret.NameOf(member), string(member) == "name" || string(member) == "key"
	switch {
	case string(member) == "value" && l.as == secret.Nameless:
		l.as = l.named
	case string(member) == "pass":
		l.as = secret.Password
	}
}

// same reports whether nothing was cut: then the bytes are the very same.
func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// isMember reports whether a colon follows.
func isMember(b []byte, i int) bool {
	for ; i < len(b); i++ {
		switch b[i] {
		case ' ', '\t', '\n', '\r':
		case ':':
			return true
		default:
			return false
		}
	}
	return false
}
