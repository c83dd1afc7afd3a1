package filter

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// directives shape the answer rather than choose rows. They stand once, outside
// parentheses.
var directives = []string{"group", "limit", "sort"}

func isDirective(k *Kind, name string) bool {
	return slices.Contains(directives, name) || name == "at" && k.Branches
}

func (p *parser) directive(name string, v Value, at span) error {
	if p.depth > 0 {
		return p.fault(at.start, at.end, "", "%s: must stand outside parentheses and without -", name)
	}
	if p.given[name] {
		return p.fault(at.start, at.end, "", "%s: is given twice", name)
	}
	p.given[name] = true
	text, literal := v.Literal()
	if !literal {
		return p.fault(at.start, at.end, "", "%s: takes no * or ?", name)
	}
	switch name {
	case "at":
		if text == "" {
			return p.fault(at.start, at.end, "", "at: needs the name of a branch")
		}
		p.f.At = text
	case "limit":
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 1 {
			return p.fault(at.colon+1, at.end, "", "limit: takes a number from 1 on")
		}
		p.f.Limit = n
	case "group":
		return p.groupBy(text, at)
	case "sort":
		return p.sortBy(text, at)
	}
	return nil
}

// buckets are what a time can be cut to for grouping.
var buckets = []string{"day", "week", "month", "quarter", "year"}

func (p *parser) groupBy(text string, at span) error {
	for part := range strings.SplitSeq(text, ",") {
		name, bucket := part, ""
		f := p.f.Kind.Field(name)
		if i := strings.LastIndexByte(part, '-'); f == nil && i > 0 && slices.Contains(buckets, part[i+1:]) {
			name, bucket = part[:i], part[i+1:]
			f = p.f.Kind.Field(name)
		}
		switch {
		case f == nil:
			return p.unknownField(part, span{at.colon + 1, at.end, at.end})
		case f.Type == Time && bucket == "":
			return p.fault(at.start, at.end, "did you mean "+f.Name+"-month?", "to group by %s say how far to cut it: %s", f.Name, strings.Join(buckets, ", "))
		case f.Type != Time && bucket != "" || !f.Groups():
			return p.fault(at.start, at.end, "", "%s cannot be grouped by", part)
		}
		key := GroupKey{f, bucket}
		if slices.Contains(p.f.Group, key) {
			return p.fault(at.start, at.end, "", "%s is given twice", part)
		}
		p.f.Group = append(p.f.Group, key)
	}
	if len(p.f.Group) > 4 {
		return p.fault(at.start, at.end, "", "more than 4 fields to group by")
	}
	return nil
}

// sortBy keeps names and directions; finish resolves them, when it is known
// whether the query groups.
func (p *parser) sortBy(text string, at span) error {
	for part := range strings.SplitSeq(text, ",") {
		o := Order{Name: strings.TrimSuffix(part, "-asc")}
		if name, ok := strings.CutSuffix(part, "-desc"); ok {
			o = Order{Name: name, Desc: true}
		}
		p.f.Sort = append(p.f.Sort, o)
	}
	if len(p.f.Sort) > 4 {
		return p.fault(at.start, at.end, "", "more than 4 fields to sort by")
	}
	return nil
}

// finish checks what depends on the whole text.
func (p *parser) finish() error {
	pos := max(0, strings.Index(p.text, "sort:"))
	at := span{pos, min(pos+4, len(p.text)), min(pos+5, len(p.text))}
	seen := map[string]bool{}
	for i := range p.f.Sort {
		o := &p.f.Sort[i]
		if len(p.f.Group) > 0 {
			if known := p.f.GroupColumns(); !slices.Contains(known, o.Name) {
				return p.fault(at.start, at.end, Suggest(o.Name, known), "groups cannot be sorted by %s", Visible(o.Name))
			}
		} else {
			o.Field = p.f.Kind.Field(o.Name)
			switch {
			case o.Field == nil:
				return p.unknownField(o.Name, at)
			case !o.Field.Sorts():
				return p.fault(at.start, at.end, "", "%s cannot be sorted by", o.Field.Name)
			}
			o.Name = o.Field.Name
		}
		if seen[o.Name] {
			return p.fault(at.start, at.end, "", "sort: names %s twice", o.Name)
		}
		seen[o.Name] = true
	}
	return nil
}

func (p *parser) unknownField(name string, at span) error {
	known := slices.Concat(directives, []string{"has", "no"})
	for _, f := range p.f.Kind.Fields {
		known = append(known, f.Name)
		known = append(known, f.Aliases...)
	}
	hint := Suggest(name, known)
	if hint == "" {
		hint = `write it in quotes to look for the text itself, or see the fields of ` + p.f.Kind.Name
	}
	return p.fault(at.start, at.colon, hint, "unknown field %s", Visible(name))
}

// check types one term.
func (p *parser) check(name string, v Value, at span) (Expr, error) {
	if name == "has" || name == "no" {
		text, _ := v.Literal()
		f := p.f.Kind.Field(text)
		switch {
		case f == nil:
			return nil, p.unknownField(text, span{at.colon + 1, at.end, at.end})
		case f.Type == Choice || f.AskOnly:
			return nil, p.fault(at.start, at.end, "", "%s is nothing that can be there or not", f.Name)
		}
		if name == "has" {
			return &Term{Field: f, Op: Has}, nil
		}
		return &Term{Field: f, Op: No}, nil
	}
	f := p.f.Kind.Field(name)
	if f == nil {
		return nil, p.unknownField(name, at)
	}
	return p.typed(&Term{Field: f, Value: v}, at)
}

