package edits_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/attribution/diff"
	"github.com/stemma-dev/stemma/attribution/edits"
)

// Hands of the tests.
const (
	ann edits.Hand = iota + 1
	ai
	bot
	cal
)

// follow makes steps from a content and tells by and over of the lines at the end.
func follow(start string, steps ...any) (got []string) {
	f := edits.Start("f", []byte(start), nil, nil)
	for i := 0; i < len(steps); i += 2 {
		f.Step([]byte(steps[i+1].(string)), steps[i].(edits.Hand), edits.Any)
	}
	for _, l := range f.Lines() {
		s := fmt.Sprint(l.By)
		if l.Over != edits.Base {
			s += fmt.Sprint(" over ", l.Over)
		}
		got = append(got, s)
	}
	return got
}

func TestLinesAreOfTheHandThatWroteThem(t *testing.T) {
	const moved = "func theBlockThatMoves() {\n\treturn somethingLong\n}\n"
	for name, c := range map[string]struct {
		got  []string
		want string
	}{
		"a new file":                              {follow("", ai, "a\nb\n"), "2 2"},
		"an empty file":                           {follow("a\n", ai, ""), ""},
		"lines around stay":                       {follow("a\nb\n", ai, "a\nx\nb\n"), "0 2 0"},
		"one after the other":                     {follow("a\n", ai, "a\nx\n", ann, "a\nx\ny\n"), "0 2 1"},
		"a person rewrites an agent's line":       {follow("", ai, "x = 1\n", ann, "x = 2\n"), "1 over 2"},
		"an agent rewrites a person's":            {follow("", ann, "x = 1\n", ai, "x = 2\n"), "2 over 1"},
		"a hand corrects itself":                  {follow("", ai, "x = 1\n", ai, "x = 2\n"), "2"},
		"and still remembers":                     {follow("", ai, "x = 1\n", ann, "x = 2\n", ann, "x = 3\n"), "1 over 2"},
		"one line becomes two":                    {follow("", ai, "x = 1\n", ann, "y = 2\nz = 3\n"), "1 over 2 1 over 2"},
		"lines of several become one":             {follow("", ai, "a\n", ann, "a\nb\n", bot, "c\n"), "3"},
		"only indented":                           {follow("", ai, "if x {\ny()\n}\n", ann, "if x {\n\ty()\n}\n"), "2 2 2"},
		"line ends of another system":             {follow("a\nb\n", ai, "a\nb\nc\n", ann, "a\r\nb\r\nc\r\n"), "0 0 2"},
		"no end at the last line":                 {follow("a\n", ai, "a\nb", ann, "a\nb\n"), "0 2"},
		"wrapped into more lines":                 {follow("", ai, "f(one, two, three)\n", ann, "f(\n\tone,\n\ttwo,\n\tthree)\n"), "2 2 2 2"},
		"joined into one line":                    {follow("", ai, "f(\none,\ntwo)\n", ann, "f(one, two)\n"), "2"},
		"lines of two hands joined":               {follow("", ai, "one\n", ann, "one\ntwo\n", bot, "one two\n"), "-2"},
		"indented, with a new line between":       {follow("", ai, "a\nb\n", ann, "\ta\nnew\n\tb\n"), "2 1 2"},
		"a block moves":                           {follow("", ai, moved+"1\n2\n3\n4\n", ann, "1\n2\n3\n4\n"+moved), "2 2 2 2 2 2 2"},
		"a block moves and is indented":           {follow("", ai, moved, ann, moved+"type t struct {\n}\n", bot, "type t struct {\n\t"+strings.ReplaceAll(strings.TrimSuffix(moved, "\n"), "\n", "\n\t")+"\n}\n"), "1 2 2 2 1"},
		"a copy is the copier's":                  {follow("", ai, moved, ann, moved+"x\n"+moved), "2 2 2 1 1 1 1"},
		"too little text to be a move":            {follow("", ai, "x\n1\n2\n3\n", ann, "1\n2\n3\nx\n"), "2 2 2 1"},
		"nobody known":                            {follow("", ai, "a\n", edits.Unknown, "a\nb\n"), "2 -1"},
		"invalid UTF-8":                           {follow("\xff\n", ai, "\xff\n\xfe\n", ann, "\xff\n \xfe\n"), "0 2"},
		"too little text to be told again":        {follow("a\nb\n", ai, "a\n", ann, "a\nb\n"), "0 1"},
		"what was there comes back":               {follow("a\n"+moved, ai, "a\n", ann, "a\n"+moved), "0 0 0 0"},
		"an agent's block goes and comes back":    {follow("a\n", ai, "a\n"+moved, ann, "a\n", bot, "a\nx\n", ann, "a\n"+moved+"x\n"), "0 2 2 2 3"},
		"comes back with another line in it":      {follow("", ai, moved, ann, "", edits.Unknown, strings.Replace(moved, "\n}", "\nnew\n}", 1)), "2 2 -1 2"},
		"comes back once":                         {follow("", ai, moved, ann, "", bot, moved+moved), "2 2 2 3 3 3"},
		"the last of equal blocks that went":      {follow("", ai, moved, ann, "x\n"+moved, bot, "x\n", cal, "x\n"+moved+"y\n"+moved), "1 2 2 2 4 4 4 4"},
		"blank lines within what is wrapped anew": {follow("", ai, "f(a, b)\n", ann, "f(a,\n\nb)\n"), "2 1 2"},
	} {
		if got := strings.Join(c.got, " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestWhatWasThereMayHaveHands(t *testing.T) {
	f := edits.Start("f", []byte("a\nb\nc\n"), []edits.Hand{ai, edits.Unknown}, nil)
	f.Step([]byte("\ta\nx\nc\n"), ann, edits.Any)
	want := []edits.Line{{By: ai}, {By: ann, Over: edits.Unknown}, {By: edits.Base}}
	if d := cmp.Diff(want, f.Lines()); d != "" {
		t.Error(d)
	}
}

func TestWhatCostsTooMuchIsNobodys(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := func() string {
		var b strings.Builder
		for range 30_000 {
			fmt.Fprintln(&b, rng.IntN(9_000))
		}
		return b.String()
	}
	f := edits.Start("f", []byte("first\n"+random()+"last\n"), nil, nil)
	f.Step([]byte("first\n"+random()+"last\n"), ai, edits.Any)
	l := f.Lines()
	if l[0].By != edits.Base || l[1].By != edits.Costly || l[len(l)-1].By != edits.Base {
		t.Errorf("the first lines are of %v, the last of %v", l[:2], l[len(l)-1])
	}
}

func TestAddedLinesAreThoseOfTheOtherDiff(t *testing.T) {
	const before = "func a() {\n}\n\nfunc c() {\n}\n"
	f := edits.Start("f", []byte(before), nil, nil)
	f.Step([]byte("func a() {\n}\n\nfunc b() {\n}\n\nfunc c() {\n}\n"), ai, edits.Any)
	for _, at := range []int{1, 2, 3} { // three equal ways to say which lines are new
		hunk := diff.Hunk{OldStart: at, NewStart: at + 1, NewLines: 3}
		want := []edits.AddedLine{{at + 1, edits.Line{By: ai}}, {at + 2, edits.Line{By: ai}}, {at + 3, edits.Line{By: ai}}}
		if d := cmp.Diff(want, f.Added([]diff.Hunk{hunk})); d != "" {
			t.Errorf("added behind line %d (-want +got):\n%s", at, d)
		}
	}
	other := f.Added([]diff.Hunk{{OldStart: 5, NewStart: 7, NewLines: 2}, {OldStart: 5, NewStart: 8, NewLines: 9}})
	if len(other) != 3 || other[0].By != edits.Base {
		t.Errorf("lines that were there count as %v", other)
	}
}

func TestWhatGitTookComesBackAlsoInParts(t *testing.T) {
	const one, two = "the first line that an agent wrote, and nobody else\n", "the second line that an agent wrote, and nobody else\n"
	for back, want := range map[edits.Back][]edits.Hand{
		edits.Git: {ai, ann, ai}, // git took both lines
		edits.Any: {ann, ann, ann},
	} {
		f := edits.Start("f", nil, nil, nil)
		f.Step([]byte(one+two), ai, edits.Nothing)
		f.Step(nil, edits.Unknown, back)
		f.Step([]byte(one+"a line of a person between them, for the first time\n"+two), ann, edits.Whole)
		var got []edits.Hand
		for _, l := range f.Lines() {
			got = append(got, l.By)
		}
		if !slices.Equal(got, want) {
			t.Errorf("after %v the lines are of %v, want %v", back, got, want)
		}
	}
}

func TestTextThatWentIsKnownElsewhere(t *testing.T) {
	const line = "the only line that an agent wrote, and nobody else\n"
	f := edits.Start("f", nil, nil, nil)
	f.Step([]byte(line), ai, edits.Nothing)
	if got := f.Went(edits.PrintOf([][]byte{[]byte(line)}), edits.Any); got[0].By != edits.Unknown {
		t.Errorf("what is still there went, and was of %v", got[0].By)
	}
	f.Step(nil, ann, edits.Any)
	if got := f.Went(edits.PrintOf([][]byte{[]byte(line), []byte("another")}), edits.Any); got[0].By != ai || got[1].By != edits.Unknown {
		t.Errorf("what went was of %v", got)
	}
}

func TestAGlimpseLeavesTheFileAsItIs(t *testing.T) {
	const mine, yours = "a line of mine that nobody else has\n", "a line of yours that nobody else has\n"
	f := edits.Start("f", nil, nil, nil)
	f.Step([]byte(mine), ai, edits.Any)
	hands := func(f *edits.File) (list []edits.Hand) {
		for _, l := range f.Lines() {
			list = append(list, l.By)
		}
		return list
	}
	part := f.Glimpse([]byte(yours), ann, edits.Any)
	if got := hands(part); !slices.Equal(got, []edits.Hand{ann}) {
		t.Errorf("the glimpse has the hands %v", got)
	}
	if got := hands(f); !slices.Equal(got, []edits.Hand{ai}) {
		t.Errorf("the file has the hands %v", got)
	}
	f.Step([]byte(yours+mine), bot, edits.Any) // what the glimpse showed was there
	if got := hands(f); !slices.Equal(got, []edits.Hand{ann, ai}) {
		t.Errorf("afterwards the file has the hands %v", got)
	}
}

// printOf is the print of a text.
func printOf(s string) edits.Print {
	var list [][]byte
	for l := range strings.Lines(s) {
		list = append(list, []byte(strings.TrimSuffix(l, "\n")))
	}
	return edits.PrintOf(list)
}

func TestAPoolTellsWhereLinesCameFrom(t *testing.T) {
	lines := printOf
	const one, two = "func aLongNameForOneOfThemAll() {\n\treturn 1\n}\n", "func anotherNameThatIsLongEnough() {\n}\n"
	var p edits.Pool
	p.Add(lines(one), []edits.Hand{ai, ai, ann})
	p.Add(lines(two), []edits.Hand{bot, bot})
	for range 2 { // asking takes nothing away
		got := p.Find(edits.Any, lines("x\n"+two+one), lines(one), lines("}\n"), edits.Print{})
		want := [][]edits.Hand{{0, bot, bot, ai, ai, ann}, {0, 0, 0}, {0}, nil}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}

func TestWhatWasPutInPlaceIsToldByAnyBlockThatTells(t *testing.T) {
	const one, other, usual = "the text that only one of them has written\n", "the text that another has written long ago\n", "the text that everybody writes every day\n"
	var p edits.Pool
	p.Add(printOf(one+other), []edits.Hand{ai, bot})
	p.Add(printOf(usual), []edits.Hand{ai})
	p.Add(printOf(usual), []edits.Hand{edits.Unknown})
	tells := func(k edits.Key) bool { return k != printOf(usual).Key(0) }
	for text, want := range map[string][]edits.Hand{
		other:         {bot},
		"x\n" + other: {0, bot},
		usual:         {0},
		"x\n":         {0},
	} {
		if got := p.FindPlaced(tells, printOf(text))[0]; !slices.Equal(got, want) {
			t.Errorf("of %q: %v, want %v", text, got, want)
		}
	}
	if got := slices.Collect(p.Hands(printOf(usual).Key(0))); !slices.Equal(got, []edits.Hand{ai, edits.Unknown}) {
		t.Errorf("the hands of a text are %v", got)
	}
	if got := p.FindAgain(edits.Whole, nil, printOf(other))[0][0]; got != edits.Base {
		t.Errorf("a line alone is taken for what was there: %v", got)
	}
	if got := p.FindAgain(edits.Git, nil, printOf(other))[0][0]; got != bot {
		t.Errorf("what git may have put back is of %v", got)
	}
}

// A model knows by the text of a line, which is written once, whose it is.
type model struct {
	rng   *rand.Rand
	by    map[string]edits.Hand // by text without white space
	lines []string
	seen  map[string]bool // texts that were there after an edit
	gone  []string        // of those, the ones that may come back
	next  int
}

func (m *model) fresh(by edits.Hand) string {
	m.next++
	s := fmt.Sprintf("line%d word%dword end%dofthisuniqueline", m.next, m.next, m.next)
	m.by[strings.ReplaceAll(s, " ", "")] = by
	return s
}

// edit changes some lines as a hand would.
func (m *model) edit(by edits.Hand) {
	for range 1 + m.rng.IntN(4) {
		at := m.rng.IntN(len(m.lines) + 1)
		end := min(at+m.rng.IntN(4), len(m.lines))
		switch m.rng.IntN(6) {
		case 0:
			m.lines = slices.Insert(m.lines, at, m.fresh(by), m.fresh(by))
		case 1:
			for _, l := range m.lines[at:end] {
				if m.seen[strings.Join(strings.Fields(l), "")] {
					m.gone = append(m.gone, l)
				}
			}
			m.lines = slices.Delete(m.lines, at, end)
		case 5: // git puts back what was there
			n := m.rng.IntN(len(m.gone) + 1)
			m.lines = slices.Insert(m.lines, at, m.gone[n:]...)
			m.gone = m.gone[:n]
		case 2:
			for i := at; i < end; i++ {
				m.lines[i] = m.fresh(by)
			}
		case 3:
			for i := at; i < end; i++ {
				m.lines[i] = "\t" + strings.TrimSpace(m.lines[i]) + strings.Repeat(" ", m.rng.IntN(2))
			}
		case 4:
			block := slices.Clone(m.lines[at:end])
			m.lines = slices.Delete(m.lines, at, end)
			m.lines = slices.Insert(m.lines, m.rng.IntN(len(m.lines)+1), block...)
		}
	}
}

func (m *model) text() []byte {
	if len(m.lines) == 0 {
		return nil
	}
	return []byte(strings.Join(m.lines, "\n") + strings.Repeat("\n", m.rng.IntN(2)))
}

// check compares the hands of all lines with those of the model.
func (m *model) check(t *testing.T, file *edits.File) {
	t.Helper()
	if len(file.Lines()) != len(m.lines) {
		t.Fatalf("%d lines of %d", len(file.Lines()), len(m.lines))
	}
	for i, l := range file.Lines() {
		text := strings.Join(strings.Fields(m.lines[i]), "")
		m.seen[text] = true
		if want := m.by[text]; l.By != want {
			t.Fatalf("line %d %q is %d's, want %d", i+1, text, l.By, want)
		}
	}
}

func FuzzEveryLineKeepsItsHand(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		m := &model{rng: rand.New(rand.NewPCG(seed, 7)), by: map[string]edits.Hand{}, seen: map[string]bool{}}
		for range m.rng.IntN(20) {
			m.lines = append(m.lines, m.fresh(edits.Base))
		}
		file := edits.Start("f", m.text(), nil, nil)
		m.check(t, file)
		for n := range 12 {
			by := edits.Hand(1 + m.rng.IntN(3))
			m.edit(by)
			if n%3 == 2 { // somebody commits another version, of which nothing stays
				part := &model{rng: m.rng, by: m.by, seen: m.seen, lines: slices.Clone(m.lines), gone: slices.Clone(m.gone), next: m.next}
				part.edit(by)
				part.check(t, file.Glimpse(part.text(), by, edits.Any))
				m.next = part.next
			}
			file.Step(m.text(), by, edits.Any)
			m.check(t, file)
		}
	})
}

func FuzzAnyContentIsFollowed(f *testing.F) {
	f.Add([]byte("a\nb"), []byte("b\n\xff"), []byte(" a b"))
	f.Add([]byte("a\r\n\n"), []byte(""), []byte("\n\n"))
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		file := edits.Start("f", a, []edits.Hand{bot}, nil)
		file.Step(b, ai, edits.Any)
		file.Step(c, ann, edits.Any)
		lines := len(strings.Split(strings.TrimSuffix(string(c), "\n"), "\n"))
		if len(c) == 0 {
			lines = 0
		}
		if len(file.Lines()) != lines {
			t.Fatalf("%d lines of %q", len(file.Lines()), c)
		}
		for _, l := range file.Added([]diff.Hunk{{NewStart: 1, NewLines: lines}}) {
			if l.Line != file.Lines()[l.Number-1] {
				t.Fatalf("line %d is %v and %v", l.Number, l.Line, file.Lines()[l.Number-1])
			}
		}
	})
}
