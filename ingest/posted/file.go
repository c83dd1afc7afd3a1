package posted

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/chainloop"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/session"
)

const (
	// MaxFile is how many bytes a file of records may have.
	MaxFile = note.MaxRecord
	// MaxCopies bounds what is kept of one record about several commits, in bytes: each
	// commit has a copy of its own, which can be erased with it.
	MaxCopies = 256 << 20
	// MaxEntries is how many records of files may stand about one commit, of each format.
	MaxEntries = 100
)

// A File is what was found in a file of records.
type File struct {
	Format   string
	Records  []Entry
	Sessions []session.Session // of which the file tells more than its records
	Problems note.Problems     // what could not be read of it
}

// An Entry is one record and the commits that it tells of, by their whole names.
type Entry struct {
	Commits []string
	Body    []byte
}

// ReadFile reads a file of records whose format it recognises; else it reports false.
// Of a damaged one it may be that nothing is left but the problems.
func ReadFile(b []byte) (File, bool) {
	if chainloop.Is(b) {
		return readChainloop(b), true
	}
	return readTraces(b)
}

func readChainloop(b []byte) File {
	s := chainloop.Parse(b)
	f := File{Format: Chainloop, Problems: s.Problems}
	if x, ok := s.Record(); ok {
		f.Sessions = []session.Session{x}
	} else if len(s.Problems) == 0 {
		f.Problems.Add("the session names no agent or no id", "start of record")
	}
	commits := s.Commits
	if most := MaxCopies / max(len(b), 1); len(commits) > most {
		for range commits[most:] {
			f.Problems.Add("the record is too large to be kept for so many commits", "commit %d", most)
		}
		commits = commits[:most]
	}
	if len(commits) > 0 && len(f.Sessions) > 0 {
		f.Records = []Entry{{commits, b}}
	}
	return f
}

// readTraces reads records of Agent Trace, one a line or a single one over several
// lines. Those about one commit become one entry.
func readTraces(b []byte) (f File, ok bool) {
	f.Format = AgentTrace
	lines := bytes.Split(b, []byte("\n"))
	if json.Valid(b) {
		lines = [][]byte{b}
	}
	byCommit := map[string][][]byte{}
	for n, line := range lines {
		for t := range note.ParseAgentTraces(line) {
			for _, p := range t.Problems {
				for range p.Count {
					f.Problems.Add(p.Reason, "line %d", n+1)
				}
			}
			ok = ok || strings.HasPrefix(t.Version, "0.1.") && !t.At.IsZero()
			commit := t.Revision
			switch {
			case len(t.Files) == 0:
			case t.VCS != "" && t.VCS != "git" || len(commit) != 40 && len(commit) != 64 || !note.IsHex(commit):
				f.Problems.Add("the record names no commit of git", "line %d", n+1)
			default:
				byCommit[commit] = append(byCommit[commit], bytes.TrimSpace(line))
			}
		}
	}
	for commit, records := range byCommit {
		f.Records = append(f.Records, Entry{[]string{commit}, bytes.Join(records, []byte("\n"))})
	}
	slices.SortFunc(f.Records, func(a, b Entry) int { return strings.Compare(a.Commits[0], b.Commits[0]) })
	return f, ok
}

// An Imported says what became of a file: the records, each counted for every commit
// that it tells of.
type Imported struct {
	Kept    int // that were not there before
	Known   int
	Refused int // whose bytes were erased, so that they may not come back
}

