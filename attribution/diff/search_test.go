package diff

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func none(int) bool { return false }

// whole is the text of some lines.
func whole(lines [][]byte) []byte { return append(bytes.Join(lines, newLine), '\n') }

func bare(line []byte) []byte { return appendSpaceless(nil, line) }

// barred is a text of which each word is a line.
func barred(s string) [][]byte { return lines(strings.Fields(s)...) }

func TestBlocksAreFoundWhereMostTextIsTheSame(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		runs []Range
		olds []string
		want []Origin
		rest []Range
	}{
		"a whole run": {
			"x aaa bbb y", []Range{{2, 2}}, []string{"p aaa bbb q"}, []Origin{{Match{2, 2, 2}, 0}}, nil,
		},
		"a part of a run": {
			"aaa bbb new", []Range{{1, 3}}, []string{"aaa bbb"}, []Origin{{Match{1, 1, 2}, 0}}, []Range{{3, 1}},
		},
		"too little text": {
			"aaa b", []Range{{1, 2}}, []string{"aaa c b"}, nil, []Range{{1, 2}},
		},
		"not across two runs": {
			"aaa bbb ccc", []Range{{1, 1}, {3, 1}}, []string{"aaa bbb ccc"}, nil, []Range{{1, 1}, {3, 1}},
		},
		"signs join a block and are no text": {
			"} aaa { bbb }", []Range{{1, 5}}, []string{"} aaa { bbb }"}, []Origin{{Match{1, 1, 5}, 0}}, nil,
		},
		"the most text first, then what is left on either side": {
			"aaa bbb ccc ddd eee fff",
			[]Range{{1, 6}},
			[]string{"bbb ccc ddd", "aaa bbb", "ddd eee fff"},
			[]Origin{{Match{1, 1, 2}, 1}, {Match{1, 4, 3}, 2}},
			[]Range{{3, 1}},
		},
		"of equal blocks the one that was looked through last, and stands last": {
			"aaa bbb", []Range{{1, 2}}, []string{"aaa bbb", "aaa bbb x aaa bbb"}, []Origin{{Match{4, 1, 2}, 1}}, nil,
		},
	} {
		search := NewSearch(5)
		n := search.Add(barred(c.text), c.runs)
		for i, old := range c.olds {
			search.In(i, whole(barred(old)), none)
		}
		found, rest := search.Found(n)
		if d := cmp.Diff(c.want, found); d != "" {
			t.Errorf("%s: origins -want +got:\n%s", name, d)
		}
		if d := cmp.Diff(c.rest, rest); d != "" {
			t.Errorf("%s: rest -want +got:\n%s", name, d)
		}
	}
}

func TestWhiteSpaceDoesNotHideABlock(t *testing.T) {
	search := NewSearch(5)
	search.Add(lines("\tif a {", "\t\tfourfour()\r"), []Range{{1, 2}})
	search.In(0, whole(lines("if  a{", "", "if a {", "fourfour()")), none)
	found, _ := search.Found(0)
	if d := cmp.Diff([]Origin{{Match{3, 1, 2}, 0}}, found); d != "" {
		t.Error(d)
	}
}

func TestTextsAreNotLookedForWhereTheyAreExcepted(t *testing.T) {
	search := NewSearch(5)
	for range 2 {
		search.Add(barred("aaa bbb"), []Range{{1, 2}})
	}
	search.In(7, whole(barred("aaa bbb")), func(text int) bool { return text == 0 })
	if found, _ := search.Found(0); found != nil {
		t.Errorf("%v in what was excepted", found)
	}
	if found, _ := search.Found(1); len(found) != 1 || found[0].From != 7 {
		t.Errorf("%v, want one from 7", found)
	}
}

// TestSearchOfMonotonousTextsEnds: lines that repeat without end are bounded work,
// and what is found of them is so.
func TestSearchOfMonotonousTextsEnds(t *testing.T) {
	var text, old [][]byte
	for i := range 200_000 {
		text = append(text, fmt.Appendf(nil, "line%d", i%9000))
		old = append(old, fmt.Appendf(nil, "line%d", i%9001))
	}
	search := NewSearch(MovedText)
	search.Add(text, []Range{{1, len(text)}})
	search.In(0, whole(old), none)
	found, rest := search.Found(0)
	if len(found) == 0 {
		t.Error("no block was found")
	}
	sound(t, search.least, text, []Range{{1, len(text)}}, [][][]byte{old}, found, rest)
}

