// Package announce tells forges how changes stand: as a status of the commit that is to
// be merged, which a protected branch may ask for, and of the one that was.
//
// What is to be told is written down with the verdict's place in the log, and tried
// until the forge took it or said that it never will: a forge that is down for an hour is told an
// hour later, and of each commit only how it stands then.
package announce

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/storage"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Context is what a status is called where a branch asks for it.
const Context = event.Own

// A Config says of what and whom to tell.
type Config struct {
	DB     *storage.DB
	Ledger *ledger.Ledger
	Forges []Forge
	Link   func(change stemma.Ref) string // page about a change, "" if there is none to show
	Now    func() time.Time
	Log    *slog.Logger
}

// An Announcer tells the forges of one space. Several processes may do so at once.
type Announcer struct {
	c      Config
	forges map[string]*sender // by host
}

// Open brings the tables up to date and checks the forges.
func Open(ctx context.Context, c Config) (*Announcer, error) {
	if err := c.DB.Migrate(ctx, "announce", migrations); err != nil {
		return nil, err
	}
	a := &Announcer{c: c, forges: map[string]*sender{}}
	for _, f := range c.Forges {
		s, err := newSender(f, c.Now)
		if err != nil {
			return nil, fmt.Errorf("announce: %s: %w", f.Host, err)
		}
		if a.forges[f.Host] != nil {
			return nil, fmt.Errorf("announce: %s is named twice", f.Host)
		}
		a.forges[f.Host] = s
	}
	return a, nil
}

// A message is how a commit stands.
type message struct {
	Change stemma.Ref
	SHA    string
	Host   string
	Number int
	State  State
	Title  string // for one line
	Text   string // Markdown

	sent  string
	tries int
}

// A State is how a commit stands, in the words of GitHub.
type State string

// The states.
const (
	Success State = "success"
	Pending State = "pending"
	Failure State = "failure"
)

// digest tells messages apart that say something else.
func (m message) digest() string {
	sum := sha256.Sum256([]byte(string(m.State) + "\x00" + m.Title + "\x00" + m.Text))
	return hex.EncodeToString(sum[:16])
}

// portion is how many facts are looked at in one transaction.
const portion = 1000

// Collect notes what is to be told of verdicts that came since it did so last.
func (a *Announcer) Collect(ctx context.Context) error {
	for {
		from, err := a.place(ctx)
		if err != nil {
			return err
		}
		size, err := a.c.Ledger.Size(ctx)
		if err != nil || from >= size {
			return err
		}
		verdicts, to := map[stemma.Ref]governance.Assessment{}, from
		for e, err := range a.c.Ledger.Entries(ctx, from) {
			if err != nil {
				return err
			}
			to = e.Pos + 1
			if e.Fact.Kind == stemma.KindAssessment {
				v, err := governance.AssessmentFromFact(e.Fact)
				if err != nil { // of another version of the program: one of ours follows
					a.c.Log.Warn("a verdict cannot be read, and no forge is told of it", "entry", e.Pos, "error", err)
					continue
				}
				if host, _ := v.Change.Split(); a.forges[host] != nil {
					verdicts[v.Change] = v
				}
			}
			if to-from >= portion {
				break
			}
		}
		if err := a.note(ctx, from, to, verdicts); err != nil || to == from {
			return err
		}
	}
}

func (a *Announcer) place(ctx context.Context) (at int64, err error) {
	return at, a.c.DB.Each(ctx, func(scan func(...any) error) error { return scan(&at) }, `SELECT place FROM announcement_place WHERE one = 1`)
}

// old is how long ago a change came in of which no forge needs to be told any more, as when
// a history is judged for the first time.
const old = 7 * 24 * time.Hour

