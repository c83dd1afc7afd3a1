package sessions

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/agent"
	"github.com/stemma-dev/stemma/ingest/local"
	"github.com/stemma-dev/stemma/ingest/transcript"
	"github.com/stemma-dev/stemma/ingest/words"
	"github.com/stemma-dev/stemma/redact"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/session/price"
)

// sourceLocal is what facts from transcripts on this machine say they come from.
const sourceLocal = "local-transcript"

// A Mark says how much of a transcript was read, and what is kept of it.
type Mark struct {
	File     int64     `json:"file"` // how long it was
	Modified time.Time `json:"modified"`
	Size     int64     `json:"size"`   // how much of it was used: whole rows
	Digest   string    `json:"digest"` // of that much
	Named    bool      `json:"named,omitempty"`
	Document bool      `json:"document,omitempty"` // written anew each time
	Parts    []part    `json:"parts,omitempty"`
}

// A part is a stretch of a transcript as it is kept: secrets and names of
// accounts are cut out of it.
type part struct {
	End  int64       `json:"end"` // of the stretch in the file
	Body stemma.Body `json:"body"`
}

// Stale reports whether there is something in the files that the marks do not
// know.
func Stale(files []local.File, marks map[string]Mark) bool {
	return slices.ContainsFunc(files, func(f local.File) bool { return !marks[f.Path].fits(f) })
}

func (m Mark) fits(f local.File) bool {
	return m.File == f.Size && m.Modified.Equal(f.Modified) && m.Named == f.Named
}

// ReadLocal states the sessions in transcripts of this machine that are new or
// have grown, and keeps their text sealed beside them. Secrets are cut out by
// the rules that cost little, and the names of accounts in paths; whoever sends
// it away asks all rules. It returns how many files it read and moves the marks.
func (b *Book) ReadLocal(ctx context.Context, files []local.File, marks map[string]Mark) (read int64, err error) {
	for path := range marks {
		if !slices.ContainsFunc(files, func(f local.File) bool { return f.Path == path }) && local.Gone(path) {
			delete(marks, path) // what was read of it is kept
		}
	}
	own := map[string]bool{}
	for _, f := range files {
		own[f.Path] = true
	}
	for i, f := range files {
		if marks[f.Path].fits(f) {
			continue
		}
		l := localFile{Book: b, File: f, own: own, clean: redact.New(redact.Options{Homes: true})}
		mark, err := l.read(ctx, marks[f.Path])
		if err != nil {
			return read, err
		}
		marks[f.Path] = mark
		read++
		b.Progress("local transcripts", int64(i+1), int64(len(files)))
	}
	return read, nil
}

// A localFile is one transcript while it is read.
type localFile struct {
	*Book
	local.File
	own   map[string]bool // transcripts that are read too
	clean *redact.Redactor
}

// place names the transcript for people, without the directories above it.
func (l *localFile) place() string { return "transcript " + filepath.Base(l.Path) }

func (l *localFile) gap(ctx context.Context, place, reason string, count int) error {
	return l.Writer.Gap(ctx, stemma.Gap{Source: sourceLocal, Place: place, Reason: reason, Count: int64(count)})
}

