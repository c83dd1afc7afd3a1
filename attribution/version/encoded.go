package version

import (
	"encoding/binary"
	"errors"

	"github.com/stemma-dev/stemma/attribution/diff"
)

// AddEncoded takes the next version as Encoded gave it, perhaps in another
// process. It checks all that a Tracer relies on; if that does not hold, the
// error says what is wrong and the versions have not changed.
func (v *Versions) AddEncoded(data []byte) error {
	if why := v.check(data); why != "" {
		return errors.New(why)
	}
	v.data = append(v.data, data...)
	v.ends = append(v.ends, uint64(len(v.data)))
	return nil
}

// check says what is wrong with the data of the next version.
func (v *Versions) check(data []byte) (why string) {
	r := reader{in: data}
	next := len(v.ends) + 1
	lines := r.number(2*(diff.MaxLines+1)+1)>>1 - 1
	for olds := r.number(len(r.in)); olds > 0 && r.bad == ""; olds-- {
		switch from := r.number(next); from {
		case fromNothing:
		case fromUnknown:
			r.hunks(-1, lines)
		default:
			r.hunks(v.Lines(uint32(next-1-(from-fromVersion))), lines)
		}
	}
	if len(r.in) > 0 {
		r.fail("a version with more than was promised")
	}
	return r.bad
}

// A reader reads what nobody has checked.
type reader struct {
	in  []byte
	bad string // what is wrong; reading goes on with zeros
}

func (r *reader) fail(why string) {
	if r.bad == "" {
		r.bad = why
	}
	r.in = nil
}

// number reads a number of at most limit.
func (r *reader) number(limit int) int {
	x, n := binary.Uvarint(r.in)
	if n <= 0 || x > uint64(limit) {
		r.fail("a number is out of range")
		return 0
	}
	r.in = r.in[n:]
	return int(x)
}

// hunks checks what [diff.Check] and Add have made sure of.
func (r *reader) hunks(oldLines, newLines int) {
	oldEnd, newEnd := 0, 0
	for n := r.number(len(r.in) / 3); n > 0 && r.bad == ""; n-- {
		gap, old, new := r.number(diff.MaxLines), r.number(diff.MaxLines), r.number(diff.MaxLines)
		oldEnd, newEnd = oldEnd+gap+old, newEnd+gap+new
		if oldEnd > diff.MaxLines || newEnd > diff.MaxLines {
			r.fail("too many lines")
		}
	}
	if oldLines >= 0 && (oldEnd > oldLines || oldLines+newEnd-oldEnd != newLines) ||
		newLines >= 0 && newEnd > newLines {
		r.fail("hunks that do not fit their files")
	}
}
