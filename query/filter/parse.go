package filter

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The bounds of one query.
const (
	maxText      = 4096 // bytes
	maxNesting   = 32   // parentheses and negations inside one another
	maxTerms     = 64
	maxWildcards = 8 // in one value: more make a pattern slow, not better
)

// Parse reads a filter over one kind and checks every part of it. Relative
// times count from now. A fault is an [*Error].
func Parse(kind *Kind, text string, now time.Time) (*Filter, error) {
	p := &parser{text: text, now: now.UTC(), f: &Filter{Kind: kind}}
	if err := p.parse(); err != nil {
		return nil, err
	}
	return p.f, nil
}

// A parser reads one query from left to right.
type parser struct {
	text  string
	pos   int
	depth int
	terms int
	given map[string]bool // directives seen
	now   time.Time
	f     *Filter
}

func (p *parser) fault(pos, end int, hint, format string, args ...any) error {
	return &Error{Text: p.text, Pos: pos, End: end, Msg: fmt.Sprintf(format, args...), Hint: hint}
}

func (p *parser) parse() error {
	if len(p.text) > maxText {
		return &Error{Msg: fmt.Sprintf("the query has %d bytes, more than %d", len(p.text), maxText)}
	}
	for i := 0; i < len(p.text); {
		r, n := utf8.DecodeRuneInString(p.text[i:])
		if r == utf8.RuneError && n == 1 || unicode.IsControl(r) && !strings.ContainsRune(" \t\r\n", r) {
			return p.fault(i, i+n, "", "the character %q is not text", p.text[i:i+n])
		}
		i += n
	}
	p.given = map[string]bool{}
	p.space()
	if p.pos < len(p.text) {
		x, err := p.or()
		if err != nil {
			return err
		}
		if p.pos < len(p.text) {
			return p.fault(p.pos, p.pos+1, "", "this ) closes nothing")
		}
		p.f.Where = x
	}
	return p.finish()
}

func (p *parser) space() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

// keyword reads the bare word w if it comes next.
func (p *parser) keyword(w string) bool {
	end := p.pos + len(w)
	if !strings.HasPrefix(p.text[p.pos:], w) || end < len(p.text) && strings.IndexByte(" \t\r\n()", p.text[end]) < 0 {
		return false
	}
	p.pos = end
	p.space()
	return true
}

// or reads parts joined by OR.
func (p *parser) or() (Expr, error) {
	var list Or
	for {
		start := p.pos
		x, err := p.and()
		if err != nil {
			return nil, err
		}
		at := p.pos
		more := p.keyword("OR")
		if x == nil && (more || len(list) > 0) {
			return nil, p.fault(start, min(start+2, len(p.text)), `write "OR" in quotes to look for the word`, "OR needs something on both sides")
		}
		if x != nil {
			list = append(list, x)
		}
		if !more {
			break
		}
		if p.pos >= len(p.text) || p.text[p.pos] == ')' {
			return nil, p.fault(at, at+2, `write "OR" in quotes to look for the word`, "OR needs something on both sides")
		}
	}
	switch len(list) {
	case 0:
		return nil, nil
	case 1:
		return list[0], nil
	}
	flat := make(Or, 0, len(list))
	for _, x := range list {
		if inner, ok := x.(Or); ok {
			flat = append(flat, inner...)
		} else {
			flat = append(flat, x)
		}
	}
	return flat, nil
}

// and reads parts that stand side by side, up to OR, a parenthesis or the end.
// It returns nil when all it met were directives.
func (p *parser) and() (Expr, error) {
	var list And
	for p.pos < len(p.text) && p.text[p.pos] != ')' {
		at := p.pos
		if p.keyword("OR") {
			p.pos = at
			break
		}
		x, err := p.unary()
		if err != nil {
			return nil, err
		}
		if inner, ok := x.(And); ok {
			list = append(list, inner...)
		} else if x != nil {
			list = append(list, x)
		}
		p.space()
	}
	switch len(list) {
	case 0:
		return nil, nil
	case 1:
		return list[0], nil
	}
	return list, nil
}

