package evidence

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/redact"
)

// Without gives a JSON text back without the members of the given names, however
// deep they lie, and what stood in them as text. What is no JSON gives nothing.
func Without(b []byte, names ...string) (rest []byte, cut []string) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if jsonwalk.Valid(b) != nil {
		return nil, nil
	}
	c := cutter{names: names}
	c.value(jsonwalk.New(b))
	return c.out.Bytes(), c.cut
}

// A cutter writes JSON anew, without some members.
type cutter struct {
	names []string
	out   bytes.Buffer
	cut   []string
}

func (c *cutter) value(r *jsonwalk.Reader) {
	switch r.Kind() {
	case '{':
		c.out.WriteByte('{')
		first := true
		for name := range r.Object() {
			if slices.Contains(c.names, name) {
				c.gather(r)
				continue
			}
			if !first {
				c.out.WriteByte(',')
			}
			first = false
			c.text(name)
			c.out.WriteByte(':')
			c.value(r)
		}
		c.out.WriteByte('}')
	case '[':
		c.out.WriteByte('[')
		for i := range r.Array() {
			if i > 0 {
				c.out.WriteByte(',')
			}
			c.value(r)
		}
		c.out.WriteByte(']')
	default:
		c.out.Write(r.Raw())
	}
}

func (c *cutter) text(s string) {
	b, err := json.Marshal(s)
	if err == nil { // a string always can
		c.out.Write(b)
	}
}

// gather remembers the texts of a member that is cut.
func (c *cutter) gather(r *jsonwalk.Reader) {
	switch r.Kind() {
	case '"':
		c.cut = append(c.cut, r.String())
	case '{':
		for range r.Object() {
			c.gather(r)
		}
	case '[':
		for range r.Array() {
			c.gather(r)
		}
	default:
		r.Skip()
	}
}

// minSecret is how long a text is that is looked for elsewhere: shorter ones are words.
const minSecret = 6

// mark stands where a text was that a scanner had shown.
const mark = "[redacted:found]"

// MaxKept is how many bytes a report may have that is kept as a whole.
const MaxKept = 8 << 20

// Redacted is a report that may be kept: without the members that show what was found,
// without the same texts where they stand elsewhere in it, and without what looks like
// a secret, addresses of mail and names in the paths of homes. Of a report in JSON that is none, and of one that is too long, there is
// nothing.
func Redacted(b []byte, isJSON bool, shown ...string) []byte {
	if len(b) > MaxKept {
		return nil
	}
	if isJSON {
		rest, cut := Without(b, shown...)
		if rest == nil {
			return nil
		}
		b = rest
		slices.SortFunc(cut, func(x, y string) int { return len(y) - len(x) })
		for _, text := range slices.Compact(cut) {
			if len(text) < minSecret {
				continue
			}
			quoted, err := json.Marshal(text)
			if err == nil {
				b = bytes.ReplaceAll(b, quoted[1:len(quoted)-1], []byte(mark))
			}
			b = bytes.ReplaceAll(b, []byte(plainJSON(text)), []byte(mark))
		}
		if !json.Valid(b) {
			return nil // a cut went through the middle of an escape
		}
	}
	clean, _ := bodies.Body(b)
	return clean
}

// bodies cuts from a whole report also what names people of a machine and addresses of
// mail: nobody looks for them there.
var bodies = redact.New(redact.Options{Homes: true, Mail: true})

// plainJSON is a text as it stands in JSON that escapes only what must be escaped.
func plainJSON(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return s
	}
	t := bytes.TrimSpace(b.Bytes())
	return string(t[1 : len(t)-1])
}
