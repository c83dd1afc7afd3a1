package weave

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A saved Weave is a sequence of segments. A segment is
//
//	"stemma weave 1\n"
//	the digest of the segment before it, zeros for the first   32 bytes
//	the length of the payload, big-endian                       8 bytes
//	the payload
//	the SHA-256 of all that                                    32 bytes
//
// and the payload, where numbers are unsigned varints,
//
//	bytes of an object id; commits and paths in earlier segments
//	number of paths; for each its length and its bytes
//	number of commits; for each
//	    its id, a byte of flags, how many commits before the first parent is or 0
//	    number of events; for each
//	        path, as the difference to the last one in the commit
//	        what happened (see savedNew), and for a new record
//	            blob id, length of data, data (see [version.Versions.Add])
const segmentMagic = "stemma weave 1\n"

// What an event is when saved. Other even numbers are 2 plus twice the number
// of the record that the path has from now on, other odd numbers 1 plus twice
// the number of the record that it had until now, 0 if that is not known.
const savedNew = 0

const (
	segmentHead = len(segmentMagic) + sha256.Size + 8
	fullSegment = 16 << 20 // bytes of payload after which a new segment begins
	maxSegment  = 4 << 30
)

// ErrSegment says that a saved Weave is damaged, cut short, out of order or of
// another version. Nothing of it may be used.
var ErrSegment = errors.New("weave: not a whole saved weave")

// A Mark is the end of what was saved. The zero Mark is before everything.
type Mark struct {
	commits, records, paths int
	digest                  [sha256.Size]byte
}

// Save writes what was added after from, which is the zero Mark or one that
// Save or Load returned for the same history, and returns the new Mark.
// The segments written belong behind those that from stands for. If nothing was
// added, it writes nothing.
func (w *Weave) Save(out io.Writer, from Mark) (Mark, error) {
	if from.commits > len(w.first) || from.records > len(w.recCommit) || from.paths > len(w.paths) {
		return from, errors.New("weave: saving: the mark is of another one")
	}
	for from.commits < len(w.first) {
		payload, next := w.encode(from)
		segment := append([]byte(segmentMagic), from.digest[:]...)
		segment = binary.BigEndian.AppendUint64(segment, uint64(len(payload)))
		segment = append(segment, payload...)
		next.digest = sha256.Sum256(segment)
		segment = append(segment, next.digest[:]...)
		if _, err := out.Write(segment); err != nil {
			return from, fmt.Errorf("weave: saving: %w", err)
		}
		from = next
	}
	return from, nil
}

// encode makes the payload of one segment.
func (w *Weave) encode(from Mark) ([]byte, Mark) {
	next := from
	var commits []byte
	for next.commits < len(w.first) && len(commits) < fullSegment {
		commits = w.encodeCommit(commits, &next)
	}
	p := binary.AppendUvarint(nil, uint64(w.width))
	p = binary.AppendUvarint(p, uint64(from.commits))
	p = binary.AppendUvarint(p, uint64(from.paths))
	p = binary.AppendUvarint(p, uint64(next.paths-from.paths))
	for _, path := range w.paths[from.paths:next.paths] {
		p = binary.AppendUvarint(p, uint64(len(path)))
		p = append(p, path...)
	}
	p = binary.AppendUvarint(p, uint64(next.commits-from.commits))
	return append(p, commits...), next
}

// encodeCommit writes the commit at next and moves next behind it.
func (w *Weave) encodeCommit(p []byte, next *Mark) []byte {
	n := next.commits
	p = append(p, w.ids[n*w.width:(n+1)*w.width]...)
	p = append(p, w.flags[n])
	back := uint64(0)
	if w.first[n] != 0 {
		back = uint64(n) - uint64(w.first[n]-1)
	}
	p = binary.AppendUvarint(p, back)
	events := w.eventsOf(uint32(n))
	p = binary.AppendUvarint(p, uint64(len(events)))
	last := uint32(0)
	for _, e := range events {
		p = binary.AppendUvarint(p, uint64(e.path-last))
		last = e.path
		next.paths = max(next.paths, int(e.path)+1)
		switch {
		case e.rec <= 0:
			p = binary.AppendUvarint(p, uint64(-int64(e.rec))<<1|1)
		case int(e.rec) <= next.records:
			p = binary.AppendUvarint(p, 2+uint64(e.rec)<<1)
		default:
			next.records++
			data := w.versions.Encoded(uint32(e.rec))
			p = binary.AppendUvarint(p, savedNew)
			p = append(p, w.blobOf(uint32(e.rec))...)
			p = binary.AppendUvarint(p, uint64(len(data)))
			p = append(p, data...)
		}
	}
	next.commits++
	return p
}

// Load reads segments that Save wrote, in that order, until the end of in,
// and returns the Mark to save from. Whatever is wrong with them gives an error
// that wraps [ErrSegment] (or that of the reader), and no Weave.
func Load(in io.Reader) (*Weave, Mark, error) {
	w := New()
	var mark Mark
	for {
		payload, digest, err := readSegment(in, mark.digest)
		if errors.Is(err, io.EOF) {
			return w, mark, nil
		}
		if err == nil {
			d := decoder{w: w, in: payload}
			err = d.segment()
		}
		if err != nil {
			return nil, Mark{}, fmt.Errorf("weave: loading after %d commits: %w", len(w.first), err)
		}
		mark = Mark{len(w.first), len(w.recCommit), len(w.paths), digest}
	}
}

// readSegment returns the payload of the next segment, or io.EOF.
func readSegment(in io.Reader, before [sha256.Size]byte) (payload []byte, digest [sha256.Size]byte, err error) {
	head := make([]byte, segmentHead)
	if n, err := io.ReadFull(in, head); err != nil {
		if errors.Is(err, io.EOF) && n == 0 {
			return nil, digest, io.EOF
		}
		return nil, digest, cutShort(err)
	}
	rest, ok := bytes.CutPrefix(head, []byte(segmentMagic))
	if !ok || !bytes.HasPrefix(rest, before[:]) {
		return nil, digest, fmt.Errorf("%w: another version or out of order", ErrSegment)
	}
	length := binary.BigEndian.Uint64(rest[sha256.Size:])
	if length > maxSegment {
		return nil, digest, fmt.Errorf("%w: impossible length", ErrSegment)
	}
	var buf bytes.Buffer // grows with what is there, not with what is promised
	buf.Write(head)
	if _, err := io.CopyN(&buf, in, int64(length)); err != nil {
		return nil, digest, cutShort(err)
	}
	digest = sha256.Sum256(buf.Bytes())
	var told [sha256.Size]byte
	if _, err := io.ReadFull(in, told[:]); err != nil {
		return nil, digest, cutShort(err)
	}
	if told != digest {
		return nil, digest, fmt.Errorf("%w: wrong checksum", ErrSegment)
	}
	return buf.Bytes()[segmentHead:], digest, nil
}

func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: cut short", ErrSegment)
	}
	return err
}
