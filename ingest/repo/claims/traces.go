package claims

import (
	"context"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/records"
	"github.com/stemma-dev/stemma/ingest/words"
)

// findAgentTraces reads the records of Agent Trace at the tip of the default
// branch, by the commit that each of them names.
func (r *Reader) findAgentTraces(ctx context.Context) (map[string][]Record, error) {
	traces := map[string][]Record{}
	if r.Repo.Tip == "" {
		return traces, nil
	}
	for entry, err := range r.Repo.Tree(ctx, r.Repo.Tip, records.AgentTraceFile, false) {
		if err != nil {
			return traces, nil // no such file at the tip
		}
		if entry.Type != "blob" {
			continue
		}
		for o, err := range r.Repo.Objects(ctx, slices.Values([]string{entry.ID}), note.MaxRecord) {
			if err != nil {
				return nil, err
			}
			if o.Data == nil {
				return traces, r.Writer.Gap(ctx, stemma.Gap{Source: records.Source, Place: records.AgentTraceFile, Reason: records.Unreadable(o), Object: records.Lost(o)})
			}
			if err := r.fileAgentTraces(ctx, o.Data, traces); err != nil {
				return nil, err
			}
		}
	}
	return traces, nil
}

func (r *Reader) fileAgentTraces(ctx context.Context, data []byte, traces map[string][]Record) error {
	for t := range note.ParseAgentTraces(data) {
		for _, p := range t.Problems {
			gap := stemma.Gap{Source: records.Source, Place: records.AgentTraceFile + " " + p.Place, Reason: p.Reason, Count: int64(p.Count)}
			if err := r.Writer.Gap(ctx, gap); err != nil {
				return err
			}
		}
		if len(t.Files) == 0 {
			continue
		}
		if t.VCS != "" && t.VCS != "git" || len(t.Revision) != len(r.Repo.Tip) {
			gap := stemma.Gap{Source: records.Source, Place: records.AgentTraceFile + " " + t.ID, Reason: "the record names no commit of this repository"}
			if err := r.Writer.Gap(ctx, gap); err != nil {
				return err
			}
			continue
		}
		traces[t.Revision] = append(traces[t.Revision], Record{Claims: t.Claims(), Place: records.AgentTraceFile + " " + words.Fit(t.ID)})
	}
	return nil
}
