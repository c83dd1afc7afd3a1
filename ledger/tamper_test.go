package ledger_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// A victim is a log of some size whose rows can be changed behind its back.
type victim struct {
	*testing.T
	db   *storage.DB
	l    *ledger.Ledger
	key  *seal.Key
	size int64
}

func newVictim(t *testing.T, db *storage.DB) *victim {
	return newVictimOf(t, db, newKey(t), samples(0, 43))
}

// newVictimOf appends facts with the same salts every time.
func newVictimOf(t *testing.T, db *storage.DB, key *seal.Key, facts []stemma.Fact) *victim {
	t.Helper()
	v := &victim{T: t, db: db, key: key}
	var err error
	v.l, err = ledger.Open(t.Context(), db, ledger.Config{Signer: v.key, Now: at, Rand: rand.NewChaCha8([32]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 7, 20, 1, 1, 13} {
		if _, err := v.l.Append(t.Context(), facts[:n]...); err != nil {
			t.Fatal(err)
		}
		facts = facts[n:]
		v.size += int64(n)
	}
	return v
}

// rewrite makes tables equal to those of another log.
func (v *victim) rewrite(other *victim, tables map[string]string) {
	v.Helper()
	for table, columns := range tables {
		n := len(strings.Split(columns, ", "))
		var rows [][]any
		err := other.db.Read(v.Context(), func(tx *storage.Tx) error {
			found, err := tx.Query(v.Context(), "SELECT "+columns+" FROM "+table)
			if err != nil {
				return err
			}
			for found.Next() {
				row, to := make([]any, n), make([]any, n)
				for i := range row {
					to[i] = &row[i]
				}
				if err := found.Scan(to...); err != nil {
					return err
				}
				rows = append(rows, row)
			}
			return errors.Join(found.Err(), found.Close())
		})
		if err != nil {
			v.Fatal(err)
		}
		err = v.db.Write(v.Context(), func(tx *storage.Tx) error {
			if _, err := tx.Exec(v.Context(), "DELETE FROM "+table); err != nil {
				return err
			}
			_, err := tx.Insert(v.Context(), table, strings.Split(columns, ", "), slices.Values(rows))
			return err
		})
		if err != nil {
			v.Fatal(err)
		}
	}
}

// The tables of a log without and with its checkpoints.
var (
	factsAndTree = map[string]string{"fact": "pos, id, subject, canonical, salt, leaf, recorded", "tree": "block, hashes"}
	wholeLog     = map[string]string{
		"fact": factsAndTree["fact"], "tree": factsAndTree["tree"], "checkpoint": "size, note",
	}
)

// otherLog differs from a victim in the fact at position 30.
func (v *victim) otherLog() *victim {
	v.Helper()
	facts := samples(0, 43)
	facts[30] = sample(5000)
	return newVictimOf(v.T, storagetest.SQLite(v), v.key, facts)
}

func TestRewrittenLogIsDeniedByItsCheckpoints(t *testing.T) {
	v := newVictim(t, storagetest.SQLite(t))
	v.rewrite(v.otherLog(), factsAndTree)
	v.expectOne(ledger.WrongCheckpoint, 42, "rewriting a fact and every hash above it")
}

// TestFirstDeniedCheckpointIsNamedAndTheOthersAreCounted changes the log before
// several checkpoints.
func TestFirstDeniedCheckpointIsNamedAndTheOthersAreCounted(t *testing.T) {
	v := newVictim(t, storagetest.SQLite(t))
	facts := samples(0, 43)
	facts[9] = sample(5000)
	v.rewrite(newVictimOf(t, storagetest.SQLite(t), v.key, facts), factsAndTree)
	list := v.problems()
	if len(list) != 2 || list[0].Pos != 27 || list[0].What != ledger.WrongCheckpoint || !strings.HasPrefix(list[1].Why, "4 checkpoints") {
		t.Errorf("problems %v, want the checkpoint at 27, and 4 in all", list)
	}
}

// TestReplacedSpaceIsNoticed puts another log of the same length in the place
// of the one that a running process remembers, as a restored backup does.
func TestReplacedSpaceIsNoticed(t *testing.T) {
	v := newVictim(t, storagetest.SQLite(t))
	v.rewrite(v.otherLog(), wholeLog)
	if _, err := v.l.Append(t.Context(), sample(6000)); err != nil {
		t.Fatal(err)
	}
	if list := v.problems(); len(list) > 0 {
		t.Errorf("after appending to a restored log: %v", list)
	}
}

func (v *victim) exec(query string, args ...any) {
	v.Helper()
	err := v.db.Write(v.Context(), func(tx *storage.Tx) error {
		_, err := tx.Exec(v.Context(), query, args...)
		return err
	})
	if err != nil {
		v.Fatalf("%s: %v", query, err)
	}
}

// bytes reads one value.
func (v *victim) bytes(query string, args ...any) []byte {
	v.Helper()
	var b []byte
	err := v.db.Read(v.Context(), func(tx *storage.Tx) error {
		return tx.QueryRow(v.Context(), query, args...).Scan(&b)
	})
	if err != nil {
		v.Fatalf("%s: %v", query, err)
	}
	return b
}

// numbers reads one column.
func (v *victim) numbers(query string) []int64 {
	v.Helper()
	var list []int64
	err := v.db.Read(v.Context(), func(tx *storage.Tx) error {
		rows, err := tx.Query(v.Context(), query)
		if err != nil {
			return err
		}
		for rows.Next() {
			var n int64
			if err := rows.Scan(&n); err != nil {
				return err
			}
			list = append(list, n)
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	if err != nil {
		v.Fatalf("%s: %v", query, err)
	}
	return list
}

// problems verifies the log and checks that the error agrees with the reports.
func (v *victim) problems() []ledger.Problem {
	v.Helper()
	var list []ledger.Problem
	err := v.l.Verify(v.Context(), func(p ledger.Problem) { list = append(list, p) })
	if errors.Is(err, stemma.ErrTampered) != (len(list) > 0) || err != nil && len(list) == 0 {
		v.Fatalf("Verify() = %v with the problems %v", err, list)
	}
	return list
}

// expectOne fails unless exactly one problem is found and it names the place.
func (v *victim) expectOne(what string, pos int64, after string) {
	v.Helper()
	list := v.problems()
	if len(list) != 1 || list[0].What != what || list[0].Pos != pos {
		v.Errorf("after %s: problems %v, want one about %s at %d", after, list, what, pos)
	}
}

// flip changes one bit of a stored value, looks at the problems and puts the
// value back.
func (v *victim) flip(table, column, key string, row int64, at, bit int, look func(after string)) {
	v.Helper()
	where := fmt.Sprintf(" FROM %s WHERE %s = $1", table, key)
	old := v.bytes("SELECT "+column+where, row)
	flipped := slices.Clone(old)
	flipped[at] ^= 1 << bit
	update := fmt.Sprintf("UPDATE %s SET %s = $1 WHERE %s = $2", table, column, key)
	v.exec(update, flipped, row)
	look(fmt.Sprintf("flipping bit %d of byte %d of %s.%s in row %d", bit, at, table, column, row))
	v.exec(update, old, row)
}

// wrongColumn is what a change of one column of a fact is called.
var wrongColumn = map[string]string{
	"canonical": ledger.WrongFact, "id": ledger.WrongID, "salt": ledger.WrongSalt, "leaf": ledger.WrongLeaf,
}

func TestFlippedByteAnywhereIsFoundAndNamed(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		v := newVictim(t, open())
		if list := v.problems(); len(list) > 0 {
			t.Fatalf("before: %v", list)
		}
		rng := rand.New(rand.NewPCG(1, 2))
		for pos := range v.size {
			for column, what := range wrongColumn {
				n := len(v.bytes("SELECT "+column+" FROM fact WHERE pos = $1", pos))
				v.flip("fact", column, "pos", pos, rng.IntN(n), rng.IntN(8), func(after string) { v.expectOne(what, pos, after) })
			}
		}
		for index := range tlog.StoredHashCount(v.size) {
			// The hash is named with the last position that it covers.
			level, n := tlog.SplitStoredHashIndex(index)
			covers := (n+1)<<level - 1
			at := int(index%32)*32 + rng.IntN(32)
			v.flip("tree", "hashes", "block", index/32, at, rng.IntN(8), func(after string) { v.expectOne(ledger.WrongTree, covers, after) })
		}
		for _, size := range v.numbers("SELECT size FROM checkpoint ORDER BY size") {
			n := len(v.bytes("SELECT note FROM checkpoint WHERE size = $1", size))
			for range 10 {
				at := rng.IntN(n)
				v.flip("checkpoint", "note", "size", size, at, rng.IntN(8), func(after string) {
					v.expectOne(ledger.WrongCheckpoint, size-1, after)
				})
			}
		}
		if list := v.problems(); len(list) > 0 {
			t.Fatalf("after everything was put back: %v", list)
		}
	})
}

// TestEveryByteCounts leaves no byte of one entry and one checkpoint out. The
// lowest bits matter on their own: some of them mean nothing in base64.
func TestEveryByteCounts(t *testing.T) {
	v := newVictim(t, storagetest.SQLite(t))
	for at := range v.bytes("SELECT note FROM checkpoint WHERE size = 28") {
		for _, bit := range []int{0, 1 + at%7} {
			v.flip("checkpoint", "note", "size", 28, at, bit, func(after string) { v.expectOne(ledger.WrongCheckpoint, 27, after) })
		}
	}
	const pos = 17
	for column, what := range wrongColumn {
		for at := range v.bytes("SELECT "+column+" FROM fact WHERE pos = $1", pos) {
			v.flip("fact", column, "pos", pos, at, at%8, func(after string) { v.expectOne(what, pos, after) })
		}
	}
}

// TestSecondSpellingOfASignatureIsRefused changes the bits of base64 that carry
// nothing.
func TestSecondSpellingOfASignatureIsRefused(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	v := newVictim(t, storagetest.SQLite(t))
	msg := v.bytes("SELECT note FROM checkpoint WHERE size = 28")
	last := len(msg) - 3 // before "=\n"
	digit := strings.IndexByte(alphabet, msg[last])
	if msg[last+1] != '=' || digit&3 != 0 {
		t.Fatalf("the note ends with %q", msg[last:])
	}
	msg[last] = alphabet[digit|1]
	if _, err := note.Open(msg, note.VerifierList(v.key.Verifier())); err != nil {
		t.Fatalf("even package note refuses it: %v", err)
	}
	v.exec("UPDATE checkpoint SET note = $1 WHERE size = 28", msg)
	v.expectOne(ledger.WrongCheckpoint, 27, "spelling the signature in another way")
}

func TestEveryOtherChangeIsFound(t *testing.T) {
	for name, change := range map[string]struct {
		do   func(*victim)
		want string
	}{
		"a fact removed in the middle": {func(v *victim) { v.exec("DELETE FROM fact WHERE pos = 20") }, "position at position 20"},
		"the first fact removed":       {func(v *victim) { v.exec("DELETE FROM fact WHERE pos = 0") }, "position at position 0"},
		"the last fact removed":        {func(v *victim) { v.exec("DELETE FROM fact WHERE pos = 42") }, "position at position 42"},
		"all facts removed":            {func(v *victim) { v.exec("DELETE FROM fact") }, "position at position 0"},
		"a fact moved far away":        {func(v *victim) { v.exec("UPDATE fact SET pos = 1152921504606846976 WHERE pos = 42") }, "position"},
		"a fact before the beginning":  {func(v *victim) { v.exec("UPDATE fact SET pos = -1 WHERE pos = 3") }, "before the beginning"},
		"a fact beyond the end": {func(v *victim) {
			v.exec("INSERT INTO fact (pos, subject, leaf, recorded) SELECT 43, subject, leaf, recorded FROM fact WHERE pos = 42")
		}, "position at position 43"},
		"two facts exchanged": {func(v *victim) {
			v.exec("UPDATE fact SET pos = 999 WHERE pos = 10")
			v.exec("UPDATE fact SET pos = 10 WHERE pos = 11")
			v.exec("UPDATE fact SET pos = 11 WHERE pos = 999")
		}, "tree hash at position 10"},
		"a fact replaced, with id, salt and leaf": {func(v *victim) { v.replace(30, sample(5000)) }, "tree hash at position 30"},
		"another subject": {func(v *victim) {
			v.exec("UPDATE fact SET subject = $1 WHERE pos = 8", "ticket:jira/OTHER-1")
		}, `subject at position 8 ("ticket:jira/PAY-8")`},
		"a block of the tree removed":    {func(v *victim) { v.exec("DELETE FROM tree WHERE block = 1") }, "is missing"},
		"the last block removed":         {func(v *victim) { v.exec("DELETE FROM tree WHERE block = 2") }, "tree hash at position 42"},
		"a block of the tree added":      {func(v *victim) { v.exec("INSERT INTO tree (block, hashes) VALUES (3, $1)", make([]byte, 64)) }, "blocks from 0 to 3"},
		"a hash added to the last block": {func(v *victim) { v.lengthen() }, "blocks from 0 to 2"},
		"all checkpoints removed":        {func(v *victim) { v.exec("DELETE FROM checkpoint") }, "position at position 42"},
		"the last checkpoint removed":    {func(v *victim) { v.exec("DELETE FROM checkpoint WHERE size = 43") }, "position at position 42"},
		"a checkpoint moved":             {func(v *victim) { v.exec("UPDATE checkpoint SET size = 27 WHERE size = 28") }, "kept for size 27 but says 28"},
		"a checkpoint of size zero":      {func(v *victim) { v.exec("UPDATE checkpoint SET size = 0 WHERE size = 28") }, "one of size 0"},
		"a huge checkpoint":              {func(v *victim) { v.exec("UPDATE checkpoint SET size = 4611686018427387904 WHERE size = 43") }, "position at position 43"},
		"a checkpoint of another key":    {func(v *victim) { v.forge() }, "checkpoint at position 42"},
		"a tombstone for a living entry": {func(v *victim) { v.exec("UPDATE fact SET tombstone = 9 WHERE pos = 4") }, "erasure at position 4"},
		"an entry erased without a word": {func(v *victim) { v.erase(12, nil) }, "erasure at position 12"},
		"an entry erased by a bystander": {func(v *victim) { v.erase(12, int64(20)) }, "erasure at position 12"},
		"an entry erased by nobody":      {func(v *victim) { v.erase(12, int64(400)) }, "erasure at position 12"},
		"an entry half erased":           {func(v *victim) { v.exec("UPDATE fact SET canonical = NULL WHERE pos = 12") }, "erasure at position 12"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVictim(t, storagetest.SQLite(t))
			change.do(v)
			list := v.problems()
			if !slices.ContainsFunc(list, func(p ledger.Problem) bool { return strings.Contains(p.String(), change.want) }) {
				t.Errorf("problems %v, want one with %q", list, change.want)
			}
			if len(list) > 40 {
				t.Errorf("%d problems for one change", len(list))
			}
		})
	}
}

// replace puts another fact in the place of one, as well as one can without
// touching the tree.
func (v *victim) replace(pos int64, f stemma.Fact) {
	canonical, err := f.Canonical()
	if err != nil {
		v.Fatal(err)
	}
	salt := make([]byte, 32)
	v.exec("UPDATE fact SET canonical = $1, id = $2, salt = $3, leaf = $4, subject = $5 WHERE pos = $6",
		canonical, stemma.ID(canonical), salt, seal.Commitment(salt, canonical), f.Subject, pos)
}

// lengthen adds a hash that belongs to no entry.
func (v *victim) lengthen() {
	last := v.bytes("SELECT hashes FROM tree WHERE block = 2")
	v.exec("UPDATE tree SET hashes = $1 WHERE block = 2", append(last, make([]byte, 32)...))
}

// forge signs the last checkpoint with another key of the same name.
func (v *victim) forge() {
	other := openLedger(v, storagetest.SQLite(v), newKey(v))
	if _, err := other.Append(v.Context(), samples(0, int(v.size))...); err != nil {
		v.Fatal(err)
	}
	c, err := other.Checkpoint(v.Context())
	if err != nil {
		v.Fatal(err)
	}
	v.exec("UPDATE checkpoint SET note = $1 WHERE size = $2", c.Note, v.size)
}

// erase destroys a fact and keeps its place.
func (v *victim) erase(pos int64, tombstone any) {
	v.exec("UPDATE fact SET canonical = NULL, salt = NULL, id = NULL, subject = NULL, tombstone = $1 WHERE pos = $2", tombstone, pos)
}

func TestErasedEntryIsAcceptedWithItsTombstoneOnly(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		v := newVictim(t, open())
		gone, err := v.l.Entry(t.Context(), 12)
		if err != nil {
			t.Fatal(err)
		}
		stone, err := stemma.NewFact(ledger.TombstoneRef(gone.Leaf), map[string]any{"ground": "a request"},
			stemma.Provenance{Source: "test", Grade: stemma.GradeA, Occurred: at()})
		if err != nil {
			t.Fatal(err)
		}
		positions, err := v.l.Append(t.Context(), stone)
		if err != nil {
			t.Fatal(err)
		}
		v.erase(12, positions[0])
		if list := v.problems(); len(list) > 0 {
			t.Errorf("an entry with its tombstone: %v", list)
		}
		e, err := v.l.Entry(t.Context(), 12)
		if err != nil || !e.Erased() || e.Leaf != gone.Leaf || e.Tombstone != positions[0] {
			t.Errorf("Entry(12) = %+v, %v", e, err)
		}
		if _, err := v.l.EntryByID(t.Context(), gone.ID); !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("EntryByID of an erased fact: %v", err)
		}
		proof, err := v.l.Inclusion(t.Context(), 12, v.size)
		if err != nil {
			t.Fatal(err)
		}
		root := v.root(v.size)
		if err := tlog.CheckRecord(proof, v.size, root, 12, tlog.RecordHash(gone.Leaf[:])); err != nil {
			t.Errorf("the proof of an erased entry: %v", err)
		}
		// The stone accounts for one leaf, not for another.
		v.erase(13, positions[0])
		v.expectOne(ledger.WrongErasure, 13, "erasing another entry with the same tombstone")
		// A changed leaf of an erased entry is a changed tree.
		v.exec("UPDATE fact SET leaf = $1 WHERE pos = 12", make([]byte, 32))
		if list := v.problems(); len(list) < 2 || list[0].Pos != 12 {
			t.Errorf("after changing the leaf of an erased entry: %v", list)
		}
	})
}

