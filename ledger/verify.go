package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/storage"
)

// A Problem is one thing that is not as it must be.
type Problem struct {
	Pos     int64      // of the entry, or the last one that a checkpoint or a tree hash covers; -1 for none
	Subject stemma.Ref // of the fact, as far as it can be read
	What    string     // what is wrong: one of the Wrong constants
	Why     string
}

// What a Problem can be about.
const (
	WrongPosition   = "position"   // an entry is missing, or one is where none may be
	WrongFact       = "fact"       // the canonical bytes of a fact
	WrongID         = "id"         // its id
	WrongSubject    = "subject"    // the subject by which it is found
	WrongSalt       = "salt"       // the salt of its leaf
	WrongLeaf       = "leaf"       // its leaf
	WrongErasure    = "erasure"    // an erased entry, or what accounts for it
	WrongTime       = "time"       // when an entry was recorded
	WrongBody       = "body"       // something kept beside the ledger
	WrongTree       = "tree hash"  // a stored hash of the tree
	WrongCheckpoint = "checkpoint" // a signed checkpoint
)

// String is the problem on one line.
func (p Problem) String() string {
	s := p.What
	if p.Pos >= 0 {
		s = fmt.Sprintf("%s at position %d", s, p.Pos)
	}
	if p.Subject != "" {
		s = fmt.Sprintf("%s (%.200q)", s, string(p.Subject))
	}
	return s + ": " + p.Why
}

// Verify recomputes the whole log as it is now and reports whatever differs
// from what is stored: every value has the type of its column, every fact is
// parsed, its id and its leaf are made anew, from the leaves every hash of the
// tree, and every checkpoint's signature and root are checked. It believes nothing that is stored, except the time when an
// entry was recorded, which nothing signs. That the end of the log was not
// cut off only an older checkpoint kept elsewhere can tell.
//
// The error is ErrTampered if there was a problem, or why Verify could not go
// on. Others may append meanwhile. Memory is bounded.
func (l *Ledger) Verify(ctx context.Context, report func(Problem)) error {
	v := &verification{l: l, found: report}
	if err := v.run(ctx); err != nil {
		return fmt.Errorf("ledger: verifying: %w", err)
	}
	if v.problems > 0 {
		return fmt.Errorf("ledger: verifying: %d problems: %w", v.problems, stemma.ErrTampered)
	}
	return nil
}

// A verification walks the log once.
type verification struct {
	l        *Ledger
	found    func(Problem)
	problems int64

	size   int64 // of the log when the walk began
	edge   edge  // recomputed; its size is where the walk is
	denied int64 // checkpoints whose root differs
}

func (v *verification) problem(pos int64, subject stemma.Ref, what, format string, args ...any) {
	v.problems++
	v.found(Problem{Pos: pos, Subject: subject, What: what, Why: fmt.Sprintf(format, args...)})
}

// pageVerify is how many entries are read in one transaction.
const pageVerify = 500

func (v *verification) run(ctx context.Context) error {
	if err := v.types(ctx); err != nil {
		return err
	}
	if err := v.frame(ctx); err != nil {
		return err
	}
	for v.edge.size < v.size {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := v.read(ctx)
		if err != nil {
			return err
		}
		if !v.entries(page) {
			return nil // reported; there is no way on
		}
		v.checkBodies(page)
	}
	if v.denied > 1 {
		v.problem(v.size-1, "", WrongCheckpoint, "%d checkpoints in all have another root", v.denied)
	}
	return nil
}

// columns says for each table of the ledger by what its rows are known, and for
// each column what is wrong when it holds a value of another type.
var columns = []struct {
	table, key string
	what       map[string]string
}{
	{"fact", "pos", map[string]string{
		"pos": WrongPosition, "id": WrongID, "subject": WrongSubject, "canonical": WrongFact,
		"salt": WrongSalt, "leaf": WrongLeaf, "recorded": WrongTime, "tombstone": WrongErasure,
	}},
	{"tree", "block", map[string]string{"block": WrongTree, "hashes": WrongTree}},
	{"checkpoint", "size", map[string]string{"size": WrongCheckpoint, "note": WrongCheckpoint}},
}

