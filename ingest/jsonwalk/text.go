package jsonwalk

import (
	"slices"
	"strings"
	"time"
)

// Clean makes text from outside safe to keep on one line: valid UTF-8 without
// control characters or space around it, at most limit bytes.
func Clean(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if len(s) > limit {
		s = strings.TrimSpace(strings.ToValidUTF8(s[:limit], ""))
	}
	return s
}

// Text reads a string as [Clean] keeps it.
func (r *Reader) Text(limit int) string { return Clean(r.String(), limit) }

// Time reads an RFC 3339 time, in UTC; anything else is the zero time.
func (r *Reader) Time() time.Time {
	t, err := time.Parse(time.RFC3339Nano, r.String())
	t = t.UTC()
	if err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// Remember adds the name of a member that nobody knows to a list: once, and a
// bounded number of them.
func Remember(list []string, name string) []string {
	name = Clean(name, 60)
	if len(list) >= 16 || slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}
