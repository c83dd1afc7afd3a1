// Package command reads the text of a shell command as far as a text tells: whether
// it surely writes no file, which files it says that it writes, and which others it
// names.
//
// A command reads only if every program of it is one of a short list, with options
// that are known to write nothing, and if nothing in it is computed by the shell.
// All else is guessing where to look: what a command did is found out by looking at
// files, not here. The package does no I/O.
package command

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// A Command is what the text of a command tells.
type Command struct {
	Reads      bool     // it surely writes no file
	Background bool     // part of it goes on when it has ended
	Network    bool     // a program of it is one that talks to other machines; none may be known to
	Quiet      bool     // what it does not name it is not for writing: a test, a build, a server, git putting files in place, or all that it writes is named
	Tests      bool     // a program of it runs tests
	Targets    []string // files that it says it writes, and patterns of them
	Names      []string // other words that may name files or directories
	Dirs       []string // directories to which it goes
}

// Limits of what is read.
const (
	maxText  = 64 << 10
	maxNames = 200
	maxName  = 1024
)

// Parse reads the text of a command. One that is too long or no command that a
// POSIX shell or bash understands tells nothing: it may do anything.
func Parse(text string) Command {
	if text == "" || len(text) > maxText {
		return Command{Quiet: true}
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	if err != nil {
		c := Command{}
		c.mentioned("", text)
		c.Quiet = quietText(text)
		return c
	}
	r := reader{Command: Command{Reads: len(file.Stmts) > 0}}
	r.stmts(file.Stmts)
	r.Quiet = r.Quiet || !r.open
	r.Targets, r.Names = compact(r.Targets), compact(r.Names)
	return r.Command
}

// A reader walks through a command.
type reader struct {
	Command
	dir  string // where the shell went, from where it began
	open bool   // one of its programs may write files that it does not name
}

func (r *reader) stmts(list []*syntax.Stmt) {
	for _, s := range list {
		r.stmt(s)
	}
}

func (r *reader) stmt(s *syntax.Stmt) {
	if s == nil {
		return
	}
	if s.Background || s.Coprocess || s.Disown {
		r.Background, r.Reads = true, false
	}
	for _, d := range s.Redirs {
		r.redirect(d)
	}
	switch c := s.Cmd.(type) {
	case nil:
	case *syntax.CallExpr:
		r.call(c)
	case *syntax.BinaryCmd:
		r.stmt(c.X)
		r.stmt(c.Y)
	default:
		r.Reads = false
		r.compound(c)
	}
}

// compound looks for calls in what is no list of them.
func (r *reader) compound(n syntax.Node) {
	syntax.Walk(n, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Stmt:
			r.stmt(n)
			return false
		case *syntax.Word:
			if w, ok := literal(n); ok {
				r.mentioned(r.dir, w)
			}
		}
		return true
	})
}

// redirect reads where output goes to.
func (r *reader) redirect(d *syntax.Redirect) {
	to, ok := literal(d.Word)
	r.open = r.open || !ok
	if d.Hdoc != nil {
		r.Reads = false
		r.mentioned(r.dir, text(d.Hdoc))
		return
	}
	switch d.Op {
	case syntax.RdrIn:
		r.Reads = r.Reads && ok
	case syntax.DplIn, syntax.DplOut:
		r.Reads = r.Reads && ok && strings.Trim(to, "0123456789") == ""
	case syntax.RdrOut, syntax.AppOut, syntax.RdrAll, syntax.AppAll, syntax.RdrClob:
		if ok && to == "/dev/null" {
			return
		}
		r.Reads = false
		if ok {
			r.target(to)
		}
	default:
		r.Reads = false
		if ok {
			r.mentioned(r.dir, to)
		}
	}
}

// call reads one simple command.
func (r *reader) call(c *syntax.CallExpr) {
	if len(c.Assigns) > 0 {
		r.Reads = false
	}
	var words []string
	exact, expands := true, false
	for _, w := range c.Args {
		s, ok := literal(w)
		if !ok {
			exact, s = false, text(w)
			r.compound(w)
		}
		words, expands = append(words, s), expands || mayBeOption(w)
	}
	if len(words) == 0 {
		return
	}
	r.Reads = r.Reads && exact && reads(words, expands)
	r.open = r.open || !exact && !slices.Contains(harmless, words[0]) && words[0] != "git"
	r.program(words)
}

// mayBeOption reports whether a word is a pattern that the name of a file may make
// an option, or another one.
func mayBeOption(w *syntax.Word) bool {
	first, ok := w.Parts[0].(*syntax.Lit)
	if !ok {
		return false
	}
	return strings.ContainsAny(first.Value[:1], "*?[{") || first.Value[0] == '-' && slices.ContainsFunc(w.Parts, func(p syntax.WordPart) bool {
		l, ok := p.(*syntax.Lit)
		return ok && strings.ContainsAny(l.Value, "*?[{")
	})
}

// literal is a word in which nothing is computed but names of files, by patterns;
// false for another. A pattern stays one.
func literal(w *syntax.Word) (string, bool) {
	if w == nil {
		return "", false
	}
	var b strings.Builder
	for _, p := range w.Parts {
		switch p := p.(type) {
		case *syntax.Lit:
			b.WriteString(unescape(p.Value, false))
		case *syntax.SglQuoted:
			if p.Dollar {
				return "", false
			}
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			for _, q := range p.Parts {
				lit, ok := q.(*syntax.Lit)
				if !ok || p.Dollar {
					return "", false
				}
				b.WriteString(unescape(lit.Value, true))
			}
		default:
			return "", false
		}
	}
	return b.String(), true
}

// unescape takes backslashes out of a part of a word.
func unescape(s string, quoted bool) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && (!quoted || strings.IndexByte("$`\"\\\n", s[i+1]) >= 0) {
			i++
			if s[i] == '\n' {
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// text is what is literal of a word.
func text(w *syntax.Word) string {
	var b strings.Builder
	syntax.Walk(w, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Lit:
			b.WriteString(n.Value)
		case *syntax.SglQuoted:
			b.WriteString(n.Value)
		case *syntax.ParamExp, *syntax.CmdSubst, *syntax.ProcSubst:
			b.WriteByte('\x00') // what is computed belongs to no name
			return false
		}
		return true
	})
	return b.String()
}

// target adds a file that is written.
func (r *reader) target(name string) {
	if name = r.join(name); name != "" && len(r.Targets) < maxNames {
		r.Targets = append(r.Targets, name)
	}
}

// join puts a name behind where the shell is.
func (r *reader) join(name string) string {
	switch {
	case name == "" || len(name) > maxName || strings.HasPrefix(name, "~") || strings.ContainsRune(name, 0):
		return ""
	case path.IsAbs(name) || r.dir == "":
		return name
	}
	return path.Join(r.dir, name)
}

// mentioned adds what looks like names of files in a text: a word, a script, a
// here-document.
func (c *Command) mentioned(dir, text string) {
	words := strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || strings.ContainsRune("'\"`()[]{},;:=<>|&$!?*%#\\", r) })
	for _, w := range words {
		w = strings.TrimLeft(strings.TrimRight(w, "."), "@+")
		if len(w) > maxName || len(c.Names) >= maxNames || strings.HasPrefix(w, "-") || strings.HasPrefix(w, "//") || !strings.ContainsFunc(w, isName) {
			continue
		}
		if dir != "" && !path.IsAbs(w) {
			w = path.Join(dir, w)
		}
		c.Names = append(c.Names, w)
	}
}

func isName(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 127 }

// compact sorts and leaves out what is there twice.
func compact(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
