// Package transcript reads back what was said in a session, from the transcript
// that was kept sealed beside the facts about it, whatever agent wrote it. What
// it returns is what people and agents wrote: to be shown to who may see it,
// never to become an attribute of a fact.
package transcript

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/agent"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/session"
)

// Body is the name of the bodies that hold the transcript of a session: those of
// one fact, one after the other, are one transcript.
const Body = "transcript"

// Said is the name of bodies that are each what one turn said, where nobody has the
// transcript.
const Said = "said"

// Media types of transcripts.
const (
	MediaRows     = "application/jsonl" // as agents append them
	MediaDocument = "application/json"  // as they write it anew
	MediaGitAI    = gitai.MediaMessages
	MediaSaid     = "text/plain"
)

// MediaOf returns the media type of what a reader has read.
func MediaOf(r agent.Reader) string {
	if r.Offset() == 0 {
		return MediaDocument
	}
	return MediaRows
}

// A Message is one turn of a session with its text.
type Message struct {
	Turn int           `json:"turn"` // number of the turn, from 1
	Role string        `json:"role"` // "user" or "assistant"
	At   stemma.Moment `json:"at,omitempty"`
	Text string        `json:"text"`
}

// Of returns what was said in a session, in order. It wraps
// [stemma.ErrNotFound] where no transcript was kept, and vault.ErrErased
// too where it was erased.
func Of(ctx context.Context, space *ingest.Space, ref stemma.Ref) ([]Message, error) {
	var newest []stemma.Body
	var turns *stemma.Fact
	for pos, err := range space.Ledger.Positions(ctx, ref) {
		if err != nil {
			return nil, err
		}
		e, err := space.Ledger.Entry(ctx, pos)
		if err != nil {
			return nil, err
		}
		parts := slices.DeleteFunc(slices.Clone(e.Fact.Bodies), func(b stemma.Body) bool { return b.Name != Body })
		if len(parts) > 0 {
			newest = parts
		} else if slices.ContainsFunc(e.Fact.Bodies, func(b stemma.Body) bool { return b.Name == Said }) {
			turns = &e.Fact
		}
	}
	if len(newest) == 0 && turns != nil {
		return said(ctx, space, *turns)
	}
	if len(newest) == 0 {
		return nil, fmt.Errorf("transcript of %s: %w", ref, stemma.ErrNotFound)
	}
	var data []byte
	for _, b := range newest {
		part, err := space.Vault.Get(ctx, ref, b.Digest)
		if err != nil {
			return nil, fmt.Errorf("transcript of %s: %w", ref, err)
		}
		data = append(data, part...)
	}
	return Read(newest[0].Media, ref, data)
}

// said reads what was said turn by turn.
func said(ctx context.Context, space *ingest.Space, f stemma.Fact) ([]Message, error) {
	s, err := session.FromFact(f)
	if err != nil {
		return nil, fmt.Errorf("transcript of %s: %w", f.Subject, err)
	}
	byDigest := map[string]stemma.Digest{}
	for _, b := range f.Bodies {
		byDigest[b.Digest.String()] = b.Digest
	}
	var said []Message
	for _, t := range s.Turns {
		digest, ok := byDigest[t.Body]
		if !ok {
			continue
		}
		text, err := space.Vault.Get(ctx, f.Subject, digest)
		if err != nil {
			return nil, fmt.Errorf("transcript of %s: %w", f.Subject, err)
		}
		said = append(said, Message{Turn: t.Number, Role: t.Role, At: t.At, Text: string(text)})
	}
	return said, nil
}

// Read returns what a transcript of the given media type says of the session.
func Read(media string, ref stemma.Ref, data []byte) ([]Message, error) {
	switch media {
	case MediaGitAI:
		return readGitAI(data), nil
	case MediaRows, MediaDocument:
		return readAgent(ref, data)
	}
	return nil, fmt.Errorf("transcript of %s: %s is no form that is known", ref, media)
}

// readGitAI counts turns as [gitai.Turns] does.
func readGitAI(data []byte) []Message {
	var said []Message
	turn := 0
	for m := range gitai.Messages(data) {
		if m.Role != "user" && m.Role != "assistant" {
			continue
		}
		turn++
		if m.Text != "" {
			said = append(said, Message{Turn: turn, Role: m.Role, At: stemma.At(m.At), Text: m.Text})
		}
	}
	return said
}

// readAgent takes the turns of one session out of what an agent wrote, in which
// several may be.
func readAgent(ref stemma.Ref, data []byte) ([]Message, error) {
	_, id := ref.Split()
	texts := map[string]string{}
	r, err := agent.Read(bytes.NewReader(data), agent.Options{
		Session: id, Say: func(d stemma.Digest, text string) { texts[d.String()] = text },
	})
	if err != nil {
		return nil, fmt.Errorf("transcript of %s: %w", ref, err)
	}
	var said []Message
	for _, t := range r.Transcripts() {
		if t.Session.Ref() != ref {
			continue
		}
		for _, turn := range t.Session.Turns {
			if text := texts[turn.Body]; text != "" {
				said = append(said, Message{Turn: turn.Number, Role: turn.Role, At: turn.At, Text: text})
			}
		}
	}
	return said, nil
}
