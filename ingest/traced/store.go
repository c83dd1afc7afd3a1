package traced

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/otlp"
	"github.com/stemma-dev/stemma/storage"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Limits of what is kept.
const (
	maxTrace   = 10_000   // spans of one trace
	maxData    = 16 << 20 // bytes of them, without what was said
	maxWords   = 32 << 20 // bytes of what was said in them and is not in the vault yet
	maxSession = 50_000   // spans of the traces that one session is told in
)

const (
	// quiet is how long nothing new came of a trace when it is looked at: its spans come
	// in several requests, and what names the session of one may come last.
	quiet = 30 * time.Second
	// patience is how long it may wait for that.
	patience = 5 * time.Minute
	// idle is how long nothing new came of a trace when it is over: what is of no session
	// then is of none.
	idle = time.Hour
)

// A row is a span as it is kept.
type row struct {
	otlp.Span
	session stemma.Ref // "" as long as it is told in none
	said    said
}

// said is what of a span is in the vault, and under whose key.
type said struct {
	Owner    stemma.Ref   `json:"owner,omitempty"`
	Asked    *stemma.Body `json:"asked,omitempty"`
	Answered *stemma.Body `json:"answered,omitempty"`
}

// An excess is what there was no room for.
type excess struct{ spans, words int64 }

// keep keeps spans that arrived, and returns what there was no room for.
func (t *Traces) keep(ctx context.Context, spans []otlp.Span) (over excess, err error) {
	byTrace := map[string][]otlp.Span{}
	var order []string
	for _, s := range spans {
		if byTrace[s.Trace] == nil {
			order = append(order, s.Trace)
		}
		byTrace[s.Trace] = append(byTrace[s.Trace], s)
	}
	err = t.space.DB.Write(ctx, func(tx *storage.Tx) error {
		over = excess{}
		for _, trace := range order {
			if err := t.keepTrace(ctx, tx, trace, byTrace[trace], &over); err != nil {
				return err
			}
		}
		return nil
	})
	return over, err
}

// A pile is what is kept of a trace.
type pile struct {
	spans map[string]sheet
	total sheet // of them all, without data
}

// A sheet is what is kept of a span, and how many bytes that are.
type sheet struct {
	data        string
	size, words int
}

func (p *pile) put(id string, s sheet) {
	before := p.spans[id]
	p.total.size += s.size - before.size
	p.total.words += s.words - before.words
	p.spans[id] = s
}

// sheet writes a span down. Of two that differ the greater one stands, whatever came first:
// it has words, if one of them does, and it is theirs.
func (t *Traces) sheet(s otlp.Span) (sheet, error) {
	kept := struct {
		Words string `json:"words,omitempty"` // the first member, after all that a span may begin with
		otlp.Span
	}{Span: s}
	words := len(s.Asked) + len(s.Answered)
	if words > 0 {
		kept.Words = t.space.Mark(s.Asked, s.Answered)
	}
	raw, err := json.Marshal(kept)
	return sheet{string(raw), len(raw), words}, err
}

func (t *Traces) keepTrace(ctx context.Context, tx *storage.Tx, trace string, spans []otlp.Span, over *excess) error {
	known, err := pileOf(ctx, tx, trace)
	if err != nil {
		return err
	}
	news := false
	for _, s := range spans {
		before := known.spans[s.ID]
		now, err := t.sheet(s)
		if err == nil && now.data > before.data && known.total.words-before.words+now.words > maxWords {
			over.words++
			s.Asked, s.Answered = "", ""
			now, err = t.sheet(s)
		}
		switch {
		case err != nil:
			return err
		case now.data <= before.data:
			continue
		case before.data == "" && len(known.spans) >= maxTrace, known.total.size-before.size+now.size > maxData:
			over.spans++
			continue
		}
		known.put(s.ID, now)
		news = true
		_, err = tx.Exec(ctx, `INSERT INTO trace_span (trace, span, session, data, asked, answered, said) VALUES ($1, $2, '', $3, $4, $5, '{}')
			ON CONFLICT (trace, span) DO UPDATE SET data = excluded.data, asked = excluded.asked, answered = excluded.answered`,
			trace, s.ID, now.data, orNull(s.Asked), orNull(s.Answered))
		if err != nil {
			return err
		}
	}
	if !news {
		return nil
	}
	return t.touch(ctx, tx, trace, len(known.spans))
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func pileOf(ctx context.Context, tx *storage.Tx, trace string) (known *pile, err error) {
	rows, err := tx.Query(ctx, `SELECT span, data, COALESCE(OCTET_LENGTH(asked), 0) + COALESCE(OCTET_LENGTH(answered), 0) FROM trace_span WHERE trace = $1`, trace)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	known = &pile{spans: map[string]sheet{}}
	for rows.Next() {
		var span string
		var s sheet
		if err := rows.Scan(&span, &s.data, &s.words); err != nil {
			return nil, err
		}
		s.size = len(s.data)
		known.put(span, s)
	}
	return known, rows.Err()
}

// touch notes that something new came of a trace.
func (t *Traces) touch(ctx context.Context, tx *storage.Tx, trace string, spans int) error {
	now := t.now()
	var since int64
	err := tx.QueryRow(ctx, `SELECT since FROM trace_state WHERE trace = $1`, trace).Scan(&since)
	if err != nil && !errors.Is(err, stemma.ErrNotFound) {
		return err
	}
	if since == 0 {
		since = now.UnixMicro()
	}
	due := min(now.Add(quiet).UnixMicro(), since+patience.Microseconds())
	_, err = tx.Exec(ctx, `INSERT INTO trace_state (trace, spans, since, last, due) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (trace) DO UPDATE SET spans = excluded.spans, since = excluded.since, last = excluded.last, due = excluded.due`,
		trace, spans, since, now.UnixMicro(), due)
	return err
}

// A waiting trace is one that is to be looked at.
type waiting struct {
	trace string
	last  time.Time
}

// page is how many traces are looked at together.
const page = 100

// due are the traces that are to be looked at now, the first of them.
func (t *Traces) due(ctx context.Context, most int) (list []waiting, err error) {
	err = t.space.DB.Each(ctx, func(scan func(...any) error) error {
		var w waiting
		var last int64
		err := scan(&w.trace, &last)
		w.last = time.UnixMicro(last).UTC()
		list = append(list, w)
		return err
	}, `SELECT trace, last FROM trace_state WHERE due > 0 AND due <= $1 ORDER BY due, trace LIMIT $2`, t.now().UnixMicro(), most)
	return list, err
}

// over reports whether nothing new is to be expected of a trace.
func (t *Traces) over(w waiting) bool { return !t.now().Before(w.last.Add(idle)) }

const unsealed = `(asked IS NOT NULL OR answered IS NOT NULL)`

// looked notes that a trace was looked at: it is again at the given time, or when
// something new comes of it if that is zero. What was said in it and is in no vault has
// nobody's key: it waits until the trace is over, and is dropped then.
func (t *Traces) looked(ctx context.Context, w waiting, again time.Time) error {
	return t.space.DB.Write(ctx, func(tx *storage.Tx) error {
		waits := int64(0)
		if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM trace_span WHERE trace = $1 AND `+unsealed, w.trace).Scan(&waits); err != nil {
			return err
		}
		over := t.over(w)
		if again.IsZero() && waits > 0 && !over {
			again = w.last.Add(idle)
		}
		due := int64(0)
		if !again.IsZero() {
			due = again.UnixMicro()
		}
		n, err := tx.Exec(ctx, `UPDATE trace_state SET due = $1, since = 0 WHERE trace = $2 AND last = $3`, due, w.trace, w.last.UnixMicro())
		if err != nil || n == 0 || waits == 0 || !over {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE trace_span SET asked = NULL, answered = NULL WHERE trace = $1 AND `+unsealed, w.trace)
		return err
	})
}

