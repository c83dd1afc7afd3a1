// Package spool keeps what hooks saw until it is read: in the git directory,
// outside of the work tree, written by processes that live for milliseconds. A
// hook takes the content of the files that it speaks of ([Place.Take]) and
// appends one [Entry]; nothing else happens then.
//
// Entries are lines of a file, each with a sum in front, so that one that was
// cut by a crash, a full disk or another writer is found and skipped, and
// counted. Contents are files named by the id that git would give them.
//
// The package runs no process, needs no store and knows neither agents nor
// rooms.
package spool

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// An Entry is what one hook saw.
type Entry struct {
	At time.Time `json:"at"`
	Stand
	Event json.RawMessage `json:"event,omitempty"` // what the hook was told, in the caller's form
	Files []File          `json:"files,omitempty"`
	Was   []File          `json:"was,omitempty"`   // what files that were found only afterwards were when the call began that ends
	Whole bool            `json:"whole,omitempty"` // since that call began, no tracked file changed but those among Files
	Gone  bool            `json:"gone,omitempty"`  // since then something vanished that was not looked at: what appeared may be that
	Lost  string          `json:"lost,omitempty"`  // what could not be kept, and why
	End   int64           `json:"-"`               // where it ends in the spool, once it was read
}

// maxEntry bounds one line of the spool.
const maxEntry = 8 << 20

// Dir is where the spool of a work tree lies: in the git directory that all work
// trees share, so that it outlives those that are thrown away.
func (p Place) Dir() string {
	if p.GitDir == p.Common {
		return filepath.Join(p.Common, "stemma")
	}
	return filepath.Join(p.Common, "stemma", "trees", filepath.Base(p.GitDir))
}

func (p Place) journal() string { return filepath.Join(p.Dir(), "spool") }

// Append adds an entry. Many processes may do so at once.
func (p Place) Append(e Entry) error {
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	if len(body) > maxEntry {
		return fmt.Errorf("spool: an entry of %d bytes, more than %d", len(body), maxEntry)
	}
	if err := os.MkdirAll(p.Dir(), 0o700); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	f, err := os.OpenFile(p.journal(), os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	err = write(f, frame(body))
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// write appends a line with one call while no other process does. A line that
// was cut before it is ended first.
func write(f *os.File, line []byte) error {
	defer lock(f)()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var last [1]byte
	if size := info.Size(); size > 0 {
		if _, err := f.ReadAt(last[:], size-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	_, err = f.Write(line)
	return err
}

// frame puts the sum in front of an entry.
func frame(body []byte) []byte {
	line := fmt.Appendf(nil, "%08x ", crc32.ChecksumIEEE(body))
	return append(append(line, body...), '\n')
}

// unframe takes a line apart; false if it is damaged.
func unframe(line []byte) ([]byte, bool) {
	sum, body, ok := bytes.Cut(line, []byte(" "))
	want, err := strconv.ParseUint(string(sum), 16, 32)
	return body, ok && err == nil && len(sum) == 8 && crc32.ChecksumIEEE(body) == uint32(want)
}

// A Reading is what was found in a spool.
type Reading struct {
	Entries []Entry
	Damaged int   // lines that cannot be read
	Next    int64 // where to go on reading
}

// Read reads the entries from an offset on. A last line that is still being
// written is left for the next time.
func (p Place) Read(from int64) (Reading, error) {
	got := Reading{Next: from}
	f, err := os.Open(p.journal())
	if errors.Is(err, os.ErrNotExist) {
		return got, nil
	}
	if err != nil {
		return got, fmt.Errorf("spool: %w", err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return got, fmt.Errorf("spool: %w", err)
	}
	r := bufio.NewReaderSize(f, 64<<10)
	for {
		line, n, err := readLine(r)
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, fmt.Errorf("spool: %w", err)
		}
		got.Next += n
		if len(line) == 0 {
			continue // ends a line that was cut
		}
		var e Entry
		if body, ok := unframe(line); ok && json.Unmarshal(body, &e) == nil {
			e.End = got.Next
			got.Entries = append(got.Entries, e)
		} else {
			got.Damaged++
		}
	}
}

// readLine reads a whole line and tells its size; of one that is too long, nothing
// is kept.
func readLine(r *bufio.Reader) (line []byte, size int64, err error) {
	for {
		part, err := r.ReadSlice('\n')
		size += int64(len(part))
		if int64(len(line)+len(part)) <= maxEntry+16 {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil:
			return nil, size, err
		case size > maxEntry+16:
			return []byte("too long"), size, nil
		default:
			return bytes.TrimSuffix(line, []byte("\n")), size, nil
		}
	}
}

// Tail is the end of what stands in the spool before an offset, by which it is known
// again; "" if there is not that much.
func (p Place) Tail(before int64) string {
	f, err := os.Open(p.journal())
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	b := make([]byte, min(before, 128))
	if n, err := f.ReadAt(b, before-int64(len(b))); err != nil || n < len(b) {
		return ""
	}
	return string(b)
}

// Last are the entries at the end of the spool, in up to size bytes.
func (p Place) Last(size int64) []Entry {
	info, err := os.Lstat(p.journal())
	if err != nil {
		return nil
	}
	r, err := p.Read(max(0, info.Size()-size)) // the first line may be a part of one
	if err != nil {
		return nil
	}
	return r.Entries
}

// Replace writes a file as a whole or not at all.
func Replace(path string, content []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), "new-*")
	if err != nil {
		return err
	}
	_, err = temp.Write(content)
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}
