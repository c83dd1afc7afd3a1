package otlp

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/redact"
)

// maxName is how long a text that names something may be: a longer one names nothing,
// since what is cut names something else.
const maxName = 300

// attributes are those of a span, an event or a resource, by name.
type attributes map[string]*commonpb.AnyValue

func index(list []*commonpb.KeyValue) attributes {
	a := make(attributes, len(list))
	for _, kv := range list {
		a[kv.GetKey()] = kv.GetValue()
	}
	return a
}

// first is the first of the named attributes that is there.
func (a attributes) first(names ...string) *commonpb.AnyValue {
	for _, name := range names {
		if v := a[name]; v.GetValue() != nil {
			return v
		}
	}
	return nil
}

// name is the first of the named attributes that is a text fit to name something, or a
// number. Secrets are cut out of it: whoever fills attributes may fill in anything.
func (a attributes) name(names ...string) string {
	for _, name := range names {
		var s string
		switch v := a[name].GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			s = v.StringValue
		case *commonpb.AnyValue_IntValue:
			s = strconv.FormatInt(v.IntValue, 10)
		}
		if s = strings.TrimSpace(jsonwalk.Clean(s, maxName+1)); s != "" && len(s) <= maxName {
			return clean(s)
		}
	}
	return ""
}

var redactor = redact.New(redact.Options{Homes: true})

// clean is a text without secrets and without the names of accounts in paths.
func clean(s string) string {
	out, _ := redactor.Text([]byte(s))
	return string(out)
}

// count is the first of the named attributes that is a number of things, and whether
// there is one. Some senders write numbers as texts, or with a fraction.
func (a attributes) count(names ...string) (n int64, told bool) {
	for _, name := range names {
		switch v := a[name].GetValue().(type) {
		case *commonpb.AnyValue_IntValue:
			return bounded(float64(v.IntValue)), true
		case *commonpb.AnyValue_DoubleValue:
			return bounded(v.DoubleValue), true
		case *commonpb.AnyValue_StringValue:
			if f, err := strconv.ParseFloat(v.StringValue, 64); err == nil {
				return bounded(f), true
			}
		}
	}
	return 0, false
}

// bounded is a number of things that cannot be negative or absurd.
func bounded(f float64) int64 {
	if math.IsNaN(f) {
		return 0
	}
	return int64(min(max(f, 0), 1<<40))
}

// says reports whether the attribute is there and is that, spelled as a truth value or
// as a text.
func (a attributes) says(name string, truth bool) bool {
	switch v := a[name].GetValue().(type) {
	case *commonpb.AnyValue_BoolValue:
		return v.BoolValue == truth
	case *commonpb.AnyValue_StringValue:
		return v.StringValue == strconv.FormatBool(truth)
	}
	return false
}

// text is a text as it stands, or what another value is as JSON; "" beyond maxText.
func text(v *commonpb.AnyValue) string {
	switch x := v.GetValue().(type) {
	case nil:
		return ""
	case *commonpb.AnyValue_StringValue:
		if len(x.StringValue) > maxPart {
			return ""
		}
		return x.StringValue
	}
	raw, err := json.Marshal(plain(v))
	if err != nil {
		return ""
	}
	return string(raw)
}

// plain is a value as JSON has it. It is no deeper than was read.
func plain(v *commonpb.AnyValue) any {
	switch x := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return x.StringValue
	case *commonpb.AnyValue_BoolValue:
		return x.BoolValue
	case *commonpb.AnyValue_IntValue:
		return x.IntValue
	case *commonpb.AnyValue_DoubleValue:
		if math.IsNaN(x.DoubleValue) || math.IsInf(x.DoubleValue, 0) {
			return nil
		}
		return x.DoubleValue
	case *commonpb.AnyValue_ArrayValue:
		list := make([]any, 0, len(x.ArrayValue.GetValues()))
		for _, e := range x.ArrayValue.GetValues() {
			list = append(list, plain(e))
		}
		return list
	case *commonpb.AnyValue_KvlistValue:
		object := map[string]any{}
		for _, kv := range x.KvlistValue.GetValues() {
			object[kv.GetKey()] = plain(kv.GetValue())
		}
		return object
	}
	return nil // bytes say nothing here
}

// said is a text that somebody said, fit to be kept.
func said(s string) string {
	if !utf8.ValidString(s) || strings.TrimSpace(s) == "" {
		return ""
	}
	return clean(stemma.CleanText(s, maxSaid))
}

// maxSaid is how much is kept of what was said at once.
const maxSaid = 64 << 10
