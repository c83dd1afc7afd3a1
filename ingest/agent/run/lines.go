package run

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// MaxRow is the longest row that is read, in bytes; a longer one is a problem.
const MaxRow = 64 << 20

// A lineReader gives the lines of a stream and how many bytes they took.
type lineReader struct {
	r      *bufio.Reader
	long   []byte // for a line that does not fit the buffer
	offset int64  // after the last line given
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 256<<10)}
}

// next returns a line without its end, which is valid until the next call.
// whole is false for a last line that has no newline yet; tooLong means that
// the line was skipped. At the end of the stream the error is io.EOF.
func (l *lineReader) next() (line []byte, whole, tooLong bool, err error) {
	l.long = l.long[:0]
	n := 0
	for {
		part, err := l.r.ReadSlice('\n')
		n += len(part)
		full := errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !full && !errors.Is(err, io.EOF) {
			return nil, false, false, fmt.Errorf("agent: reading a transcript: %w", err)
		}
		if n > MaxRow {
			tooLong = true
			l.long = nil
		} else if full || len(l.long) > 0 {
			l.long = append(l.long, part...)
			part = l.long
		}
		if full {
			continue
		}
		if n == 0 {
			return nil, false, false, io.EOF
		}
		l.offset += int64(n)
		whole = err == nil
		if tooLong {
			return nil, whole, true, nil
		}
		if whole {
			part = part[:len(part)-1]
		}
		return part, whole, false, nil
	}
}
