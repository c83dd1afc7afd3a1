package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/query/querytest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestDumpsAreComparedRowByRow(t *testing.T) {
	for _, c := range []struct{ name, stored, derived, want string }{
		{"the same", "[`a`]\n[`a`,1]\n", "[`a`]\n[`a`,1]\n", ""},
		{"numbers in their order", "[`a`]\n[`a`,10]\n", "[`a`]\n[`a`,9]\n[`a`,10]\n", "-[`a`,9]"},
		{"texts in their order", "[`a`]\n[`a`,`x!`]\n", "[`a`]\n[`a`,`x`]\n[`a`,`x!`]\n", "-[`a`,`x`]"},
		{
			"a table where only one has rows", "[`a`]\n[`a`,1]\n[`b`]\n[`b`,1]\n", "[`a`]\n[`b`]\n[`b`,1]\n",
			"+[`a`,1]",
		},
		{
			"a table without an equal row", "[`a`]\n[`a`,1,`x`]\n[`a`,2,`x`]\n[`b`]\n[`b`,1]\n", "[`a`]\n[`a`,1,`y`]\n[`a`,2,`y`]\n[`b`]\n[`b`,1]\n",
			"+[`a`,1,`x`] -[`a`,1,`y`] +[`a`,2,`x`] -[`a`,2,`y`]",
		},
		{"another type", "[`a`]\n[`a`,1,`x`]\n", "[`a`]\n[`a`,1,2]\n", "-[`a`,1,2] +[`a`,1,`x`]"},
		{"rows at the end", "[`a`]\n[`a`,1]\n[`a`,{}]\n", "[`a`]\n[`a`,1]\n", "+[`a`,{}]"},
		{"another table", "[`a`]\n[`c`]\n", "[`a`]\n[`b`]\n[`b`,1]\n", "-[`b`] -[`b`,1] +[`c`]"},
	} {
		quotes := strings.NewReplacer("`", `"`)
		var out bytes.Buffer
		n, err := compareDumps(&out, strings.NewReader(quotes.Replace(c.stored)), strings.NewReader(quotes.Replace(c.derived)))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		told := strings.NewReplacer("only stored:  ", "+", "only derived: ", "-", `"`, "`").Replace(out.String())
		if got := strings.Join(strings.Fields(told), " "); got != c.want || n != strings.Count(out.String(), "\n") {
			t.Errorf("%s: %d rows differ: %s, want %s", c.name, n, got, c.want)
		}
	}
}

func TestDumpThatCannotBeReadIsNoEqualOne(t *testing.T) {
	broken := errors.New("broken")
	whole := strings.NewReader("[\"a\"]\n")
	for _, readers := range [][2]io.Reader{
		{iotest.ErrReader(broken), whole},
		{whole, iotest.ErrReader(broken)},
		{iotest.ErrReader(broken), iotest.ErrReader(broken)},
	} {
		if n, err := compareDumps(io.Discard, readers[0], readers[1]); !errors.Is(err, broken) {
			t.Errorf("compareDumps = %d, %v, want the error of a reader", n, err)
		}
	}
}

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

// TestComparisonEndsWhenOneDumpFails sees that the other dump, which is longer
// than what is read ahead, is not left behind with its transaction.
func TestComparisonEndsWhenOneDumpFails(t *testing.T) {
	ctx := t.Context()
	var facts []stemma.Fact
	for i := range 500 {
		f, err := intent.Ticket{Tracker: "jira", Key: fmt.Sprintf("PAY-%d", i), Occurred: 1}.Fact("test", stemma.GradeC)
		if err != nil {
			t.Fatal(err)
		}
		facts = append(facts, f)
	}
	stored, derived := storagetest.SQLite(t), storagetest.SQLite(t)
	x, y := querytest.Tell(t, stored, facts...), querytest.Tell(t, derived, facts...)
	err := stored.Write(ctx, func(tx *storage.Tx) error {
		_, err := tx.Exec(context.Background(), "DROP TABLE node_fact")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := compareGraphs(ctx, io.Discard, x, y); err == nil {
		t.Error("a graph without a table is compared")
	}
	ended := make(chan error, 2)
	for _, db := range []*storage.DB{stored, derived} {
		go func() { ended <- db.Close() }() // waits for whoever reads
	}
	for range cap(ended) {
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("a dump is still being written")
		}
	}
}
