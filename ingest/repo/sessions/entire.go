package sessions

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/agent"
	"github.com/stemma-dev/stemma/ingest/entire"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/records"
	"github.com/stemma-dev/stemma/ingest/transcript"
	"github.com/stemma-dev/stemma/ingest/words"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/session/price"
)

// A checkpoint names a session of Entire's checkpoint branch: the checkpoint
// and the number of the session in it.
type checkpoint struct {
	id     string
	number int
}

// SourceEntire is what facts from the checkpoint branch say they come from.
const SourceEntire = "entire"

// ReadEntire states the sessions that Entire keeps on its checkpoint branch.
// Each checkpoint repeats the transcript so far, so of every session only the
// longest transcript is read; the checkpoints of commits lead to it.
//
// It returns the sessions of each checkpoint. In read stands where the branch
// pointed when it was read; only a branch that points elsewhere is read again.
func (b *Book) ReadEntire(ctx context.Context, read map[string]string) (map[string][]stemma.Ref, error) {
	ref, ok := b.Repo.Named(entire.Branch, strings.Replace(entire.Branch, "refs/heads/", "refs/remotes/origin/", 1))
	if !ok {
		return nil, nil
	}
	e := entireBranch{
		Book: b, sessions: map[checkpoint]*entire.Session{}, transcripts: map[checkpoint]git.TreeEntry{},
		refs: map[string]stemma.Ref{},
	}
	if err := e.readMetadata(ctx, ref.ID); err != nil {
		return nil, err
	}
	if read[ref.Name] != ref.ID {
		read[ref.Name] = ref.ID
		if err := e.readTranscripts(ctx); err != nil {
			return nil, err
		}
	}
	return e.byCheckpoint(), nil
}

// byCheckpoint tells which sessions each checkpoint holds.
func (e *entireBranch) byCheckpoint() map[string][]stemma.Ref {
	all := map[string][]stemma.Ref{}
	for key, meta := range e.sessions {
		ref := e.refs[meta.Session]
		if tool := identity.AgentName(meta.Agent); ref == "" && tool != "" {
			ref = session.Ref(tool, sessionID(meta.Session))
		}
		if ref != "" && !slices.Contains(all[key.id], ref) {
			all[key.id] = append(all[key.id], ref)
		}
	}
	for _, refs := range all {
		slices.Sort(refs)
	}
	return all
}

// sessionID takes the day off that older versions put in front of an agent's
// own session id.
func sessionID(s string) string {
	const day = len("2006-01-02-")
	if len(s) > day {
		if _, err := time.Parse("2006-01-02-", s[:day]); err == nil {
			return s[day:]
		}
	}
	return s
}

type entireBranch struct {
	*Book
	sessions    map[checkpoint]*entire.Session
	transcripts map[checkpoint]git.TreeEntry
	refs        map[string]stemma.Ref // by session as the metadata name it
}

// readMetadata lists the branch and reads the metadata of every session.
func (e *entireBranch) readMetadata(ctx context.Context, commit string) error {
	var at []checkpoint
	var blobs []string
	for entry, err := range e.Repo.Tree(ctx, commit, "", true) {
		if err != nil {
			return e.Writer.Gap(ctx, stemma.Gap{Source: SourceEntire, Place: entire.Branch, Reason: err.Error()})
		}
		f, ok := entire.ParsePath(entry.Path)
		if !ok || f.Session < 0 {
			continue
		}
		key := checkpoint{f.Checkpoint, f.Session}
		switch f.Name {
		case "metadata.json":
			at, blobs = append(at, key), append(blobs, entry.ID)
		case "full.jsonl":
			e.transcripts[key] = entry
		}
	}
	i := 0
	for o, err := range e.Repo.Objects(ctx, slices.Values(blobs), note.MaxRecord) {
		if err != nil {
			return err
		}
		key := at[i]
		i++
		place := fmt.Sprintf("checkpoint %s/%d", key.id, key.number)
		if o.Data == nil {
			if err := e.Writer.Gap(ctx, stemma.Gap{Source: SourceEntire, Place: place, Reason: records.Unreadable(o), Object: records.Lost(o)}); err != nil {
				return err
			}
			continue
		}
		meta := entire.ParseSession(o.Data)
		for _, p := range meta.Problems {
			if err := e.Writer.Gap(ctx, stemma.Gap{Source: SourceEntire, Place: place + " " + p.Place, Reason: p.Reason, Count: int64(p.Count)}); err != nil {
				return err
			}
		}
		if meta.Session != "" {
			e.sessions[key] = meta
		}
	}
	return nil
}

// withTranscript are the checkpoints that have one, in order. Of a session that
// has none in any, the first metadata are stated.
func (e *entireBranch) withTranscript(ctx context.Context) (keys []checkpoint, err error) {
	all := slices.SortedFunc(maps.Keys(e.sessions), func(a, b checkpoint) int {
		return cmp.Or(e.sessions[a].Created.Compare(e.sessions[b].Created), strings.Compare(a.id, b.id), a.number-b.number)
	})
	told := map[string]bool{}
	for _, key := range all {
		if _, ok := e.transcripts[key]; ok {
			keys = append(keys, key)
			told[e.sessions[key].Session] = true
		}
	}
	for _, key := range all {
		if meta := e.sessions[key]; !told[meta.Session] {
			told[meta.Session] = true
			if err := e.stateMetadata(ctx, meta); err != nil {
				return nil, err
			}
		}
	}
	return keys, nil
}