// Import keeps the records of a file, durably when it returns, and states those that
// are new, the sessions that nothing else has told of, and as gaps what could not be
// read. Name is what the file is called there.
func (n *Notes) Import(ctx context.Context, name string, digest stemma.Digest, f *File) (made Imported, err error) {
	bodies := map[slot][]byte{}
	for _, e := range f.Records {
		for _, commit := range e.Commits {
			bodies[slot{commit, f.Format, stemma.Sum(e.Body).String()}] = e.Body
		}
	}
	all := len(bodies)
	if _, err := n.dropErased(ctx, bodies); err != nil {
		return made, fmt.Errorf("posted: %w", err)
	}
	made.Refused = all - len(bodies)
	if err := n.dropSurplus(ctx, bodies, f); err != nil {
		return made, fmt.Errorf("posted: %w", err)
	}
	if made.Kept, err = n.keepInGroups(ctx, bodies); err != nil {
		return made, fmt.Errorf("posted: keeping %d records: %w", len(bodies), err)
	}
	made.Known = len(bodies) - made.Kept
	if err := n.stateFile(ctx, name+" "+digest.String()[:12], f); err != nil {
		return made, fmt.Errorf("posted: stating what is in %s: %w", name, err)
	}
	return made, nil
}

// groupBytes is how much is kept in one go.
const groupBytes = 8 << 20

// keepInGroups keeps records so that not all of them are sealed in memory at once.
func (n *Notes) keepInGroups(ctx context.Context, bodies map[slot][]byte) (fresh int, err error) {
	group, size := map[slot][]byte{}, 0
	slots := slices.SortedFunc(maps.Keys(bodies), compareSlots)
	for i, at := range slots {
		group[at] = bodies[at]
		if size += len(bodies[at]); size < groupBytes && i < len(slots)-1 {
			continue
		}
		added, err := n.keep(ctx, group)
		if err != nil {
			return fresh, err
		}
		fresh += added
		group, size = map[slot][]byte{}, 0
	}
	return fresh, nil
}

// dropSurplus takes out what is too much about one commit, and counts it.
func (n *Notes) dropSurplus(ctx context.Context, bodies map[slot][]byte, f *File) error {
	var commits []string
	for at := range bodies {
		commits = append(commits, at.commit)
	}
	slices.Sort(commits)
	known, err := n.digests(ctx, slices.Compact(commits))
	if err != nil {
		return err
	}
	entries := map[string]int{}
	for at := range known {
		if at.format == f.Format {
			entries[at.commit]++
		}
	}
	for at := range bodies {
		if _, there := known[at]; !there && entries[at.commit] >= MaxEntries {
			delete(bodies, at)
			f.Problems.Add(fmt.Sprintf("about one commit %d records are kept", MaxEntries), "commit %s", at.commit)
		}
	}
	return nil
}

// stateFile states what a file tells beside its records.
func (n *Notes) stateFile(ctx context.Context, place string, f *File) error {
	w := ingest.NewWriter(ctx, n.space, n.now)
	for _, p := range f.Problems {
		gap := stemma.Gap{Source: f.Format, Place: "file " + place + " " + p.Place, Reason: p.Reason, Count: int64(p.Count)}
		if err := w.Gap(ctx, gap); err != nil {
			return errors.Join(err, w.Close(ctx))
		}
	}
	for _, x := range f.Sessions {
		if err := n.stateSession(ctx, w, x, f.Format); err != nil {
			return errors.Join(err, w.Close(ctx))
		}
	}
	return w.Close(ctx)
}

// stateSession states a session that is not known yet, with its agent and models.
// Where it is known, its transcript or a hook told of it, or an earlier file, and
// that stands.
func (n *Notes) stateSession(ctx context.Context, w *ingest.Writer, x session.Session, source string) error {
	known := false
	err := n.space.DB.Each(ctx, func(scan func(...any) error) error {
		var one int
		known = true
		return scan(&one)
	}, "SELECT 1 FROM k_session k JOIN node n ON n.id = k.id WHERE n.ref = $1", string(x.Ref()))
	if err != nil || known {
		return err
	}
	agent, found := identity.FindAgent(x.Tool)
	if !found {
		agent = identity.Agent{Name: x.Tool}
	}
	named := []ingest.Record{agent}
	for _, m := range x.Models {
		if model := identity.ParseModel(m.Name); model.Named {
			named = append(named, model)
		}
	}
	for _, r := range append(named, x) {
		if err := w.Record(ctx, r, source, stemma.GradeD); err != nil {
			return err
		}
	}
	return nil
}
