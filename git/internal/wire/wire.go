// Package wire reads the small forms in which git commands write: lines, fields
// that end with a NUL, numbers, ids and modes. Sizes are bounded, whatever comes
// in. It starts nothing and knows no repository.
package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// BufferSize is how much of a command's output is read at once.
const BufferSize = 256 << 10

// MaxField bounds paths and headings, which the format itself does not.
const MaxField = 1 << 20

// A Reader reads lines and fields that are bounded by an error. What it returns
// is valid until the next read.
type Reader struct{ *bufio.Reader }

// First looks at the next byte.
func (r Reader) First() (byte, error) {
	b, err := r.Peek(1)
	if err != nil {
		return 0, Unexpected(err)
	}
	return b[0], nil
}

// Line reads a heading with its line end.
func (r Reader) Line() ([]byte, error) { return r.until('\n') }

// Field reads up to a NUL, which it leaves out.
func (r Reader) Field() ([]byte, error) {
	b, err := r.until(0)
	return bytes.TrimSuffix(b, []byte{0}), err
}

func (r Reader) until(end byte) ([]byte, error) {
	b, err := r.ReadSlice(end)
	if !errors.Is(err, bufio.ErrBufferFull) {
		return b, Unexpected(err)
	}
	long := bytes.Clone(b)
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(long) > MaxField {
			return nil, fmt.Errorf("a heading of more than %d bytes", MaxField)
		}
		b, err = r.ReadSlice(end)
		long = append(long, b...)
	}
	return long, Unexpected(err)
}

// Text reads a line of a file and returns it without its first skip bytes and
// its line end. When it is not whole, only what fits the buffer, the caller
// skips the rest with [Reader.SkipLine].
func (r Reader) Text(skip int) (text []byte, whole bool, err error) {
	text, err = r.ReadSlice('\n')
	whole = err == nil
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, false, Unexpected(err)
	}
	if whole {
		text = text[:len(text)-1]
	}
	return text[min(skip, len(text)):], whole, nil
}

// SkipLine reads to the end of the line, however long it is.
func (r Reader) SkipLine() error {
	for {
		if _, err := r.ReadSlice('\n'); !errors.Is(err, bufio.ErrBufferFull) {
			return Unexpected(err)
		}
	}
}

// Unexpected makes of the end of a stream an end that came too early.
func Unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Number reads at most 9 digits: no file has more lines than that.
func Number(b []byte) (n int, rest []byte, ok bool) {
	i := 0
	for i < len(b) && i < 9 && b[i] >= '0' && b[i] <= '9' {
		n = n*10 + int(b[i]-'0')
		i++
	}
	return n, b[i:], i > 0
}

// CutIf cuts a prefix off if all went well so far.
func CutIf(b []byte, prefix string, ok bool) ([]byte, bool) {
	if !ok {
		return b, false
	}
	return bytes.CutPrefix(b, []byte(prefix))
}

// Mode reads the mode of a file.
func Mode(b []byte) int {
	n, _ := strconv.ParseUint(string(b), 8, 32)
	return int(n)
}

// ID is an id as git writes it; one of zeros only means that there is none.
func ID(b []byte) string {
	for _, c := range b {
		if c != '0' {
			return string(b)
		}
	}
	return ""
}

// IsID reports whether s is a whole object id in lower case.
func IsID(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == 40 || len(s) == 64
}

// IDIn finds an object id in a message; "" if it names none.
func IDIn(line string) string {
	words := slices.Collect(func(yield func(string) bool) {
		start := 0
		for i := 0; i <= len(line); i++ {
			if i < len(line) && (line[i] >= '0' && line[i] <= '9' || line[i] >= 'a' && line[i] <= 'z') {
				continue
			}
			if i > start && !yield(line[start:i]) {
				return
			}
			start = i + 1
		}
	})
	for _, w := range words {
		if IsID(w) {
			return w
		}
	}
	return ""
}