// drop forgets a trace, unless something new came of it.
func (t *Traces) drop(ctx context.Context, w waiting) error {
	return t.space.DB.Write(ctx, func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM trace_state WHERE trace = $1 AND last = $2`, w.trace, w.last.UnixMicro())
		if err != nil || n == 0 {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM trace_span WHERE trace = $1`, w.trace)
		return err
	})
}

// rows reads the spans of a trace, without what was said in them.
func (t *Traces) rows(ctx context.Context, trace string) (map[string]*row, error) {
	rows := map[string]*row{}
	err := t.space.DB.Each(ctx, func(scan func(...any) error) error {
		r := &row{}
		var data, kept string
		if err := scan(&r.ID, (*string)(&r.session), &data, &kept); err != nil {
			return err
		}
		id := r.ID
		if err := errors.Join(json.Unmarshal([]byte(data), &r.Span), json.Unmarshal([]byte(kept), &r.said)); err != nil {
			return fmt.Errorf("span %s of trace %s: %w", id, trace, err)
		}
		r.Trace, r.ID = trace, id
		rows[id] = r
		return nil
	}, `SELECT span, session, data, said FROM trace_span WHERE trace = $1`, trace)
	return rows, err
}

// words gives what was said in the spans of a session and is not in the vault to take,
// span by span.
func (t *Traces) words(ctx context.Context, of stemma.Ref, take func(trace, span, asked, answered string) error) error {
	return t.space.DB.Each(ctx, func(scan func(...any) error) error {
		var trace, span, asked, answered string
		if err := scan(&trace, &span, &asked, &answered); err != nil {
			return err
		}
		return take(trace, span, asked, answered)
	}, `SELECT trace, span, COALESCE(asked, ''), COALESCE(answered, '') FROM trace_span WHERE session = $1 AND `+unsealed, string(of))
}

// assign notes in which session spans are told.
func (t *Traces) assign(ctx context.Context, trace string, moved map[string]stemma.Ref) error {
	if len(moved) == 0 {
		return nil
	}
	return t.space.DB.Write(ctx, func(tx *storage.Tx) error {
		for span, to := range moved {
			if _, err := tx.Exec(ctx, `UPDATE trace_span SET session = $1 WHERE trace = $2 AND span = $3`, string(to), trace, span); err != nil {
				return err
			}
		}
		return nil
	})
}

// traces are those in which a session is told.
func (t *Traces) traces(ctx context.Context, of stemma.Ref) (list []string, err error) {
	err = t.space.DB.Each(ctx, func(scan func(...any) error) error {
		var trace string
		err := scan(&trace)
		list = append(list, trace)
		return err
	}, `SELECT DISTINCT trace FROM trace_span WHERE session = $1 ORDER BY trace`, string(of))
	return list, err
}

// noteSealed notes that what was said in spans is in the vault.
func (t *Traces) noteSealed(ctx context.Context, rows []*row) error {
	return t.space.DB.Write(ctx, func(tx *storage.Tx) error {
		for _, r := range rows {
			raw, err := json.Marshal(r.said)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `UPDATE trace_span SET asked = NULL, answered = NULL, said = $1 WHERE trace = $2 AND span = $3`, string(raw), r.Trace, r.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
