package patch

import (
	"bufio"
	"bytes"
	"fmt"

	"github.com/stemma-dev/stemma/git/internal/wire"
	"github.com/stemma-dev/stemma/git/quote"
)

// EndMark is the line that is sent to diff-tree behind every commit; it comes
// back as it is, and makes diff-tree write out what it has.
const EndMark = "=\n"

// Limits bound what one commit may occupy.
type Limits struct {
	Line       int // bytes of a line that are kept
	FileText   int // text kept per file
	CommitText int // text kept per commit
	Hunks      int // hunks kept per file and parent
}

// A Reader reads what diff-tree --stdin writes, one commit at a time. It
// knows where it is by counting: no content of a file can pass for a heading.
type Reader struct {
	r      wire.Reader
	limits Limits
	text   wire.Arena
	heads  shelf
	head   []byte // scratch: the heading to compare with
	left   int    // text this commit may still keep
}

// NewReader reads the answers of a diff-tree with -z and --raw, and with -p where
// hunks are wanted.
func NewReader(in *bufio.Reader, limits Limits) *Reader {
	return &Reader{r: wire.Reader{Reader: in}, limits: limits}
}

// Commit reads the answer for one commit with that many parents, up to and
// including the end mark. An error leaves the stream unusable; what had been
// read of the list of files is returned all the same.
func (p *Reader) Commit(parents int) ([]File, error) {
	p.left = p.limits.CommitText
	p.text, p.heads = wire.Arena{}, shelf{}
	c, err := p.r.First()
	if err != nil {
		return nil, err
	}
	if c != '=' {
		if _, err := p.r.Field(); err != nil { // the id of the commit
			return nil, err
		}
	}
	files, err := p.list(parents)
	if err != nil {
		return files, err
	}
	next := 0 // the first file whose patch may come now
	for {
		line, err := p.r.Line()
		if err != nil {
			return files, err
		}
		if string(line) == EndMark {
			return files, nil
		}
		at := p.match(files, next, line)
		if at < 0 {
			return files, fmt.Errorf("unexpected line %.200q", line)
		}
		next = at
		if err := p.file(&files[at]); err != nil {
			return files, err
		}
	}
}

// Kept is how much text was kept of the last commit.
func (p *Reader) Kept() int { return p.limits.CommitText - p.left }

// list reads the raw entries.
func (p *Reader) list(parents int) ([]File, error) {
	var files []File
	for {
		c, err := p.r.First()
		if err != nil {
			return files, err
		}
		switch c {
		case ':':
			f, err := p.entry()
			if err != nil {
				return files, err
			}
			if want := len(f.Parents); want != 0 && want != parents {
				return files, fmt.Errorf("%d parents where %d were expected", want, parents)
			}
			files = append(files, f)
		case 0: // between the list and the patches
			_, _ = p.r.Discard(1)
		default:
			return files, nil
		}
	}
}

// entry reads ":100644 100644 old new M", or with one colon and one more mode
// and id per parent of a merge, and the paths behind it.
func (p *Reader) entry() (File, error) {
	var f File
	meta, err := p.r.Field()
	if err != nil {
		return f, err
	}
	n := 0
	for n < len(meta) && meta[n] == ':' {
		n++
	}
	part := bytes.Split(meta[n:], []byte(" "))
	if len(part) != 2*n+3 || len(part[2*n+2]) == 0 {
		return f, fmt.Errorf("malformed entry %.200q", meta)
	}
	status := string(part[2*n+2])
	f.Mode, f.Blob = wire.Mode(part[n]), wire.ID(part[2*n+1])
	f.OldMode, f.OldBlob = wire.Mode(part[0]), wire.ID(part[n+1])
	f.Status = Status(status[0])
	if n == 1 {
		return f, p.paths(&f)
	}
	if len(status) != n {
		return f, fmt.Errorf("malformed entry %.200q", meta)
	}
	f.Parents = make([]Parent, n)
	for i := range f.Parents {
		f.Parents[i] = Parent{Status: Status(status[i]), Mode: wire.Mode(part[i]), Blob: wire.ID(part[n+1+i])}
	}
	for i := range f.Parents { // only now: reading on overwrites the parts
		path, err := p.r.Field()
		if err != nil {
			return f, err
		}
		if q := &f.Parents[i]; q.Blob != "" {
			q.Path = string(path)
		}
	}
	path, err := p.r.Field()
	if err != nil {
		return f, err
	}
	f.Path = string(path)
	f.OldPath = f.Path
	if f.Parents[0].Path != "" {
		f.OldPath = f.Parents[0].Path
	}
	f.Status = mergeStatus(&f)
	return f, nil
}

