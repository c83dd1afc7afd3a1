package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/storage"
)

const (
	// MaxFact bounds the canonical bytes of one fact.
	MaxFact = 16 << 20

	chunkFacts = 1000    // of one caller in one transaction
	chunkBytes = 8 << 20 // likewise; a single fact may be larger
	groupFacts = 4000    // of all callers in one transaction
	groupBytes = 32 << 20
)

// A draft is a fact on its way into the log.
type draft struct {
	fact      stemma.Fact // as it is read back
	id        stemma.Digest
	canonical []byte
}

// A call is some drafts of one caller, appended together.
type call struct {
	drafts    []draft
	bytes     int
	first     *int64 // nobody may have said anything about its one subject from this position on
	overtaken bool   // somebody has
	positions []int64
}

// ErrOvertaken means: somebody else appended a fact about the same subject meanwhile.
var ErrOvertaken = errors.New("ledger: somebody else has stated something about the same thing meanwhile")

// Append puts facts at the end of the log and returns their positions. It is
// durable when it returns, with the tree and a signed checkpoint. A fact that is
// in the log already is not put there again; its position is the old one.
//
// It may be called concurrently: callers who wait share one transaction, and
// facts get positions in call order. A fact that fails its check fails the whole
// call before anything is appended, and no other call. More than a thousand
// facts take several transactions; after an error in one of them those before
// it stay, and the same call can be made again. A call whose ctx ends
// while it waits for its turn appends nothing more.
func (l *Ledger) Append(ctx context.Context, facts ...stemma.Fact) ([]int64, error) {
	entries, err := l.AppendEntries(ctx, facts...)
	if err != nil {
		return nil, err
	}
	positions := make([]int64, len(entries))
	for i, e := range entries {
		positions[i] = e.Pos
	}
	return positions, nil
}

// AppendEntries is Append that gives each fact as its entry, without what only
// the log knows of it: the salt, the leaf and when it was recorded.
func (l *Ledger) AppendEntries(ctx context.Context, facts ...stemma.Fact) ([]Entry, error) {
	if l.signer == nil {
		return nil, errors.New("ledger: appending: the ledger was opened without a signer")
	}
	drafts, err := draftAll(facts)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(facts))
	for len(drafts) > 0 {
		n, size := chunk(drafts)
		c := &call{drafts: drafts[:n], bytes: size}
		if err := l.queue.Do(ctx, c); err != nil {
			return nil, fmt.Errorf("ledger: appending %s and %d more: %w", drafts[0].fact.Subject, n-1, err)
		}
		for i, d := range c.drafts {
			entries = append(entries, Entry{Pos: c.positions[i], Fact: d.fact, ID: d.id, Canonical: d.canonical})
		}
		drafts = drafts[n:]
	}
	return entries, nil
}

// AppendFirst is Append of one fact that was made when the log had the given size, unless
// a fact about its subject came since: then the error is [ErrOvertaken] and nothing is
// appended.
func (l *Ledger) AppendFirst(ctx context.Context, f stemma.Fact, size int64) error {
	if l.signer == nil {
		return errors.New("ledger: appending: the ledger was opened without a signer")
	}
	d, err := newDraft(f)
	if err != nil {
		return fmt.Errorf("ledger: appending: %w", err)
	}
	c := &call{drafts: []draft{d}, bytes: len(d.canonical), first: &size}
	switch err := l.queue.Do(ctx, c); {
	case err != nil:
		return fmt.Errorf("ledger: appending %s: %w", f.Subject, err)
	case c.overtaken:
		return ErrOvertaken
	}
	return nil
}