// readTranscripts reads of each session the transcript with most bytes.
func (e *entireBranch) readTranscripts(ctx context.Context) error {
	keys, err := e.withTranscript(ctx)
	if err != nil {
		return err
	}
	ids := make([]string, len(keys))
	for i, key := range keys {
		ids[i] = e.transcripts[key].ID
	}
	longest := map[string]int{} // by session, index in keys
	sizes := make([]int64, len(keys))
	i := 0
	for o, err := range e.Repo.Check(ctx, slices.Values(ids)) {
		if err != nil {
			return err
		}
		id := e.sessions[keys[i]].Session
		sizes[i] = o.Size
		if o.Missing {
			place := fmt.Sprintf("checkpoint %s/%d full.jsonl", keys[i].id, keys[i].number)
			if err := e.Writer.Gap(ctx, stemma.Gap{Source: SourceEntire, Place: place, Reason: records.Unreadable(o), Object: records.Lost(o)}); err != nil {
				return err
			}
		} else if best, ok := longest[id]; !ok || o.Size > sizes[best] {
			longest[id] = i
		}
		i++
	}
	chosen := make([]int, 0, len(longest))
	for _, i := range longest {
		chosen = append(chosen, i)
	}
	slices.Sort(chosen)
	blobs := func(yield func(string) bool) {
		for _, i := range chosen {
			if !yield(ids[i]) {
				return
			}
		}
	}
	n := 0
	for o, err := range e.Repo.Objects(ctx, blobs, note.MaxRecord) {
		if err != nil {
			return err
		}
		key := keys[chosen[n]]
		n++
		e.Progress("transcripts", int64(n), int64(len(chosen)))
		if o.Data == nil {
			place := fmt.Sprintf("checkpoint %s/%d full.jsonl", key.id, key.number)
			if err := e.Writer.Gap(ctx, stemma.Gap{Source: SourceEntire, Place: place, Reason: records.Unreadable(o), Object: records.Lost(o)}); err != nil {
				return err
			}
			continue
		}
		if err := e.stateTranscript(ctx, key, o.Data); err != nil {
			return err
		}
	}
	return nil
}

// stateMetadata states a session of which only the metadata is there. Where
// they name no agent, the session is Entire's own word.
func (e *entireBranch) stateMetadata(ctx context.Context, meta *entire.Session) error {
	x := session.Session{
		Tool: cmp.Or(identity.AgentName(meta.Agent), SourceEntire), ExternalID: sessionID(words.Fit(meta.Session)), Started: stemma.At(meta.Created),
		InputTokens: int(meta.Tokens.Input), OutputTokens: int(meta.Tokens.Output),
		CacheReadTokens: int(meta.Tokens.CacheRead), CacheWriteTokens: int(meta.Tokens.CacheWrite),
		Branch: words.Fit(meta.Branch), OriginRecord: "entire " + meta.Checkpoint,
	}
	if x.Tool != SourceEntire {
		x.Agent = identity.AgentRef(x.Tool)
	}
	e.refs[meta.Session] = x.Ref()
	return e.Writer.Session(ctx, x, SourceEntire, stemma.GradeD)
}

// stateTranscript states the sessions in a transcript and keeps its text
// sealed beside them.
func (e *entireBranch) stateTranscript(ctx context.Context, key checkpoint, data []byte) error {
	meta := e.sessions[key]
	place := fmt.Sprintf("checkpoint %s/%d full.jsonl", key.id, key.number)
	reader, err := agent.Read(bytes.NewReader(data), agent.Options{Directory: e.Repo.WorkTree, Session: meta.Session, Prices: price.Default()})
	var transcripts []agent.Transcript
	switch {
	case err == nil:
		transcripts = reader.Transcripts()
	case !errors.Is(err, agent.ErrUnknown):
		return e.Writer.Gap(ctx, stemma.Gap{Source: SourceEntire, Place: place, Reason: err.Error()})
	}
	if len(transcripts) == 0 { // it stays in the repository as it is
		gap := stemma.Gap{Source: SourceEntire, Place: place, Reason: "a transcript in a form that is not known"}
		if err := e.Writer.Gap(ctx, gap); err != nil {
			return err
		}
		return e.stateMetadata(ctx, meta)
	}
	for _, p := range reader.Problems() {
		gap := stemma.Gap{Source: SourceEntire, Place: fmt.Sprintf("%s line %d", place, p.Line), Reason: p.Reason, Count: int64(p.Count)}
		if err := e.Writer.Gap(ctx, gap); err != nil {
			return err
		}
	}
	for i, t := range transcripts {
		x := t.Session
		x.OriginRecord = "entire " + key.id
		if i == 0 {
			e.refs[meta.Session] = x.Ref()
			body, err := e.Writer.Body(ctx, x.Ref(), transcript.Body, transcript.MediaOf(reader), data)
			if err != nil {
				return err
			}
			x.Bodies = []stemma.Body{body}
		}
		if err := e.stateLinks(ctx, &x, t); err != nil {
			return err
		}
		if err := e.Writer.Session(ctx, x, SourceEntire, stemma.GradeD); err != nil {
			return err
		}
	}
	return nil
}

// stateLinks ties a session to the tickets it looked at.
func (b *Book) stateLinks(ctx context.Context, x *session.Session, t agent.Transcript) error {
	for _, k := range t.Tickets {
		ticket := intent.Ticket{Tracker: words.Fit(k.Tracker), Key: words.Fit(k.Key)}
		if ticket.Ref() == "" {
			continue
		}
		if err := b.Writer.Once(ctx, ticket.Ref(), ticket); err != nil {
			return err
		}
		x.WorksOn = append(x.WorksOn, stemma.Edge{To: ticket.Ref(), Method: "tool-call"})
	}
	return nil
}