// mergeStatus sums up what a merge did to a file: it is added when no parent
// has it.
func mergeStatus(f *File) Status {
	if f.Blob == "" {
		return Deleted
	}
	for _, q := range f.Parents {
		if q.Blob != "" {
			return Modified
		}
	}
	return Added
}

func (p *Reader) paths(f *File) error {
	path, err := p.r.Field()
	if err != nil {
		return err
	}
	f.OldPath = string(path)
	f.Path = f.OldPath
	if f.Status == Renamed || f.Status == Copied {
		if path, err = p.r.Field(); err != nil {
			return err
		}
		f.Path = string(path)
	}
	return nil
}

// match finds the file that a heading belongs to. Patches come in the order of
// the list; a file without one is passed over, a change of type has two.
func (p *Reader) match(files []File, from int, line []byte) int {
	for i := from; i < len(files); i++ {
		f := &files[i]
		if f.Parents != nil {
			p.head = quote.Append(append(p.head[:0], "diff --combined "...), "", f.Path)
		} else {
			p.head = quote.Append(append(p.head[:0], "diff --git "...), "a/", f.OldPath)
			p.head = quote.Append(append(p.head, ' '), "b/", f.Path)
		}
		if p.head = append(p.head, '\n'); bytes.Equal(p.head, line) {
			return i
		}
	}
	return -1
}

// file reads the patch of one file behind its heading.
func (p *Reader) file(f *File) error {
	text := p.limits.FileText
	var merge *merger
	if f.Parents != nil {
		merge = newMerger(f)
	}
	for {
		ahead, err := p.r.Peek(2)
		if err != nil {
			return err
		}
		switch {
		case ahead[0] == '=':
			return nil
		case ahead[0] == '@' && merge != nil:
			err = p.combined(f, merge, &text)
		case ahead[0] == '@':
			err = p.hunk(f, &text)
		case ahead[0] == 'd' && p.isHeading():
			return nil
		default:
			var line []byte
			if line, err = p.r.Line(); bytes.HasPrefix(line, []byte("Binary files ")) {
				f.Binary = true
			}
		}
		if err != nil {
			return err
		}
	}
}

func (p *Reader) isHeading() bool {
	ahead, _ := p.r.Peek(5)
	return string(ahead) == "diff "
}

// hunk reads one hunk of an ordinary patch.
func (p *Reader) hunk(f *File, text *int) error {
	line, err := p.r.Line()
	if err != nil {
		return err
	}
	var h Hunk
	rest, ok := bytes.CutPrefix(line, []byte("@@ -"))
	if ok {
		h.OldStart, h.OldLines, rest, ok = span(rest)
	}
	if rest, ok = wire.CutIf(rest, " +", ok); ok {
		h.NewStart, h.NewLines, rest, ok = span(rest)
	}
	if _, ok = wire.CutIf(rest, " @@", ok); !ok {
		return fmt.Errorf("malformed hunk %.200q", line)
	}
	f.Added, f.Deleted = f.Added+h.NewLines, f.Deleted+h.OldLines
	room := min(*text, p.left) / lineCost
	h.Old, h.New = p.heads.lines(min(h.OldLines, room)), p.heads.lines(min(h.NewLines, room))
	for o, n := h.OldLines, h.NewLines; o > 0 || n > 0; {
		c, err := p.r.First()
		if err != nil {
			return err
		}
		switch {
		case c == '-' && o > 0:
			o--
			err = p.keep(f, &h.Old, 1, text)
		case c == '+' && n > 0:
			n--
			err = p.keep(f, &h.New, 1, text)
		case c == '\\':
			err = p.open(&h, n == h.NewLines)
		default:
			return fmt.Errorf("a hunk ends too early, at %q", c)
		}
		if err != nil {
			return err
		}
	}
	if c, err := p.r.First(); err != nil {
		return err
	} else if c == '\\' {
		if err := p.open(&h, h.NewLines == 0); err != nil {
			return err
		}
	}
	addHunk(f, &f.Hunks, h, p.limits.Hunks)
	return nil
}

