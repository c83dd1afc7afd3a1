// Package version keeps versions of files, each as the hunks that make it of
// earlier ones, and follows lines back through them: of which version a line is
// ([Tracer.Runs]).
//
// A version is a number, counted from 1 in the order of [Versions.Add]. Which
// commit made it, and at which path, is known to the weave above; here are only
// lines. The package does no I/O.
package version

import (
	"encoding/binary"

	"github.com/stemma-dev/stemma/attribution/diff"
)

// Versions are versions of files; the zero value holds none. Readers may run at
// the same time as each other, but not as Add or AddEncoded.
type Versions struct {
	ends []uint64
	data []byte
}

// An Old is one version that another came from. With neither Version nor
// Unknown there was nothing.
type Old struct {
	Version uint32
	Unknown bool        // there was something, but what is not known
	Hunks   []diff.Hunk // from there to the version that is made of it
}

// How an old version is written: nothing, unknown, or how many versions before
// plus fromVersion.
const (
	fromNothing = iota
	fromUnknown
	fromVersion
)

// Add takes the next version and returns its number. lines is -1 if it is not
// known; ownUnknown says that lines that no old version has are of unknown age,
// not of this version. Of a line that several have the first of olds counts.
// The caller has checked the hunks ([diff.Check]).
//
// A version is written as unsigned varints: (lines+1)*2 plus 1 for ownUnknown;
// the number of old versions; for each, where it is (see fromNothing), and if it
// is anywhere, the number of hunks, and for each hunk the unchanged lines before
// it, its old lines, its new lines.
func (v *Versions) Add(lines int, ownUnknown bool, olds []Old) uint32 {
	n := uint32(len(v.ends) + 1)
	head := uint64(lines+1) << 1
	if ownUnknown {
		head |= 1
	}
	v.number(head)
	v.number(uint64(len(olds)))
	for _, o := range olds {
		switch {
		case o.Unknown:
			v.number(fromUnknown)
		case o.Version == 0:
			v.number(fromNothing)
			continue
		default:
			v.number(uint64(n-o.Version-1) + fromVersion)
		}
		v.hunks(o.Hunks)
	}
	v.ends = append(v.ends, uint64(len(v.data)))
	return n
}

func (v *Versions) number(x uint64) { v.data = binary.AppendUvarint(v.data, x) }

func (v *Versions) hunks(hunks []diff.Hunk) {
	v.number(uint64(len(hunks)))
	end := 0
	for _, h := range hunks {
		start := h.OldAt()
		v.number(uint64(start - end))
		v.number(uint64(h.OldLines))
		v.number(uint64(h.NewLines))
		end = start + h.OldLines
	}
}

// Len is how many versions there are.
func (v *Versions) Len() int { return len(v.ends) }

// Size is how many bytes they take.
func (v *Versions) Size() int { return len(v.data) + 8*len(v.ends) }

// Encoded is a version as AddEncoded takes it; the caller does not change it.
func (v *Versions) Encoded(n uint32) []byte {
	start := uint64(0)
	if n > 1 {
		start = v.ends[n-2]
	}
	return v.data[start:v.ends[n-1]]
}

// Lines is the number of lines of a version, -1 for not known.
func (v *Versions) Lines(n uint32) int {
	head, _ := binary.Uvarint(v.Encoded(n))
	return int(head>>1) - 1
}
