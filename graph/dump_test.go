package graph_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// tampered are changes of rows from which answers are made, and what the dump
// says then.
var tampered = map[string]string{
	`UPDATE node SET kind = 'hand' WHERE kind = 'task'`:                                     `"hand",`,
	`UPDATE node SET id = 99999 WHERE id = 1`:                                               `["stray",`,
	`UPDATE door SET name = 'renamed' WHERE name = 'by'`:                                    `"renamed"`,
	`UPDATE door SET flow = 3 WHERE name = 'by'`:                                            `"by",3`,
	`DELETE FROM door WHERE name = 'carries'`:                                               `["stray","edge",`,
	`INSERT INTO door (id, name, flow) VALUES (77, 'new', 1)`:                               `["door",77,"new",1]`,
	`UPDATE graph_meta SET value = '["fact"]' WHERE name = 'tables'`:                        `["meta","tables","[\"fact\"]"]`,
	`INSERT INTO graph_meta (name, value) VALUES ('more', 'x')`:                             `["meta","more","x"]`,
	`UPDATE cursor SET pos = pos - 1`:                                                       `["cursor","graph",299]`,
	`UPDATE edge SET method = 'forged'`:                                                     `"forged"`,
	`UPDATE edge SET door = 5000 WHERE src = (SELECT max(src) FROM edge)`:                   `["stray","edge",`,
	`INSERT INTO edge SELECT 99999, door, dst, grade, basis, method, pos FROM edge LIMIT 1`: `["stray","edge",99999,`,
	`INSERT INTO node_fact (node, pos) VALUES (99999, 1)`:                                   `["stray","node_fact",99999,1,null]`,
	`INSERT INTO k_hand (id) VALUES (99999)`:                                                `["stray","k_hand",99999]`,
	`INSERT INTO k_piece_group (id, seq, "end") VALUES (99999, 0, 5)`:                       `["stray","k_piece_group",99999,0,5,`,
	`UPDATE k_task SET "from" = 99999`:                                                      `"#99999"`,
	`UPDATE k_piece_group SET "end" = 424242`:                                               `424242`,
	`UPDATE same SET self = 99999`:                                                          `["stray","same",`,
	`INSERT INTO same (id, self) VALUES (99999, 1)`:                                         `["stray","same",99999,1]`,
	`UPDATE graph_skip SET reason = 'none ' || reason`:                                      `"none `,
}

// mistyped are those that only SQLite allows.
var mistyped = map[string]string{
	`UPDATE k_task SET "order" = 'abc'`:                                   `"abc"`,
	`UPDATE k_task SET "end" = 1.5`:                                       `{"real":"1.5"}`,
	`UPDATE k_task SET "end" = 9e999`:                                     `{"real":"+Inf"}`,
	`UPDATE k_piece SET title = CAST(title AS BLOB)`:                      `{"bytes":"`,
	`UPDATE k_piece SET title = CAST(x'ff' AS TEXT)`:                      `{"bytes":"ff"}`,
	`UPDATE k_task SET "from" = (SELECT ref FROM node WHERE id = "from")`: `"#`,
	`UPDATE edge SET pos = 'abc'`:                                         `"abc"]`,
	`UPDATE door SET flow = 'both'`:                                       `"both"]`,
	`UPDATE cursor SET pos = 'abc'`:                                       `["cursor","graph","abc"]`,
	`UPDATE node_fact SET pos = 'abc' WHERE pos = 0`:                      `"abc",`,
	`UPDATE node_fact SET occurred = 7 WHERE pos = 0`:                     `,7]`,
}

func TestDumpTellsEveryChangeAndRebuildMendsIt(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		l, g := openLedger(t, db), openGraph(t, db, house)
		add(t, l, newStory(6).facts(300)...)
		apply(t, g, l)
		before := dump(t, g)
		try := func(statement, want string) {
			exec(t, db, statement)
			after := dump(t, g)
			if strings.Count(after, want) <= strings.Count(before, want) {
				t.Errorf("after %s: %q is not told:\n%s", statement, want, firstDifference(before, after))
			}
			if err := g.Rebuild(context.Background(), l); err != nil {
				t.Fatalf("after %s: %v", statement, err)
			}
			if mended := dump(t, g); mended != before {
				t.Fatalf("after %s a rebuild makes another graph:\n%s", statement, firstDifference(before, mended))
			}
		}
		for statement, want := range tampered {
			try(statement, want)
		}
		if db.Engine() == storage.SQLite {
			for statement, want := range mistyped {
				try(statement, want)
			}
		}
	})
}

func TestEdgeThroughNoDoorIsTampering(t *testing.T) {
	db, ctx := storagetest.SQLite(t), context.Background()
	l, g := openLedger(t, db), openGraph(t, db, house)
	add(t, l, fact(t, "task:x/1", `{}`, stemma.Edge{Door: "refines", To: "task:x/2"}))
	apply(t, g, l)
	exec(t, db, `UPDATE edge SET door = 5000`)
	if _, _, err := g.Edges(ctx, "task:x/1", 10); !errors.Is(err, stemma.ErrTampered) {
		t.Errorf("Edges: %v, want ErrTampered", err)
	}
	err := g.View(ctx, func(v graph.View) error {
		_, err := v.Beyond(ctx, graph.Causes, []int64{1}, false, 10, func(int64, graph.Edge, graph.Node) bool { return true })
		return err
	})
	if !errors.Is(err, stemma.ErrTampered) {
		t.Errorf("Beyond: %v, want ErrTampered", err)
	}
}

func TestTablesThatAreNotAsMadeAreNamedAndRebuilt(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		l, g := openLedger(t, db), openGraph(t, db, house)
		add(t, l, newStory(6).facts(100)...)
		apply(t, g, l)
		before := dump(t, g)
		for statement, want := range map[string]string{
			`DROP TABLE k_task`: "table k_task is gone",
			`ALTER TABLE k_piece_group ADD COLUMN more TEXT`:           "table k_piece_group has other columns than it was made with",
			`ALTER TABLE node_fact RENAME TO other`:                    "table node_fact is gone",
			`ALTER TABLE graph_skip RENAME COLUMN reason TO reasoning`: "table graph_skip has other columns than it was made with",
		} {
			exec(t, db, statement)
			if faults, err := g.Faults(t.Context()); err != nil || len(faults) != 1 || faults[0] != want {
				t.Errorf("after %s: %q, %v, want %q", statement, faults, err, want)
			}
			if err := g.Rebuild(context.Background(), l); err != nil {
				t.Fatalf("after %s: %v", statement, err)
			}
			if faults, err := g.Faults(t.Context()); err != nil || len(faults) > 0 || dump(t, g) != before {
				t.Errorf("after %s and a rebuild: %q, %v, the same dump %v", statement, faults, err, dump(t, g) == before)
			}
		}
		exec(t, db, `DROP TABLE k_task`)
		exec(t, db, `CREATE VIEW k_task AS SELECT id FROM node`)
		if err := g.Rebuild(context.Background(), l); err != nil || dump(t, g) != before {
			t.Errorf("a view in the place of a table: %v", err)
		}
	})
}
