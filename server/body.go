package server

import (
	"context"
	"errors"
	"io"
	"net/http"

	"golang.org/x/sync/semaphore"
)

// Whoever knows no secret may still send bodies of deliveries. Together they are held
// within bounds: memory is taken as bytes arrive, not as they are announced, so that who
// announces much and sends little holds up nobody.
const (
	bodiesAtOnce = 256 << 20
	firstBytes   = 16 << 10 // for which a sender waits if there is no memory
)

var errBusy = errors.New("too many deliveries at once")

// newBodies is the memory for bodies of deliveries.
func newBodies() *semaphore.Weighted { return semaphore.NewWeighted(bodiesAtOnce) }

// readBody reads a body of at most so many bytes, as far as there is memory for it, which
// give gives back, whether or not it could be read.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request, most int64) (body []byte, give func(), err error) {
	held := int64(0)
	give = func() { s.bodies.Release(held) }
	if r.ContentLength > most {
		return nil, give, &http.MaxBytesError{Limit: most}
	}
	wait, cancel := context.WithTimeout(r.Context(), hookTime/3)
	defer cancel()
	if s.bodies.Acquire(wait, firstBytes) != nil {
		return nil, give, errBusy
	}
	held = firstBytes
	body = make([]byte, 0, firstBytes)
	limited := http.MaxBytesReader(w, r.Body, most)
	for {
		if len(body) == cap(body) {
			size := int64(2 * cap(body))
			if !s.bodies.TryAcquire(size) { // while both are there
				return nil, give, errBusy
			}
			grown := make([]byte, len(body), size)
			copy(grown, body)
			s.bodies.Release(held)
			body, held = grown, size
		}
		n, err := limited.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			return body, give, nil
		}
		if err != nil {
			return nil, give, err
		}
	}
}
