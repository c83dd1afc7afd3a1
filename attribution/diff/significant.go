package diff

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Significant returns the old lines of a hunk whose change may matter to
// what the program does, as ranges of the old file: not those that are blank,
// only punctuation or only comment in the language that the name of the file
// suggests, and not those that the new lines have too but for white space.
// before and after are the texts of the old and the new lines of the hunk.
func Significant(path string, h Hunk, before, after [][]byte) []Range {
	old, now := make([][]byte, len(before)), make([][]byte, len(after))
	for i, l := range before {
		old[i] = withoutSpace(l)
	}
	for i, l := range after {
		now[i] = withoutSpace(l)
	}
	if bytes.Equal(bytes.Join(old, nil), bytes.Join(now, nil)) {
		return nil
	}
	gone := make([]bool, len(old))
	hunks, _ := Lines(old, now)
	for _, c := range hunks {
		for i := range c.OldLines {
			gone[c.OldAt()+i] = true
		}
	}
	trivial := trivial(path, before)
	var ranges []Range
	for i := range before {
		if !gone[i] || trivial[i] {
			continue
		}
		line := h.OldAt() + i + 1
		if k := len(ranges) - 1; k >= 0 && ranges[k].Start+ranges[k].Count == line {
			ranges[k].Count++
			continue
		}
		ranges = append(ranges, Range{line, 1})
	}
	return ranges
}

// A Match is Count lines of an old text from line Old and of a new one from line
// New, which differ in white space only.
type Match struct{ Old, New, Count int }

// Respaced returns the lines of a hunk that its old and its new text have in
// common but for white space. Blank lines match nothing.
func Respaced(h Hunk, before, after [][]byte) []Match {
	if !mayMatch(before, after) {
		return nil
	}
	old, now := make([][]byte, len(before)), make([][]byte, len(after))
	for i, l := range before {
		old[i] = withoutSpace(l)
	}
	for i, l := range after {
		now[i] = withoutSpace(l)
	}
	hunks, exact := Lines(old, now)
	if !exact {
		return nil
	}
	var matches []Match
	a, b := 0, 0
	keep := func(until int) {
		for ; b < until; a, b = a+1, b+1 {
			if len(now[b]) == 0 {
				continue
			}
			m := Match{h.OldAt() + a + 1, h.NewAt() + b + 1, 1}
			if k := len(matches) - 1; k >= 0 && matches[k].Old+matches[k].Count == m.Old && matches[k].New+matches[k].Count == m.New {
				matches[k].Count++
			} else {
				matches = append(matches, m)
			}
		}
	}
	for _, c := range hunks {
		keep(c.NewAt())
		a, b = c.OldAt()+c.OldLines, c.NewAt()+c.NewLines
	}
	keep(len(now))
	return matches
}

// mayMatch: some line of either text has the same sum without its white space.
// Nearly all hunks have none, and this is asked of every hunk of a history.
func mayMatch(before, after [][]byte) bool {
	if len(before) == 0 || len(after) == 0 {
		return false
	}
	sums := make(map[uint64]bool, len(before))
	for _, l := range before {
		sums[spaceless(l)] = true
	}
	empty := spaceless(nil)
	return slices.ContainsFunc(after, func(l []byte) bool {
		sum := spaceless(l)
		return sum != empty && sums[sum]
	})
}

// spaceless is a sum of a line without its white space (FNV-1a).
func spaceless(line []byte) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	sum := uint64(offset)
	for i := 0; i < len(line); {
		c, n := rune(line[i]), 1
		if c >= utf8.RuneSelf {
			c, n = utf8.DecodeRune(line[i:])
		}
		if !unicode.IsSpace(c) {
			for _, b := range line[i : i+n] {
				sum = (sum ^ uint64(b)) * prime
			}
		}
		i += n
	}
	return sum
}

func withoutSpace(line []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, line)
}

// trivial reports for each of some lines that follow each other whether it is
// blank, only punctuation or only comment in the language that the name of
// the file suggests. Of a comment of several lines the first must be among the
// lines, or each line must begin as such comments usually do.
func trivial(path string, lines [][]byte) []bool {
	c := commentsOf(path)
	out := make([]bool, len(lines))
	inside := false
	for i, l := range lines {
		out[i], inside = c.trivial(l, inside)
	}
	return out
}

// comments is how a language marks comments.
type comments struct {
	line        []string // to the end of the line
	open, close string   // may span lines
	star        bool     // lines of a comment may begin with a star and a space
}

