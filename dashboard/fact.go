package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/query/output"
)

// A record is what the page of one fact knows.
type record struct {
	Pos     int64
	JSON    string
	Cut     bool
	Steps   []step
	Checked bool
	Failed  bool
	Erased  bool
	Prev    string
	Next    string
}

// A step is one thing that verifying a fact does, and what came of it.
type step struct {
	What, Found, Why string
	Good             bool
}

const jsonShown = 64 << 10

// factPage shows one fact as it stands in the log. With verify=1 everything
// that vouches for it is computed anew.
func (d *Dashboard) factPage(r *http.Request) (*page.Page, error) {
	pos, err := strconv.ParseInt(r.PathValue("pos"), 10, 64)
	if err != nil || pos < 0 {
		return nil, stemma.ErrNotFound
	}
	e, err := d.space.Ledger.Entry(r.Context(), pos)
	if err != nil {
		return nil, err
	}
	body := &record{Pos: pos, Erased: e.Erased()}
	p := &page.Page{Template: "fact", Title: "Fact " + page.Count(pos), Kind: "fact", Nav: "/log", Body: body}
	p.Facts = append(p.Facts, page.Say("Recorded", page.Moment(e.Recorded)), page.Say("Leaf", page.Mono(e.Leaf.String())))
	if !body.Erased {
		p.Facts = append([]page.Labelled{
			page.Say("About", page.To(e.Fact.Subject, "")), page.Say("Grade", page.Grade(e.Fact.Grade)),
			page.Say("Source", page.Text(e.Fact.Source)), page.Say("Occurred", page.Moment(e.Fact.Occurred)),
		}, p.Facts...)
		p.Facts = append(p.Facts, page.Say("Id", page.Mono(e.ID.String())))
		for _, b := range e.Fact.Bodies {
			p.Facts = append(p.Facts, page.Say("Body", page.Text(fmt.Sprintf("%s, %s, %s bytes, sealed", b.Name, b.Media, page.Count(b.Size))), page.Mono(b.Digest.String())))
		}
		body.JSON, body.Cut = pretty(e.Canonical)
	}
	if pos > 0 {
		body.Prev = page.FactHref(pos - 1)
	}
	body.Next = page.FactHref(pos + 1)
	if size, err := d.space.Ledger.Size(r.Context()); err == nil && pos+1 >= size {
		body.Next = ""
	}
	if r.FormValue("verify") != "" {
		body.Checked = true
		body.Steps = verify(r.Context(), d.space.Ledger, e)
		for _, s := range body.Steps {
			body.Failed = body.Failed || !s.Good
		}
	}
	p.Stream = func(_ context.Context, f output.Format, w io.Writer) error {
		if f != output.JSON {
			return errors.New("a fact is JSON only")
		}
		_, err := w.Write(e.Canonical)
		return err
	}
	return p, nil
}

// pretty indents canonical JSON for the eye, up to a bound.
func pretty(canonical []byte) (string, bool) {
	var b bytes.Buffer
	if err := json.Indent(&b, canonical, "", "  "); err != nil {
		return page.Show(string(canonical)), false
	}
	s := b.String()
	if len(s) <= jsonShown {
		return page.ShowLines(s), false
	}
	cut := jsonShown
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return page.ShowLines(s[:cut]), true
}

// verify recomputes what vouches for an entry, from its bytes to the signed
// checkpoint. The key that signed is the log's own; an outsider compares it
// with the one he was given.
func verify(ctx context.Context, l *ledger.Ledger, e ledger.Entry) []step {
	var out []step
	leaf := e.Leaf
	if e.Erased() {
		out = append(out, step{
			What: "The fact is erased; its leaf stays", Found: leaf.String(), Good: true,
			Why: fmt.Sprintf("fact %d says on what ground", e.Tombstone),
		})
	} else {
		id := stemma.ID(e.Canonical)
		out = append(out, step{What: "SHA-256 of the canonical bytes is the id", Found: id.String(), Good: id == e.ID})
		leaf = seal.Commitment(e.Salt, e.Canonical)
		out = append(out, step{What: "Commitment of salt and bytes is the leaf", Found: leaf.String(), Good: leaf == e.Leaf})
	}
	c, err := l.Checkpoint(ctx)
	if err != nil {
		return append(out, step{What: "The newest checkpoint carries a valid signature", Why: err.Error()})
	}
	out = append(out, step{What: "The newest checkpoint carries a valid signature", Found: fmt.Sprintf("%s, size %s", c.Origin, page.Count(c.Size)), Good: true})
	proof, err := l.Inclusion(ctx, e.Pos, c.Size)
	if err != nil {
		return append(out, step{What: "An inclusion proof exists", Why: err.Error()})
	}
	err = tlog.CheckRecord(proof, c.Size, c.Root, e.Pos, tlog.RecordHash(leaf[:]))
	s := step{What: fmt.Sprintf("The leaf and %d hashes of the tree give the root of the checkpoint", len(proof)), Found: c.Root.String(), Good: err == nil}
	if err != nil {
		s.Why = err.Error()
	}
	return append(out, s)
}