func (p *parser) typed(t *Term, at span) (Expr, error) {
	f := t.Field
	text, literal := t.Value.Literal()
	bad := func(hint, format string, args ...any) error {
		return p.fault(min(at.colon+1, at.end), at.end, hint, format, args...)
	}
	if text == "" {
		return nil, bad("did you mean no:"+f.Name+"?", "%s: has no value", f.Name)
	}
	switch f.Type {
	case Int, Percent, Time, Span:
		return p.bounds(t, at)
	case Enum, Choice:
		if !literal {
			return nil, bad("", "%s: takes no * or ?", f.Name)
		}
		text = strings.ToLower(text)
		if !slices.Contains(f.Values, text) {
			return nil, bad(Suggest(text, f.Values), "%s: has no value %s", f.Name, Visible(text))
		}
		t.Value = Value{Raw: text}
	case Hash:
		if !literal || !IsHex(text) || len(text) < 4 {
			return nil, bad("", "%s: takes at least 4 hexadecimal digits", f.Name)
		}
	case Trailer:
		key, _, _ := strings.Cut(text, "=")
		if key == "" || strings.ContainsAny(key, "*?") {
			return nil, bad("did you mean "+f.Name+":Key=value?", "%s: needs a key", f.Name)
		}
	case Text, Words, Path, Ref:
	}
	return t, nil
}

// bounds reads a comparison or a range of an ordered field into lo <= x < hi.
func (p *parser) bounds(t *Term, at span) (Expr, error) {
	text, _ := t.Value.Literal()
	t.Op = Within
	var err error
	if from, to, ok := strings.Cut(text, ".."); ok {
		t.Lo, t.Hi, err = p.stretch(t.Field, from, to)
	} else {
		t.Lo, t.Hi, err = p.compared(t.Field, text)
	}
	if err != nil {
		return nil, p.fault(min(at.colon+1, at.end), at.end, hintOf(err), "%s: %v", t.Field.Name, err)
	}
	return t, nil
}

// one reads a single value of an ordered field: itself and what follows it.
func (p *parser) one(f *Field, s string) (lo, hi int64, err error) {
	switch f.Type {
	case Time:
		return parseTime(s, p.now)
	case Percent:
		return parsePercent(s)
	case Span:
		return parseSpan(s)
	default:
		return parseInt(s)
	}
}

func (p *parser) stretch(f *Field, from, to string) (lo, hi int64, err error) {
	lo, hi = math.MinInt64, math.MaxInt64
	switch {
	case strings.Trim(from+to, "*") == "":
		return 0, 0, hintError{from + ".." + to + " is open on both sides", "did you mean has:" + f.Name + "?"}
	case to == "":
		return 0, 0, hintError{Visible(from) + ".. has no end", fmt.Sprintf("write %s:%s..* or %[1]s:>=%[2]s", f.Name, Visible(from))}
	case from == "":
		return 0, 0, hintError{".." + Visible(to) + " has no beginning", fmt.Sprintf("write %s:*..%s or %[1]s:<=%[2]s", f.Name, Visible(to))}
	}
	if from != "*" {
		if lo, _, err = p.one(f, from); err != nil {
			return 0, 0, err
		}
	}
	if to != "*" {
		if _, hi, err = p.one(f, to); err != nil {
			return 0, 0, err
		}
	}
	if lo >= hi {
		return 0, 0, hintError{Visible(from+".."+to) + " ends before it begins", "did you mean " + Visible(to+".."+from) + "?"}
	}
	return lo, hi, nil
}

func (p *parser) compared(f *Field, text string) (int64, int64, error) {
	cmp := text[:len(text)-len(strings.TrimLeft(text, "<>="))]
	text = text[len(cmp):]
	if text == "" {
		return 0, 0, hintError{cmp + " has nothing right behind it", ""}
	}
	lo, hi, err := p.one(f, text)
	if err != nil {
		return 0, 0, err
	}
	switch cmp {
	case ">=":
		return lo, math.MaxInt64, nil
	case ">":
		return hi, math.MaxInt64, nil
	case "<=":
		return math.MinInt64, hi, nil
	case "<":
		return math.MinInt64, lo, nil
	case "":
		if f.Type == Time && isRelative(text) {
			return 0, 0, hintError{Visible(text) + " is one instant", "did you mean " + f.Name + ":>" + Visible(text) + "?"}
		}
		return lo, hi, nil
	}
	return 0, 0, hintError{Visible(cmp) + " compares nothing", "write >, >=, < or <="}
}

// word spreads a bare word over the fields that the kind is searched by.
func (p *parser) word(v Value, start int) (Expr, error) {
	text, literal := v.Literal()
	if text == "" || !literal && strings.Trim(text, "*?") == "" {
		return nil, p.fault(start, p.pos, "", "nothing to look for")
	}
	w := &Word{Value: v}
	for _, name := range p.f.Kind.Search {
		f := p.f.Kind.Field(name)
		t := &Term{Field: f, Value: v}
		switch f.Type {
		case Int:
			n, err := strconv.ParseInt(strings.TrimPrefix(text, "#"), 10, 48)
			if !literal || err != nil || n < 0 {
				continue
			}
			t.Op, t.Lo, t.Hi = Within, n, n+1
		case Hash:
			if !literal || !IsHex(text) || len(text) < 7 {
				continue
			}
		case Ref:
			if !literal || f.Hex && (!IsHex(text) || len(text) < 7) {
				continue
			}
		}
		w.In = append(w.In, t)
	}
	return w, nil
}
