package weave

import (
	"encoding/binary"
	"fmt"
	"math"
)

// decoder reads the payload of a segment into a Weave and checks everything
// that the readers of a Weave rely on.
type decoder struct {
	w   *Weave
	in  []byte
	bad string // what is wrong; reading goes on with zeros
}

func (d *decoder) fail(why string) {
	if d.bad == "" {
		d.bad = why
	}
	d.in = nil
}

// number reads a number of at most limit.
func (d *decoder) number(limit int) int {
	x, n := binary.Uvarint(d.in)
	if n <= 0 || x > uint64(limit) {
		d.fail("a number is out of range")
		return 0
	}
	d.in = d.in[n:]
	return int(x)
}

// count reads how many things follow that take at least size bytes each.
func (d *decoder) count(size int) int { return d.number(len(d.in) / size) }

func (d *decoder) take(n int) []byte {
	if n > len(d.in) {
		d.fail("cut short")
		return nil
	}
	b := d.in[:n]
	d.in = d.in[n:]
	return b
}

func (d *decoder) segment() error {
	w := d.w
	width := d.number(32)
	if width != 20 && width != 32 || w.width != 0 && w.width != width {
		d.fail("object ids of another length")
	}
	w.width = width
	if d.number(math.MaxInt32) != len(w.first) || d.number(math.MaxInt32) != len(w.paths) {
		d.fail("not the continuation")
	}
	for n := d.count(2); n > 0 && d.bad == ""; n-- {
		path := string(d.take(d.number(maxPath)))
		if _, ok := w.pathNumber[path]; ok || path == "" {
			d.fail("a path is empty or there twice")
			break
		}
		w.internPath(path)
	}
	for n := d.count(width + 3); n > 0 && d.bad == ""; n-- {
		d.commit()
	}
	if len(d.in) > 0 {
		d.fail("more than was promised")
	}
	if d.bad != "" {
		return fmt.Errorf("%w: %s", ErrSegment, d.bad)
	}
	return nil
}

func (d *decoder) commit() {
	w := d.w
	n := len(w.first)
	id := d.take(w.width)
	if id == nil || n >= math.MaxInt32 {
		d.fail("too many commits")
		return
	}
	if _, ok := w.numbers.find(w.ids, id); ok {
		d.fail("a commit is there twice")
		return
	}
	w.ids = append(w.ids, id...)
	w.numbers.insert(w.ids, w.width, uint32(n))
	flags := d.take(1)
	if flags == nil || flags[0]&^(openBelow|ownIsUnknown) != 0 {
		d.fail("unknown flags")
		return
	}
	w.flags = append(w.flags, flags[0])
	first := uint32(0)
	if back := d.number(n); back > 0 {
		first = uint32(n-back) + 1
	}
	if first != 0 && flags[0]&openBelow != 0 {
		d.fail("a parent that is known and not")
	}
	w.first = append(w.first, first)
	path := -1
	for events := d.count(2); events > 0 && d.bad == ""; events-- {
		step := d.number(len(w.paths))
		if path < 0 {
			path = step
		} else if path += step; step == 0 {
			d.fail("a path is there twice in a commit")
		}
		if path >= len(w.paths) || len(w.events) >= math.MaxInt32 {
			d.fail("a path that is not there")
			return
		}
		d.event(uint32(n), uint32(path))
	}
	w.eventEnd = append(w.eventEnd, uint32(len(w.events)))
}

func (d *decoder) event(commit, path uint32) {
	w := d.w
	records := len(w.recCommit)
	what := d.number(2*records + 2)
	var rec int32
	switch {
	case what == savedNew:
		blob := d.take(w.width)
		data := d.take(d.number(len(d.in)))
		if d.bad != "" {
			return
		}
		if err := w.versions.AddEncoded(data); err != nil {
			d.fail(err.Error())
			return
		}
		w.recCommit = append(w.recCommit, commit)
		w.recPath = append(w.recPath, path)
		w.recBlob = append(w.recBlob, blob...)
		rec = int32(records + 1)
	case what&1 != 0:
		rec = -int32(what >> 1)
	default:
		if rec = int32(what/2 - 1); rec == 0 {
			d.fail("a record that is not there")
			return
		}
	}
	if d.bad == "" {
		w.events = append(w.events, event{path, rec})
	}
}