// sound checks that what was found stands where it is said, and that nothing is
// lost or told twice.
func sound(t *testing.T, least int, text [][]byte, runs []Range, olds [][][]byte, found []Origin, rest []Range) {
	t.Helper()
	var all, want []int
	for _, o := range found {
		weight := 0
		for i := range o.Count {
			now, old := bare(text[o.New-1+i]), bare(olds[o.From][o.Old-1+i])
			if !bytes.Equal(now, old) {
				t.Fatalf("%v: line %d is %q, was %q", o, i, now, old)
			}
			weight += letters(now)
			all = append(all, o.New+i)
		}
		if weight < least {
			t.Fatalf("%v has %d letters and digits, want %d", o, weight, least)
		}
	}
	for _, r := range rest {
		for i := range r.Count {
			all = append(all, r.Start+i)
		}
	}
	for _, r := range runs {
		for i := range r.Count {
			want = append(want, r.Start+i)
		}
	}
	slices.Sort(all)
	if !slices.Equal(all, want) {
		t.Fatalf("lines %v of %v", all, want)
	}
}

// heaviest is the most text of a block in some runs that stands in an older text.
func heaviest(text [][]byte, runs []Range, olds [][][]byte) (most int) {
	for _, r := range runs {
		for _, old := range olds {
			for i := range r.Count {
				for j := range old {
					weight := 0
					for k := 0; i+k < r.Count && j+k < len(old); k++ {
						now := bare(text[r.Start-1+i+k])
						if !bytes.Equal(now, bare(old[j+k])) {
							break
						}
						weight += letters(now)
					}
					most = max(most, weight)
				}
			}
		}
	}
	return most
}

func TestLineThatIsEverywhereLeadsNowhere(t *testing.T) {
	same := func(n int) [][]byte { return slices.Repeat(lines("the same line"), n) }
	search := NewSearch(MovedText)
	few, many := search.Add(same(maxTimes), []Range{{1, maxTimes}}), search.Add(same(maxTimes+1), []Range{{1, maxTimes + 1}})
	search.In(0, whole(same(100_000)), none)
	if found, _ := search.Found(few); len(found) != 1 || found[0].Count != maxTimes {
		t.Errorf("%v, want one block of %d lines", found, maxTimes)
	}
	if found, rest := search.Found(many); found != nil || len(rest) != 1 {
		t.Errorf("%v, want nothing", found)
	}
}

func FuzzSearch(f *testing.F) {
	f.Add("aaa\n}\nbbb\nccc", "x\naaa\n}\nbbb", "ccc\nbbb\nccc", uint64(3))
	f.Add("a\na\na\na", "a\na\na\na\na", "", uint64(1))
	f.Add("a\u3000bcd", "\u3000ab\u0085cd", "a bc\u00a0d", uint64(1))
	f.Add("\xff\xfe1\n\u00e9\u00e9\u00e9", "\xff\xfe 1\n\u00e9\u00e9 \u00e9", " ", uint64(2))
	f.Fuzz(func(t *testing.T, x, y, z string, seed uint64) {
		if len(x)+len(y)+len(z) > 600 {
			return
		}
		rng := rand.New(rand.NewPCG(seed, 3))
		text := lines(strings.Split(x, "\n")...)
		olds := [][][]byte{lines(strings.Split(y, "\n")...), lines(strings.Split(z, "\n")...)}
		var runs []Range
		for at := 1; at <= len(text); {
			n := min(1+rng.IntN(6), len(text)-at+1)
			runs = append(runs, Range{at, n})
			at += n + 1 + rng.IntN(2)
		}
		least := 1 + rng.IntN(8)
		find := func(texts ...[][]byte) ([]Origin, []Range) {
			search := NewSearch(least)
			for _, beside := range texts {
				search.Add(beside, []Range{{1, len(beside)}})
			}
			n := search.Add(text, runs)
			for i, old := range olds {
				search.In(i, whole(old), none)
			}
			return search.Found(n)
		}
		found, rest := find()
		sound(t, least, text, runs, olds, found, rest)
		together, left := find(olds[0], text)
		if d := cmp.Diff(found, together) + cmp.Diff(rest, left); d != "" {
			t.Fatalf("with other texts beside it: %s", d)
		}
		times := map[string]int{}
		for _, l := range text {
			times[string(bare(l))]++
			if times[string(bare(l))] > maxTimes {
				return
			}
		}
		if left := heaviest(text, rest, olds); left >= least {
			t.Fatalf("a block of %d is left, of %v and %v in %q", left, found, rest, text)
		}
		most := 0
		for _, o := range found {
			weight := 0
			for _, l := range text[o.New-1 : o.New-1+o.Count] {
				weight += letters(bare(l))
			}
			most = max(most, weight)
		}
		if want := heaviest(text, runs, olds); want >= least && most != want {
			t.Fatalf("the best block has %d, want %d: %v in %q", most, want, found, text)
		}
	})
}
