package follow

import (
	"bytes"
	"cmp"
	"iter"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/attribution/sight"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
)

// commit tells whose the lines are that a commit added.
func (t *Tree) commit(c Commit, tell func(Commit, bind.Added)) error {
	for _, f := range c.Files {
		w, err := t.watch(f.Path)
		if err != nil {
			return err
		}
		w.blob = t.blobs[f.Path][c.Move]
		from := w
		if f.OldPath != f.Path && f.OldPath != "" && !w.seen {
			if from, err = t.watch(f.OldPath); err != nil {
				return err
			}
		}
		content, err := t.Content(w.blob)
		if err != nil {
			return err
		}
		copied := ""
		if from == w && !w.File().Near(content) && (c.Move == 0 || t.blobs[f.Path][c.Move-1] == "") {
			if copied, err = t.copied(c, f.Path, content, w); err != nil {
				return err
			}
		}
		part := from.Glimpse(content)
		if err := t.moved(c, f, part, content, w, from); err != nil {
			return err
		}
		a := bind.Added{Path: f.Path, Blob: w.blob, Lines: part.Added(f.added)}
		all := bytes.Split(content, []byte("\n"))
		var text [][]byte
		for _, l := range a.Lines {
			text = append(text, all[l.Number-1])
		}
		a.Print = edits.PrintOf(text)
		if err := t.there(c, f, a); err != nil {
			return err
		}
		if a.From = t.placedIn(a); copied != "" && !slices.Contains(a.From, copied) {
			a.From = append(a.From, copied)
		}
		tell(c, a)
	}
	return nil
}

// placedIn are the other files in which git put lines in place that a commit added.
func (t *Tree) placedIn(a bind.Added) (paths []string) {
	for i, l := range a.Lines {
		if l.By != edits.Placed {
			continue
		}
		if first, ok := t.known.First(a.Print.Key(i)); ok && first.In != a.Path && !slices.Contains(paths, first.In) {
			paths = append(paths, first.In)
		}
	}
	return paths
}

// copied begins a file that is new in a commit, and that nobody saw as it is there, as the
// other that it is a copy of, if it is one: where most of its text was first, or one that
// is the same in the commit, byte by byte, or was before.
func (t *Tree) copied(c Commit, path string, content []byte, w *watch) (from string, err error) {
	times, most := map[string]int{}, ""
	for _, key := range edits.Keys(content) {
		if first, ok := t.known.First(key); ok && first.In != path {
			if times[first.In]++; times[first.In] > times[most] {
				most = first.In
			}
		}
	}
	maybe := []string{most}
	for _, other := range t.paths {
		blobs := t.blobs[other]
		if other != path && len(content) > 0 && (blobs[c.Move] == w.blob || c.Move > 0 && blobs[c.Move-1] == w.blob) {
			maybe = append(maybe, other)
		}
	}
	for _, from := range maybe {
		if from == "" {
			continue
		}
		of, err := t.watch(from)
		if err != nil {
			return "", err
		}
		copied := of.File().Like(content)
		if !copied && of.File().Within(content) { // and more was written
			if copied, err = t.stood(of, from, c.Move); err != nil {
				return "", err
			}
		}
		if copied {
			w.File().Become(of.File())
			return from, nil
		}
	}
	return "", nil
}

// stood reports whether all that is in a file was there in the commit before: then none of
// it was written elsewhere since, and copied to it.
func (t *Tree) stood(of *watch, path string, move int) (bool, error) {
	blobs := t.blobs[path]
	if move == 0 || blobs == nil {
		return false, nil
	}
	before, err := t.Content(blobs[move-1])
	return err == nil && of.File().Within(before), err
}

// moved gives lines that came from another file, which has them no more, to whom
// they belonged there, unless an agent was seen to write them here. Other text of
// somebody else is nobody's here, if a command put it here.
func (t *Tree) moved(c Commit, f File, part *edits.File, content []byte, here ...*watch) error {
	to := map[edits.Key]edits.Line{}
	keys := edits.Keys(content)
	from := map[string][]edits.AddedLine{} // where text was first of which nobody is known to have written it here
	isHere := func(path string) bool { return path == f.Path || path == f.OldPath && here[0] != here[len(here)-1] }
	for _, l := range part.Added(f.added) {
		key := keys[l.Number-1]
		first, known := t.known.First(key)
		run := l.By > 0 && t.Evidence.Hands[l.By-1].Run
		if stood, ok := t.known.Stood(key); ok && run && !isHere(stood) {
			first, known = edits.First{In: stood}, true
		}
		if !known || first.By.By == l.By || run && t.same(l.By, first.By.By) {
			continue
		}
		gone, err := t.left(key, first.In, isHere, c.Move)
		if err != nil {
			return err
		}
		if !gone && !isHere(first.In) && (l.By < edits.Base || l.By == capture.Person) {
			from[first.In] = append(from[first.In], l)
		}
		switch {
		case gone && (l.By <= edits.Base || l.By == capture.Person || run):
			to[key] = first.By
		case run && !isHere(first.In): // copied by git or by a command: who wrote it is another
			to[key] = edits.Line{By: sight.Copied, Over: l.Over}
		}
	}
	if err := t.cameBack(from, content, to); err != nil {
		return err
	}
	if len(to) > 0 {
		for _, w := range here {
			w.File().Give(to)
		}
	}
	return nil
}

