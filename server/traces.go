package server

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest/otlp"
	"github.com/stemma-dev/stemma/ingest/traced"
)

// Traces of agents are taken at /v1/traces as OTLP/HTTP has it: POST, in either encoding,
// packed with gzip or not, from whoever has the token for reports. The answer says that
// the request is durable, and how many of its spans cannot be used. Senders are programs
// of other machines, so they are not bound to the names of this machine.

const tracesPath = "/v1/traces"

// takeTraces answers POST /v1/traces.
func (s *Server) takeTraces(w http.ResponseWriter, r *http.Request) {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // of nothing it is nothing
	known := media == otlp.Protobuf || media == otlp.JSON
	a := exchange{w: w, media: media}
	if !known {
		a.media = otlp.JSON
	}
	if status, why, hint := s.barred(r, http.MethodPost); status != 0 {
		if status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", http.MethodPost)
		}
		a.refuse(status, strings.TrimSuffix(why+": "+hint, ": "))
		return
	}
	if !known {
		a.refuse(http.StatusUnsupportedMediaType, "traces are sent as "+otlp.Protobuf+" or "+otlp.JSON)
		return
	}
	if err := unpacked(w, r); err != nil {
		a.refuse(http.StatusUnsupportedMediaType, err.Error())
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(s.now().Add(hookTime)) // where there is none, there is no line either
	body, give, err := s.readBody(w, r, otlp.MaxBody)
	defer give()
	if err != nil {
		a.unread(err)
		return
	}
	s.keepTraces(r, a, body)
}

// unpacked makes the body of a request be read as it was before it was packed. How long
// that is, nobody knows.
func unpacked(w http.ResponseWriter, r *http.Request) error {
	switch packed := r.Header.Get("Content-Encoding"); packed {
	case "", "identity":
	case "gzip":
		r.Body = &unzip{packed: http.MaxBytesReader(w, r.Body, otlp.MaxBody)}
		r.ContentLength = -1
	default:
		return fmt.Errorf("a body that is packed with %.40q cannot be read: gzip can", packed)
	}
	return nil
}

// unzip reads what gzip packed. It begins when it is read, so that no one waits for the
// first bytes before there is memory for all.
type unzip struct {
	packed io.ReadCloser
	zip    *gzip.Reader
}

func (u *unzip) Read(p []byte) (int, error) {
	if u.zip == nil {
		z, err := gzip.NewReader(u.packed)
		if err != nil {
			return 0, err
		}
		u.zip = z
	}
	return u.zip.Read(p)
}

func (u *unzip) Close() error { return u.packed.Close() }

func (s *Server) keepTraces(r *http.Request, a exchange, body []byte) {
	s.decoding <- struct{}{}
	batch, err := otlp.Decode(a.media, body)
	<-s.decoding
	var bad *otlp.BadError
	switch {
	case errors.As(err, &bad):
		a.refuse(http.StatusBadRequest, "the request cannot be read: "+bad.Why)
		return
	case len(batch.Spans) == 0:
		a.done(batch)
		return
	}
	sum := sha256.Sum256(body)
	key := hex.EncodeToString(sum[:])
	_, _, err = s.records.inbox.Accept(r.Context(), inbox.Delivery{Source: traced.Deliveries, Key: key, Event: a.media, Grade: stemma.GradeC, Raw: body})
	if err != nil {
		s.log.Error("traces were not kept", "key", key, "error", err)
		a.later(http.StatusServiceUnavailable, "the traces could not be kept")
		return
	}
	s.records.traces.Wake()
	a.done(batch)
}

// An exchange is one request, answered in the encoding in which it came.
type exchange struct {
	w     http.ResponseWriter
	media string
}

func (a exchange) write(status int, message []byte) {
	a.w.Header().Set("Content-Type", a.media)
	a.w.WriteHeader(status)
	_, _ = a.w.Write(message) // the sender went away
}

// done says that all was taken, but for the spans that cannot be used.
func (a exchange) done(batch *otlp.Batch) {
	type partial struct {
		Rejected string `json:"rejectedSpans"` // 64 bits are text in JSON
		Why      string `json:"errorMessage"`
	}
	var body struct {
		Partial *partial `json:"partialSuccess,omitempty"`
	}
	var message []byte
	if n := batch.Rejected; n > 0 {
		body.Partial = &partial{strconv.FormatInt(n, 10), batch.Why}
		var inner []byte
		inner = protowire.AppendVarint(protowire.AppendTag(inner, 1, protowire.VarintType), uint64(n))
		inner = protowire.AppendString(protowire.AppendTag(inner, 2, protowire.BytesType), batch.Why)
		message = protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), inner)
	}
	if a.media == otlp.JSON {
		message, _ = json.Marshal(body) // texts and nothing else
	}
	a.write(http.StatusOK, message)
}

// refuse says why nothing was taken, in a Status message as OTLP/HTTP asks for.
func (a exchange) refuse(status int, why string) {
	message := protowire.AppendString(protowire.AppendTag(nil, 2, protowire.BytesType), why)
	if a.media == otlp.JSON {
		message, _ = json.Marshal(map[string]string{"message": why}) // texts and nothing else
	}
	a.write(status, message)
}

// later asks to send it again.
func (a exchange) later(status int, why string) {
	a.w.Header().Set("Retry-After", "10")
	a.refuse(status, why)
}

// unread answers a request whose body did not arrive.
func (a exchange) unread(err error) {
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		a.refuse(http.StatusRequestEntityTooLarge, fmt.Sprintf("a request may have %d bytes, unpacked", otlp.MaxBody))
	case errors.Is(err, errBusy):
		a.later(http.StatusTooManyRequests, "too many requests at once")
	case errors.Is(err, os.ErrDeadlineExceeded):
		a.later(http.StatusServiceUnavailable, "the body did not arrive in time")
	default:
		a.refuse(http.StatusBadRequest, "the body is not whole, or not packed with gzip")
	}
}
