package history

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/git/internal/child"
)

// standIn makes stand-ins for all that is missing, and for the object of that
// id, so that the differences of all other files can still be told. They are
// seen by the differ of this run only.
func (l *run) standIn(id string) error {
	if !l.scanned {
		missing, err := l.scan()
		if err != nil {
			return err
		}
		l.missing, l.scanned = missing, true
	}
	if id != "" {
		l.missing[id] = l.reason(id)
	}
	if len(l.missing) == 0 {
		return nil
	}
	if err := l.standDir(); err != nil {
		return err
	}
	dir := filepath.Join(l.stand, "pack")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	l.stands++
	for _, d := range []*differ{l.patches, l.merges, l.renamed} {
		d.env, d.next = append(d.env, "GIT_ALTERNATE_OBJECT_DIRECTORIES="+l.stand), l.stands
	}
	return writePack(filepath.Join(dir, "pack-stand-ins"), slices.Sorted(maps.Keys(l.missing)))
}

// scan lists the objects of the histories that are missing.
func (l *run) scan() (map[string]error, error) {
	p, err := l.cutPlace().Start(l.ctx, "rev-list", "--ignore-missing",
		"--objects", "--no-object-names", "--missing=print", "--stdin")
	if err != nil {
		return nil, err
	}
	defer p.Kill()
	go func() {
		_, _ = io.WriteString(p.In, strings.Join(append(slices.Clone(l.tips), ""), "\n"))
		for _, id := range l.not {
			_, _ = io.WriteString(p.In, "^"+id+"\n")
		}
		_ = p.In.Close()
	}()
	missing := map[string]error{}
	for {
		line, err := p.Out.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, p.Fail(err)
		}
		if id, ok := bytes.CutPrefix(line, []byte("?")); ok {
			missing[string(bytes.TrimSpace(id))] = ErrMissing
		}
	}
	// What was found until it died over a broken tree is still of use.
	var dead *child.Error
	if err := p.End(); err != nil && !errors.As(err, &dead) {
		return nil, err
	}
	return missing, nil
}

// writePack writes name.pack and name.idx, in which every id, sorted, names a
// small binary file of its own. Git does not recompute the ids of files that
// it compares.
func writePack(name string, ids []string) error {
	sum := sha1.New()
	if len(ids[0]) == 64 {
		sum = sha256.New()
	}
	f, err := os.Create(name + ".pack")
	if err != nil {
		return err
	}
	w := bufio.NewWriter(io.MultiWriter(f, sum))
	_, _ = w.WriteString("PACK")
	_ = binary.Write(w, binary.BigEndian, []uint32{2, uint32(len(ids))})
	at, offsets, checks := uint32(12), []uint32{}, []uint32{}
	for _, id := range ids {
		entry := packEntry(id)
		offsets, checks = append(offsets, at), append(checks, crc32.ChecksumIEEE(entry))
		_, _ = w.Write(entry)
		at += uint32(len(entry))
	}
	if err := errors.Join(w.Flush(), finish(f, sum)); err != nil {
		return err
	}
	return writeIndex(name+".idx", ids, offsets, checks, sum.Sum(nil))
}

// packEntry is a blob: a NUL, so that it is binary, and its id, so that no two
// are alike.
func packEntry(id string) []byte {
	data := "\x00" + id
	var b bytes.Buffer
	b.Write([]byte{3<<4 | 0x80 | byte(len(data)&15), byte(len(data) >> 4)})
	z, _ := zlib.NewWriterLevel(&b, zlib.NoCompression)
	_, _ = io.WriteString(z, data)
	_ = z.Close()
	return b.Bytes()
}

// writeIndex writes the index of a pack, version 2.
func writeIndex(name string, ids []string, offsets, checks []uint32, pack []byte) error {
	sum := sha1.New()
	if len(pack) == 32 {
		sum = sha256.New()
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(io.MultiWriter(f, sum))
	_, _ = w.WriteString("\377tOc")
	var fan [257]uint32
	fan[0] = 2
	raw := make([][]byte, len(ids))
	for i, id := range ids {
		if raw[i], err = hex.DecodeString(id); err != nil {
			return errors.Join(err, f.Close())
		}
		fan[1+int(raw[i][0])]++
	}
	for i := 2; i < len(fan); i++ {
		fan[i] += fan[i-1]
	}
	_ = binary.Write(w, binary.BigEndian, fan[:])
	for _, id := range raw {
		_, _ = w.Write(id)
	}
	_ = binary.Write(w, binary.BigEndian, checks)
	_ = binary.Write(w, binary.BigEndian, offsets)
	_, _ = w.Write(pack)
	return errors.Join(w.Flush(), finish(f, sum))
}

// finish writes the checksum and closes.
func finish(f *os.File, sum hash.Hash) error {
	_, err := f.Write(sum.Sum(nil))
	return errors.Join(err, f.Close())
}