// note writes down what is to be told, if no other process did.
func (a *Announcer) note(ctx context.Context, from, to int64, verdicts map[stemma.Ref]governance.Assessment) error {
	err := a.c.DB.Write(ctx, func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO announcement_place (one, place) VALUES (1, $1)
			ON CONFLICT (one) DO UPDATE SET place = excluded.place WHERE announcement_place.place = $2`, to, from)
		if err != nil || n == 0 {
			return err
		}
		var rows [][]any
		for change, v := range verdicts {
			if v.Merged != 0 && a.c.Now().Sub(v.Merged.Time()) > old {
				continue
			}
			host, _ := change.Split()
			if v.State == "closed" { // nothing is to be merged, and its commits may be those of another
				if err := forget(ctx, tx, change, a.c.Now()); err != nil {
					return err
				}
				continue
			}
			m := a.message(v)
			for _, sha := range shown(v) {
				rows = append(rows, []any{string(change), sha, host, number(change), string(m.State), m.Title, m.Text, a.c.Now().UnixMicro()})
			}
		}
		slices.SortFunc(rows, func(x, y []any) int { return strings.Compare(x[0].(string)+x[1].(string), y[0].(string)+y[1].(string)) })
		_, err = tx.Upsert(ctx, "announcement", []string{"change", "sha", "host", "number", "state", "title", "summary", "due"},
			`ON CONFLICT (change, sha) DO UPDATE SET state = excluded.state, title = excluded.title, summary = excluded.summary, tries = 0,
				due = CASE WHEN announcement.tries > 0 AND announcement.due > excluded.due THEN announcement.due ELSE excluded.due END`, slices.Values(rows))
		return err
	})
	if err != nil {
		return fmt.Errorf("announce: noting the verdicts of entries %d to %d: %w", from, to-1, err)
	}
	return nil
}

// forget drops what was to be told of a change, and has it told again of its commits how the
// others stand that show them.
func forget(ctx context.Context, tx *storage.Tx, change stemma.Ref, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE announcement SET due = $1, sent = '' WHERE change <> $2 AND sha IN (SELECT sha FROM announcement WHERE change = $2)`,
		now.UnixMicro(), string(change))
	if err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM announcement WHERE change = $1`, string(change))
	}
	return err
}

// shown are the commits of which a verdict is: the head that was judged, which need not be
// that of now, what a merge queue made of it, and where the change landed.
func shown(v governance.Assessment) (commits []string) {
	for _, ref := range []stemma.Ref{v.Head, v.Queued, v.Landed} {
		if _, sha := ref.Split(); sha != "" && !slices.Contains(commits, sha) && (ref != v.Landed || v.Merged != 0) {
			commits = append(commits, sha)
		}
	}
	return commits
}

// number is that of a merge request, 0 of what is none.
func number(change stemma.Ref) int {
	_, key := change.Split()
	_, after, _ := strings.Cut(key, "#")
	n, err := strconv.Atoi(after)
	if err != nil {
		return 0
	}
	return n
}

// message is what is told of a verdict.
func (a *Announcer) message(v governance.Assessment) message {
	m := message{Change: v.Change, State: Success}
	var blocking, failing, waiting, unknown []string
	for _, f := range v.Findings {
		switch {
		case f.Blocks:
			blocking = append(blocking, f.Control)
		case f.State == "fail":
			failing = append(failing, f.Control)
		case f.State == "unknown" && f.Mode == "enforce" && f.Waits:
			waiting = append(waiting, f.Control)
		case f.State == "unknown":
			unknown = append(unknown, f.Control)
		}
	}
	switch {
	case len(blocking) > 0:
		m.State, m.Title = Failure, fmt.Sprintf("%d not met: %s", len(blocking), some(blocking))
	case len(waiting) > 0:
		m.State, m.Title = Pending, fmt.Sprintf("waiting for evidence: %s", some(waiting))
	case len(failing) > 0:
		m.Title = fmt.Sprintf("nothing in the way; %d not met, and only observed: %s", len(failing), some(failing))
	default:
		m.Title = fmt.Sprintf("%d met, %d of which nothing is known", v.Passed, len(unknown))
	}
	m.Title = fmt.Sprintf("%s; risk %d of 100", m.Title, v.Score)
	m.Text = summary(v)
	return m
}

// some names a few.
func some(list []string) string {
	if len(list) > 4 {
		return strings.Join(list[:4], ", ") + fmt.Sprintf(" and %d more", len(list)-4)
	}
	return strings.Join(list, ", ")
}

// maxSummary is how much a forge shows.
const maxSummary = 60_000

// summary is a verdict in Markdown. What people wrote stands in it as it is, and is nothing
// but text.
func summary(v governance.Assessment) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d met, %d not met, %d of which nothing is known, %d waived. Risk %d of 100.\n\n", v.Passed, v.Failed, v.Unknown, v.Waived, v.Score)
	b.WriteString("| control | stands | mode | why |\n|---|---|---|---|\n")
	for _, f := range v.Findings {
		if f.State == "pass" || f.State == "not-applicable" {
			continue
		}
		line := fmt.Sprintf("| %s | %s | %s | %s |\n", f.Control, f.State, f.Mode, Inert(f.Reason))
		if b.Len()+len(line) > maxSummary {
			b.WriteString("\nThere are more.\n")
			break
		}
		b.WriteString(line)
	}
	return b.String()
}

// Inert makes text one cell of Markdown that means nothing: no markup, no mention, no link.
func Inert(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			b.WriteByte(' ')
		case strings.ContainsRune("\\`*_{}[]()<>#+-.!|~&@:", r):
			fmt.Fprintf(&b, "&#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
