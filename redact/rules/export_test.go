package rules

import (
	"slices"

	"github.com/stemma-dev/stemma/redact"
)

// Expression is the expression of a rule.
func (s *Set) Expression(id string) string {
	for _, r := range s.rules {
		if r.id == id {
			return r.regex.String()
		}
	}
	return ""
}

// FindWhole matches a rule on the whole of a text.
func (s *Set) FindWhole(id string, text []byte, found func(redact.Match)) {
	for i := range s.rules {
		if s.rules[i].id == id {
			s.look(&s.rules[i], text, window{0, len(text)}, found)
		}
	}
}

// Keyword is the first keyword of a rule.
func (s *Set) Keyword(id string) string {
	var list []string
	for word, of := range s.ofWord {
		for _, i := range of {
			if s.rules[i].id == id {
				list = append(list, word)
			}
		}
	}
	slices.Sort(list)
	return list[0]
}
