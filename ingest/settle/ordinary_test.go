package settle_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/gitai"
)

// Ordinary code repeats itself: everybody writes "if err != nil". Here the text of
// a line tells nothing, and a model knows by its place who wrote it.

// A placed line is a line and who wrote it.
type placed struct {
	text, who string
	n         int // no other has it
}

// A saved is a commit with the lines that are new in it.
type saved struct {
	id    string
	fresh map[string][]placed
}

// A project is files of ordinary code.
type project struct {
	*desk
	rng     *rand.Rand
	files   map[string][]placed
	known   map[int]bool // lines that were committed
	commits []saved
}

func (p *project) one(of string) string {
	words := strings.Fields(of)
	return words[p.rng.IntN(len(words))]
}

// code is some lines that somebody writes.
func (p *project) code(who string) (list []placed) {
	verb, noun, name := p.one("Load Store Parse Open Find Check"), p.one("User File Config Index Order"), p.one("name path id key")
	text := ""
	switch p.rng.IntN(8) {
	case 0, 1:
		text = fmt.Sprintf("func %s%s(%s string) (*%s, error) {\n\tv, err := find%s(%s)\n\tif err != nil {\n\t\treturn nil, err\n\t}\n\treturn v, nil\n}\n", verb, noun, name, noun, noun, name)
	case 2:
		text = "\tif err != nil {\n\t\treturn nil, err\n\t}"
	case 3:
		text = fmt.Sprintf("\tlog.Printf(%q, %s)", strings.ToLower(verb)+" %s", name)
	case 4:
		text = "\tdefer f.Close()"
	case 5:
		text = fmt.Sprintf("\tfor i, v := range %s {\n\t\tcontinue\n\t}", strings.ToLower(noun)+"s")
	case 6:
		text = fmt.Sprintf("\t// %s the %s first.", verb, strings.ToLower(noun))
	case 7:
		text = "\tdata, err := json.Marshal(v)\n\tif err != nil {\n\t\treturn nil, fmt.Errorf(\"marshal: %w\", err)\n\t}"
	}
	for _, l := range strings.Split(text, "\n") {
		p.lines++
		list = append(list, placed{l, who, p.lines})
	}
	return list
}

// change is an edit of somebody.
func (p *project) change(who, path string) []placed {
	lines := slices.Clone(p.files[path])
	for range 1 + p.rng.IntN(3) {
		at := p.rng.IntN(len(lines) + 1)
		switch p.rng.IntN(8) {
		case 0:
			lines = slices.Delete(lines, at, min(at+1+p.rng.IntN(5), len(lines)))
		case 1:
			lines = slices.Replace(lines, at, min(at+1, len(lines)), p.code(who)...)
		default:
			fresh := p.code(who)
			if strings.HasPrefix(fresh[0].text, "func") { // behind another one
				for at > 0 && at < len(lines) && lines[at-1].text != "" {
					at++
				}
			}
			lines = slices.Insert(lines, at, fresh...)
		}
	}
	return lines
}

func (p *project) put(path string, lines []placed) {
	p.files[path] = lines
	texts := make([]string, len(lines))
	for i, l := range lines {
		texts[i] = l.text
	}
	p.write(path, texts)
}

// save commits everything, and remembers what nobody had written before.
func (p *project) save() {
	p.commit("--allow-empty")
	fresh := map[string][]placed{}
	for path, lines := range p.files {
		for _, l := range lines {
			if !p.known[l.n] {
				p.known[l.n] = true
				fresh[path] = append(fresh[path], l)
			}
		}
	}
	p.commits = append(p.commits, saved{p.Head(), fresh})
}

// outcome counts lines.
type outcome struct{ right, wrong, unknown int }

// compare counts the lines of which the note of a commit says who wrote them. Which
// of several equal lines that are new in a file is whose, it does not ask.
func (p *project) compare(c saved, o *outcome) {
	left := map[string]int{}
	for path, lines := range c.fresh {
		for _, l := range lines {
			left[path+"\x00"+l.text+"\x00"+l.who]++
			o.unknown++
		}
	}
	text, err := p.Try(nil, "notes", "--ref", "ai", "show", c.id)
	if err != nil {
		return
	}
	n := gitai.Parse(text)
	for _, f := range n.Files {
		content := strings.Split(p.Git("show", c.id+":"+f.Path), "\n")
		for _, e := range f.Entries {
			mark, _ := n.Mark(e.Key)
			who := mark.Session
			if mark.Origin == stemma.OriginHuman {
				who = "me"
			}
			for _, r := range e.Ranges {
				for i := r.Start; i <= r.End; i++ {
					o.unknown--
					if is := f.Path + "\x00" + content[i-1] + "\x00" + who; left[is] > 0 {
						left[is]--
						o.right++
					} else {
						o.wrong++
					}
				}
			}
		}
	}
}

func TestOrdinaryCodeIsWhoseItIs(t *testing.T) {
	var all outcome
	for seed := range uint64(12) {
		p := &project{desk: newDesk(t), rng: rand.New(rand.NewPCG(seed, 5)), files: map[string][]placed{}, known: map[int]bool{}}
		for range 40 {
			path := p.one("a.go b.go c.go")
			switch p.rng.IntN(4) {
			case 0:
				p.put(path, p.change("me", path))
			case 1:
				p.save()
			default:
				who := p.one("s1 s2")
				p.calls++
				p.hook("PreToolUse", who, "Edit", path)
				p.put(path, p.change(who, path))
				p.hook("PostToolUse", who, "Edit", path)
			}
		}
		p.save()
		p.settle()
		p.checkNotes()
		for _, c := range p.commits {
			p.compare(c, &all)
		}
	}
	// Statements are put anywhere, also between equal ones, where no diff tells which
	// of the equal lines is the new one: these go wrong.
	n := all.right + all.wrong + all.unknown
	if n < 1000 || all.right*100 < n*93 || all.wrong*100 > n*6 {
		t.Errorf("of %d lines: %+v", n, all)
	}
}
