// Package repo reads git repositories: commits, what they changed and how they
// landed, the records of origin that other tools left, tags, code owners,
// pipeline definitions. It turns them into records of the rooms change,
// attribution, session, intent, identity, artifact and pipeline.
//
// [Scan] reads what is new since the last scan. Its bookmark names the commits
// already read by their heads; the line weave is kept beside it in segments.
// Both may be lost: the next scan then reads everything again and appends only
// what the ledger does not hold.
//
// Here is the order of a scan, and the sources that a file each is enough for.
// What is a subject of its own lies in the packages below; none of them knows
// the scan.
//
// Nothing of a repository is trusted and nothing in it is run (package git).
// What cannot be read becomes a gap.
package repo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution/weave"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/local"
	"github.com/stemma-dev/stemma/ingest/posted"
	"github.com/stemma-dev/stemma/ingest/repo/bound"
	"github.com/stemma-dev/stemma/ingest/repo/claims"
	"github.com/stemma-dev/stemma/ingest/repo/clone"
	"github.com/stemma-dev/stemma/ingest/repo/compared"
	"github.com/stemma-dev/stemma/ingest/repo/dag"
	"github.com/stemma-dev/stemma/ingest/repo/landing"
	"github.com/stemma-dev/stemma/ingest/repo/lines"
	"github.com/stemma-dev/stemma/ingest/repo/mended"
	"github.com/stemma-dev/stemma/ingest/repo/names"
	"github.com/stemma-dev/stemma/ingest/repo/sessions"
)

// sourceGit is what facts that git itself tells say they come from.
const sourceGit = "git"

// checkpointEvery is after how many commits a scan makes what it has read
// durable, so that an interrupted scan of a large repository continues there.
const checkpointEvery = 20000

// Options says how a scan runs.
type Options struct {
	// Now is the clock; facts about the state of a branch are dated with it.
	Now func() time.Time
	// Progress, if set, is told how far a stage has come; total 0 is not known.
	Progress func(stage string, done, total int64)
	Log      *slog.Logger
	// Own, if set, says which notes were written in the clone that is read, by what
	// its hooks saw: they are no claims of somebody else.
	Own func(commit, blob string) bool
	// Local, if set, lists the transcripts of this machine that belong to the
	// repository, given those that were read before.
	Local func(known func(path string) bool) []local.File
	// User is whom git would name as author on this machine: who drove the agents whose
	// transcripts Local lists.
	User git.Ident
}

// A Report says what a scan found.
type Report struct {
	Repository stemma.Ref            `json:"repository"`
	Path       string                `json:"path"`
	Branch     string                `json:"branch"`
	First      bool                  `json:"first"`      // no scan of it has ended before
	Unchanged  bool                  `json:"unchanged"`  // since the last scan; nothing was read
	Commits    int64                 `json:"commits"`    // read now, and stated
	Notes      int64                 `json:"notes"`      // records of line origin read now
	Orphans    int64                 `json:"orphans"`    // of them, about commits that are not here
	Local      int64                 `json:"local"`      // transcripts of this machine read now
	Things     map[stemma.Kind]int64 `json:"things"`     // of which something was stated, also if known before
	Gaps       map[string]int64      `json:"gaps"`       // what could not be read and has not been since, by source
	Unreadable []ingest.GapCount     `json:"unreadable"` // its reasons, each with its first place
	Processes  int                   `json:"processes"`  // git processes started
}

// A bookmark is how far a repository was read.
type bookmark struct {
	Version int `json:"version"`
	clone.Mark
	Notes    map[string]string        `json:"notes"`              // what each ref of statements and sessions pointed to
	Records  map[string]string        `json:"records,omitempty"`  // what each ref of line records pointed to where it was furthest
	Weave    int64                    `json:"weave"`              // segments of the line weave
	Boundary string                   `json:"boundary,omitempty"` // where the history that was read is cut off
	Local    map[string]sessions.Mark `json:"local,omitempty"`    // transcripts of this machine, by path
	Posted   int64                    `json:"posted,omitempty"`   // number of the last record from outside that was looked at
	Bound    int64                    `json:"bound,omitempty"`    // length of the log when lines were last looked for by content
	Total    Report                   `json:"total"`              // of all scans
}

