package wire

import (
	"bufio"
	"bytes"
	"errors"
)

// Fields reads fields that end with a NUL, each cut at a limit.
type Fields struct {
	In    *bufio.Reader
	Limit int
	Cut   bool  // the last field was longer than the limit
	Err   error // the first error met; nothing is read after it
}

// Next reads one field; it is "" after an error.
func (f *Fields) Next() string {
	if f.Err != nil {
		return ""
	}
	f.Cut = false
	var long []byte
	for {
		b, err := f.In.ReadSlice(0)
		done := err == nil
		if !done && !errors.Is(err, bufio.ErrBufferFull) {
			f.Err = Unexpected(err)
			return ""
		}
		b = bytes.TrimSuffix(b, []byte{0})
		if done && long == nil {
			f.Cut = len(b) > f.Limit
			return string(b[:min(len(b), f.Limit)])
		}
		room := max(f.Limit-len(long), 0)
		f.Cut = f.Cut || len(b) > room
		if long = append(long, b[:min(len(b), room)]...); done {
			return string(long)
		}
	}
}
