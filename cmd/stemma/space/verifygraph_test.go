package space

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/identity"
)

// TestGrowingGraphIsNoTampering has other processes read on during the first
// comparisons.
func TestGrowingGraphIsNoTampering(t *testing.T) {
	for _, c := range []struct {
		name      string
		grows     int   // during so many comparisons
		differing []int // what each of them finds, the last for ever
		want      int
		fails     bool
	}{
		{"nothing differs", 99, []int{0}, 0, false},
		{"it differs while others read on", 2, []int{3, 2, 0}, 0, false},
		{"it differs afterwards too", 2, []int{3, 2, 1}, 1, false},
		{"it differs at once", 0, []int{4}, 4, false},
		{"it never rests", 99, []int{5}, 0, true},
	} {
		compared := 0
		applied := func(context.Context) (int64, error) { return int64(min(compared, c.grows)), nil }
		got, err := settled(t.Context(), applied, func(int64) (difference, error) {
			n := c.differing[min(compared, len(c.differing)-1)]
			compared++
			return difference{rows: n, told: []string{fmt.Sprint(n)}}, nil
		})
		if got.rows != c.want || (err != nil) != c.fails || err == nil && !slices.Equal(got.told, []string{fmt.Sprint(c.want)}) || errors.Is(err, stemma.ErrTampered) {
			t.Errorf("%s: %+v, %v; want %d", c.name, got, err, c.want)
		}
	}
}

// TestGraphThatLagsBehindIsNoTampering: what was appended when the disk was full, or
// before a kill, is not in the graph yet.
func TestGraphThatLagsBehindIsNoTampering(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	var out bytes.Buffer
	a := &program.App{Out: &out, Err: &out, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	s, err := a.OpenStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i, apply := range []bool{true, false} {
		f, err := identity.Bot{Host: "git.example.com", Name: fmt.Sprint(i)}.Fact("test", stemma.GradeD)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Ledger.Append(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if apply {
			if _, err := s.Graph.Apply(t.Context(), s.Ledger); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := runVerifyGraph(t.Context(), a, false); err != nil || !strings.Contains(out.String(), "up to fact 1 of 2") {
		t.Errorf("%v: %s", err, &out)
	}
}
