package plain

import (
	"bytes"
	"path/filepath"
	"strings"
)

// weighty are the sections that may say something about where the repository is
// or how it is kept; of core, [isOrdinary] looks at each key.
var weighty = []string{"include", "includeif", "extensions"}

// isOrdinary reports whether a repository's configuration is one that git can
// read and that says: version 0, with a work tree where .git is. It understands
// the plain part of git's syntax (git-config(1), "Syntax") and takes what else
// there is for out of the ordinary: quotes, escapes, several things on a line.
func isOrdinary(config []byte) bool {
	section := ""
	core := map[string]string{}
	for line := range bytes.Lines(config) {
		text := strings.Trim(string(line), " \t\n")
		switch {
		case text == "" || text[0] == '#' || text[0] == ';':
		case text[0] == '[':
			name, ok := heading(text)
			if !ok {
				return false
			}
			section = name
		default:
			key, value, ok := setting(text)
			if !ok || section == "" {
				return false
			}
			if section == "core" {
				if _, twice := core[key]; twice {
					return false
				}
				core[key] = value
			}
		}
	}
	_, elsewhere := core["worktree"]
	return core["repositoryformatversion"] == "0" && core["bare"] == "false" && !elsewhere
}

// Abbrev is what the configuration of a repository says of core.abbrev, as far as it
// is written in the plain part of the syntax; "" if nothing.
func Abbrev(common string) (value string) {
	config, _ := read(filepath.Join(common, "config"), maxConfig)
	section := ""
	for line := range bytes.Lines(config) {
		text := strings.Trim(string(line), " \t\n")
		if strings.HasPrefix(text, "[") {
			section, _ = heading(text)
		} else if key, set, ok := setting(text); ok && section == "core" && key == "abbrev" {
			value = set
		}
	}
	return value
}

// heading reads [name] or [name "what"], and gives the name in small letters;
// one with something behind it differs from every name. It is false for the
// weighty.
func heading(text string) (string, bool) {
	inner, ok := strings.CutSuffix(text[1:], "]")
	name, what, sub := strings.Cut(inner, " ")
	if !ok || !isWord(name) {
		return "", false
	}
	name = strings.ToLower(name)
	for _, w := range weighty {
		if name == w {
			return "", false
		}
	}
	if sub {
		quoted, ok := strings.CutPrefix(what, `"`)
		quoted, end := strings.CutSuffix(quoted, `"`)
		if !ok || !end || strings.ContainsAny(quoted, "\"\\\x00\r") {
			return "", false
		}
		name += " "
	}
	return name, true
}

// setting reads "key = value" and gives the key in small letters. A key alone is
// out of the ordinary.
func setting(text string) (key, value string, ok bool) {
	key, value, ok = strings.Cut(text, "=")
	key, value = strings.TrimRight(key, " \t"), strings.TrimLeft(value, " \t")
	if !ok || !isWord(key) || !isLetter(key[0]) || strings.ContainsAny(value, "\"\\\x00\r#;") {
		return "", "", false
	}
	return strings.ToLower(key), value, true
}

// isWord reports whether s consists of what names of sections and keys may.
func isWord(s string) bool {
	for i := range len(s) {
		if !isLetter(s[i]) && (s[i] < '0' || s[i] > '9') && s[i] != '-' {
			return false
		}
	}
	return s != ""
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
