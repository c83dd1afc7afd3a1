package secret

import "strings"

// Cut takes out of a text for people what looks like a secret: they are pasted into
// titles, messages, names of branches and addresses, too.
func Cut(s string) string {
	var out strings.Builder
	at := 0
	Find([]byte(s), Nameless, Options{}, func(m Match) {
		if m.Start >= at {
			out.WriteString(s[at:m.Start] + MarkStart + m.Rule + "]")
			at = m.End
		}
	})
	return out.String() + s[at:]
}
