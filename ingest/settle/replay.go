package settle

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/hook"
	"github.com/stemma-dev/stemma/ingest/replay"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
	"github.com/stemma-dev/stemma/ingest/settle/follow"
	"github.com/stemma-dev/stemma/spool"
)

// maxReplayed is how many commits that were made elsewhere are looked at, the
// newest.
const maxReplayed = 5000

// A Replayed is what came of replaying transcripts.
type Replayed struct {
	Report
	Looks    int            // edits that could be replayed
	Rebuilt  int            // of them, those of which the transcript did not have what was before
	Skipped  map[string]int // edits that could not, by why
	Compared Agreement      // with the notes that were there
}

// Replay finds out from transcripts what hooks would have told of the commits that
// have no note, and writes notes with the basis replayed-transcript. The rest of
// what was in the files is nobody's: nobody watched. What hooks were told of a session
// themselves is not replayed but compared, as are all notes that are there. It
// needs no reflog: commits that were made elsewhere stand where their time puts them.
func Replay(ctx context.Context, dir string, book *replay.Book, now time.Time) (r Replayed, err error) {
	r.Skipped = maps.Clone(book.Skipped)
	place, ok := find(dir)
	if !ok {
		return r, nil
	}
	unlock, err := place.Lock(ctx)
	if err != nil {
		return r, err
	}
	defer unlock()
	repo, err := git.Open(ctx, place.WorkTree)
	if err != nil {
		return r, err
	}
	defer func() {
		r.Started = repo.Processes()
		err = errors.Join(err, repo.Close())
	}()
	s, err := readState(place)
	if err != nil {
		return r, err
	}
	trees, inside := place.Trees(), 0
	for i := range trees { // as in Run, the one that is asked from comes last
		w := &rerun{tree: &tree{Tree: follow.New(repo, trees[len(trees)-1-i]), repo: repo}, book: book, state: s, report: &r, last: i == len(trees)-1}
		n, err := w.run(ctx, now)
		if err != nil {
			return r, err
		}
		inside += n
	}
	if n := book.Len() - inside; n > 0 {
		r.Skipped[replay.Elsewhere] = n
	}
	return r, r.keep(place, book, now)
}

// A rerun replays what happened in one work tree.
type rerun struct {
	*tree
	book     *replay.Book
	state    *state
	report   *Replayed
	last     bool
	commits  []follow.Commit
	edited   func(follow.File) bool // whether it was, or what it came from
	contents map[string]string
	times    map[[4]string]time.Time // of edits, by agent, session, sub-agent and call
	hooked   map[[2]string]time.Time // sessions that hooks were told of, and since when
}

// run returns how many edits were of files in the work tree.
func (w *rerun) run(ctx context.Context, now time.Time) (inside int, err error) {
	if w.Cat, err = w.repo.CatFile(ctx, spool.MaxContent); err != nil {
		return 0, err
	}
	defer w.Cat.Kill()
	if w.notes, err = notesTip(ctx, w.repo); err != nil {
		return 0, err
	}
	if w.Moves, err = w.Place.Moves(); err != nil {
		return 0, err
	}
	own := w.Moves
	var foreign []spool.Move
	if w.last {
		if foreign, err = w.foreignMoves(ctx); err != nil {
			return 0, err
		}
	}
	w.Moves = among(own, foreign)
	looks, skipped := w.book.Looks(replay.Tree{Inside: w.Place.Inside, Strange: w.last, Base: w.base})
	inside = w.book.Len() - skipped[replay.Elsewhere]
	delete(skipped, replay.Elsewhere)
	for why, n := range skipped {
		w.report.Skipped[why] += n
	}
	if len(looks) == 0 {
		return inside, nil
	}
	if err := w.readHooked(); err != nil {
		return 0, err
	}
	w.report.Looks += len(looks)
	w.Moves = among(own, w.touching(looks, foreign))
	w.Take(capture.Read(w.reading(looks), w.Moves, w.content))
	if err := w.bringOwn(ctx, own); err != nil {
		return 0, err
	}
	return inside, w.conclude(ctx, now)
}

// content gives what was before or after an edit.
func (w *rerun) content(f spool.File) ([]byte, error) {
	text, ok := w.contents[f.Blob]
	if !ok {
		return nil, spool.ErrNoContent
	}
	return []byte(text), nil
}