// root is that of the checkpoint of the given size.
func (v *victim) root(size int64) tlog.Hash {
	c, err := seal.Open(v.bytes("SELECT note FROM checkpoint WHERE size = $1", size), v.l.Origin(), v.key.Verifier())
	if err != nil {
		v.Fatal(err)
	}
	return c.Root
}

func TestNothingIsAppendedToADeniedLog(t *testing.T) {
	for name, change := range map[string]func(*victim){
		"a peak changed": func(v *victim) {
			v.exec("UPDATE tree SET hashes = $1 WHERE block = 2", make([]byte, 18*32))
		},
		"the tail cut":           func(v *victim) { v.exec("UPDATE tree SET hashes = $1 WHERE block = 2", []byte{}) },
		"a fact removed":         func(v *victim) { v.exec("DELETE FROM fact WHERE pos = 42") },
		"the checkpoint forged":  func(v *victim) { v.forge() },
		"the checkpoint removed": func(v *victim) { v.exec("DELETE FROM checkpoint WHERE size = 43") },
		"all checkpoints gone":   func(v *victim) { v.exec("DELETE FROM checkpoint") },
	} {
		t.Run(name, func(t *testing.T) {
			v := newVictim(t, storagetest.SQLite(t))
			change(v)
			fresh := openLedger(t, v.db, v.key)
			if _, err := fresh.Append(t.Context(), sample(777)); !errors.Is(err, stemma.ErrTampered) {
				t.Errorf("Append() = %v, want ErrTampered", err)
			}
			if n := v.numbers("SELECT count(*) FROM fact WHERE pos >= 43"); n[0] != 0 {
				t.Errorf("%d facts were appended", n[0])
			}
		})
	}
}

func TestBodiesAreCheckedByWhoKeepsThem(t *testing.T) {
	f := sample(1)
	f.Bodies = []stemma.Body{{Name: "prompt", Media: "text/plain", Digest: stemma.Sum([]byte("x")), Size: 1}}
	db, key := storagetest.SQLite(t), newKey(t)
	if _, err := openLedger(t, db, key).Append(t.Context(), sample(0), f, sample(2)); err != nil {
		t.Fatal(err)
	}
	var asked []stemma.Ref
	l, err := ledger.Open(t.Context(), db, ledger.Config{Signer: key, Now: at, Rand: strings.NewReader(""), Bodies: func(f stemma.Fact) error {
		asked = append(asked, f.Subject)
		return errors.New("the prompt has another digest")
	}})
	if err != nil {
		t.Fatal(err)
	}
	v := &victim{T: t, db: db, l: l}
	v.expectOne(ledger.WrongBody, 1, "asking for the bodies")
	if len(asked) != 1 || asked[0] != f.Subject {
		t.Errorf("asked for the bodies of %v", asked)
	}
}