// draftAll writes every fact in its canonical form, on all processors: that is
// the larger part of the work of a long batch.
func draftAll(facts []stemma.Fact) ([]draft, error) {
	const least = 32 // facts that are worth a goroutine
	share := max(least, (len(facts)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	drafts, errs := make([]draft, len(facts)), make([]error, len(facts))
	var wg sync.WaitGroup
	for from := 0; from < len(facts); from += share {
		wg.Go(func() {
			for i := from; i < min(from+share, len(facts)); i++ {
				drafts[i], errs[i] = newDraft(facts[i])
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("ledger: appending fact %d of %d: %w", i+1, len(facts), err)
		}
	}
	return drafts, nil
}

func newDraft(f stemma.Fact) (draft, error) {
	settled, canonical, err := f.Settle()
	if err != nil {
		return draft{}, err
	}
	if len(canonical) > MaxFact {
		return draft{}, &stemma.InvalidError{Ref: f.Subject, Field: "fact", Why: fmt.Sprintf("%d bytes, more than %d", len(canonical), MaxFact)}
	}
	return draft{settled, stemma.ID(canonical), canonical}, nil
}

// chunk returns how many drafts go into one transaction, and their bytes.
func chunk(drafts []draft) (n, size int) {
	for n < len(drafts) && n < chunkFacts {
		if n > 0 && size+len(drafts[n].canonical) > chunkBytes {
			break
		}
		size += len(drafts[n].canonical)
		n++
	}
	return n, size
}

// fits says how many calls go into one transaction.
func fits(calls []*call) int {
	facts, size := 0, 0
	for n, c := range calls {
		facts += len(c.drafts)
		size += c.bytes
		if n > 0 && (facts > groupFacts || size > groupBytes) {
			return n
		}
	}
	return len(calls)
}

// commit appends the drafts of calls in one transaction.
func (l *Ledger) commit(ctx context.Context, calls []*call) error {
	next := l.edge
	err := l.db.Write(ctx, func(tx *storage.Tx) error {
		var err error
		next, err = l.write(ctx, tx, calls)
		return err
	})
	if err == nil {
		l.edge = next
	}
	return err
}

// write appends the drafts of all calls, sets their positions and returns the
// edge of the tree afterwards.
func (l *Ledger) write(ctx context.Context, tx *storage.Tx, calls []*call) (edge, error) {
	e, err := l.currentEdge(ctx, tx)
	if err != nil {
		return edge{}, err
	}
	at, err := positionsOf(ctx, tx, calls)
	if err != nil {
		return edge{}, err
	}
	size := e.size
	var fresh []draft
	for _, c := range calls {
		if c.overtaken, err = overtaken(ctx, tx, c, fresh); err != nil {
			return edge{}, err
		} else if c.overtaken {
			continue
		}
		c.positions = make([]int64, len(c.drafts))
		for i, d := range c.drafts {
			pos, known := at[d.id]
			if !known {
				pos = size
				size++
				at[d.id] = pos
				fresh = append(fresh, d)
			}
			c.positions[i] = pos
		}
	}
	if len(fresh) == 0 {
		return e, nil
	}
	leaves, err := l.insertFacts(ctx, tx, e.size, fresh)
	if err != nil {
		return edge{}, err
	}
	return l.extend(ctx, tx, e, leaves)
}

// overtaken reports whether a fact about the subject of a call came before it and after
// what it was made from: in the log, or in front of it in this transaction.
func overtaken(ctx context.Context, tx *storage.Tx, c *call, fresh []draft) (found bool, err error) {
	if c.first == nil {
		return false, nil
	}
	subject := c.drafts[0].fact.Subject
	if slices.ContainsFunc(fresh, func(d draft) bool { return d.fact.Subject == subject }) {
		return true, nil
	}
	err = tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM fact WHERE substr(subject, 1, 500) = $1 AND subject = $2 AND pos >= $3)",
		front(string(subject)), string(subject), *c.first).Scan(&found)
	return found, err
}

// positionsOf finds the drafts that are in the log already.
func positionsOf(ctx context.Context, tx *storage.Tx, calls []*call) (map[stemma.Digest]int64, error) {
	var ids []any
	for _, c := range calls {
		for i := range c.drafts {
			ids = append(ids, c.drafts[i].id[:])
		}
	}
	at := make(map[stemma.Digest]int64, len(ids))
	for some := range slices.Chunk(ids, perQuery) {
		in, args := list(some)
		for scan, err := range query(ctx, tx, "SELECT id, pos FROM fact WHERE id IN "+in, args...) {
			if err != nil {
				return nil, err
			}
			var id []byte
			var pos int64
			if err := scan(&id, number{&pos}); err != nil {
				return nil, err
			}
			at[stemma.Digest(id)] = pos
		}
	}
	return at, nil
}

var factColumns = []string{"pos", "id", "subject", "canonical", "salt", "leaf", "recorded"}

// insertFacts writes the rows from pos on and returns their leaves.
func (l *Ledger) insertFacts(ctx context.Context, tx *storage.Tx, pos int64, fresh []draft) ([]stemma.Digest, error) {
	salts := make([]byte, saltSize*len(fresh))
	if _, err := io.ReadFull(l.rand, salts); err != nil {
		return nil, fmt.Errorf("drawing salts: %w", err)
	}
	recorded := l.now().UnixMicro()
	leaves := make([]stemma.Digest, len(fresh))
	rows := func(yield func([]any) bool) {
		for i, d := range fresh {
			salt := salts[i*saltSize : (i+1)*saltSize]
			leaves[i] = seal.Commitment(salt, d.canonical)
			if !yield([]any{pos + int64(i), d.id[:], string(d.fact.Subject), d.canonical, salt, leaves[i][:], recorded}) {
				return
			}
		}
	}
	if _, err := tx.Insert(ctx, "fact", factColumns, rows); err != nil {
		return nil, err
	}
	return leaves, nil
}

// extend writes the tree hashes of the leaves and the checkpoint after them.
func (l *Ledger) extend(ctx context.Context, tx *storage.Tx, e edge, leaves []stemma.Digest) (edge, error) {
	next, blocks := e.grow(leaves)
	if len(e.tail) > 0 {
		if _, err := tx.Exec(ctx, "UPDATE tree SET hashes = $1 WHERE block = $2", blocks[0].hashes, blocks[0].number); err != nil {
			return edge{}, err
		}
		blocks = blocks[1:]
	}
	if len(blocks) > 0 {
		rows := func(yield func([]any) bool) {
			for _, b := range blocks {
				if !yield([]any{b.number, b.hashes}) {
					return
				}
			}
		}
		if _, err := tx.Insert(ctx, "tree", []string{"block", "hashes"}, rows); err != nil {
			return edge{}, err
		}
	}
	var err error
	if next.note, err = l.sign(next); err != nil {
		return edge{}, fmt.Errorf("signing the checkpoint: %w", err)
	}
	_, err = tx.Exec(ctx, "INSERT INTO checkpoint (size, note) VALUES ($1, $2)", next.size, next.note)
	return next, err
}

// currentEdge returns the edge of the log as it is stored. What this process
// remembers serves as long as the newest checkpoint is the one it wrote.
func (l *Ledger) currentEdge(ctx context.Context, tx *storage.Tx) (edge, error) {
	size, msg, err := lastCheckpoint(ctx, tx)
	if err != nil {
		return edge{}, err
	}
	if size == l.edge.size && bytes.Equal(msg, l.edge.note) && msg != nil {
		return l.edge, nil
	}
	var facts int64
	if err := tx.QueryRow(ctx, "SELECT COALESCE(MAX(pos) + 1, 0) FROM fact").Scan(number{&facts}); err != nil {
		return edge{}, err
	}
	if facts != size {
		return edge{}, fmt.Errorf("%d facts under a checkpoint of %d: %w", facts, size, stemma.ErrTampered)
	}
	if size == 0 {
		return edge{}, nil
	}
	return l.storedEdge(ctx, tx, size, msg)
}

// storedEdge reads the edge and checks it against the checkpoint.
func (l *Ledger) storedEdge(ctx context.Context, tx *storage.Tx, size int64, msg []byte) (edge, error) {
	c, err := seal.Open(msg, l.origin, l.verifiers...)
	if err != nil {
		return edge{}, stemma.WithHint(err, "the key or the origin may have changed: give the verifier key of the old one too")
	}
	e := edge{size: size, note: msg}
	if e.peaks, err = hashReader(ctx, tx)(peakIndexes(size)); err != nil {
		return edge{}, err
	}
	if c.Size != size || c.Root != e.root() {
		return edge{}, fmt.Errorf("the tree of %d facts is not that of its checkpoint: %w", size, stemma.ErrTampered)
	}
	count := tlog.StoredHashCount(size)
	if rest := int(count%perBlock) * tlog.HashSize; rest > 0 {
		blocks, err := readBlocks(ctx, tx, []int64{count / perBlock})
		if err != nil {
			return edge{}, err
		}
		tail := blocks[count/perBlock]
		if len(tail) != rest {
			return edge{}, fmt.Errorf("the last block of tree hashes has %d bytes, not %d: %w", len(tail), rest, stemma.ErrTampered)
		}
		e.tail = tail
	}
	return e, nil
}