// readHooked finds out which sessions hooks were told of.
func (w *rerun) readHooked() error {
	w.hooked = map[[2]string]time.Time{}
	reading, err := w.Place.Read(0)
	for _, e := range reading.Entries {
		var event hook.Event
		if json.Unmarshal(e.Event, &event) != nil || event.Session == "" {
			continue
		}
		key := [2]string{event.Agent, event.Session}
		if since, known := w.hooked[key]; !known || e.At.Before(since) {
			w.hooked[key] = e.At
		}
	}
	return err
}

// foreignMoves reads the commits that no move of HEAD made here, and makes moves
// that stand for them, by their time.
func (w *rerun) foreignMoves(ctx context.Context) (foreign []spool.Move, err error) {
	refs, err := w.repo.RefNames(ctx, "refs/heads/", "refs/remotes/")
	if err != nil {
		return nil, err
	}
	var tips []string
	for _, ref := range refs {
		tips = append(tips, ref.Peeled)
	}
	ids, err := w.repo.Since(ctx, maxReplayed, tips, w.book.Began())
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	made := map[string]bool{}
	for _, m := range w.Moves {
		made[m.To] = made[m.To] || follow.Makes(m)
	}
	o := history.Options{Tips: ids, Only: true, MaxLine: 1, MaxFileText: 1, MaxCommitText: 1}
	for c, err := range history.Log(ctx, w.repo, o) {
		if err != nil {
			return nil, err
		}
		if made[c.ID] {
			continue
		}
		w.commits = append(w.commits, follow.Commit{Commit: c.Commit, Files: follow.Lookable(c)})
		foreign = append(foreign, spool.Move{To: c.ID, At: c.Committer.When, What: foreignMove})
		if len(c.Parents) > 0 {
			foreign[len(foreign)-1].From = c.Parents[0]
		}
	}
	slices.SortStableFunc(foreign, func(a, b spool.Move) int { return a.At.Compare(b.At) })
	return foreign, nil
}

// touching leaves of all that happened what is about files that were edited, and
// where those came from or went to.
func (w *rerun) touching(looks []replay.Look, foreign []spool.Move) []spool.Move {
	edited := map[string]bool{}
	for _, l := range looks {
		edited[l.File] = true
	}
	touches := map[string]bool{}
	w.edited = func(f follow.File) bool { return edited[f.Path] || edited[f.OldPath] }
	w.commits = slices.DeleteFunc(w.commits, func(c follow.Commit) bool {
		touches[c.ID] = slices.ContainsFunc(c.Files, w.edited)
		return !touches[c.ID]
	})
	return slices.DeleteFunc(foreign, func(m spool.Move) bool { return !touches[m.To] })
}

// foreignMove is what is said of a move that stands for a commit made elsewhere.
const foreignMove = "commit: elsewhere"

// among puts moves where their time puts them. The moves of HEAD keep their order,
// whatever clocks say; all are numbered anew.
func among(own, foreign []spool.Move) []spool.Move {
	all := make([]spool.Move, 0, len(own)+len(foreign))
	for _, m := range own {
		for len(foreign) > 0 && foreign[0].At.Before(m.At) {
			all, foreign = append(all, foreign[0]), foreign[1:]
		}
		all = append(all, m)
	}
	all = append(all, foreign...)
	for i := range all {
		all[i].End = int64(i + 1)
	}
	return all
}

// before is how many moves were made before a time. What was in the same second
// is taken to come later: an edit is committed behind it.
func (w *rerun) before(at time.Time) int {
	second := at.Truncate(time.Second)
	n := 0
	for i, m := range w.Moves {
		if m.At.Before(second) {
			n = i + 1
		}
	}
	return n
}

// base is a file in the commit that was made last before a time.
func (w *rerun) base(path string, at time.Time) (string, bool) {
	n := w.before(at)
	if n == 0 || w.Moves[n-1].To == "" {
		return "", false
	}
	found, err := w.Cat.Find(w.Moves[n-1].To, path)
	if err != nil || len(found) != 1 || found[0].Type != "blob" {
		return "", false
	}
	o, err := w.Cat.Object(found[0].ID)
	return string(o.Data), err == nil && o.Data != nil
}

