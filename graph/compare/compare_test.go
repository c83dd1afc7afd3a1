package compare

import (
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
		var told []string
		only := func(mark string) func([]byte) {
			return func(row []byte) {
				told = append(told, mark+strings.ReplaceAll(strings.TrimSuffix(string(row), "\n"), `"`, "`"))
			}
		}
		err := dumps(strings.NewReader(quotes.Replace(c.stored)), strings.NewReader(quotes.Replace(c.derived)), only("+"), only("-"))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := strings.Join(told, " "); got != c.want {
			t.Errorf("%s: these rows differ: %s, want %s", c.name, got, c.want)
		}
	}
}

func ignored([]byte) {}

func TestDumpThatCannotBeReadIsNoEqualOne(t *testing.T) {
	broken := errors.New("broken")
	whole := strings.NewReader("[\"a\"]\n")
	for _, readers := range [][2]io.Reader{
		{iotest.ErrReader(broken), whole},
		{whole, iotest.ErrReader(broken)},
		{iotest.ErrReader(broken), iotest.ErrReader(broken)},
	} {
		if err := dumps(readers[0], readers[1], ignored, ignored); !errors.Is(err, broken) {
			t.Errorf("dumps = %v, want the error of a reader", err)
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
	if err := Graphs(ctx, x, y, ignored, ignored); err == nil {
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
