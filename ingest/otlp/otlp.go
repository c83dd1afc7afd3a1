// Package otlp reads requests of the OpenTelemetry protocol that carry traces, in either
// of its encodings, and takes out of each span what it says of an agent at work: by the
// conventions for generative AI, old and new names alike, and by the names of coding
// agents that have their own.
//
// The package does no I/O and reads no clock. A request is taken apart span by span, so
// that no more than one is in memory as a message: whoever sends many small things, or
// deep ones, cannot make it grow.
package otlp

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"

	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// Media types of requests.
const (
	Protobuf = "application/x-protobuf"
	JSON     = "application/json"
)

// Limits of one request.
const (
	MaxBody  = 16 << 20 // bytes, unpacked
	MaxSpans = 20_000
	maxPart  = 1 << 20 // bytes of one span, or of one resource
	maxDepth = 64      // of values in values
)

// A BadError says why bytes are no request.
type BadError struct{ Why string }

func (e *BadError) Error() string { return "otlp: " + e.Why }

// Bad says why the bytes are refused.
func (e *BadError) Bad() string { return e.Why }

func bad(format string, args ...any) error { return &BadError{fmt.Sprintf(format, args...)} }

// A Batch is what one request says.
type Batch struct {
	Spans    []Span
	Rejected int64  // spans that cannot be used
	Why      string // of the first of them
}

func (b *Batch) reject(why string) {
	if b.Rejected++; b.Why == "" {
		b.Why = why
	}
}

// Decode reads a request of the given media type. What is no request is a *BadError; a
// span that cannot be used is counted, and the others are read.
func Decode(media string, body []byte) (*Batch, error) {
	if len(body) > MaxBody {
		return nil, bad("it has %d bytes, more than %d", len(body), MaxBody)
	}
	b := &Batch{}
	var err error
	switch media {
	case Protobuf:
		err = b.protobuf(body)
	case JSON:
		err = b.json(body)
	default:
		err = bad("%.100q is no encoding of traces", media)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// The numbers of the fields on the way to a span.
const (
	fieldResourceSpans = 1 // of a request
	fieldResource      = 1 // of spans of a resource
	fieldScopeSpans    = 2
	fieldSpan          = 2 // of spans of a scope
)

func (b *Batch) protobuf(body []byte) error {
	return fields(body, fieldResourceSpans, func(of []byte) error {
		var source origin
		err := fields(of, fieldResource, func(raw []byte) error {
			return source.read(raw, unmarshal)
		})
		if err != nil {
			return err
		}
		return fields(of, fieldScopeSpans, func(of []byte) error {
			return fields(of, fieldSpan, func(raw []byte) error {
				return b.span(raw, source, unmarshal, func(id []byte) []byte { return id })
			})
		})
	})
}

// fields hands over every field of a message that has a number and is of bytes.
func fields(message []byte, number protowire.Number, take func([]byte) error) error {
	for len(message) > 0 {
		num, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return bad("it is no message: %v", protowire.ParseError(n))
		}
		message = message[n:]
		if num == number && kind == protowire.BytesType {
			raw, n := protowire.ConsumeBytes(message)
			if n < 0 {
				return bad("it is no message: %v", protowire.ParseError(n))
			}
			if err := take(raw); err != nil {
				return err
			}
			message = message[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(num, kind, message); n < 0 {
			return bad("it is no message: %v", protowire.ParseError(n))
		}
		message = message[n:]
	}
	return nil
}

func unmarshal(raw []byte, into proto.Message) error {
	return proto.UnmarshalOptions{DiscardUnknown: true, RecursionLimit: maxDepth}.Unmarshal(raw, into)
}

func (b *Batch) json(body []byte) error {
	if err := jsonwalk.Valid(body); err != nil {
		return bad("it is %v", err)
	}
	return members(body, "resourceSpans", func(of []byte) error {
		var source origin
		if raw := member(of, "resource"); raw != nil {
			if err := source.read(raw, unmarshalJSON); err != nil {
				return err
			}
		}
		return members(of, "scopeSpans", func(of []byte) error {
			return members(of, "spans", func(raw []byte) error {
				return b.span(raw, source, unmarshalJSON, fromHex)
			})
		})
	})
}

// member is a member of an object, the last of its name; nil if there is none.
func member(object []byte, wanted string) (raw []byte) {
	r := jsonwalk.New(object)
	for name := range r.Object() {
		if name == wanted {
			raw = r.Raw()
		}
	}
	return raw
}

// members hands over every element of a list in an object.
func members(object []byte, wanted string, take func([]byte) error) error {
	r := jsonwalk.New(member(object, wanted))
	for range r.Array() {
		if err := take(r.Raw()); err != nil {
			return err
		}
	}
	return nil
}

func unmarshalJSON(raw []byte, into proto.Message) error {
	return protojson.UnmarshalOptions{DiscardUnknown: true, RecursionLimit: maxDepth}.Unmarshal(raw, into)
}

// fromHex gives the bytes of an id. In JSON ids are in hexadecimal, where every other
// field of bytes is in base64: so it was read, and is written back first.
func fromHex(id []byte) []byte {
	text := base64.StdEncoding.EncodeToString(id)
	plain, err := hex.DecodeString(text)
	if err != nil {
		return nil
	}
	return plain
}

type decoder func([]byte, proto.Message) error

// An origin is what a resource says of whoever made its spans.
type origin struct{ attributes attributes }

func (o *origin) read(raw []byte, decode decoder) error {
	if len(raw) > maxPart {
		return bad("a resource has more than %d bytes", maxPart)
	}
	r := &resourcepb.Resource{}
	if err := decode(raw, r); err != nil {
		return bad("a resource cannot be read")
	}
	o.attributes = index(r.GetAttributes())
	return nil
}

// span reads one span. Ids are read by how the encoding has them.
func (b *Batch) span(raw []byte, source origin, decode decoder, id func([]byte) []byte) error {
	if len(b.Spans)+int(b.Rejected) >= MaxSpans {
		return bad("it has more than %d spans", MaxSpans)
	}
	if len(raw) > maxPart {
		b.reject(fmt.Sprintf("a span has more than %d bytes", maxPart))
		return nil
	}
	p := &tracepb.Span{}
	if err := decode(raw, p); err != nil {
		b.reject("a span cannot be read") // not why: it may quote what was said
		return nil
	}
	s := Span{Trace: hexOf(id(p.GetTraceId()), 16), ID: hexOf(id(p.GetSpanId()), 8), Parent: hexOf(id(p.GetParentSpanId()), 8)}
	switch {
	case s.Trace == "" || s.ID == "":
		b.reject("a span has no id of its trace or of its own that is one")
		return nil
	case s.Parent == s.ID:
		s.Parent = ""
	}
	s.read(p, source.attributes)
	b.Spans = append(b.Spans, s)
	return nil
}

// hexOf is how an id of so many bytes is written; "" for another and for zero.
func hexOf(id []byte, size int) string {
	if len(id) != size {
		return ""
	}
	for _, c := range id {
		if c != 0 {
			return hex.EncodeToString(id)
		}
	}
	return ""
}
