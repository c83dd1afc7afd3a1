package dag

import (
	"slices"
	"strings"
	"testing"
)

// graphOf builds a history from lines "child: parent parent".
func graphOf(text string) *Graph {
	g := New()
	for line := range strings.Lines(text) {
		id, parents, _ := strings.Cut(strings.TrimSpace(line), ":")
		if id != "" {
			g.Add(id, strings.Fields(parents))
		}
	}
	return g
}

func (g *Graph) names(ns []int32) string {
	var ids []string
	for _, n := range ns {
		ids = append(ids, g.ids[n])
	}
	return strings.Join(ids, " ")
}

func TestEveryCommitLandsOnce(t *testing.T) {
	g := graphOf(`
		a:
		b: a
		x: a
		y: x
		m: b y
		z: y
		c: m
		n: c z`)
	for _, c := range []struct {
		tip    string
		before []string
		want   []string
	}{
		{"n", nil, []string{"a", "b", "x y m", "c", "z n"}},
		{"n", []string{"m"}, []string{"c", "z n"}},
		{"n", []string{"b", "y"}, []string{"m", "c", "z n"}},
		{"m", []string{"m"}, nil},
		{"?", nil, nil},
	} {
		var got []string
		for _, l := range g.Landings(c.tip, c.before) {
			if l.Carried[len(l.Carried)-1] != l.Commit {
				t.Errorf("landing of %s does not end with it: %s", g.ids[l.Commit], g.names(l.Carried))
			}
			got = append(got, g.names(l.Carried))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("landings(%s, %v) = %q, want %q", c.tip, c.before, got, c.want)
		}
	}
}

func TestCommitsOfEarlierScansDoNotLandAgain(t *testing.T) {
	// The side branch x landed with m and grows on; of what m reaches only the
	// names are known.
	g := graphOf("c: m\ny: x\nn: c y")
	var got []string
	for _, l := range g.Landings("n", []string{"m"}) {
		got = append(got, g.names(l.Carried))
	}
	if want := []string{"c", "y n"}; !slices.Equal(got, want) {
		t.Errorf("landings = %q, want %q", got, want)
	}
}

func TestForcePushedBranchLandsOnlyWhatIsNew(t *testing.T) {
	g := graphOf("a:\nb: a\nc: b\nd: a\ne: d")
	var got []string
	for _, l := range g.Landings("e", []string{"c"}) {
		got = append(got, g.names(l.Carried))
	}
	if want := []string{"d", "e"}; !slices.Equal(got, want) {
		t.Errorf("landings = %q, want %q", got, want)
	}
}

func TestHeadsStandForTheWhole(t *testing.T) {
	g := graphOf("a:\nb: a\nc: a\nd: b c\ne: c")
	all := []int32{0, 1, 2, 3, 4}
	if got := g.Heads(all); strings.Join(got, " ") != "d e" {
		t.Errorf("heads = %v", got)
	}
	if got := g.Heads(all[:3]); strings.Join(got, " ") != "b c" {
		t.Errorf("heads = %v", got)
	}
}
