package server

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/policy/assess"
	"github.com/stemma-dev/stemma/policy/tally"
)

// maxControls bounds how many controls have series of their own; the others are added up as
// "other".
const maxControls = 500

// metrics answers with what a monitor watches, in the text form of Prometheus.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	if _, ok := asked(w, r); !ok {
		return
	}
	var e exposition
	for _, add := range []func(context.Context, *exposition) error{s.controlMetrics, s.exceptionMetrics, s.logMetrics, s.forgeMetrics} {
		if err := add(r.Context(), &e); err != nil {
			s.log.Error("metrics cannot be read", "error", err)
			plain(w, http.StatusServiceUnavailable, "the metrics cannot be read\n")
			return
		}
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = e.WriteTo(w) // the reader went away
}

func (s *Server) controlMetrics(ctx context.Context, e *exposition) error {
	board, err := s.verdicts.Board(ctx)
	if err != nil {
		return err
	}
	counted, names := map[string]tally.Count{}, board.Controls()
	for at, c := range board.Cells {
		name := at.Control
		if i, _ := slices.BinarySearch(names, name); i >= maxControls {
			name = "other"
		}
		counted[name] = counted[name].Plus(c)
	}
	e.family("stemma_findings", "How many changes stand so against a control, by the last verdict on each.")
	for _, name := range slices.Sorted(maps.Keys(counted)) {
		c := counted[name]
		for _, x := range []struct {
			state string
			n     int64
		}{{"pass", c.Pass}, {"fail", c.Fail}, {"unknown", c.Unknown}, {"waived", c.Waived}, {"not-applicable", c.NotApplicable}} {
			e.value("stemma_findings", float64(x.n), "control", name, "state", x.state)
		}
	}
	blocked, err := s.verdicts.CountBlocked(ctx)
	e.family("stemma_changes_blocked", "Changes that an enforced control holds up.")
	e.value("stemma_changes_blocked", float64(blocked))
	return err
}

func (s *Server) exceptionMetrics(ctx context.Context, e *exposition) error {
	now := s.now()
	open, err := s.verdicts.Exceptions(ctx, now, true)
	overdue, ungranted := 0, 0
	for _, x := range open {
		if x.Overdue(now) != "" {
			overdue++
		}
		if x.Approver == "" {
			ungranted++
		}
	}
	e.family("stemma_exceptions", "Exceptions that have not ended: all, those not followed up in time, those that nobody granted.")
	e.value("stemma_exceptions", float64(len(open)), "of", "open")
	e.value("stemma_exceptions", float64(overdue), "of", "overdue")
	e.value("stemma_exceptions", float64(ungranted), "of", "ungranted")
	return err
}

// logMetrics say how far what is derived is behind the log.
func (s *Server) logMetrics(ctx context.Context, e *exposition) error {
	size, err := s.space.Ledger.Size(ctx)
	if err != nil {
		return err
	}
	applied, err := s.space.Graph.Applied(ctx)
	if err != nil {
		return err
	}
	e.family("stemma_log_entries", "Facts in the log.")
	e.value("stemma_log_entries", float64(size))
	e.family("stemma_graph_behind_entries", "Facts in the log that the graph does not have yet.")
	e.value("stemma_graph_behind_entries", float64(size-applied))
	judged, err := s.space.Bookmark(ctx, assess.Source)
	if err != nil || judged.State == "" || size == 0 {
		return err
	}
	last, err := s.space.Ledger.Entry(ctx, size-1)
	lag := time.Duration(0)
	if last.Recorded.After(judged.Read) {
		lag = max(0, s.now().Sub(judged.Read))
	}
	e.family("stemma_verdict_lag_seconds", "For how long facts wait to be taken into account by verdicts; 0 if none does.")
	e.value("stemma_verdict_lag_seconds", lag.Seconds())
	return err
}

// forgeMetrics say which forges were not told yet.
func (s *Server) forgeMetrics(ctx context.Context, e *exposition) error {
	if s.announcer == nil {
		return nil
	}
	troubles, err := s.announcer.Troubles(ctx)
	e.family("stemma_announcements_failing", "Statuses that a forge could not be told, and that are tried again.")
	for _, t := range troubles {
		e.value("stemma_announcements_failing", float64(t.Waiting), "forge", t.Host)
	}
	return err
}

// An exposition is metrics while they are written.
type exposition struct{ bytes.Buffer }

// family begins the values of one gauge.
func (e *exposition) family(name, help string) {
	fmt.Fprintf(e, "# HELP %s %s\n# TYPE %[1]s gauge\n", name, help)
}

// labelValue escapes as the format asks for.
var labelValue = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// value writes one, with labels: pairs of a name and a value.
func (e *exposition) value(name string, v float64, labels ...string) {
	e.WriteString(name)
	for i := 0; i < len(labels); i += 2 {
		open := ","
		if i == 0 {
			open = "{"
		}
		e.WriteString(open + labels[i] + `="` + labelValue.Replace(strings.ToValidUTF8(labels[i+1], "\uFFFD")) + `"`)
	}
	if len(labels) > 0 {
		e.WriteByte('}')
	}
	fmt.Fprintf(e, " %g\n", v)
}