func (p *parser) unary() (Expr, error) {
	start := p.pos
	switch c := p.text[p.pos]; c {
	case '-':
		p.pos++
		if p.pos == len(p.text) || strings.IndexByte(" \t\r\n)", p.text[p.pos]) >= 0 {
			return nil, p.fault(start, p.pos, "", "- needs something right behind it")
		}
		if err := p.deeper(start); err != nil {
			return nil, err
		}
		x, err := p.unary()
		p.depth--
		if err != nil {
			return nil, err
		}
		return Not{x}, nil
	case '(':
		p.pos++
		if err := p.deeper(start); err != nil {
			return nil, err
		}
		p.space()
		x, err := p.or()
		p.depth--
		switch {
		case err != nil:
			return nil, err
		case p.pos == len(p.text):
			return nil, p.fault(start, start+1, "", "this ( is never closed")
		case x == nil:
			return nil, p.fault(start, p.pos+1, "", "nothing between ( and )")
		}
		p.pos++
		return x, nil
	}
	for _, w := range []string{"AND", "NOT"} {
		if p.keyword(w) {
			hint := `words side by side are joined already; write "AND" in quotes to look for the word`
			if w == "NOT" {
				hint = `put - before what should not be; write "NOT" in quotes to look for the word`
			}
			return nil, p.fault(start, start+3, hint, "%s is no word of this language", w)
		}
	}
	return p.term()
}

func (p *parser) deeper(at int) error {
	if p.depth++; p.depth > maxNesting {
		return p.fault(at, at+1, "", "nested deeper than %d", maxNesting)
	}
	return nil
}

// term reads one word, or one field with its value.
func (p *parser) term() (Expr, error) {
	if p.terms++; p.terms > maxTerms {
		return nil, p.fault(p.pos, p.pos+1, "", "more than %d terms", maxTerms)
	}
	start := p.pos
	raw := p.raw()
	name, rest, isField := strings.Cut(raw, ":")
	for _, at := range []int{start, p.pos - len(rest)} {
		if strings.HasPrefix(p.text[at:p.pos], "'") {
			return nil, p.fault(at, p.pos, `put it in double quotes: "…"`, "' quotes nothing here")
		}
	}
	if !isField {
		v, err := p.value(raw, start)
		if err != nil {
			return nil, err
		}
		return p.word(v, start)
	}
	v, err := p.value(rest, start)
	if err != nil {
		return nil, err
	}
	at := span{start, start + len(name), p.pos}
	if v.Raw == "" && !v.Quoted {
		return nil, p.fault(start, p.pos, "", "%s: has no value", Visible(name))
	}
	if isDirective(p.f.Kind, name) {
		return nil, p.directive(name, v, at)
	}
	return p.check(name, v, at)
}

// A span is where a term stands: its field begins at start and ends at colon,
// its value ends at end.
type span struct{ start, colon, end int }

// raw reads up to white space, a parenthesis or a quote.
func (p *parser) raw() string {
	rest := p.text[p.pos:]
	n := strings.IndexAny(rest, " \t\r\n()\"")
	if n < 0 {
		n = len(rest)
	}
	p.pos += n
	return rest[:n]
}

// value adds the quoted text that follows raw, if one does.
func (p *parser) value(raw string, start int) (Value, error) {
	if n := strings.Count(raw, "*") + strings.Count(raw, "?"); n > maxWildcards {
		return Value{}, p.fault(start, p.pos, "", "more than %d of * and ?", maxWildcards)
	}
	if p.pos == len(p.text) || p.text[p.pos] != '"' {
		return Value{Raw: raw}, nil
	}
	text, err := p.quotedText()
	if err != nil {
		return Value{}, err
	}
	if p.pos < len(p.text) && strings.IndexByte(" \t\r\n)", p.text[p.pos]) < 0 {
		return Value{}, p.fault(p.pos, p.pos+1, "", "a space must follow a closing quote")
	}
	v := Value{Raw: raw, Text: text, Quoted: true}
	if raw == "" && Quote(text) == text {
		return Value{Raw: text}, nil // the quotes were not needed
	}
	return v, nil
}

func (p *parser) quotedText() (string, error) {
	var b strings.Builder
	start := p.pos
	for i := p.pos + 1; i < len(p.text); i++ {
		switch c := p.text[i]; c {
		case '"':
			p.pos = i + 1
			return b.String(), nil
		case '\\':
			i++
			n := -1
			if i < len(p.text) {
				n = strings.IndexByte(`\"nt`, p.text[i])
			}
			if n < 0 {
				return "", p.fault(i-1, min(i+1, len(p.text)), "", `after \ may come \, ", n or t`)
			}
			b.WriteByte("\\\"\n\t"[n])
		default:
			b.WriteByte(c)
		}
	}
	return "", p.fault(start, len(p.text), "", "this quote is never closed")
}
