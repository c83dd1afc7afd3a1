package redact

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/stemma-dev/stemma/redact/secret"
)

const (
	// MaxLine is the longest line that a stream may have, in bytes.
	MaxLine = 64 << 20

	piece = 1 << 20             // how much is read at a time
	slack = 4 * secret.MaxBlock // how far behind a border it is looked whether a secret goes over it
)

// ErrLine is why a stream ends before its end: it cannot be judged in parts.
var ErrLine = errors.New("redact: a line is too long")

// Stream copies rows of JSON, text, or both with marks in the place of secrets,
// also of those that lie across the borders of what is read at a time. It
// holds little more than the longest line. After an error, [ErrLine] or one of
// the streams, what was written is not the whole.
func (r *Redactor) Stream(dst io.Writer, src io.Reader) (Report, error) {
	report := Report{}
	var held []byte
	for last := false; !last; {
		n := len(held)
		held = append(held, make([]byte, piece)...)
		got, err := io.ReadFull(src, held[n:])
		held = held[:n+got]
		last = errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return report, fmt.Errorf("redact: reading: %w", err)
		}
		end := len(held)
		if !last {
			end = r.border(held)
		}
		if end == 0 && len(held) > MaxLine+slack {
			return report, ErrLine
		}
		clean, counts := r.Body(held[:end])
		report.Add(counts)
		if _, err := dst.Write(clean); err != nil {
			return report, fmt.Errorf("redact: writing: %w", err)
		}
		held = append(held[:0], held[end:]...)
	}
	return report, nil
}

// border returns where b may be cut in two so that every secret lies in one of
// them, or 0.
func (r *Redactor) border(b []byte) int {
	end := bytes.LastIndexByte(b[:max(0, len(b)-slack)], '\n') + 1
	for at := end; at > 0; {
		from := lineStart(b, max(0, at-slack))
		for _, c := range r.find(b[from:], 0, secret.Nameless) {
			if from+c.From < at && from+c.To > at {
				at = lineStart(b, from+c.From)
			}
		}
		if at == end {
			return end
		}
		end = at
	}
	return 0
}

// lineStart returns where the line of the byte at i begins.
func lineStart(b []byte, i int) int {
	return bytes.LastIndexByte(b[:i], '\n') + 1
}