// trivial looks at one line; inside tells that a comment is open before it, and after it.
func (c comments) trivial(line []byte, inside bool) (trivial, after bool) {
	rest := bytes.TrimSpace(line)
	for {
		if inside {
			i := bytes.Index(rest, []byte(c.close))
			if i < 0 {
				return true, true
			}
			rest, inside = bytes.TrimSpace(rest[i+len(c.close):]), false
			continue
		}
		if c.open != "" && bytes.HasPrefix(rest, []byte(c.open)) {
			rest, inside = rest[len(c.open):], true
			continue
		}
		break
	}
	for _, mark := range c.line {
		if bytes.HasPrefix(rest, []byte(mark)) && !bytes.HasPrefix(rest, []byte("#!")) {
			return true, false
		}
	}
	if c.star && (string(rest) == "*" || bytes.HasPrefix(rest, []byte("* "))) {
		// In the middle of a comment, unless it ends here and more follows.
		_, behind, ends := bytes.Cut(rest, []byte(c.close))
		return !ends || onlyPunctuation(behind), false
	}
	return onlyPunctuation(rest), c.opens(rest)
}

// opens reports whether a line of code ends in a comment that goes on. A quote
// before the mark makes it a text that only looks like it.
func (c comments) opens(rest []byte) bool {
	if c.open == "" || c.open == c.close {
		return false
	}
	i := bytes.LastIndex(rest, []byte(c.open))
	return i >= 0 && !bytes.Contains(rest[i:], []byte(c.close)) && !bytes.ContainsAny(rest[:i], "\"'`")
}

// onlyPunctuation: no letter, no digit, nothing that could be one.
func onlyPunctuation(line []byte) bool {
	for len(line) > 0 {
		r, n := utf8.DecodeRune(line)
		if r == utf8.RuneError && n == 1 || !unicode.IsSpace(r) && !unicode.IsPunct(r) && !unicode.IsSymbol(r) {
			return false
		}
		line = line[n:]
	}
	return true
}

// commentsOf guesses the language of a file by its name. For a file it does
// not know no line is a comment.
func commentsOf(name string) comments {
	base := strings.ToLower(path.Base(name))
	switch base {
	case "makefile", "gnumakefile", "dockerfile", "containerfile", "rakefile", "gemfile", "vagrantfile",
		"justfile", "cmakelists.txt", ".gitignore", ".dockerignore", ".gitattributes", ".editorconfig", "codeowners":
		return comments{line: []string{"#"}}
	case "go.mod", "go.work":
		return comments{line: []string{"//"}}
	}
	switch strings.TrimPrefix(path.Ext(base), ".") {
	case "go", "c", "h", "cc", "cpp", "cxx", "hh", "hpp", "hxx", "m", "mm", "java", "kt", "kts", "scala", "groovy", "gradle",
		"js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "cs", "swift", "rs", "dart", "zig", "proto", "thrift", "v", "sv",
		"cu", "glsl", "sol", "less", "scss", "cue", "d":
		return comments{line: []string{"//"}, open: "/*", close: "*/", star: true}
	case "css":
		return comments{open: "/*", close: "*/", star: true}
	case "php":
		return comments{line: []string{"//", "#"}, open: "/*", close: "*/", star: true}
	case "tf", "hcl", "nix":
		return comments{line: []string{"#", "//"}, open: "/*", close: "*/"}
	case "py", "pyi", "pyx", "sh", "bash", "zsh", "fish", "ksh", "pl", "pm", "r", "yaml", "yml", "toml", "cfg", "conf",
		"mk", "cmake", "bzl", "star", "ex", "exs", "cr", "nim", "jl", "tcl", "awk", "graphql", "properties", "dockerfile":
		return comments{line: []string{"#"}}
	case "ini":
		return comments{line: []string{"#", ";"}}
	case "rb":
		return comments{line: []string{"#"}, open: "=begin", close: "=end"}
	case "ps1", "psm1":
		return comments{line: []string{"#"}, open: "<#", close: "#>"}
	case "sql":
		return comments{line: []string{"--"}, open: "/*", close: "*/", star: true}
	case "lua":
		return comments{line: []string{"--"}, open: "--[[", close: "]]"}
	case "hs", "elm":
		return comments{line: []string{"--"}, open: "{-", close: "-}"}
	case "ada", "adb", "ads", "vhd", "vhdl":
		return comments{line: []string{"--"}}
	case "lisp", "lsp", "el", "scm", "ss", "rkt", "clj", "cljs", "cljc", "edn":
		return comments{line: []string{";"}, open: "#|", close: "|#"}
	case "asm", "s":
		return comments{line: []string{";", "#", "//"}}
	case "html", "htm", "xhtml", "xml", "xsl", "svg", "vue", "svelte", "md", "markdown":
		return comments{open: "<!--", close: "-->"}
	case "erl", "hrl", "tex", "sty", "bib", "prolog":
		return comments{line: []string{"%"}}
	case "ml", "mli", "fs", "fsi", "fsx":
		return comments{line: []string{"//"}, open: "(*", close: "*)"}
	case "vim":
		return comments{line: []string{"\""}}
	case "bat", "cmd":
		return comments{line: []string{"rem ", "REM ", "::"}}
	case "f90", "f95", "f03":
		return comments{line: []string{"!"}}
	}
	return comments{}
}
