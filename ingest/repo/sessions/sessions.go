// Package sessions states the sessions of agents that a repository tells of:
// those that records of line origin name, with the transcripts that lie in
// notes, and those on Entire's checkpoint branch.
package sessions

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/records"
	"github.com/stemma-dev/stemma/ingest/repo/clone"
	"github.com/stemma-dev/stemma/ingest/repo/names"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
)

// A Book gathers the sessions that the records of a repository name.
type Book struct {
	DB       *storage.DB
	Writer   *names.Writer
	Repo     *clone.Repo
	Progress func(stage string, done, total int64)
	// User is whom git would name here as author: whose machine the transcripts of this
	// machine are on. Nobody if it is empty.
	User git.Ident

	named    note.SessionBook
	embedded embedded
}

// Add notes that a record names a session.
func (b *Book) Add(x session.Session) { b.named.Add(x) }

// State states each session that the records named, once, and with what is known
// of it already: a record of one commit tells a part only.
func (b *Book) State(ctx context.Context) error {
	if b.Writer.Stats().Things[stemma.KindSession] > 0 { // the graph is to know them
		if err := b.Writer.Flush(ctx); err != nil {
			return err
		}
	}
	refs := map[stemma.Ref]*session.Session{}
	for x := range b.named.All() {
		refs[x.Ref()] = nil
	}
	if err := b.knownSessions(ctx, refs); err != nil {
		return err
	}
	join := func(x session.Session) session.Session {
		if known := refs[x.Ref()]; known != nil {
			return joinSession(*known, x)
		}
		return x
	}
	stated := map[stemma.Ref]bool{}
	err := b.readEmbedded(ctx, func(ref stemma.Ref, messages []byte) error {
		x, ok := b.named.Get(ref)
		if !ok {
			return nil
		}
		x = join(x)
		longer, err := b.addTranscript(ctx, &x, messages)
		if err != nil || !longer {
			return err
		}
		stated[ref] = true
		return b.Writer.Session(ctx, x, records.Source, stemma.GradeD)
	})
	if err != nil {
		return err
	}
	for x := range b.named.All() {
		if stated[x.Ref()] {
			continue
		}
		if err := b.Writer.Session(ctx, join(x), records.Source, stemma.GradeD); err != nil {
			return err
		}
	}
	return nil
}

// joinSession is x where known says nothing, and the models of both.
func joinSession(known, x session.Session) session.Session {
	if known.Started != 0 && (x.Started == 0 || known.Started < x.Started) {
		x.Started = known.Started
	}
	x.Prompts = max(x.Prompts, known.Prompts)
	x.TurnCount, x.ToolCallCount = known.TurnCount, known.ToolCallCount
	x.OriginRecord = cmp.Or(known.OriginRecord, x.OriginRecord)
	models := known.Models
	for _, m := range x.Models {
		if !slices.ContainsFunc(models, func(k session.ModelUse) bool { return k.Name == m.Name }) {
			models = append(models, m)
		}
	}
	x.Models = models
	slices.SortFunc(x.Models, func(a, b session.ModelUse) int { return cmp.Compare(a.Name, b.Name) })
	return x
}

// knownSessions fills in what the graph knows of sessions.
func (b *Book) knownSessions(ctx context.Context, sessions map[stemma.Ref]*session.Session) error {
	err := storage.InChunks(sessions, func(refs []any, marks string) error {
		return b.DB.Read(ctx, func(tx *storage.Tx) error {
			rows, err := tx.Query(ctx, `SELECT n.ref, COALESCE(k.started, 0), COALESCE(k.prompts, 0),
					COALESCE(k.turns, 0), COALESCE(k.tool_calls, 0), COALESCE(k.origin_record, ''),
					COALESCE(r.ref, ''), COALESCE(m.name, ''), COALESCE(m.turns, 0), COALESCE(m.input_tokens, 0), COALESCE(m.output_tokens, 0)
				FROM node n JOIN k_session k ON k.id = n.id LEFT JOIN k_session_model m ON m.id = k.id LEFT JOIN node r ON r.id = m.model
				WHERE n.ref IN (`+marks+`) ORDER BY n.id, m.seq`, refs...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var ref stemma.Ref
				var x session.Session
				var m session.ModelUse
				if err := rows.Scan((*string)(&ref), (*int64)(&x.Started), &x.Prompts, &x.TurnCount, &x.ToolCallCount, &x.OriginRecord,
					(*string)(&m.Model), &m.Name, &m.Turns, &m.InputTokens, &m.OutputTokens); err != nil {
					return err
				}
				known := sessions[ref]
				if known == nil {
					known = &x
					sessions[ref] = known
				}
				if m.Name != "" {
					known.Models = append(known.Models, m)
				}
			}
			return rows.Err()
		})
	})
	if err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	return nil
}