// open reads the note that the last line has no line end.
func (p *Reader) open(h *Hunk, old bool) error {
	if old {
		h.OldOpen = true
	} else {
		h.NewOpen = true
	}
	return p.r.SkipLine()
}

// addHunk appends h. The two halves of a change of type become one hunk; beyond
// the limit the last hunk grows over what lies between.
func addHunk(f *File, list *[]Hunk, h Hunk, limit int) {
	n := len(*list)
	if f.Status == TypeChanged && n == 1 && h.OldLines == 0 && (*list)[0].NewLines == 0 {
		last := &(*list)[0]
		last.NewStart, last.NewLines, last.New, last.NewOpen = h.NewStart, h.NewLines, h.New, h.NewOpen
		return
	}
	if n < limit {
		*list = append(*list, h)
		return
	}
	last := &(*list)[n-1]
	f.TextDropped, f.Coarse = true, true
	last.Old, last.New = nil, nil
	if last.OldLines == 0 {
		last.OldStart++
	}
	if last.NewLines == 0 {
		last.NewStart++
	}
	if h.OldLines == 0 {
		h.OldStart++
	}
	if h.NewLines == 0 {
		h.NewStart++
	}
	last.OldLines = h.OldStart + h.OldLines - last.OldStart
	last.NewLines = h.NewStart + h.NewLines - last.NewStart
	last.OldOpen, last.NewOpen = h.OldOpen, h.NewOpen
}

// lineCost is what a kept line counts beyond its text.
const lineCost = 24

// keep reads a line, leaves out its first skip bytes and its line end, and
// appends it to list as far as there is room for its text.
func (p *Reader) keep(f *File, list *[][]byte, skip int, text *int) error {
	kept, err := p.content(f, skip, text)
	if err == nil && kept != nil {
		*list = append(*list, kept)
	}
	return err
}

// content reads a line of a file and returns the copy to keep, nil for none.
func (p *Reader) content(f *File, skip int, text *int) ([]byte, error) {
	line, whole, err := p.r.Text(skip)
	if err != nil {
		return nil, err
	}
	keep := line[:min(len(line), p.limits.Line)]
	var kept []byte
	if cost := len(keep) + lineCost; cost <= *text && cost <= p.left {
		kept = p.text.Copy(keep)
		*text, p.left = *text-cost, p.left-cost
		f.TextDropped = f.TextDropped || len(keep) < len(line) || !whole
	} else {
		*text, f.TextDropped = 0, true // no gaps: what is kept is a beginning
	}
	if !whole {
		return kept, p.r.SkipLine()
	}
	return kept, nil
}

// span reads "12,3" or "12", which means "12,1".
func span(b []byte) (start, lines int, rest []byte, ok bool) {
	start, b, ok = wire.Number(b)
	lines = 1
	if ok && len(b) > 0 && b[0] == ',' {
		lines, b, ok = wire.Number(b[1:])
	}
	return start, lines, b, ok
}

// A shelf gives room for lists of lines in few pieces.
type shelf struct{ free [][]byte }

// lines gives room for n lines.
func (s *shelf) lines(n int) [][]byte {
	if n == 0 {
		return nil
	}
	if n > 256 {
		return make([][]byte, 0, n)
	}
	if n > len(s.free) {
		s.free = make([][]byte, 256)
	}
	out := s.free[:0:n]
	s.free = s.free[n:]
	return out
}
