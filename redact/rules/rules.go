// Package rules finds secrets by the rules of gitleaks, for what is about to be
// published. It is apart from redact because its rules take memory and time to
// read; nothing is read before the first use.
//
// The rules are taken as the data that they are and are matched here: where a
// secret lies in a text has to be known to the byte, the answer must not depend
// on the order of a map, and only the surroundings of a rule's keywords have to
// be looked at. A comment that asks for a secret to be passed over is not
// obeyed, and a rule that asks for the name of a file is used without it, except
// where it looks at nothing else. The package does no I/O.
package rules

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"

	ahocorasick "github.com/BobuSumisu/aho-corasick"
	"github.com/spf13/viper"
	"github.com/zricethezav/gitleaks/v8/config"

	"github.com/stemma-dev/stemma/redact"
)

// A Set is rules that are ready for use. It may be used by several goroutines.
type Set struct {
	rules    []rule
	allowed  []*config.Allowlist
	keywords *ahocorasick.Trie
	ofWord   map[string][]int // the rules of a keyword
}

// A rule is one of them.
type rule struct {
	id      string
	regex   *regexp.Regexp
	group   int
	entropy float64
	allowed []*config.Allowlist
	reach   int // how far from a keyword a match may begin or end, at first
}

// Load returns the rules. They are read once.
var Load = sync.OnceValues(load)

func load() (*Set, error) {
	v := viper.New()
	v.SetConfigType("toml")
	if err := v.ReadConfig(strings.NewReader(config.DefaultConfig)); err != nil {
		return nil, fmt.Errorf("rules: reading them: %w", err)
	}
	var form config.ViperConfig
	if err := v.Unmarshal(&form); err != nil {
		return nil, fmt.Errorf("rules: reading them: %w", err)
	}
	c, err := form.Translate()
	if err != nil {
		return nil, fmt.Errorf("rules: reading them: %w", err)
	}
	s := &Set{allowed: c.Allowlists, ofWord: map[string][]int{}}
	for _, id := range slices.Sorted(slices.Values(c.OrderedRules)) {
		r := c.Rules[id]
		if r.Regex == nil || len(r.Keywords) == 0 {
			continue
		}
		for _, w := range r.Keywords {
			s.ofWord[strings.ToLower(w)] = append(s.ofWord[strings.ToLower(w)], len(s.rules))
		}
		s.rules = append(s.rules, rule{
			id: id, regex: r.Regex, group: r.SecretGroup, entropy: r.Entropy, allowed: r.Allowlists, reach: reach(r.Regex, r.Keywords),
		})
	}
	words := make([]string, 0, len(s.ofWord))
	for w := range s.ofWord {
		words = append(words, w)
	}
	slices.Sort(words)
	s.keywords = ahocorasick.NewTrieBuilder().AddStrings(words).Build()
	return s, nil
}

// Rules lists the names of the rules.
func (s *Set) Rules() []string {
	var list []string
	for _, r := range s.rules {
		list = append(list, r.id)
	}
	return list
}

// A window is a part of a text around keywords.
type window struct{ start, end int }

// Find calls found for every secret in text.
func (s *Set) Find(text []byte, found func(redact.Match)) {
	if len(text) < 8 {
		return
	}
	var near map[int][]window
	folded := lower(text)
	s.keywords.Walk(folded, func(end, n, pattern int64) bool {
		at := int(end - n + 1)
		for _, i := range s.ofWord[string(folded[at:at+int(n)])] {
			if near == nil {
				near = map[int][]window{}
			}
			reach := s.rules[i].reach
			w := window{max(0, at-reach), min(len(text), at+int(n)+reach)}
			list := near[i]
			if k := len(list) - 1; k >= 0 && w.start <= list[k].end {
				list[k].start, list[k].end = min(list[k].start, w.start), max(list[k].end, w.end)
			} else {
				near[i] = append(list, w)
			}
		}
		return true
	})
	for i := range s.rules {
		for _, w := range near[i] {
			s.look(&s.rules[i], text, w, found)
		}
	}
}

// edge is how close to the end of a window a match may end without the window
// being too small for it.
const edge = 8

