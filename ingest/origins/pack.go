package origins

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/blame"
)

// An answer is kept as the commit it was given at, the commits of its lines,
// what many lines share, runs of lines that follow each other in both files,
// and the text. Numbers are varints, strings have their length in front.

// sharedLine is what runs of lines have in common.
type sharedLine struct {
	Origin
	OrigPath, Previous, PreviousPath string
}

// A lineRun is lines of one commit in a row.
type lineRun struct{ commit, shared, orig, final, lines int }

// pack writes an answer.
func pack(at string, lines []Line) []byte {
	commits, shared := map[*blame.Commit]int{}, map[sharedLine]int{}
	var runs []lineRun
	var heads, marks, out packer
	for i, l := range lines {
		if i > 0 && l.follows(lines[i-1]) {
			runs[len(runs)-1].lines++
			continue
		}
		s := sharedLine{*l.Origin, l.OrigPath, l.Previous, l.PreviousPath}
		if _, ok := commits[l.Commit]; !ok {
			commits[l.Commit] = len(commits)
			heads.commit(l.Commit)
		}
		if _, ok := shared[s]; !ok {
			shared[s] = len(shared)
			marks.shared(&s)
		}
		runs = append(runs, lineRun{commits[l.Commit], shared[s], l.OrigLine, l.FinalLine, 1})
	}
	out.text(at)
	out.numbers(len(commits))
	out.b = append(out.b, heads.b...)
	out.numbers(len(shared))
	out.b = append(out.b, marks.b...)
	out.numbers(len(runs))
	for _, r := range runs {
		out.numbers(r.commit, r.shared, r.orig, r.final, r.lines)
	}
	size := len(lines)
	for i := range lines {
		size += len(lines[i].Text)
	}
	out.b = slices.Grow(out.b, size)
	for _, l := range lines {
		out.b = append(append(out.b, l.Text...), '\n')
	}
	return out.b
}

// follows reports whether a line stands behind another in both files, and all else is the same.
func (l Line) follows(before Line) bool {
	return l.Commit == before.Commit && l.Origin == before.Origin && l.OrigLine == before.OrigLine+1 && l.FinalLine == before.FinalLine+1 &&
		l.OrigPath == before.OrigPath && l.Previous == before.Previous && l.PreviousPath == before.PreviousPath
}

// unpack reads an answer again; ok is false if it is none.
func unpack(raw []byte) (at string, lines []Line, ok bool) {
	in := unpacker{rest: raw}
	at = in.text()
	commits := make([]blame.Commit, in.count())
	for i := range commits {
		in.commit(&commits[i])
	}
	shared := make([]sharedLine, in.count())
	for i := range shared {
		in.shared(&shared[i])
	}
	runs, total := make([]lineRun, in.count()), 0
	for i := range runs {
		r := &runs[i]
		in.numbers(&r.commit, &r.shared, &r.orig, &r.final, &r.lines)
		if r.commit < 0 || r.commit >= len(commits) || r.shared < 0 || r.shared >= len(shared) || r.lines < 0 || r.lines > len(raw) {
			return "", nil, false
		}
		total += r.lines
	}
	if in.bad || at == "" || total > len(in.rest) {
		return "", nil, false
	}
	lines = make([]Line, 0, total)
	for _, r := range runs {
		s := &shared[r.shared]
		for i := range r.lines {
			text, rest, found := bytes.Cut(in.rest, []byte("\n"))
			if in.rest = rest; !found {
				return "", nil, false
			}
			lines = append(lines, Line{
				Line: blame.Line{
					Commit: &commits[r.commit], OrigLine: r.orig + i, FinalLine: r.final + i,
					OrigPath: s.OrigPath, Previous: s.Previous, PreviousPath: s.PreviousPath, Text: text[:len(text):len(text)],
				},
				Origin: &s.Origin,
			})
		}
	}
	return at, lines, len(in.rest) == 0
}

// A packer appends.
type packer struct{ b []byte }

func (p *packer) numbers(list ...int) {
	for _, n := range list {
		p.b = binary.AppendVarint(p.b, int64(n))
	}
}

func (p *packer) text(list ...string) {
	for _, s := range list {
		p.numbers(len(s))
		p.b = append(p.b, s...)
	}
}

func (p *packer) commit(c *blame.Commit) {
	boundary := 0
	if c.Boundary {
		boundary = 1
	}
	p.numbers(boundary)
	p.text(c.ID, c.Summary)
	for _, who := range []git.Ident{c.Author, c.Committer} {
		_, east := who.When.Zone()
		p.text(who.Name, who.Mail)
		p.numbers(int(who.When.Unix()), east)
	}
}

func (p *packer) shared(s *sharedLine) {
	p.text(s.OrigPath, s.Previous, s.PreviousPath, string(s.Basis), string(s.Model), string(s.Mark.Origin), string(s.Mark.Basis))
	p.text(s.Mark.Replaced.Agent, s.Mark.Replaced.Session, s.Mark.Replaced.ModelName)
	p.text(s.Mark.Reason, s.Mark.Agent, s.Mark.ModelName, s.Mark.Session, s.Mark.Author, s.Mark.Key, s.Mark.ToolCall)
	p.numbers(s.Mark.Prompt)
}

// An unpacker reads what a packer wrote, until something is bad.
type unpacker struct {
	rest []byte
	bad  bool
}

func (u *unpacker) numbers(list ...*int) {
	for _, n := range list {
		v, size := binary.Varint(u.rest)
		if size <= 0 || u.bad {
			*n, u.bad = 0, true
			continue
		}
		*n, u.rest = int(v), u.rest[size:]
	}
}

// count reads how many follow, each of at least one byte.
func (u *unpacker) count() int {
	var n int
	if u.numbers(&n); n < 0 || n > len(u.rest) {
		n, u.bad = 0, true
	}
	return n
}

func (u *unpacker) text() string {
	n := u.count()
	s := string(u.rest[:n])
	u.rest = u.rest[n:]
	return s
}

func (u *unpacker) commit(c *blame.Commit) {
	var boundary int
	u.numbers(&boundary)
	c.Boundary = boundary != 0
	c.ID, c.Summary = u.text(), u.text()
	for _, who := range []*git.Ident{&c.Author, &c.Committer} {
		var seconds, east int
		who.Name, who.Mail = u.text(), u.text()
		u.numbers(&seconds, &east)
		who.When = time.Unix(int64(seconds), 0).In(time.FixedZone("", east))
	}
}

func (u *unpacker) shared(s *sharedLine) {
	s.OrigPath, s.Previous, s.PreviousPath = u.text(), u.text(), u.text()
	s.Basis, s.Model, s.Mark.Origin, s.Mark.Basis = stemma.Basis(u.text()), stemma.Ref(u.text()), stemma.Origin(u.text()), stemma.Basis(u.text())
	m := &s.Mark
	m.Replaced.Agent, m.Replaced.Session, m.Replaced.ModelName = u.text(), u.text(), u.text()
	m.Reason, m.Agent, m.ModelName, m.Session, m.Author, m.Key, m.ToolCall =
		u.text(), u.text(), u.text(), u.text(), u.text(), u.text(), u.text()
	u.numbers(&m.Prompt)
}