// types reports values of another type than their column. The walk takes them
// for what they look like, and leaves out rows that are nowhere in their order.
func (v *verification) types(ctx context.Context) error {
	return v.l.db.Read(ctx, func(tx *storage.Tx) error {
		for _, t := range columns {
			err := tx.Misfits(ctx, t.table, t.key, func(m storage.Misfit) {
				pos := int64(-1)
				if n, err := strconv.ParseInt(m.Row, 10, 64); err == nil && t.table == "fact" && m.Column != t.key {
					pos = n
				}
				v.problem(pos, "", t.what[m.Column], "%s of %s %.200q is kept as %s instead of %s", m.Column, t.table, m.Row, m.Got, m.Want)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// The rows that have a place in the order of their table.
const (
	wholePos   = `CAST(pos AS BIGINT) = pos`
	wholeSize  = `CAST(size AS BIGINT) = size`
	wholeBlock = `CAST(block AS BIGINT) = block`
)

// extent is how far each table reaches, read in one snapshot.
type extent struct {
	size, minSize    int64
	minPos, maxPos   int64
	minBlock, maxBlk int64
	lastLen          int64
}

const extentQuery = `SELECT
	(SELECT COALESCE(MAX(size), 0) FROM checkpoint WHERE ` + wholeSize + `), (SELECT COALESCE(MIN(size), 1) FROM checkpoint WHERE ` + wholeSize + `),
	(SELECT COALESCE(MIN(pos), 0) FROM fact WHERE ` + wholePos + `), (SELECT COALESCE(MAX(pos), -1) FROM fact WHERE ` + wholePos + `),
	(SELECT COALESCE(MIN(block), 0) FROM tree WHERE ` + wholeBlock + `), (SELECT COALESCE(MAX(block), -1) FROM tree WHERE ` + wholeBlock + `),
	(SELECT COALESCE(MAX(length(hashes)), 0) FROM tree WHERE block = (SELECT MAX(block) FROM tree WHERE ` + wholeBlock + `))`

// frame finds where the log ends and what lies outside of it.
func (v *verification) frame(ctx context.Context) error {
	var x extent
	err := v.l.db.Read(ctx, func(tx *storage.Tx) error {
		return tx.QueryRow(ctx, extentQuery).Scan(&x.size, &x.minSize, &x.minPos, &x.maxPos, &x.minBlock, &x.maxBlk, &x.lastLen)
	})
	if err != nil {
		return err
	}
	v.size = min(x.size, x.maxPos+1)
	switch {
	case x.maxPos >= x.size:
		v.problem(x.maxPos, "", WrongPosition, "entries up to here, but the last checkpoint covers %d", x.size)
	case x.maxPos+1 < x.size:
		v.problem(x.maxPos+1, "", WrongPosition, "the entries from here to %d are missing", x.size-1)
	}
	if x.minPos < 0 {
		v.problem(x.minPos, "", WrongPosition, "an entry at %d, before the beginning", x.minPos)
	}
	if x.minSize < 1 {
		v.problem(-1, "", WrongCheckpoint, "one of size %d", x.minSize)
	}
	count := tlog.StoredHashCount(min(max(x.size, 0), seal.MaxSize))
	wantBlk, wantLen := (count-1)/perBlock, ((count-1)%perBlock+1)*tlog.HashSize
	if count == 0 {
		wantBlk, wantLen = -1, 0
	}
	if x.minBlock < 0 || x.maxBlk != wantBlk || x.lastLen != wantLen {
		v.problem(x.size-1, "", WrongTree, "blocks from %d to %d, the last of %d bytes, instead of 0 to %d with %d bytes",
			x.minBlock, x.maxBlk, x.lastLen, wantBlk, wantLen)
	}
	return nil
}

// A witness is what was found out about one row by looking at it alone.
type witness struct {
	pos       int64
	subject   stemma.Ref
	computed  stemma.Digest // leaf made from fact and salt, or the stored one of an erased entry
	stored    []byte        // the column leaf
	parseErr  error
	idOK      bool
	erased    bool
	intact    bool // an erased entry has nothing left
	tombstone sql.NullInt64
	column    sql.NullString // subject as stored
	fact      stemma.Fact    // kept only if it has bodies
}

// A stretch is the entries from the walk's place on, with the stored hashes and
// checkpoints that belong to them.
type stretch struct {
	rows        []witness
	tombstones  map[int64]witness // by position, for the erased ones
	blocks      blockSet
	checkpoints []sealed
}

type sealed struct {
	size int64
	note []byte
}

func (v *verification) read(ctx context.Context) (stretch, error) {
	s := stretch{blocks: blockSet{}, tombstones: map[int64]witness{}}
	from := v.edge.size
	err := v.l.db.Read(ctx, func(tx *storage.Tx) error {
		rows, err := readWitnesses(ctx, tx, "pos >= $1 AND pos < $2 AND "+wholePos+" ORDER BY pos LIMIT $3", from, v.size, pageVerify)
		if err != nil || len(rows) == 0 {
			return err
		}
		s.rows = rows
		for _, w := range rows {
			if !w.erased || !w.tombstone.Valid {
				continue
			}
			if t, err := readWitnesses(ctx, tx, "pos = $1", w.tombstone.Int64); err != nil {
				return err
			} else if len(t) == 1 {
				s.tombstones[w.pos] = t[0]
			}
		}
		to := rows[len(rows)-1].pos + 1
		if to-from > 2*pageVerify {
			return nil // a hole too large to bridge
		}
		err = s.blocks.read(ctx, tx, "block >= $1 AND block <= $2 AND "+wholeBlock,
			[]any{tlog.StoredHashCount(from) / perBlock, (tlog.StoredHashCount(to) - 1) / perBlock})
		if err != nil {
			return err
		}
		s.checkpoints, err = readSealed(ctx, tx, from, to)
		return err
	})
	return s, err
}

func readSealed(ctx context.Context, tx *storage.Tx, from, to int64) ([]sealed, error) {
	var list []sealed
	for scan, err := range query(ctx, tx, "SELECT size, note FROM checkpoint WHERE size > $1 AND size <= $2 AND "+wholeSize+" ORDER BY size", from, to) {
		if err != nil {
			return nil, err
		}
		var c sealed
		if err := scan(&c.size, &c.note); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

func readWitnesses(ctx context.Context, tx *storage.Tx, where string, args ...any) ([]witness, error) {
	var list []witness
	size := 0
	for scan, err := range query(ctx, tx, "SELECT pos, id, subject, canonical, salt, leaf, tombstone FROM fact WHERE "+where, args...) {
		if err != nil {
			return nil, err
		}
		var w witness
		var id, canonical, salt []byte
		var tombstone any
		if err := scan(&w.pos, &id, &w.column, &canonical, &salt, &w.stored, &tombstone); err != nil {
			return nil, err
		}
		w.tombstone.Int64, w.tombstone.Valid = tombstone.(int64)
		w.examine(id, canonical, salt)
		list = append(list, w)
		if size += len(canonical); size >= pageBytes {
			break
		}
	}
	return list, nil
}

// examine recomputes what depends on this row alone.
func (w *witness) examine(id, canonical, salt []byte) {
	if canonical == nil {
		w.erased = true
		w.intact = id == nil && salt == nil && !w.column.Valid
		if len(w.stored) == len(w.computed) {
			w.computed = stemma.Digest(w.stored)
		}
		return
	}
	fact, err := stemma.ParseFact(canonical)
	w.parseErr, w.subject = err, fact.Subject
	if err != nil {
		w.subject = stemma.Ref(w.column.String)
	}
	sum := stemma.ID(canonical)
	w.idOK = bytes.Equal(id, sum[:])
	w.computed = seal.Commitment(salt, canonical)
	if len(fact.Bodies) > 0 {
		w.fact = fact
	}
}

// entries checks a stretch and moves on to its end. It returns false if the
// walk cannot go on.
func (v *verification) entries(s stretch) bool {
	if len(s.rows) == 0 {
		v.problem(v.edge.size, "", WrongPosition, "the entries from here to %d are missing", v.size-1)
		return false
	}
	checkpoints := s.checkpoints
	for _, w := range s.rows {
		if hole := w.pos - v.edge.size; hole > 0 {
			v.problem(v.edge.size, "", WrongPosition, "%d entries are missing", hole)
		}
		for ; v.edge.size < w.pos; checkpoints = v.seal(checkpoints) {
			// The stored hash stands in, so that the rest can still be told.
			h, ok := s.blocks.hash(tlog.StoredHashIndex(0, v.edge.size))
			if !ok {
				v.problem(v.edge.size, "", WrongTree, "no hash is stored either, so that nothing after it can be checked")
				return false
			}
			v.hashes(s.blocks, h)
		}
		v.hashes(s.blocks, v.entry(s, w))
		checkpoints = v.seal(checkpoints)
	}
	return true
}

// entry checks one row against the stored leaf and tree hash, and returns the
// record hash with which to go on: the recomputed one, unless the two stored
// ones agree on another, in which case the fact or its salt is what changed.
func (v *verification) entry(s stretch, w witness) tlog.Hash {
	computed := tlog.RecordHash(w.computed[:])
	stored := tlog.RecordHash(w.stored)
	inTree, known := s.blocks.hash(tlog.StoredHashIndex(0, w.pos))
	leafOK := bytes.Equal(w.stored, w.computed[:])
	switch {
	case w.erased:
		v.erasure(s, w)
	case w.parseErr != nil:
		v.problem(w.pos, w.subject, WrongFact, "%v", w.parseErr)
	case !w.idOK && leafOK:
		v.problem(w.pos, w.subject, WrongID, "not the SHA-256 of the fact")
	case !w.idOK:
		v.problem(w.pos, w.subject, WrongFact, "neither its id nor its leaf is that of these bytes")
	case w.column.String != string(w.subject):
		v.problem(w.pos, w.subject, WrongSubject, "stored as %.200q", w.column.String)
	case w.tombstone.Valid:
		v.problem(w.pos, w.subject, WrongErasure, "a tombstone at %d, but the entry is there", w.tombstone.Int64)
	}
	if leafOK || w.erased {
		return computed
	}
	if known && inTree == stored {
		if w.idOK && w.parseErr == nil {
			v.problem(w.pos, w.subject, WrongSalt, "fact and salt do not give the leaf")
		}
		return stored
	}
	v.problem(w.pos, w.subject, WrongLeaf, "not that of the fact and its salt")
	return computed
}

// erasure checks that an erased entry is accounted for.
func (v *verification) erasure(s stretch, w witness) {
	t, found := s.tombstones[w.pos]
	want := TombstoneRef(w.computed)
	switch {
	case !w.intact:
		v.problem(w.pos, "", WrongErasure, "the fact is gone but its id, salt or subject is not")
	case !w.tombstone.Valid:
		v.problem(w.pos, "", WrongErasure, "the fact is gone and no tombstone is named")
	case len(w.stored) != len(w.computed):
		v.problem(w.pos, "", WrongErasure, "the leaf has %d bytes", len(w.stored))
	case !found || w.tombstone.Int64 >= v.size:
		v.problem(w.pos, "", WrongErasure, "there is no entry %d, which should account for it", w.tombstone.Int64)
	case t.parseErr != nil || t.erased || t.subject != want:
		v.problem(w.pos, "", WrongErasure, "entry %d is not the fact %s that should account for it", t.pos, want)
	}
}

// hashes puts a record hash into the recomputed tree and compares what is
// stored for it.
func (v *verification) hashes(stored blockSet, h tlog.Hash) {
	pos := v.edge.size
	index := tlog.StoredHashIndex(0, pos)
	for i, want := range v.edge.add(h) {
		got, ok := stored.hash(index + int64(i))
		level, n := tlog.SplitStoredHashIndex(index + int64(i))
		if !ok {
			v.problem(pos, "", WrongTree, "number %d of level %d is missing", n, level)
		} else if got != want {
			v.problem(pos, "", WrongTree, "number %d of level %d is stored as %s but is %s", n, level, got, want)
		}
	}
}

// seal checks the checkpoint of the tree as far as it is recomputed, if there
// is one, and returns the later ones.
func (v *verification) seal(list []sealed) []sealed {
	for len(list) > 0 && list[0].size <= v.edge.size {
		v.checkpoint(list[0])
		list = list[1:]
	}
	return list
}

func (v *verification) checkpoint(s sealed) {
	pos := s.size - 1
	c, err := seal.Open(s.note, v.l.origin, v.l.verifiers...)
	if err != nil {
		v.problem(pos, "", WrongCheckpoint, "size %d: %v", s.size, err)
		return
	}
	root := v.edge.root()
	switch {
	case c.Size != s.size:
		v.problem(pos, "", WrongCheckpoint, "kept for size %d but says %d", s.size, c.Size)
	case c.Root != root:
		// One changed entry spoils every later root: name the first.
		if v.denied++; v.denied == 1 {
			v.problem(pos, "", WrongCheckpoint, "size %d: signed root %s, recomputed %s: something up to here was changed after it was signed", s.size, c.Root, root)
		}
	}
}

// checkBodies asks whoever keeps the bodies.
func (v *verification) checkBodies(s stretch) {
	if v.l.bodies == nil {
		return
	}
	for _, w := range s.rows {
		if len(w.fact.Bodies) == 0 {
			continue
		}
		if err := v.l.bodies(w.fact); err != nil {
			v.problem(w.pos, w.subject, WrongBody, "%v", err)
		}
	}
}
