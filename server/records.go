package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest/drain"
	"github.com/stemma-dev/stemma/ingest/reported"
	"github.com/stemma-dev/stemma/ingest/traced"
)

// Reports of pipelines are taken at /api/v1/records: POST, one envelope, answered with
// 202 as soon as it is durable; GET with its key tells what became of it. They come from
// programs of other machines, so they are not bound to the names of this machine.

const (
	recordsPath  = "/api/v1/records"
	recordTime   = 2 * time.Minute // how long an envelope may take to arrive
	tokenUnknown = "give stemma serve a token in STEMMA_RECORD_TOKEN, and stemma record the same in STEMMA_TOKEN"
)

// records is what takes reports of pipelines.
type records struct {
	token  [sha256.Size]byte
	inbox  *inbox.Inbox
	worker *drain.Worker
	traces *drain.Worker
	stop   context.CancelFunc
	work   sync.WaitGroup
}

// openRecords opens the way in for reports if there is a token for them, and begins to
// make facts of those that wait.
func (s *Server) openRecords(ctx context.Context, c Config) error {
	switch {
	case c.RecordToken == "":
		return nil
	case len(c.RecordToken) < MinToken:
		return stemma.WithHint(fmt.Errorf("server: the token for reports has less than %d bytes", MinToken), "make a long one, for example with: openssl rand -hex 24")
	}
	box, holder := c.Inbox, c.Holder
	if box == nil {
		var err error
		if box, err = inbox.Open(ctx, c.Space.DB, c.Now); err != nil {
			return err
		}
	}
	if holder == "" {
		var id [8]byte
		if _, err := rand.Read(id[:]); err != nil {
			return fmt.Errorf("server: naming this process: %w", err)
		}
		holder = "records-" + hex.EncodeToString(id[:])
	}
	if err := errors.Join(box.Register(ctx, reported.Deliveries, "stemma"), box.Register(ctx, traced.Deliveries, "opentelemetry")); err != nil {
		return err
	}
	traces, err := traced.Open(ctx, c.Space, c.Now)
	if err != nil {
		return err
	}
	r := &records{
		token: sha256.Sum256([]byte(c.RecordToken)), inbox: box,
		worker: reported.NewWorker(c.Space, box, c.Now, s.log, holder), traces: traces.Worker(box, s.log, holder),
	}
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	r.work.Go(func() { r.worker.Run(ctx) })
	r.work.Go(func() { r.traces.Run(ctx) })
	s.records = r
	return nil
}

// close ends the work on reports; what waits is taken by whoever comes next.
func (r *records) close() {
	if r != nil {
		r.stop()
		r.work.Wait()
	}
}

// mayRecord reports whether a request comes from who knows the token; if not, it is
// answered.
func (s *Server) mayRecord(w http.ResponseWriter, r *http.Request, method string) bool {
	status, why, hint := s.barred(r, method)
	if status == 0 {
		return true
	}
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", method)
	}
	refuse(w, status, why, hint)
	return false
}

// barred says why a request may not report, with a status; that is 0 if it may. A browser
// says of which site a page is, a pipeline has none.
func (s *Server) barred(r *http.Request, method string) (status int, why, hint string) {
	given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	sum := sha256.Sum256([]byte(given))
	switch {
	case s.records == nil:
		return http.StatusUnauthorized, "this server takes no reports, since it has no token for them", tokenUnknown
	case r.Header.Get("Origin") != "":
		return http.StatusForbidden, "reports are not for pages of a browser", ""
	case subtle.ConstantTimeCompare(sum[:], s.records.token[:]) != 1:
		return http.StatusUnauthorized, "the token for reports is missing or another one", tokenUnknown
	case r.Method != method:
		return http.StatusMethodNotAllowed, "the method for this is " + method, ""
	}
	return 0, "", ""
}

// takeRecord answers POST /api/v1/records.
func (s *Server) takeRecord(w http.ResponseWriter, r *http.Request) {
	if !s.mayRecord(w, r, http.MethodPost) {
		return
	}
	if !isJSON(r.Header) || r.Header.Get("Content-Type") == "" {
		refuse(w, http.StatusUnsupportedMediaType, "a report is JSON, not packed", "send Content-Type: application/json")
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(s.now().Add(recordTime)) // where there is none, there is no line either
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, reported.MaxEnvelope))
	var big *http.MaxBytesError
	switch {
	case err == nil:
		s.keepRecord(w, r, body)
	case errors.As(err, &big):
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("a report may have %d bytes", reported.MaxEnvelope), "leave the file that was read away")
	case errors.Is(err, os.ErrDeadlineExceeded):
		refuse(w, http.StatusRequestTimeout, "the report did not arrive in time", "send it again")
	default:
		refuse(w, http.StatusBadRequest, "the report is not whole", "send it again")
	}
}

func (s *Server) keepRecord(w http.ResponseWriter, r *http.Request, body []byte) {
	e, err := reported.Decode(body)
	if err != nil {
		refuse(w, http.StatusBadRequest, strings.TrimPrefix(err.Error(), "reported: "), "docs/record.md says what a report is")
		return
	}
	_, fresh, err := s.records.inbox.Accept(r.Context(), inbox.Delivery{Source: reported.Deliveries, Key: e.Key, Event: e.Kind, Grade: stemma.GradeC, Raw: body})
	if err != nil {
		s.log.Error("a report was not kept", "key", e.Key, "error", err)
		w.Header().Set("Retry-After", "10")
		refuse(w, http.StatusServiceUnavailable, "the report could not be kept", "send it again")
		return
	}
	s.records.worker.Wake()
	answer(w, http.StatusAccepted, map[string]any{"key": e.Key, "repeated": !fresh})
}

// toldRecord answers GET /api/v1/records/{key}: what became of a report. With
// ?environment= it tells of a snapshot what nothing explains.
func (s *Server) toldRecord(w http.ResponseWriter, r *http.Request) {
	if !s.mayRecord(w, r, http.MethodGet) {
		return
	}
	given, ok := asked(w, r, "environment")
	if !ok {
		return
	}
	key := r.PathValue("key")
	state, reason, err := s.records.inbox.State(r.Context(), reported.Deliveries, key)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	body := map[string]any{"key": key, "state": state}
	if reason != "" {
		body["reason"] = reason
	}
	if environment := given.Get("environment"); environment != "" && state == "done" {
		snapshot, err := reported.FindSnapshot(r.Context(), s.space, environment, key)
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		body["snapshot"] = snapshot
	}
	answer(w, http.StatusOK, body)
}
