package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma/git/internal/child"
	"github.com/stemma-dev/stemma/git/internal/wire"
	"github.com/stemma-dev/stemma/git/quote"
)

// An Object is a git object, or word that it is missing.
type Object struct {
	ID      string // as it was asked for
	Type    string // "blob", "tree", "commit", "tag"; "" when missing
	Size    int64
	Missing bool   // not in this copy, or Broken
	Broken  bool   // here, but what its file holds is no object
	TooBig  bool   // larger than the limit: Data is nil or a beginning
	Data    []byte // the caller's to keep
}

// readObjectHead reads "<id> <type> <size>" or "<name> missing".
func readObjectHead(r *bufio.Reader) (Object, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return Object{}, wire.Unexpected(err)
	}
	line = line[:len(line)-1]
	if name, ok := bytes.CutSuffix(line, []byte(" missing")); ok {
		return Object{ID: string(name), Missing: true}, nil
	}
	id, rest, _ := bytes.Cut(line, []byte(" "))
	kind, size, ok := bytes.Cut(rest, []byte(" "))
	n, err := strconv.ParseInt(string(size), 10, 64)
	if !ok || err != nil || n < 0 {
		return Object{}, fmt.Errorf("unexpected line %.200q", line)
	}
	return Object{ID: string(id), Type: string(kind), Size: n}, nil
}

// readObjectBody reads an object and its line end into data, which may be shorter.
func readObjectBody(r *bufio.Reader, size int64, data []byte) ([]byte, error) {
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, wire.Unexpected(err)
	}
	for skip := size - int64(len(data)) + 1; skip > 0; {
		n, err := r.Discard(int(min(skip, wire.BufferSize)))
		if err != nil {
			return nil, wire.Unexpected(err)
		}
		skip -= int64(n)
	}
	return data, nil
}

// Objects reads many objects with one process, in the order of ids, which
// must not wait for what Objects yields. Objects of more than maxSize bytes come
// without their data. What is missing or no id of an object is said in the
// Object. An object over which git dies is Broken, and another process reads the
// rest; any other error ends the stream.
func (r *Repo) Objects(ctx context.Context, ids iter.Seq[string], maxSize int64) iter.Seq2[Object, error] {
	return r.objects(ctx, ids, "--batch", demand{unlessBig, maxSize, nil})
}

// Check is [Repo.Objects] without data: types and sizes only.
func (r *Repo) Check(ctx context.Context, ids iter.Seq[string]) iter.Seq2[Object, error] {
	return r.objects(ctx, ids, "--batch-check", demand{part: nothing})
}

func (r *Repo) objects(ctx context.Context, ids iter.Seq[string], mode string, want demand) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		p, err := r.apart.Start(ctx, "cat-file", mode, "--buffer")
		if err != nil {
			cancel()
			yield(Object{}, err)
			return
		}
		asked := make(chan []string, 8)
		gone := make(chan struct{})
		defer func() {
			cancel()
			p.Kill()
			<-gone
		}()
		go func() {
			defer close(gone)
			defer close(asked)
			feed(ctx, p.In, ids, asked)
		}()
		for some := range asked {
			for i, id := range some {
				o, err := r.nextObject(p, id, want)
				dead := err != nil && Lost(err) == id
				if dead {
					o, err = Object{ID: id, Missing: true, Broken: true}, nil
				}
				if !yield(o, err) || err != nil {
					return
				}
				if dead {
					r.objects(ctx, rest(some[i+1:], asked), mode, want)(yield)
					return
				}
			}
		}
		if err := p.End(); err != nil {
			yield(Object{}, err)
		}
	}
}

// rest are the ids that are still to come, first those of some.
func rest(some []string, asked <-chan []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for more := true; more; some, more = <-asked {
			for _, id := range some {
				if !yield(id) {
					return
				}
			}
		}
	}
}

// atOnce is how many ids are told to the reader at once: telling each by itself
// costs more than reading a small object.
const atOnce = 256

// feed tells ids to the reader and writes them, also those that git does not live
// to read; a name that is no id is told and not written. What git was asked for
// the reader always knows, so that it takes what git has to write.
func feed(ctx context.Context, in io.WriteCloser, ids iter.Seq[string], asked chan<- []string) {
	w := bufio.NewWriterSize(in, 32<<10)
	defer func() {
		_ = w.Flush() // the reader meets the reason
		_ = in.Close()
	}()
	tell := func(some []string) bool {
		select {
		case asked <- some:
		default:
			// The reader is behind, or waits for what is still in our buffer.
			_ = w.Flush()
			select {
			case asked <- some:
			case <-ctx.Done():
				return false
			}
		}
		for _, id := range some {
			if wire.IsID(id) {
				_, _ = w.WriteString(id + "\n")
			}
		}
		return true
	}
	some := make([]string, 0, atOnce)
	for id := range ids {
		if some = append(some, id); len(some) == atOnce {
			if !tell(some) {
				return
			}
			some = make([]string, 0, atOnce)
		}
	}
	tell(some)
}