// bookmarkVersion changes when a scan reads more than before, so that what is
// known already is read again.
const bookmarkVersion = 4

// A scanner is one scan under way.
type scanner struct {
	space *ingest.Space
	repo  *clone.Repo
	w     *names.Writer
	o     Options

	record change.Repository
	name   string // by which messages call it
	mark   bookmark
	before clone.Sight // what this clone showed when it was read last
	first  bool        // nothing of the repository was read before, not even by a scan that was interrupted
	stored string      // the bookmark as it was read, to see whether somebody else moved it

	weave       *weave.Weave
	saved       weave.Mark        // what of the weave is stored
	trackers    map[string]string // of projects, by the front of their keys
	graph       *dag.Graph
	history     *history.Reading
	done        []int32 // commits of graph read by this scan
	claims      *claims.Reader
	owners      []version
	mailmap     bool                    // a commit read now changed the mail map
	checkpoints map[string][]stemma.Ref // sessions of Entire's checkpoints
	late        map[string]bool         // commits of earlier scans whose records came now
	requests    map[stemma.Ref]bool     // commits of earlier scans with which merge requests came of which the forge told since
	reach       map[string]bool         // commits read now that the default branch reaches
	heard       []landing.Heard         // what they say
	landings    *landing.Landings       // what landed; nil if there is no news
	seen        bound.Seen              // what the commits read now have added
	repeats     *mended.Repeats         // of a history that is read from its beginning
	bound       map[string]bound.Found  // whose lines are, by content, of commits that no record tells of
	files       leftOut                 // files of a partial clone that could not be compared
	trees       leftOut                 // trees of commits in a partial clone
	edge        int64                   // commits whose parents were not fetched
	beyond      string                  // one of those parents
	binary      map[string]bool         // contents of files that git calls binary
	whole       bool                    // everything is read, whatever was read before
	missed      []string                // objects that earlier scans could not read
	back        map[string]bool         // those of them that can be read now
	fresh       map[string]bool         // refs that point elsewhere than at the last scan and were read
	silent      []string                // refs of this clone about which there is a gap
	landed      string                  // tip of the default branch at the last whole scan
	lags        bool                    // this clone's tip is no news: the picture stays at landed
	lines       *lines.Origins
	sessions    *sessions.Book
	local       []local.File // transcripts of this machine
	posted      *posted.Notes
	sent        int64 // number of the last note sent over HTTP
	report      Report
}

// Scan reads what is new in r into the space. It may be repeated, interrupted
// and run twice at once: what was read is kept, and nothing is stated twice, but for
// the files at the tip, which each of several scans at once may state as of its time.
func Scan(ctx context.Context, space *ingest.Space, r *git.Repo, o Options) (Report, error) {
	s := &scanner{space: space, o: o, graph: dag.New(), binary: map[string]bool{}, fresh: map[string]bool{}}
	if s.o.Progress == nil {
		s.o.Progress = func(string, int64, int64) {}
	}
	if s.o.Log == nil {
		s.o.Log = slog.New(slog.DiscardHandler)
	}
	if err := s.prepare(ctx, r); err != nil {
		return Report{}, err
	}
	if s.report.Unchanged {
		err := errors.Join(s.compare(ctx), s.countGaps(ctx))
		return s.finish(), err
	}
	s.w = names.New(ingest.NewWriter(ctx, space, o.Now), s.record.Host)
	s.w.Within(s.record.ID)
	s.sessions = &sessions.Book{DB: space.DB, Writer: s.w, Repo: s.repo, Progress: s.o.Progress, User: s.o.User}
	err := s.read(ctx)
	if closed := s.w.Close(ctx); err == nil {
		err = closed
	}
	if err == nil {
		err = s.compare(ctx)
	}
	if err == nil {
		err = s.countGaps(ctx)
	}
	if err == nil {
		err = s.save(ctx, true)
	}
	report := s.finish()
	if err != nil {
		return report, fmt.Errorf("scanning %s: %w", quote.Path(s.mark.Path), err)
	}
	return report, nil
}