// look matches a rule in a window, and in a larger one if a match goes to its end.
func (s *Set) look(r *rule, text []byte, w window, found func(redact.Match)) {
	matches := r.regex.FindAllSubmatchIndex(text[w.start:w.end], -1)
	for len(matches) > 0 && w.end < len(text) && w.start+matches[len(matches)-1][1] > w.end-edge {
		w.end = min(len(text), w.end+2*(w.end-w.start))
		matches = r.regex.FindAllSubmatchIndex(text[w.start:w.end], -1)
	}
	for _, m := range matches {
		from, to := w.start+m[0], w.start+m[1]
		start, end := secret(r, m)
		start, end = w.start+start, w.start+end
		if end > start && s.counts(r, text, from, to, start, end) {
			found(redact.Match{Rule: r.id, Start: start, End: end, From: from, To: to})
		}
	}
}

// secret returns where in a match the secret lies: in the group that the rule
// names or in the first one that is not empty.
func secret(r *rule, m []int) (start, end int) {
	if r.group > 0 && 2*r.group+1 < len(m) {
		return m[2*r.group], m[2*r.group+1]
	}
	for i := 2; i+1 < len(m); i += 2 {
		if m[i+1] > m[i] {
			return m[i], m[i+1]
		}
	}
	return m[0], m[1]
}

// counts reports whether a match is a secret by the entropy and the exceptions
// of its rule, and no digest or id, which are evidence.
func (s *Set) counts(r *rule, text []byte, from, to, start, end int) bool {
	value := string(text[start:end])
	if r.entropy > 0 && entropy(value) <= r.entropy {
		return false
	}
	if r.id == "generic-api-key" && isEvidence(text, start, end) {
		return false
	}
	for _, list := range [][]*config.Allowlist{s.allowed, r.allowed} {
		for _, a := range list {
			if isAllowed(a, text, value, from, to) {
				return false
			}
		}
	}
	return true
}

// isAllowed asks one list of exceptions. Paths and commits are not known here.
func isAllowed(a *config.Allowlist, text []byte, value string, from, to int) bool {
	target := value
	switch a.RegexTarget {
	case "match":
		target = string(text[from:to])
	case "line":
		start := bytes.LastIndexByte(text[:from], '\n') + 1
		end := len(text)
		if n := bytes.IndexByte(text[to:], '\n'); n >= 0 {
			end = to + n
		}
		target = string(text[max(start, from-4096):min(end, to+4096)])
	}
	regex := a.RegexAllowed(target)
	word, _ := a.ContainsStopWord(value)
	if a.MatchCondition != config.AllowlistMatchAnd {
		return regex || word
	}
	return len(a.Commits) == 0 && len(a.Paths) == 0 && (len(a.Regexes) == 0 || regex) && (len(a.StopWords) == 0 || word)
}

// isEvidence reports whether what a rule of no certain form found is the id of
// an object, a digest or a UUID, whatever stands before it.
func isEvidence(text []byte, start, end int) bool {
	value := text[start:end]
	for _, p := range []string{"sha1-", "sha256-", "sha384-", "sha512-", "sha256:", "sha512:", "h1:"} {
		if bytes.HasPrefix(value, []byte(p)) || bytes.HasSuffix(text[:start], []byte(p)) {
			return true
		}
	}
	bare := bytes.ReplaceAll(value, []byte("-"), nil)
	switch len(bare) {
	case 32, 40, 64, 96, 128:
		return len(bytes.Trim(bare, "0123456789abcdefABCDEF")) == 0
	}
	return false
}

// lower folds ASCII and keeps every byte in its place.
func lower(text []byte) []byte {
	out := make([]byte, len(text))
	for i, c := range text {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		out[i] = c
	}
	return out
}

// entropy is Shannon's, in bits a character.
func entropy(s string) float64 {
	n, all := map[rune]int{}, 0
	for _, c := range s {
		n[c]++
		all++
	}
	sum := 0.0
	for _, k := range n {
		p := float64(k) / float64(all)
		sum -= p * math.Log2(p)
	}
	return sum
}