// A part says how much of an object's data is read.
type part int

const (
	nothing   part = iota
	unlessBig      // all of it, or nothing of what is too big
	beginning      // all of it, or the first bytes of what is too big
)

// A demand says what is read of objects, and into which memory: new memory unless
// there is room.
type demand struct {
	part
	max  int64 // bytes; what is larger is too big
	room func(size int) []byte
}

func (d demand) memory(size int64) []byte {
	if d.room == nil {
		return make([]byte, size)
	}
	return d.room(int(size))
}

func (r *Repo) nextObject(p *child.Process, id string, want demand) (Object, error) {
	if !wire.IsID(id) {
		return Object{ID: id, Missing: true}, nil
	}
	o, err := readObjectHead(p.Out)
	if err != nil {
		return o, p.Fail(err)
	}
	if o.ID != id {
		p.Kill()
		return o, fmt.Errorf("git: cat-file answered %s when asked for %s", quote.Line(o.ID), quote.Line(id))
	}
	if o.Missing || want.part == nothing {
		o.Broken = o.Missing && r.Stored(id)
		return o, nil
	}
	keep := o.Size
	if o.TooBig = o.Size > want.max; o.TooBig && want.part == beginning {
		keep = want.max
	} else if o.TooBig {
		keep = 0
	}
	body, err := readObjectBody(p.Out, o.Size, want.memory(keep))
	if err != nil {
		return o, p.Fail(err)
	}
	if !o.TooBig || want.part == beginning {
		o.Data = body
	}
	return o, nil
}

// A CatFile is a git cat-file that stays at work for questions that depend on
// earlier answers. One goroutine uses it.
type CatFile struct {
	r     *Repo
	p     *child.Process
	max   int64
	roots map[string][]TreeEntry // of the ids looked into, as they are looked into again
}

// CatFile starts one. Objects of more than maxSize bytes come without data.
func (r *Repo) CatFile(ctx context.Context, maxSize int64) (*CatFile, error) {
	p, err := r.apart.Start(ctx, "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	return &CatFile{r: r, p: p, max: maxSize, roots: map[string][]TreeEntry{}}, nil
}

// Object asks for one object.
func (c *CatFile) Object(id string) (Object, error) { return c.object(id, c.max) }

func (c *CatFile) object(id string, maxSize int64) (Object, error) {
	if wire.IsID(id) {
		if _, err := io.WriteString(c.p.In, id+"\n"); err != nil {
			return Object{}, c.p.Fail(io.EOF)
		}
	}
	return c.r.nextObject(c.p, id, demand{unlessBig, maxSize, nil})
}

// Objects asks for many objects at once and reads them in the order of ids.
// Those of more than maxSize bytes come without data. Whoever does not read to
// the end cannot ask again.
func (c *CatFile) Objects(ids []string, maxSize int64) iter.Seq2[Object, error] {
	return c.objects(ids, maxSize, unlessBig)
}

// Beginnings is [CatFile.Objects] but for those of more than maxSize bytes, of
// which it gives as many.
func (c *CatFile) Beginnings(ids []string, maxSize int64) iter.Seq2[Object, error] {
	return c.objects(ids, maxSize, beginning)
}

func (c *CatFile) objects(ids []string, maxSize int64, want part) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		var names strings.Builder
		for _, id := range ids {
			if wire.IsID(id) {
				names.WriteString(id + "\n")
			}
		}
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_, _ = io.WriteString(c.p.In, names.String()) // the reader meets the reason
		}()
		for _, id := range ids {
			o, err := c.r.nextObject(c.p, id, demand{want, maxSize, nil})
			if !yield(o, err) || err != nil {
				c.p.Kill()
				break
			}
		}
		<-gone
	}
}

// Kill ends the process, whatever was asked of it.
func (c *CatFile) Kill() { c.p.Kill() }

// Close ends the process.
func (c *CatFile) Close() error {
	_ = c.p.In.Close()
	_, err := io.Copy(io.Discard, c.p.Out)
	if end := c.p.End(); end != nil && !errors.Is(end, context.Canceled) {
		return end
	}
	return err
}
