package server

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/hooks"
)

// Webhooks are taken at /hooks/NAME: POST, with a JSON body. They come from programs of
// other machines, which name this server however they know it, and whoever is not
// signed is turned away; so they are not bound to the names of this machine.

const (
	hooksPath = "/hooks/"
	// hookTime is how long a delivery may take to arrive: senders themselves wait for
	// some ten seconds.
	hookTime = 15 * time.Second
)

// takeHook answers /hooks/{name}.
func (s *Server) takeHook(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	switch {
	case s.hooks == nil || !s.hooks.Known(name):
		refuse(w, http.StatusNotFound, "nothing is received at this address", "name the source for stemma serve with --hook, or set STEMMA_HOOK_…_SECRET")
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, "webhooks are sent with POST", "")
	case !isJSON(r.Header):
		s.hooks.TurnAway(name, "the body is no JSON: "+stemma.CleanText(r.Header.Get("Content-Type"), 100), r.ContentLength)
		refuse(w, http.StatusUnsupportedMediaType, "webhooks are taken as JSON, not packed", "choose application/json as content type where the webhook is set up")
	default:
		s.hook(w, r, name)
	}
}

// isJSON reports whether a body says that it is JSON, or nothing.
func isJSON(h http.Header) bool {
	if e := h.Get("Content-Encoding"); e != "" && e != "identity" {
		return false
	}
	given := h.Get("Content-Type")
	media, _, err := mime.ParseMediaType(given)
	return given == "" || err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}

func (s *Server) hook(w http.ResponseWriter, r *http.Request, name string) {
	_ = http.NewResponseController(w).SetReadDeadline(s.now().Add(hookTime)) // where there is none, there is no line either
	body, give, err := s.readBody(w, r, hooks.MaxBody)
	defer give()
	if err != nil {
		s.unread(w, r, name, err)
		return
	}
	receipt, err := s.hooks.Receive(r.Context(), name, r.Header, body)
	switch {
	case err == nil:
		answer(w, http.StatusAccepted, map[string]any{"id": receipt.ID, "repeated": receipt.Repeated})
	case errors.Is(err, hooks.ErrUnsigned):
		refuse(w, http.StatusUnauthorized, err.Error(), "enter the same secret at the sender and for stemma serve")
	case errors.Is(err, hooks.ErrUnreadable):
		refuse(w, http.StatusBadRequest, err.Error(), "")
	default:
		s.log.Error("a delivery was not kept", "source", name, "error", err)
		w.Header().Set("Retry-After", "10")
		refuse(w, http.StatusServiceUnavailable, "the delivery could not be kept", "send it again")
	}
}

// unread answers a delivery that did not arrive.
func (s *Server) unread(w http.ResponseWriter, r *http.Request, name string, err error) {
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		s.hooks.TurnAway(name, fmt.Sprintf("the body has more than %d bytes", hooks.MaxBody), r.ContentLength)
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("a delivery may have %d bytes", hooks.MaxBody), "")
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", "10")
		refuse(w, http.StatusServiceUnavailable, err.Error(), "send it again")
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.hooks.TurnAway(name, "the body did not arrive in time", r.ContentLength)
		refuse(w, http.StatusRequestTimeout, "the body did not arrive in time", "send it again")
	default:
		s.hooks.TurnAway(name, "the line broke before the body was there", r.ContentLength)
		refuse(w, http.StatusBadRequest, "the body is not whole", "send it again")
	}
}
