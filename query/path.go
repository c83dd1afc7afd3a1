package query

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/storage"
)

// A pathPattern is a pattern over the segments of a path. A segment of nil is
// **: any number of segments, at the end at least one.
type pathPattern []*segment

// A segment is one part of a path between slashes.
type segment struct {
	like  string // pattern of LIKE
	regex string
	text  string // if it has no * or ?
	plain bool
}

// parsePath reads the value of a path field. Without a slash it speaks of the
// last segment, wherever the file is; a slash in front ties it to the root; one
// at the end means everything below.
func parsePath(v filter.Value) pathPattern {
	text, literal := v.Literal()
	wild := make([]bool, len(text)) // where * and ? are patterns
	for i := range len(v.Raw) {
		wild[i] = !literal
	}
	anchored := strings.HasPrefix(text, "/")
	if anchored {
		text, wild = text[1:], wild[1:]
	}
	var p pathPattern
	if !anchored && !strings.Contains(text, "/") {
		p = append(p, nil)
	}
	at := 0
	for part := range strings.SplitSeq(text, "/") {
		w := wild[at : at+len(part)]
		last := at+len(part) == len(text)
		at += len(part) + 1
		switch {
		case part == "" && !last:
			continue
		case part == "" || part == "**" && w[0]:
			if len(p) == 0 || p[len(p)-1] != nil {
				p = append(p, nil)
			}
		default:
			p = append(p, newSegment(part, w))
		}
	}
	return p
}

func newSegment(text string, wild []bool) *segment {
	var like, regex strings.Builder
	plain := true
	for i, r := range text {
		switch {
		case r == '*' && wild[i]:
			like.WriteByte('%')
			regex.WriteString(`[^/]*`)
			plain = false
		case r == '?' && wild[i]:
			like.WriteByte('_')
			regex.WriteString(`[^/]`)
			plain = false
		default:
			like.WriteString(likeEscape.Replace(string(r)))
			if r < 0x80 && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
				regex.WriteByte('\\')
			}
			regex.WriteRune(r)
		}
	}
	return &segment{like.String(), regex.String(), text, plain}
}

// prefix is the text with which every match begins, up to a slash; empty if
// nothing is sure.
func (pp pathPattern) prefix() string {
	var b strings.Builder
	for i, s := range pp {
		if s == nil || !s.plain {
			break
		}
		b.WriteString(s.text)
		if i < len(pp)-1 {
			b.WriteByte('/')
		}
	}
	return b.String()
}

// path is the condition that x, a path, is like pp. It says the same on both
// engines; where it can it uses what both have.
func (p *planner) path(x string, pp pathPattern) string {
	deep, wild := 0, 0 // ** and segments with a pattern
	for _, s := range pp {
		switch {
		case s == nil:
			deep++
		case !s.plain:
			wild++
		}
	}
	if deep == 0 && wild == 0 {
		return x + ` = ` + p.bind(pp.prefix())
	}
	cond := ""
	if prefix := pp.prefix(); prefix != "" {
		// The slash at its end comes right before 0.
		cond = x + ` >= ` + p.bind(prefix) + ` AND ` + x + ` < ` + p.bind(prefix[:len(prefix)-1]+"0") + ` AND `
	}
	last := pp[len(pp)-1]
	switch {
	case deep == 0:
		return cond + x + ` LIKE ` + p.bind(pp.likes()[0]) + ` ESCAPE '\' AND length(` + x + `) - length(replace(` + x + `, '/', '')) = ` + p.bind(len(pp)-1)
	case wild == 0 && deep <= 4:
		var any []string
		for _, l := range pp.likes() {
			any = append(any, x+` LIKE `+p.bind(l)+` ESCAPE '\'`)
		}
		return cond + `(` + strings.Join(any, ` OR `) + `)`
	case deep == 1 && wild == 1 && last != nil && !last.plain && pp[len(pp)-2] == nil:
		// Only the name is a pattern: what stands behind the last slash.
		return cond + `substr(` + x + `, length(rtrim(` + x + `, replace(` + x + `, '/', ''))) + 1) LIKE ` + p.bind(last.like) + ` ESCAPE '\'`
	case p.engine == storage.Postgres:
		return cond + x + ` ~ ` + p.bind(pp.regex())
	}
	return cond + p.segments(x, pp)
}

// likes are patterns of LIKE of which one fits where pp does, if no segment
// but ** has a pattern, or there is no **.
func (pp pathPattern) likes() []string {
	out := []string{""}
	for i, s := range pp {
		var tails []string
		switch {
		case s == nil && i == len(pp)-1:
			tails = []string{"%"}
		case s == nil:
			tails = []string{"", "%/"}
		case i == len(pp)-1:
			tails = []string{s.like}
		default:
			tails = []string{s.like + "/"}
		}
		var next []string
		for _, o := range out {
			for _, t := range tails {
				next = append(next, o+t)
			}
		}
		out = next
	}
	return out
}

func (pp pathPattern) regex() string {
	var b strings.Builder
	b.WriteByte('^')
	for i, s := range pp {
		switch {
		case s == nil && i == len(pp)-1:
			b.WriteString(`.+`)
		case s == nil:
			b.WriteString(`(?:.*/)?`)
		default:
			b.WriteString(s.regex)
			if i < len(pp)-1 {
				b.WriteByte('/')
			}
		}
	}
	return b.String() + "$"
}

// segments compares x part by part, for SQLite, which has no regular
// expressions: the path becomes a JSON array. The stretches between ** must
// follow one another, the first at the start and the last at the end.
func (p *planner) segments(x string, pp pathPattern) string {
	blocks := []pathPattern{nil}
	for _, s := range pp {
		if s == nil {
			blocks = append(blocks, nil)
		} else {
			blocks[len(blocks)-1] = append(blocks[len(blocks)-1], s)
		}
	}
	first, middle, last := blocks[0], blocks[1:len(blocks)-1], blocks[len(blocks)-1]
	least := len(first) + len(last)
	for _, m := range middle {
		least += len(m)
	}
	end := len(last) // segments that the middle must leave
	if end == 0 {
		least++
		end = 1
	}
	conds := []string{`json_array_length(a.s) >= ` + strconv.Itoa(least)}
	part := func(index string, s *segment) string {
		return `(a.s ->> ` + index + `) LIKE ` + p.bind(s.like) + ` ESCAPE '\'`
	}
	for i, s := range first {
		conds = append(conds, part(strconv.Itoa(i), s))
	}
	for i, s := range last {
		conds = append(conds, part(fmt.Sprintf("'$[#-%d]'", len(last)-i), s))
	}
	from := strconv.Itoa(len(first))
	closing := ""
	for i, m := range middle {
		j := fmt.Sprintf("j%d", i)
		exists := fmt.Sprintf(`EXISTS (SELECT 1 FROM json_each(a.s) %s WHERE %s.key >= %s AND %s.key + %d <= json_array_length(a.s) - %d`,
			j, j, from, j, len(m), end)
		for k, s := range m {
			exists += ` AND ` + part(fmt.Sprintf("(%s.key + %d)", j, k), s)
		}
		from = fmt.Sprintf("%s.key + %d", j, len(m))
		conds = append(conds, exists)
		closing += ")"
	}
	return `EXISTS (SELECT 1 FROM (SELECT '[' || replace(json_quote(` + x + `), '/', '","') || ']' AS s) a WHERE ` +
		strings.Join(conds, ` AND `) + closing + `)`
}