// cameBack gives lines that stood in another file and went from there, before anybody
// saw them here, to whom they belonged: such as what was stashed, and moved as soon as
// it was back.
func (t *Tree) cameBack(from map[string][]edits.AddedLine, content []byte, to map[edits.Key]edits.Line) error {
	text := bytes.Split(content, []byte("\n"))
	for _, path := range slices.Sorted(maps.Keys(from)) {
		w, err := t.watch(path)
		if err != nil {
			return err
		}
		for run := range runs(from[path]) {
			part := edits.PrintOf(text[run[0].Number-1 : run[len(run)-1].Number])
			back := edits.Any
			if run[0].By == capture.Person {
				back = edits.Whole
			}
			for i, l := range w.File().Went(part, back) {
				if key := part.Key(i); key != 0 && l.By != edits.Unknown {
					to[key] = l
				}
			}
		}
	}
	return nil
}

// runs are lines of one hand that follow each other.
func runs(lines []edits.AddedLine) iter.Seq[[]edits.AddedLine] {
	return func(yield func([]edits.AddedLine) bool) {
		begin := 0
		for i := range lines {
			if n := i + 1; n == len(lines) || lines[n].Number != lines[i].Number+1 || lines[n].By != lines[i].By {
				if !yield(lines[begin:n]) {
					return
				}
				begin = n
			}
		}
	}
}

// left reports whether a text was in another file when the commit before was made,
// or was seen there since, and is not in that of this commit: then it was moved, and
// not written again.
func (t *Tree) left(key edits.Key, from string, isHere func(string) bool, move int) (bool, error) {
	if isHere(from) {
		return false, nil
	}
	blobs := t.blobs[from]
	if blobs == nil {
		return false, nil
	}
	now, err := t.keys(blobs[move])
	if err != nil || now[key] {
		return false, err
	}
	w, err := t.watch(from)
	if err != nil || w.File().Has(key) {
		return err == nil, err
	}
	if move == 0 {
		return false, nil
	}
	before, err := t.keys(blobs[move-1])
	return before[key], err
}

// there finds lines of nobody that were in the file before the commit, which only
// moved them: they are of who wrote them then.
func (t *Tree) there(c Commit, f File, a bind.Added) error {
	var before map[edits.Key]bool
	for i, l := range a.Lines {
		key := a.Print.Key(i)
		if l.By >= edits.Base || key == 0 || len(c.Parents) == 0 {
			continue
		}
		if before == nil {
			before = map[edits.Key]bool{}
			found, err := t.Cat.Find(c.Parents[0], cmp.Or(f.OldPath, f.Path))
			if err == nil && len(found) == 1 && found[0].Type == "blob" { // else it is not in this copy
				if before, err = t.keys(found[0].ID); err != nil {
					return err
				}
			}
		}
		if before[key] {
			a.Lines[i].By = edits.Base
		}
	}
	return nil
}

// same reports whether two hands are of one session.
func (t *Tree) same(a, b edits.Hand) bool {
	if a <= 0 || b <= 0 {
		return a == b
	}
	x, y := t.Evidence.Hands[a-1], t.Evidence.Hands[b-1]
	return x.Agent != "" && x.Agent == y.Agent && x.Session == y.Session
}

// keys are those of the lines of a blob.
func (t *Tree) keys(blob string) (map[edits.Key]bool, error) {
	if keys, ok := t.keysOf[blob]; ok {
		return keys, nil
	}
	content, err := t.Content(blob)
	if err != nil {
		return nil, err
	}
	keys := map[edits.Key]bool{}
	for _, k := range edits.Keys(content) {
		keys[k] = true
	}
	if len(t.keysOf) >= maxKeys {
		clear(t.keysOf)
	}
	t.keysOf[blob] = keys
	return keys, nil
}

// maxKeys is of how many blobs the keys are remembered.
const maxKeys = 256
