package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/posted"
)

// The backend of notes is that of Git AI's contract (docs/notes-backend-spec.md in
// its repository). Where this leaves the server a choice: more than maxCommits are
// refused with 400, a HEAD request is no GET, and an entry that cannot be kept is
// counted while a body that is not what the contract says is refused, from there on.

const (
	notesPath = "/worker/notes"
	// MinToken is how many bytes a token has at least.
	MinToken = 16

	maxCommits   = 100     // of one request for notes
	groupBytes   = 8 << 20 // of notes that are kept in one go
	tokenMissing = "set STEMMA_NOTES_TOKEN for stemma serve, and the same as api_key of git-ai"
)

// openNotes opens the notes if there is a token for them.
func (s *Server) openNotes(ctx context.Context, token string) (err error) {
	switch {
	case token == "":
		return nil
	case len(token) < MinToken:
		return stemma.WithHint(fmt.Errorf("server: the token for notes has less than %d bytes", MinToken), "make a long one, for example with: openssl rand -hex 24")
	}
	s.token = sha256.Sum256([]byte(token))
	s.notes, err = posted.Open(ctx, s.space, s.now)
	return err
}

// mayNote reports whether a request comes from who knows the token; if not, it is
// answered. A browser says of which site a page is, a client of Git AI has none.
func (s *Server) mayNote(w http.ResponseWriter, r *http.Request, method string) bool {
	given := r.Header.Get("X-API-Key")
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); given == "" && ok {
		given = bearer
	}
	sum := sha256.Sum256([]byte(given))
	switch {
	case s.notes == nil:
		refuse(w, http.StatusUnauthorized, "this server takes no notes, since it has no token for them", tokenMissing)
	case r.Header.Get("Origin") != "":
		refuse(w, http.StatusForbidden, "notes are not for pages of a browser", "")
	case subtle.ConstantTimeCompare(sum[:], s.token[:]) != 1:
		refuse(w, http.StatusUnauthorized, "the token for notes is missing or another one", tokenMissing)
	case r.Method != method:
		w.Header().Set("Allow", method)
		refuse(w, http.StatusMethodNotAllowed, "the method for this is "+method, "")
	default:
		return true
	}
	return false
}

// writeNotes answers POST /worker/notes/upload. Notes are kept in groups while the
// body is read; what was kept before a fault in it stays, and may come again.
func (s *Server) writeNotes(w http.ResponseWriter, r *http.Request) {
	if !s.mayNote(w, r, http.MethodPost) {
		return
	}
	// Who knows the token may have a slow line; where there is no deadline to lift,
	// there is none.
	line := http.NewResponseController(w)
	_, _ = line.SetReadDeadline(time.Time{}), line.SetWriteDeadline(time.Time{})
	kept, failed, err := s.take(r.Context(), http.MaxBytesReader(w, r.Body, posted.MaxBatch))
	var big *http.MaxBytesError
	var bad *posted.MalformedError
	switch {
	case err == nil:
		answer(w, http.StatusOK, map[string]any{"success_count": kept, "failure_count": failed})
	case errors.As(err, &big):
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("an upload may have %d bytes", posted.MaxBatch), "send fewer notes at once")
	case errors.As(err, &bad):
		refuse(w, http.StatusBadRequest, err.Error(), "")
	default:
		s.refuse(w, r, err)
	}
}

// take keeps the notes of an upload and counts those that were kept, and those that
// could not be.
func (s *Server) take(ctx context.Context, body io.Reader) (kept, failed int, err error) {
	var group []posted.Note
	size := 0
	keep := func() error {
		if len(group) == 0 {
			return nil
		}
		refused, err := s.notes.Put(ctx, group)
		if err != nil {
			return err
		}
		kept, failed = kept+len(group)-refused, failed+refused
		group, size = nil, 0
		return nil
	}
	for n, err := range posted.Read(body) {
		var bad *posted.SpoiltError
		switch {
		case errors.As(err, &bad):
			failed++
			s.log.Warn("a note was not kept", "error", err)
			continue
		case err != nil:
			if failure := keep(); failure != nil {
				err = failure
			}
			return kept, failed, err
		}
		group, size = append(group, n), size+len(n.Content)
		if size >= groupBytes {
			if err := keep(); err != nil {
				return kept, failed, err
			}
		}
	}
	return kept, failed, keep()
}

// readNotes answers GET /worker/notes/?commits=a,b.
func (s *Server) readNotes(w http.ResponseWriter, r *http.Request) {
	if !s.mayNote(w, r, http.MethodGet) {
		return
	}
	asked := r.URL.Query()
	if !asked.Has("commits") {
		refuse(w, http.StatusBadRequest, "commits is missing", "ask for ?commits=ID,ID")
		return
	}
	var commits []string
	if list := asked.Get("commits"); list != "" {
		commits = strings.Split(list, ",")
	}
	if len(commits) > maxCommits || slices.ContainsFunc(commits, func(c string) bool { return !posted.Named(c) }) {
		refuse(w, http.StatusBadRequest, fmt.Sprintf("commits are up to %d names in hexadecimal digits, with commas", maxCommits), "")
		return
	}
	s.giveNotes(w, r, commits)
}

// giveNotes answers with the notes on commits, one after the other: together they may
// be large.
func (s *Server) giveNotes(w http.ResponseWriter, r *http.Request, commits []string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	begin := `{"notes":{`
	for k, err := range s.notes.About(r.Context(), commits, posted.Format) {
		switch {
		case err != nil && begin != ",":
			s.refuse(w, r, err)
			return
		case err != nil:
			s.log.Warn("an answer was cut short", "path", r.URL.Path, "error", err)
			panic(http.ErrAbortHandler) // nobody shall take a part for the whole
		}
		_, err = fmt.Fprintf(w, "%s%q:", begin, k.Commit)
		if err = errors.Join(err, out.Encode(string(k.Body))); err != nil {
			return // the reader went away
		}
		begin = ","
	}
	if begin != "," {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, begin) // the reader went away
	}
	_, _ = io.WriteString(w, "}}\n")
}
