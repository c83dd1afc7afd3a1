package sessions

import (
	"context"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/records"
	"github.com/stemma-dev/stemma/ingest/transcript"
	"github.com/stemma-dev/stemma/session"
)

// embedded says in which note the longest transcript of each session lies.
// Older notes of Git AI repeat the transcript so far with every commit: of
// hundreds of megabytes of notes a few are worth keeping.
type embedded map[stemma.Ref]struct {
	blob  string
	count int
}

// See takes note of the transcripts in one note.
func (b *Book) See(blob string, c note.Claims) {
	for _, x := range c.Sessions {
		ref := claimedRef(x)
		found := b.embedded[ref]
		if x.Count == 0 || ref == "" || x.Count < found.count || x.Count == found.count && blob > found.blob {
			continue // of those of the same length, the first by id: notes come in any order
		}
		if b.embedded == nil {
			b.embedded = embedded{}
		}
		found.blob, found.count = blob, x.Count
		b.embedded[ref] = found
	}
}

func claimedRef(x note.ClaimedSession) stemma.Ref {
	if x.Agent == "" || x.Session == "" {
		return ""
	}
	return session.Ref(x.Agent, x.Session)
}

// readEmbedded reads the notes with the longest transcripts again, with one
// process, and hands every session's transcript to take.
func (b *Book) readEmbedded(ctx context.Context, take func(ref stemma.Ref, messages []byte) error) error {
	byBlob := map[string][]stemma.Ref{}
	for _, ref := range slices.Sorted(maps.Keys(b.embedded)) {
		blob := b.embedded[ref].blob
		byBlob[blob] = append(byBlob[blob], ref)
	}
	if len(byBlob) == 0 {
		return nil
	}
	done := int64(0)
	for o, err := range b.Repo.Objects(ctx, slices.Values(slices.Sorted(maps.Keys(byBlob))), note.MaxRecord) {
		if err != nil {
			return err
		}
		if o.Data == nil {
			if err := b.Writer.Gap(ctx, stemma.Gap{Source: records.Source, Place: "note " + o.ID, Reason: records.Unreadable(o), Object: records.Lost(o)}); err != nil {
				return err
			}
			continue
		}
		wanted := byBlob[o.ID]
		for _, x := range gitai.Parse(o.Data).Claims().Sessions {
			at := slices.Index(wanted, claimedRef(x))
			if at < 0 || x.Count != b.embedded[wanted[at]].count {
				continue
			}
			ref := wanted[at]
			wanted = slices.Delete(wanted, at, at+1)
			if err := take(ref, x.Messages); err != nil {
				return err
			}
			done++
			b.Progress("transcripts", done, int64(len(b.embedded)))
		}
	}
	return nil
}

// addTranscript completes a session by its transcript, which it keeps sealed
// beside it, unless a longer one is known.
func (b *Book) addTranscript(ctx context.Context, x *session.Session, messages []byte) (longer bool, err error) {
	turns, calls := gitai.Turns(messages)
	if len(turns)+len(calls) <= x.TurnCount+x.ToolCallCount {
		return false, nil
	}
	x.Turns, x.ToolCalls = turns, calls
	x.TurnCount, x.ToolCallCount = len(turns), len(calls)
	x.Prompts, x.Iterations = 0, 0
	for _, t := range turns {
		switch {
		case t.Role == "user":
			x.Prompts++
		default:
			x.Iterations++
		}
		if x.Started == 0 {
			x.Started = t.At
		}
		x.Ended = max(x.Ended, t.At)
	}
	body, err := b.Writer.Body(ctx, x.Ref(), transcript.Body, transcript.MediaGitAI, messages)
	x.Bodies = []stemma.Body{body}
	return true, err
}