// reading is what a spool would have of the edits: each is under way from one
// content to the next, and between them anything may have written files.
func (w *rerun) reading(looks []replay.Look) (r spool.Reading) {
	w.contents, w.times = map[string]string{}, map[[4]string]time.Time{}
	prompts := map[[2]string]int{}
	var moved int64
	add := func(l replay.Look, e hook.Event, files ...spool.File) {
		body, err := json.Marshal(e)
		if err != nil {
			panic("settle: an event cannot be written: " + err.Error()) // it is strings
		}
		r.Entries = append(r.Entries, spool.Entry{At: l.At, Stand: spool.Stand{Reflog: moved}, Event: body, Files: files})
	}
	keep := func(file, text string) spool.File {
		id := w.Place.ID([]byte(text))
		w.contents[id] = text
		return spool.File{Path: file, State: spool.Regular, Blob: id, Size: int64(len(text))}
	}
	for _, l := range looks {
		moved = int64(w.before(l.At))
		w.times[[4]string{l.Agent, l.Session, l.Subagent, l.Call}] = l.At
		key := [2]string{l.Agent, l.Session}
		for ; prompts[key] < l.Prompt; prompts[key]++ {
			add(l, hook.Event{Agent: l.Agent, Session: l.Session, Kind: hook.Prompt, Replayed: true})
		}
		if l.Rebuilt {
			w.report.Rebuilt++
		}
		e := hook.Event{
			Agent: l.Agent, Session: l.Session, Subagent: l.Subagent, Tool: l.Tool, Call: l.Call, Model: l.Model, Replayed: true,
		}
		unwatched := hook.Event{Kind: hook.AfterTool, Call: "unwatched"}
		add(l, unwatched)
		e.Kind = hook.BeforeEdit
		add(l, e, keep(l.File, l.First))
		e.Kind = hook.AfterEdit
		add(l, e, keep(l.File, l.Then))
		add(l, unwatched)
	}
	return r
}

// bringOwn reads the commits that moves of HEAD made, and puts all in order.
func (w *rerun) bringOwn(ctx context.Context, own []spool.Move) error {
	at := map[string]int{}
	for i, m := range w.Moves {
		if _, known := at[m.To]; !known && follow.Makes(m) {
			at[m.To] = i
		}
	}
	for i := range w.commits {
		w.commits[i].Move = at[w.commits[i].ID]
	}
	var pending []int
	if len(own) > 0 {
		pending = slices.DeleteFunc(w.Pending(func(string) bool { return false }), func(i int) bool { return w.Moves[i].What == foreignMove })
	}
	made, err := w.ReadCommits(ctx, pending)
	w.commits = append(w.commits, made...)
	w.commits = slices.DeleteFunc(w.commits, func(c follow.Commit) bool { return c.Move < w.Evidence.Before })
	for i := range w.commits {
		w.commits[i].Files = slices.DeleteFunc(w.commits[i].Files, func(f follow.File) bool { return !w.edited(f) })
	}
	slices.SortStableFunc(w.commits, func(a, b follow.Commit) int { return cmp.Compare(a.Move, b.Move) })
	return err
}

// conclude writes notes where there are none, and compares where there are.
func (w *rerun) conclude(ctx context.Context, now time.Time) error {
	list, err := w.Follow(w.commits, false)
	if err != nil {
		return err
	}
	noted, err := w.compare(list)
	if err != nil {
		return err
	}
	fresh := slices.DeleteFunc(list, func(c *bind.Commit) bool { return noted[c.ID] })
	w.withhold(fresh)
	notes, blobs, err := w.notesOf(fresh, bind.Nowhere(len(w.Evidence.Hands)), &w.report.Report)
	if err != nil {
		return err
	}
	if err := w.repo.AddNotes(ctx, Ref, notes, "Notes by stemma", now); err != nil {
		return err
	}
	w.report.Notes += len(notes)
	for commit, blob := range blobs {
		if blob != "" {
			w.state.settled(commit, blob)
		}
	}
	return w.state.write()
}

// withhold leaves to hooks what they were told of: where they say nothing of a line
// that the transcript tells of, that is a difference and no finding.
func (w *rerun) withhold(fresh []*bind.Commit) {
	for _, c := range fresh {
		n := 0
		for i := range c.Added {
			for k, l := range c.Added[i].Lines {
				if w.heard(l.By) {
					c.Added[i].Lines[k].By = edits.Unknown
					n++
				}
			}
		}
		if n > 0 {
			w.report.Compared.add(c.ID, counts{Transcript: n})
		}
	}
}

// heard reports whether hooks were told of the edit too.
func (w *rerun) heard(by edits.Hand) bool {
	if by <= capture.Typist || int(by) > len(w.Evidence.Hands) {
		return false
	}
	h := w.Evidence.Hands[by-1]
	since, known := w.hooked[[2]string{h.Agent, h.Session}]
	return known && !since.After(w.times[[4]string{h.Agent, h.Session, h.Subagent, h.Call}])
}
