package page

import (
	"strconv"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/patch"
	"github.com/stemma-dev/stemma/git/quote"
)

// A Diff is what commits changed, with the origin of every added line. It shows
// a bounded number of lines and counts the others.
type Diff struct {
	Commits []*Patch
	Absent  string // why there is none
	Cut     bool   // more was changed than is shown
	Table   *Table // the lines that are shown, as data

	lines int // shown so far
}

// NewDiff makes an empty one, of which command gives the lines.
func NewDiff(command string) *Diff {
	return &Diff{Table: &Table{
		ID: "diff", Caption: "Changed lines", Command: command,
		Columns: Head("commit", "path", "#old line", "#new line", "change", "origin", "agent", "model", "session", "reason", "text"),
	}}
}

// Leave says that more was changed than is shown.
func (d *Diff) Leave() {
	d.Cut = true
	d.Table.Rest(Text("There are more than are shown."))
}

// row adds a line to the data.
func (d *Diff) row(sha, path string, l patchLine) {
	number := func(n int) Cell {
		if n == 0 {
			return Cell{}
		}
		return Number(n)
	}
	m := l.Mark
	d.Table.Add(Commit(sha), Path(path), number(l.Old), number(l.New), Text(l.Sign), Origin(m.Origin), Text(m.Agent), Text(m.ModelName),
		Text(string(m.Session)), Text(m.Reason), Text(l.Text))
}

// A Patch is what one commit changed.
type Patch struct {
	SHA, Title, Href string
	Files            []patchFile
	Absent           string // why its files are not shown
}

type patchFile struct {
	Path, Old, Status string
	Added, Deleted    int
	Binary            bool
	Lines             []patchLine
	Hidden            int // lines that are not shown
}

// A patchLine is one line, or the head of a hunk if Hunk is set.
type patchLine struct {
	Hunk     string
	Sign     string // "+" or "-"
	Old, New int
	Text     string
	Mark     Mark
}

// A Mark says who wrote a line.
type Mark struct {
	Origin, Reason, Agent, ModelName string
	Session                          stemma.Ref
}

// Say is the mark in words.
func (m Mark) Say() string {
	s := originName(m.Origin)
	if m.Agent != "" {
		s += ", " + m.Agent
	}
	if m.ModelName != "" {
		s += ", " + m.ModelName
	}
	if m.Session != "" {
		s += ", session " + label(m.Session)
	}
	if m.Reason != "" {
		s += ": " + m.Reason
	}
	return Show(s)
}

const (
	diffLines  = 800 // on one page
	patchLines = 300 // of one file
)

// Add adds a commit.
func (d *Diff) Add(sha, title string) *Patch {
	p := &Patch{SHA: sha, Title: Show(title), Href: CommitHref(sha)}
	d.Commits = append(d.Commits, p)
	return p
}

// AddFile adds a file to the commit added last. mark tells of the added lines,
// by their numbers in the file.
func (d *Diff) AddFile(f *patch.File, mark func(line int) Mark) {
	out := patchFile{Path: quote.Path(f.Path), Status: status(f.Status), Added: f.Added, Deleted: f.Deleted, Binary: f.Binary}
	if f.OldPath != f.Path && f.OldPath != "" {
		out.Old = quote.Path(f.OldPath)
	}
	hunks := f.Hunks
	if len(f.Parents) > 0 {
		hunks = f.Parents[0].Hunks
	}
	p := d.Commits[len(d.Commits)-1]
	room := min(patchLines, diffLines-d.lines)
	add := func(l patchLine) {
		if room <= 0 {
			out.Hidden++
			return
		}
		out.Lines = append(out.Lines, l)
		d.row(p.SHA, out.Path, l)
		room--
		d.lines++
	}
	for _, h := range hunks {
		if room <= 0 {
			out.Hidden += h.OldLines + h.NewLines
			continue
		}
		out.Lines = append(out.Lines, patchLine{Hunk: hunkHead(h)})
		for i, line := range h.Old {
			add(patchLine{Sign: "-", Old: h.OldStart + i, Text: Show(string(line))})
		}
		for i, line := range h.New {
			add(patchLine{Sign: "+", New: h.NewStart + i, Text: Show(string(line)), Mark: mark(h.NewStart + i)})
		}
	}
	if out.Hidden > 0 {
		d.Leave()
	}
	p.Files = append(p.Files, out)
}

func hunkHead(h patch.Hunk) string {
	return "\u2212" + strconv.Itoa(h.OldStart) + "," + strconv.Itoa(h.OldLines) + " +" + strconv.Itoa(h.NewStart) + "," + strconv.Itoa(h.NewLines)
}

func status(s patch.Status) string {
	switch s {
	case patch.Added:
		return "added"
	case patch.Deleted:
		return "deleted"
	case patch.Renamed:
		return "renamed"
	case patch.Copied:
		return "copied"
	}
	return "changed"
}
