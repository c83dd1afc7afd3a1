package server

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph/walk"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/query/output"
	"github.com/stemma-dev/stemma/storage"
)

// maxRows bounds an answer of the query interface.
const maxRows = 10000

// healthy says that the process answers.
func (s *Server) healthy(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") }

// ready says that the store can be read.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if _, err := s.space.Graph.Applied(r.Context()); err != nil {
		s.log.Error("not ready", "error", err)
		plain(w, http.StatusServiceUnavailable, "the store cannot be read\n")
		return
	}
	plain(w, http.StatusOK, "ok\n")
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the reader went away
}

// asked are the parameters of a request, which may have those names only, each once:
// nothing that was asked is left out silently. It answers the others itself.
func asked(w http.ResponseWriter, r *http.Request, names ...string) (url.Values, bool) {
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		refuse(w, http.StatusBadRequest, "the parameters are not written as addresses are", "")
		return nil, false
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(names, name) || len(given[name]) > 1 {
			refuse(w, http.StatusBadRequest, fmt.Sprintf("the parameter %.60q is not known, or given twice", name), "there are "+strings.Join(names, ", "))
			return nil, false
		}
	}
	return given, true
}

// count reads a parameter that is a number of rows; usual is what none means.
func count(given url.Values, name string, usual int64) (int64, error) {
	if given.Get(name) == "" {
		return usual, nil
	}
	n, err := strconv.ParseInt(given.Get(name), 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("the parameter %s is a number of rows", name)
	}
	return n, nil
}

// query answers /api/v1/query/{kind}?q=…&from=…&limit=….
func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	given, ok := asked(w, r, "q", "from", "limit")
	if !ok {
		return
	}
	if query.Fields(r.PathValue("kind")) == nil {
		refuse(w, http.StatusNotFound, "there is no such kind", "see /help")
		return
	}
	q, err := query.Parse(r.PathValue("kind"), given.Get("q"), s.now())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	from, bad := count(given, "from", 0)
	limit, worse := count(given, "limit", maxRows)
	if err := cmp.Or(bad, worse); err != nil {
		refuse(w, http.StatusBadRequest, err.Error(), "")
		return
	}
	if limit == 0 || limit > maxRows {
		limit = maxRows
	}
	begun := false
	err = s.space.DB.Read(r.Context(), func(tx *storage.Tx) error {
		result, err := query.Run(r.Context(), tx, q.Page(from, limit))
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		begun = true
		return output.Write(w, output.JSON, result)
	})
	switch {
	case err == nil, r.Context().Err() != nil:
	case begun:
		s.log.Warn("an answer was cut short", "path", r.URL.Path, "error", err)
		panic(http.ErrAbortHandler) // nobody shall take a part for the whole
	default:
		s.refuse(w, r, err)
	}
}

// trace answers /api/v1/trace/{ref}?direction=up|down|both.
func (s *Server) trace(w http.ResponseWriter, r *http.Request) {
	given, ok := asked(w, r, "direction")
	if !ok {
		return
	}
	ref, err := stemma.ParseRef(r.PathValue("ref"))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	way := lineage.Direction(given.Get("direction"))
	switch way {
	case "":
		way = lineage.Both
	case lineage.Up, lineage.Down, lineage.Both:
	default:
		refuse(w, http.StatusBadRequest, "no such direction", "there are up, down and both")
		return
	}
	l, err := lineage.Trace(r.Context(), s.space.Graph, ref, way, walk.Limits{})
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(l) // the reader went away
}

// refuse tells why there is no answer.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var fault *filter.Error
	var invalid *stemma.InvalidError
	switch {
	case errors.As(err, &fault):
		answer(w, http.StatusBadRequest, map[string]any{"error": fault.Msg, "hint": fault.Hint, "position": fault.Pos, "end": fault.End})
	case errors.As(err, &invalid):
		refuse(w, http.StatusBadRequest, err.Error(), "")
	case errors.Is(err, stemma.ErrNotFound):
		refuse(w, http.StatusNotFound, "nothing is known under that name", "")
	default:
		s.log.Error("no answer", "path", r.URL.Path, "error", err)
		refuse(w, http.StatusInternalServerError, "the answer could not be made", "the log of the server says why")
	}
}

func refuse(w http.ResponseWriter, status int, what, hint string) {
	body := map[string]any{"error": what}
	if hint != "" {
		body["hint"] = hint
	}
	answer(w, status, body)
}

func answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the reader went away
}
