package version

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/attribution/diff"
)

// An origin is what a Run says of one line.
type origin struct {
	version uint32
	line    int
	unknown bool
}

// A plain is a store that keeps the origin of every line of every version.
type plain struct{ versions [][]origin }

// add works out the lines of a version one by one: those that an old version
// has, the first such one, and else the version's own.
func (p *plain) add(lines int, ownUnknown bool, olds []Old) {
	n := uint32(len(p.versions) + 1)
	out := make([]origin, lines)
	for i := range out {
		out[i] = origin{n, i + 1, ownUnknown}
	}
	for _, o := range slices.Backward(olds) {
		if o.Version == 0 && !o.Unknown {
			continue
		}
		old, now := 0, 0
		same := func(count int) {
			for ; count > 0 && now < lines; count-- {
				out[now] = origin{n, now + 1, true}
				if !o.Unknown {
					out[now] = p.versions[o.Version-1][old]
				}
				old, now = old+1, now+1
			}
		}
		for _, h := range o.Hunks {
			same(h.OldAt() - old)
			old, now = old+h.OldLines, now+h.NewLines
		}
		same(lines)
	}
	p.versions = append(p.versions, out)
}

// own are the lines that a version brought.
func (p *plain) own(n uint32) (lines []int) {
	for i, o := range p.versions[n-1] {
		if o == (origin{n, i + 1, false}) {
			lines = append(lines, o.line)
		}
	}
	return lines
}

func ownLines(own []diff.Range, _ []uint32) (lines []int) {
	for _, r := range own {
		for i := range r.Count {
			lines = append(lines, r.Start+i)
		}
	}
	return lines
}

func perLine(t *testing.T, runs []Run) []origin {
	t.Helper()
	var out []origin
	for _, r := range runs {
		if r.Start != len(out)+1 {
			t.Fatalf("runs %v do not follow each other", runs)
		}
		for i := range r.Count {
			out = append(out, origin{r.Version, r.Line + i, r.Unknown})
		}
	}
	return out
}

// hunksTo makes hunks from a version of old lines to one of now, which is at
// least one more.
func hunksTo(rng *rand.Rand, old, now int) []diff.Hunk {
	gone := rng.IntN(old + 1)
	at := rng.IntN(old - gone + 1)
	h := diff.Hunk{OldStart: at, OldLines: gone, NewStart: at + 1, NewLines: now - old + gone}
	if gone > 0 {
		h.OldStart++
	}
	return []diff.Hunk{h}
}

func TestEveryLineHasTheOriginThatAPlainStoreKeeps(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 11))
		var v, again Versions
		var p plain
		lines := 5
		for n := range 60 {
			var olds []Old
			for range rng.IntN(3) {
				o := Old{Unknown: rng.IntN(9) == 0}
				if n > 0 && !o.Unknown && rng.IntN(9) > 0 {
					o.Version = uint32(1 + rng.IntN(n))
					o.Hunks = hunksTo(rng, v.Lines(o.Version), lines)
					if _, why := diff.Check(o.Hunks, v.Lines(o.Version), lines); why != "" {
						t.Fatal(why)
					}
				}
				olds = append(olds, o)
			}
			ownUnknown := rng.IntN(9) == 0
			got := v.Add(lines, ownUnknown, olds)
			p.add(lines, ownUnknown, olds)
			if err := again.AddEncoded(v.Encoded(got)); err != nil {
				t.Fatalf("seed %d, version %d: %v", seed, got, err)
			}
			lines++
		}
		tracer := again.Tracer()
		for n := uint32(1); int(n) <= v.Len(); n++ {
			whole := []diff.Range{{Start: 1, Count: v.Lines(n)}}
			if d := cmp.Diff(p.versions[n-1], perLine(t, tracer.Runs(n, whole)), cmp.AllowUnexported(origin{})); d != "" {
				t.Fatalf("seed %d, version %d: %s", seed, n, d)
			}
			if d := cmp.Diff(p.own(n), ownLines(tracer.Own(n))); d != "" {
				t.Fatalf("seed %d, own lines of version %d: %s", seed, n, d)
			}
		}
	}
}

// FuzzAddEncoded lets any bytes be a second and a third version: what is taken
// can be traced, and covers each line once.
func FuzzAddEncoded(f *testing.F) {
	var v Versions
	one := v.Add(4, false, nil)
	two := v.Add(5, false, []Old{{Version: one, Hunks: []diff.Hunk{{OldStart: 2, NewStart: 3, NewLines: 1}}}})
	three := v.Add(5, true, []Old{{Unknown: true}, {Version: two}, {}})
	f.Add(v.Encoded(two), v.Encoded(three))
	f.Fuzz(func(t *testing.T, two, three []byte) {
		var v Versions
		v.Add(4, false, nil)
		for _, data := range [][]byte{two, three} {
			before := v.Len()
			if v.AddEncoded(data) != nil && v.Len() != before {
				t.Fatal("a refused version was kept")
			}
		}
		tracer := v.Tracer()
		for n := uint32(1); int(n) <= v.Len(); n++ {
			lines := v.Lines(n)
			if lines == 0 {
				continue
			}
			count := lines
			if lines < 0 {
				count = diff.MaxLines
			}
			next := 1
			for _, r := range tracer.Runs(n, []diff.Range{{Start: 1, Count: count}}) {
				if r.Start != next || r.Count < 1 || r.Line < 1 || r.Version < 1 || r.Version > n {
					t.Fatalf("version %d: %v", n, r)
				}
				next += r.Count
			}
			if own, olds := tracer.Own(n); len(olds) > 0 && slices.Max(olds) >= n || lines < 0 && own != nil {
				t.Fatalf("version %d: own lines %v, made of %v", n, own, olds)
			}
			if next != 1+count {
				t.Fatalf("version %d of %d lines: the runs end before line %d", n, lines, next)
			}
		}
	})
}
