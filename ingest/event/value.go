package event

import (
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/redact/secret"
)

// How long texts of a delivery may become attributes.
const (
	MaxName  = 300  // a name, a branch, a place
	MaxTitle = 500  // a title
	MaxURL   = 1000 // an address
	MaxBody  = 64 << 10
)

// maxItems bounds how much is taken of one list.
const maxItems = 3000

// A Value is one value of JSON whose shape is not known. Asking for what is not
// there, or is of another type, gives nothing. Of members with one name the last
// stands.
type Value struct {
	raw     []byte
	members *map[string][]byte // of an object, once it was looked into
}

// Parse checks that a body is one JSON value, an object or an array.
func Parse(body []byte) (Value, error) {
	body = []byte(strings.TrimPrefix(string(body), "\ufeff"))
	if err := jsonwalk.Valid(body); err != nil {
		return Value{}, fmt.Errorf("the body is %w", err)
	}
	v := value(body)
	if k := v.kind(); k != '{' && k != '[' {
		return Value{}, fmt.Errorf("the body is a JSON value of another sort than an object or a list")
	}
	return v, nil
}

func value(raw []byte) Value { return Value{raw: raw, members: new(map[string][]byte)} }

func (v Value) kind() byte {
	if v.raw == nil {
		return ' '
	}
	return jsonwalk.New(v.raw).Kind()
}

// At is the value that is found by going into members, name by name.
func (v Value) At(names ...string) Value {
	for _, name := range names {
		if v.kind() != '{' {
			return Value{}
		}
		if *v.members == nil {
			*v.members = index(v.raw)
		}
		raw, ok := (*v.members)[name]
		if !ok {
			return Value{}
		}
		v = value(raw)
	}
	return v
}

// index finds the members of an object.
func index(raw []byte) map[string][]byte {
	members := map[string][]byte{}
	r := jsonwalk.New(raw)
	for name := range r.Object() {
		members[name] = r.Raw()
	}
	return members
}

// Has reports whether there is a value that is not null.
func (v Value) Has() bool { k := v.kind(); return k != ' ' && k != 'n' }

// Object reports whether the value is an object.
func (v Value) Object() bool { return v.kind() == '{' }

// Text is a string on one line, or a number as it is written, of at most limit bytes.
func (v Value) Text(limit int) string {
	switch v.kind() {
	case '"':
		return jsonwalk.New(v.raw).Text(limit)
	case 0:
		return jsonwalk.Clean(string(v.raw), limit)
	}
	return ""
}

// Name is a text that names something: it is never shortened, since what is short names
// something else. A longer one is nothing.
func (v Value) Name() string {
	s := v.Text(MaxName + 1)
	if len(s) > MaxName {
		return ""
	}
	return secret.Cut(s)
}

// Title is the text of a title.
func (v Value) Title() string { return secret.Cut(v.Text(MaxTitle)) }

// URL is an address to browse, without credentials; another text is nothing.
func (v Value) URL() string {
	s := v.Text(MaxURL + 1)
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(s, "http://")
	}
	authority, _, _ := strings.Cut(rest, "/")
	if !ok || len(s) > MaxURL || strings.ContainsAny(authority, "@ ") {
		return ""
	}
	return secret.Cut(s)
}

// Long is a text of several lines.
func (v Value) Long() string {
	if v.kind() != '"' {
		return ""
	}
	return secret.Cut(stemma.CleanText(jsonwalk.New(v.raw).String(), MaxBody))
}

// Int is a number, or a text that is one, as some systems write it.
func (v Value) Int() int64 {
	if v.kind() == '"' {
		n, _ := strconv.ParseInt(v.Text(20), 10, 64)
		return n
	}
	if v.kind() != 0 {
		return 0
	}
	return jsonwalk.New(v.raw).Int()
}

// Count is a number of things, which is never negative nor beyond what a record holds.
func (v Value) Count() int { return int(min(max(v.Int(), 0), 1<<53)) }

// Bool is true only for true.
func (v Value) Bool() bool { return v.kind() == 't' }

// Sha is a whole hash of git in lower case, and not the one of zeros that stands for
// nothing; anything else is "".
func (v Value) Sha() string {
	s := strings.ToLower(v.Text(65))
	if len(s) != 40 && len(s) != 64 || strings.Trim(s, "0123456789abcdef") != "" || strings.Trim(s, "0") == "" {
		return ""
	}
	return s
}

// The forms of times that systems write beside RFC 3339.
var timeForms = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700", "2006-01-02T15:04:05.999999999-0700",
	"2006-01-02T15:04:05", "2006-01-02 15:04:05", "Mon Jan 02 15:04:05 MST 2006",
}

// Moment is a time: a text in one of the forms that systems write, or a number of
// seconds or milliseconds since 1970. Anything else is zero.
func (v Value) Moment() stemma.Moment {
	if v.kind() == 0 {
		return unix(v.Int())
	}
	s := v.Text(60)
	for _, form := range timeForms {
		if t, err := time.Parse(form, s); err == nil {
			return sound(t)
		}
	}
	return 0
}

// unix reads seconds or, beyond what they can be, milliseconds.
func unix(n int64) stemma.Moment {
	const aLongTime = 1 << 36 // seconds, the year 4147
	if n >= aLongTime {
		return sound(time.UnixMilli(n))
	}
	if n <= 0 {
		return 0
	}
	return sound(time.Unix(n, 0))
}

// sound is a time as a record keeps it, if it is one that software lived in.
func sound(t time.Time) stemma.Moment {
	if y := t.UTC().Year(); y < 1971 || y > 9000 {
		return 0
	}
	return stemma.At(t)
}

// Items are the elements of a list, not more than are bearable.
func (v Value) Items() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.kind() != '[' {
			return
		}
		r := jsonwalk.New(v.raw)
		for n := range r.Array() {
			if n >= maxItems || !yield(value(r.Raw())) {
				return
			}
		}
	}
}

// Members are the members of an object, in the order of the text, not more than
// are bearable.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.kind() != '{' {
			return
		}
		r, n := jsonwalk.New(v.raw), 0
		for name := range r.Object() {
			if n++; n > maxItems || !yield(name, value(r.Raw())) {
				return
			}
		}
	}
}

// Len is how many elements a list has.
func (v Value) Len() int {
	n := 0
	if v.kind() == '[' {
		r := jsonwalk.New(v.raw)
		for range r.Array() {
			n++
		}
	}
	return n
}

// First is the first of the values that is there and is no empty text, which many
// systems send for nothing.
func First(values ...Value) Value {
	for _, v := range values {
		if v.Has() && string(v.raw) != `""` {
			return v
		}
	}
	return Value{}
}

// Inner is the value that a text holds, written as JSON within JSON.
func (v Value) Inner() Value {
	if v.kind() != '"' {
		return Value{}
	}
	inner, err := Parse([]byte(jsonwalk.New(v.raw).String()))
	if err != nil {
		return Value{}
	}
	return inner
}

// MarshalJSON gives the value as it was written.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.raw == nil {
		return []byte("null"), nil
	}
	return v.raw, nil
}

// Text is a value that is the given string.
func Text(s string) Value {
	raw, err := json.Marshal(s)
	if err != nil {
		return Value{}
	}
	return value(raw)
}
