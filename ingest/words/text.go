package words

import (
	"regexp"
	"strings"
	"sync"

	"github.com/stemma-dev/stemma/redact/secret"
)

// MaxTitle is how many bytes of a title, a name or a place become an attribute.
const MaxTitle = 500

// maxMessage is how many bytes of a message do.
const maxMessage = 16 << 10

// Fit makes what a repository says fit for a fact.
func Fit(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// Short is Fit without secrets, and ends a text at a limit, never in the middle of a
// character.
func Short(s string, most int) string {
	s = secret.Cut(Fit(s))
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Title is the first line of a message that has one.
func Title(message string) string {
	message = strings.TrimLeft(message, "\r\n\t ")
	line, _, _ := strings.Cut(message, "\n")
	return Short(strings.TrimSpace(line), MaxTitle)
}

var anAddress = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`<?[A-Za-z0-9._%+\-]+@[A-Za-z0-9.\-]+\.[A-Za-z]{2,}>?`)
})

// WithoutAddresses takes mail addresses from a text. They identify people, so
// what a repository says becomes a fact only without them.
func WithoutAddresses(s string) string { return anAddress().ReplaceAllString(s, "…") }

// Nameless takes from a message the lines that name people and every address.
func Nameless(message string) string {
	var kept []string
	for line := range strings.Lines(Short(message, maxMessage)) {
		key, _, isTrailer := strings.Cut(line, ":")
		if isTrailer && NamesPeople(key) {
			continue
		}
		kept = append(kept, line)
	}
	return strings.TrimSpace(WithoutAddresses(strings.Join(kept, "")))
}

// NamesPeople reports whether the value of a trailer is "Name <mail>".
func NamesPeople(key string) bool {
	key = strings.ToLower(strings.TrimSpace(key))
	if strings.ContainsAny(key, " \t") {
		return false
	}
	return strings.HasSuffix(key, "-by") || key == "cc" || key == "author" || key == "from"
}
