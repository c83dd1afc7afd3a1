package space

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stemma-dev/stemma"
)

// TestGrowingLogIsNoTampering has other processes append during the first
// comparisons.
func TestGrowingLogIsNoTampering(t *testing.T) {
	for _, c := range []struct {
		name      string
		grows     int   // during so many comparisons
		differing []int // what each of them finds, the last for ever
		want      int
		told      string
		fails     bool
	}{
		{"nothing differs", 99, []int{0}, 0, "", false},
		{"it differs while others append", 2, []int{3, 2, 0}, 0, "", false},
		{"it differs afterwards too", 2, []int{3, 2, 1}, 1, "1 differ", false},
		{"it differs at once", 0, []int{4}, 4, "4 differ", false},
		{"it never rests", 99, []int{5}, 0, "", true},
	} {
		compared := 0
		size := func(context.Context) (int64, error) { return int64(min(compared, c.grows)), nil }
		var out bytes.Buffer
		got, err := settled(t.Context(), size, &out, func(out io.Writer) (int, error) {
			n := c.differing[min(compared, len(c.differing)-1)]
			compared++
			if n > 0 {
				fmt.Fprintf(out, "%d differ", n)
			}
			return n, nil
		})
		if got != c.want || out.String() != c.told || (err != nil) != c.fails || errors.Is(err, stemma.ErrTampered) {
			t.Errorf("%s: %d rows, %q, %v; want %d, %q", c.name, got, out.String(), err, c.want, c.told)
		}
	}
}
