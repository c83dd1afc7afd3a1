package listing

import (
	"slices"
	"strings"
)

// parts cuts a question at its spaces, but not inside quotes.
func parts(q string) []string {
	var out []string
	var b strings.Builder
	quoted := false
	for i := 0; i < len(q); i++ {
		switch c := q[i]; {
		case c == '\\' && quoted && i+1 < len(q):
			b.WriteByte(c)
			i++
			b.WriteByte(q[i])
			continue
		case c == '"':
			quoted = !quoted
		case c == ' ' && !quoted:
			if b.Len() > 0 {
				out = append(out, b.String())
				b.Reset()
			}
			continue
		}
		b.WriteByte(q[i])
	}
	if b.Len() > 0 {
		out = append(out, b.String())
	}
	return out
}

// unordered is a question without what it says of order.
func unordered(q string) string {
	keep := slices.DeleteFunc(parts(q), func(p string) bool { return strings.HasPrefix(p, "sort:") })
	return strings.Join(keep, " ")
}

// order is the first field that a question sorts by; none if it does not.
func order(q string) (field string, descending bool) {
	for _, p := range parts(q) {
		if v, ok := strings.CutPrefix(p, "sort:"); ok {
			v, _, _ = strings.Cut(v, ",")
			if f, ok := strings.CutSuffix(v, "-desc"); ok {
				return f, true
			}
			return strings.TrimSuffix(v, "-asc"), false
		}
	}
	return "", false
}