// read reads the file on from a mark.
func (l *localFile) read(ctx context.Context, from Mark) (Mark, error) {
	next := Mark{File: l.Size, Modified: l.Modified, Named: l.Named}
	f, err := local.Open(l.Path)
	if err != nil { // it was there a moment ago
		return from, nil
	}
	defer func() { _ = f.Close() }()
	same, err := unchanged(f, from)
	if err != nil {
		return from, l.gap(ctx, l.place(), "it cannot be read", 1)
	}
	switch {
	case from.Document: // each writing is a new one
	case same:
		next.Parts = from.Parts
	default:
		if err := l.gap(ctx, l.place(), "it was written anew since it was read: what it said before is kept", 1); err != nil {
			return from, err
		}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return from, fmt.Errorf("sessions: %w", err)
	}
	counted := &counter{r: io.LimitReader(f, l.Size)}
	reader, err := agent.Read(counted, agent.Options{
		Directory: l.Repo.WorkTree, Session: local.Name(l.Path), Prices: price.Default(), Growing: true,
	})
	switch {
	case errors.Is(err, agent.ErrUnknown):
		return next, l.gap(ctx, l.place(), "a transcript in a form that is not known", 1)
	case err != nil:
		return from, l.gap(ctx, l.place(), "it cannot be read", 1)
	}
	if next.Size = reader.Offset(); next.Size == 0 {
		next.Size, next.Parts, next.Document = counted.n, nil, true
	}
	if next.Digest, err = digest(f, next.Size); err != nil {
		return from, l.gap(ctx, l.place(), "it cannot be read", 1)
	}
	return next, l.state(ctx, f, reader, &next)
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// unchanged reports whether the file begins with what was read of it.
func unchanged(f *os.File, m Mark) (bool, error) {
	if m.Size == 0 {
		return true, nil
	}
	got, err := digest(f, m.Size)
	return got == m.Digest, err
}

func digest(f *os.File, size int64) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, size)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// state states the sessions of a transcript. The text belongs to the first.
func (l *localFile) state(ctx context.Context, f io.ReaderAt, r agent.Reader, m *Mark) error {
	for _, p := range r.Problems() {
		if err := l.gap(ctx, fmt.Sprintf("%s line %d", l.place(), p.Line), p.Reason, p.Count); err != nil {
			return err
		}
	}
	grade := stemma.GradeD
	if l.Named {
		grade = stemma.GradeC
	}
	var err error
	for i, t := range r.Transcripts() {
		x := t.Session
		if i == 0 {
			erased, err := l.Writer.Erased(ctx, x.Ref())
			if err != nil || erased {
				return err
			}
			if err := l.keep(ctx, f, x.Ref(), transcript.MediaOf(r), m); err != nil {
				return err
			}
			for _, p := range m.Parts {
				x.Bodies = append(x.Bodies, p.Body)
			}
		}
		if _, id := x.Parent.Split(); t.Subagent != "" && l.own[local.Subagent(l.Path, id, t.Subagent)] && i > 0 {
			continue // its own transcript says more
		}
		if x.Operator, err = l.operator(ctx); err != nil {
			return err
		}
		x.Title, x.Branch = l.fit(x.Title), l.fit(x.Branch)
		if err := l.stateLinks(ctx, &x, t); err != nil {
			return err
		}
		if err := l.Writer.Session(ctx, x, sourceLocal, grade); err != nil {
			return err
		}
	}
	return nil
}

// operator is who drove the agent, as far as is known of whoever works on this machine.
func (l *localFile) operator(ctx context.Context) ([]stemma.Edge, error) {
	who, err := l.Writer.Who(ctx, l.User)
	if who == "" || err != nil {
		return nil, err
	}
	return []stemma.Edge{{To: who, Method: session.ByUser}}, nil
}

// fit is a text of an agent without secrets.
func (l *localFile) fit(s string) string {
	clean, _ := l.clean.Text([]byte(s))
	return words.Fit(string(clean))
}

// How long the parts are in which a transcript is kept. Where they end is told by
// what is in it alone, so that one that grew has the same parts and a new end.
const (
	minPart = 512 << 10
	maxPart = 64 << 20
)

// keep keeps what is not kept yet. The last part may have grown.
func (l *localFile) keep(ctx context.Context, f io.ReaderAt, owner stemma.Ref, media string, m *Mark) error {
	from := int64(0)
	if n := len(m.Parts); n > 0 {
		m.Parts = slices.Clone(m.Parts[:n-1])
		if n > 1 {
			from = m.Parts[n-2].End
		}
	}
	least := int64(minPart)
	if media == transcript.MediaDocument {
		least = maxPart
	}
	for from < m.Size {
		n, err := partLength(f, from, m.Size, least)
		if err != nil {
			return l.gap(ctx, l.place(), "it cannot be read", 1)
		}
		data := make([]byte, n)
		if _, err := f.ReadAt(data, from); err != nil {
			return l.gap(ctx, l.place(), "it cannot be read", 1)
		}
		clean, _ := l.clean.Body(data)
		body, err := l.Writer.Body(ctx, owner, transcript.Body, media, clean)
		if err != nil {
			return err
		}
		from += n
		m.Parts = append(m.Parts, part{from, body})
	}
	return nil
}

// partLength is how long the part is that begins at a byte: to the end of the
// first row beyond the least length that is surely one, so that no secret lies
// across the border.
func partLength(f io.ReaderAt, from, end, least int64) (int64, error) {
	if end-from <= least {
		return end - from, nil
	}
	buffer := make([]byte, 0, 2*least)
	for read := from; read < end; {
		step := min(least, end-read)
		chunk := make([]byte, step)
		if _, err := f.ReadAt(chunk, read); err != nil {
			return 0, err
		}
		read += step
		searched := max(0, int64(len(buffer))-1)
		buffer = append(buffer, chunk...)
		for at := max(searched, least-1); at < int64(len(buffer)); {
			i := bytes.IndexByte(buffer[at:], '\n')
			if i < 0 {
				break
			}
			at += int64(i)
			start := bytes.LastIndexByte(buffer[:at], '\n') + 1
			if row := bytes.TrimSpace(buffer[start:at]); len(row) > 0 && row[0] == '{' && json.Valid(row) {
				return at + 1, nil
			}
			at++
		}
		if len(buffer) >= maxPart {
			break
		}
	}
	return min(int64(len(buffer)), end-from), nil
}