// finish completes the report.
func (s *scanner) finish() Report {
	s.report.Processes = s.repo.Processes()
	if s.w != nil {
		s.report.Things = s.w.Stats().Things
	}
	if s.claims != nil {
		s.report.Notes, s.report.Orphans = s.claims.Notes, s.claims.Orphans
	}
	return s.report
}

// countGaps adds to the report what could not be read, by this scan and those
// before it.
func (s *scanner) countGaps(ctx context.Context) (err error) {
	s.report.Gaps, s.report.Unreadable, err = s.space.OpenGaps(ctx, s.record.ID)
	return err
}

// read goes through the sources, each resting on those before it.
func (s *scanner) read(ctx context.Context) error {
	defer s.end()
	for _, step := range []func(context.Context) error{
		s.judgeMark,
		s.readEntire,
		s.judgeCheckpoints,
		s.loadWeave,
		s.judgeTip,
		s.beginCommits,
		func(ctx context.Context) error { return s.w.Record(ctx, s.record, sourceGit, stemma.GradeD) },
		s.noticeRefs,
		s.readRecords,
		s.readLocal,
		s.sessions.State, // before the records that name them
		s.learnTrackers,
		s.readCommits,
		s.readOrphans,
		s.bindLines,
		s.flush,
		s.beginChanges,
		s.readTags,
		s.readAttestations,
		s.noticeNotes,
		s.readTree,
		s.readMailmap,
		s.deriveFiles,
		s.deriveChanges,
		s.flush,
		s.closeGaps,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// end ends what goes on beside the steps, which one of them that failed left behind.
func (s *scanner) end() {
	if s.history != nil {
		s.history.Close()
	}
	if s.landings != nil {
		s.landings.Close()
	}
}

// readRecords reads the records of line origin.
func (s *scanner) readRecords(ctx context.Context) error {
	s.claims = &claims.Reader{
		DB: s.space.DB, Writer: s.w, Repo: s.repo, Weave: s.weave, Sessions: s.sessions, First: s.first,
		Posted: s.posted, Known: s.mark.Records, Before: s.before, Own: s.o.Own, Now: s.o.Now, Progress: s.o.Progress,
	}
	return s.claims.Read(ctx)
}

// readLocal reads the sessions that agents wrote down on this machine.
func (s *scanner) readLocal(ctx context.Context) (err error) {
	s.report.Local, err = s.sessions.ReadLocal(ctx, s.local, s.mark.Local)
	return err
}

// deriveFiles states who brought which line of the files at the tip.
func (s *scanner) deriveFiles(ctx context.Context) error {
	if s.repo.Tip == "" || s.weave == nil || !s.weave.Has(s.picture()) || s.lags && len(s.late) == 0 {
		return nil
	}
	b := lines.Branch{
		DB: s.space.DB, Writer: s.w.Writer, Repo: s.repo, Repository: s.record.ID, Weave: s.weave, Origins: s.lines,
		Commit: s.picture(), Before: s.landed, Late: s.late, Binary: s.binary, Now: s.o.Now, Progress: s.o.Progress,
	}
	return b.State(ctx)
}

// beginChanges begins to find out what landed on the default branch, beside the
// steps that follow.
func (s *scanner) beginChanges(ctx context.Context) (err error) {
	if s.repo.Tip == "" {
		return nil
	}
	b := landing.Branch{
		Space: s.space, Writer: s.w, Repo: s.repo, Record: s.record, Names: s.names(), Weave: s.weave, Repeats: s.repeats, Origins: s.lines,
		Heard: s.heard, Reach: s.reach, Late: s.late, Requests: s.requests, Known: s.mark.Landed[s.repo.BranchName()], Shown: s.landed, Lags: s.lags, Progress: s.o.Progress,
	}
	s.landings, err = b.Begin(ctx)
	return err
}

// deriveChanges states what landed.
func (s *scanner) deriveChanges(ctx context.Context) error {
	if s.landings != nil {
		if err := s.landings.State(ctx); err != nil {
			return err
		}
	}
	if s.repo.Tip != "" && !s.lags {
		s.mark.Landed[s.repo.BranchName()] = s.repo.Tip
	}
	return nil
}

// compare holds what landed against what was shown for review. The forge may tell of that
// at any time, also where nothing else is to be read.
func (s *scanner) compare(ctx context.Context) error {
	c := compared.Clone{Space: s.space, Repo: s.repo, Repository: s.record.ID, Now: s.o.Now, Log: s.o.Log, Progress: s.o.Progress}
	return c.State(ctx)
}

func (s *scanner) flush(ctx context.Context) error { return s.w.Flush(ctx) }

// ErrMeanwhile means: another scan of the same repository finished first. What this
// one read is in the ledger; only its bookmark was not moved.
var ErrMeanwhile = errors.New("another scan of this repository finished meanwhile")

// save stores the weave and the bookmark in one transaction. With whole set,
// the refs are remembered too: the next scan of the same refs reads nothing.
func (s *scanner) save(ctx context.Context, whole bool) error {
	next := s.mark
	next.Version = bookmarkVersion
	next.Heads = s.heads()
	missed := s.w.Missed(s.missed)
	if whole {
		missed = slices.DeleteFunc(missed, func(id string) bool { return s.back[id] })
		next.Refs = s.repo.Digest()
		next.Total = s.mark.Total.plus(s.finish())
		next.Posted = s.sent
		next.Records, next.Clones = s.claims.Furthest(), s.mark.Sights(s.repo, s.claims.Shown(), s.silent)
	} else {
		next.Refs, next.Notes, next.Local, next.Landed = "", nil, nil, s.mark.Landed
	}
	segment, mark, err := s.segment()
	if err != nil {
		return err
	}
	if segment != nil {
		next.Weave++
	}
	state, err := json.Marshal(next)
	if err != nil {
		return err
	}
	moved, err := s.space.MoveBookmark(ctx, ingest.Move{
		Source: string(s.record.ID), From: s.stored, To: string(state), Now: s.o.Now(),
		Segment: segment, Number: next.Weave, Missed: missed,
	})
	if err != nil {
		return err
	}
	if !moved {
		s.o.Log.Info("bookmark not moved", "repository", s.record.ID, "why", ErrMeanwhile)
		return nil
	}
	s.stored, s.saved, s.mark.Weave = string(state), mark, next.Weave
	return nil
}

// heads stands for every commit read, by this scan and those before.
func (s *scanner) heads() []string {
	read := s.done
	for _, id := range s.mark.Heads {
		read = append(read, s.graph.Number(id))
	}
	slices.Sort(read)
	return s.graph.Heads(slices.Compact(read))
}

// plus adds the counts of two scans. The gaps are those of the store.
func (r Report) plus(o Report) Report {
	sum := o
	sum.Unchanged, sum.Processes, sum.Unreadable = false, 0, nil
	sum.Commits += r.Commits
	sum.Notes += r.Notes
	sum.Orphans += r.Orphans
	sum.Local += r.Local
	sum.Things = addCounts(r.Things, o.Things)
	return sum
}

func addCounts[K comparable](a, b map[K]int64) map[K]int64 {
	sum := map[K]int64{}
	for _, m := range []map[K]int64{a, b} {
		for k, n := range m {
			sum[k] += n
		}
	}
	return sum
}
