package traced

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stemma-dev/stemma/ingest/otlp"
)

// FuzzTree: whatever spans say of their parents, in circles and of themselves, each gets
// one session, whatever the order in which they come.
func FuzzTree(f *testing.F) {
	f.Add([]byte("abcabc"), uint64(1))
	f.Add([]byte{0, 1, 1, 0, 0, 2, 2, 3, 1, 5, 4, 2}, uint64(2))
	f.Fuzz(func(t *testing.T, script []byte, seed uint64) {
		kinds := []string{"", otlp.Agent, otlp.Model, otlp.Tool, otlp.Outcome, otlp.Turn}
		var spans []otlp.Span
		for i := 0; i+1 < len(script) && i < 400; i += 2 {
			s := otlp.Span{Trace: "t", ID: fmt.Sprint(i / 2), Parent: fmt.Sprint(int(script[i]) % 24), Kind: kinds[int(script[i+1])%len(kinds)], Harness: "x"}
			switch c := script[i+1] >> 4; {
			case c < 3:
				s.Conversation = fmt.Sprint("c", c)
			case c == 4:
				s.Sub = "sub"
			case c == 5:
				s.Sub, s.Above = "other", "sub"
			}
			spans = append(spans, s)
		}
		one := plant(slices.Clone(spans))
		random := rand.New(rand.NewPCG(seed, 1))
		random.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		two := plant(spans)
		for id, a := range one.nodes {
			b := two.nodes[id]
			if a.key != b.key || a.parent != b.parent || a.depth != b.depth || a.again != b.again || a.level != b.level {
				t.Errorf("%s: %+v, and in another order %+v", id, a, b)
			}
			if a.state != 2 || a.parent == a.key && a.key.id != "" {
				t.Errorf("%s: %+v", id, a)
			}
		}
	})
}

// TestADeepTraceIsReadInOneWalk: each span in the one before, as nobody's are.
func TestADeepTraceIsReadInOneWalk(t *testing.T) {
	var spans []otlp.Span
	for i := range maxTrace {
		spans = append(spans, otlp.Span{ID: fmt.Sprintf("%08d", i), Parent: fmt.Sprintf("%08d", i-1), Kind: otlp.Tool, Called: fmt.Sprint(i), Conversation: "c"})
	}
	if n := plant(spans).nodes[fmt.Sprintf("%08d", maxTrace-1)]; n.level != maxTrace-1 || n.id != "c" {
		t.Errorf("level %d of session %s", n.level, n.id)
	}
}
