package posted

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"
)

const (
	// MaxBatch bounds the body of one upload, in bytes; the contract of the backend
	// asks for 64 MB at least.
	MaxBatch = 96 << 20
	// MaxNote bounds the text of one note, in bytes; the contract asks for 8 MB at
	// least.
	MaxNote = 16 << 20
)

// The lengths of a commit's name that the contract asks for (section 4.1).
const minCommit, maxCommit = 4, 64

// A Note is what a client says about one commit. The text is kept and given back
// as it came, whatever it is.
type Note struct {
	Commit  string // in hexadecimal digits; names that differ in case are two
	Content string
}

// Check says why a note cannot be kept; the error is a [SpoiltError].
func (n Note) Check() error {
	switch {
	case !Named(n.Commit):
		return spoilt("%.80q names no commit", n.Commit)
	case len(n.Content) > MaxNote:
		return spoilt("the note on %s has %d bytes, more than %d", n.Commit, len(n.Content), MaxNote)
	}
	return nil
}

// Named reports whether a text may name a commit.
func Named(commit string) bool {
	return len(commit) >= minCommit && len(commit) <= maxCommit && strings.Trim(commit, "0123456789abcdefABCDEF") == ""
}

// A MalformedError says why the body of an upload is not what the contract says.
type MalformedError struct{ Why string }

func (e *MalformedError) Error() string { return "the body of the upload: " + e.Why }

func malformed(format string, args ...any) error {
	return &MalformedError{fmt.Sprintf(format, args...)}
}

// A SpoiltError says why one note cannot be kept; the others can.
type SpoiltError struct{ Why string }

func (e *SpoiltError) Error() string { return e.Why }

func spoilt(format string, args ...any) error { return &SpoiltError{fmt.Sprintf(format, args...)} }

// Read reads the body of an upload, {"entries":[{"commit_sha","content"}]}, entry
// by entry; members that it does not know are stepped over. A [SpoiltError] is
// about the note beside it. A [MalformedError], or an error of r, is the last
// thing that comes.
func Read(r io.Reader) iter.Seq2[Note, error] {
	return func(yield func(Note, error) bool) {
		d := json.NewDecoder(r)
		on, found := true, false
		err := members(d, func(name string) error {
			if name != "entries" {
				return step(d)
			}
			found = true
			return elements(d, func() error {
				n, bad, err := readEntry(d)
				if err == nil {
					if on = yield(n, bad); !on {
						return errStop
					}
				}
				return err
			})
		})
		if err == nil && !found {
			err = malformed("there are no entries")
		}
		if err == nil {
			err = end(d)
		}
		if err != nil && on {
			yield(Note{}, because(err))
		}
	}
}

// errStop: who reads wants no more.
var errStop = errors.New("stop")

// because tells what is wrong with a body from what is wrong with a connection.
func because(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax), errors.As(err, &kind), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return malformed("%.200s", strings.ToValidUTF8(err.Error(), "\uFFFD"))
	}
	return err
}

// members goes through an object; do reads each value.
func members(d *json.Decoder, do func(name string) error) error {
	if err := open(d, '{'); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		if err := do(name.(string)); err != nil { // the decoder has seen that it is one
			return err
		}
	}
	_, err := d.Token()
	return err
}

// elements goes through an array; do reads each value.
func elements(d *json.Decoder, do func() error) error {
	if err := open(d, '['); err != nil {
		return err
	}
	for d.More() {
		if err := do(); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func open(d *json.Decoder, with json.Delim) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != with {
		return malformed("%q is missing before byte %d", rune(with), d.InputOffset())
	}
	return nil
}

func step(d *json.Decoder) error {
	var whatever json.RawMessage
	return d.Decode(&whatever)
}

func end(d *json.Decoder) error {
	switch _, err := d.Token(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return malformed("more after its end")
}

// readEntry reads one entry. It must have both members, and they must be strings.
func readEntry(d *json.Decoder) (n Note, bad, err error) {
	var e struct {
		Commit  *string         `json:"commit_sha"`
		Content json.RawMessage `json:"content"`
	}
	if err := d.Decode(&e); err != nil {
		return n, nil, err
	}
	if e.Commit == nil || len(e.Content) == 0 || e.Content[0] != '"' {
		return n, nil, malformed("an entry without commit_sha and content, before byte %d", d.InputOffset())
	}
	if err := json.Unmarshal(e.Content, &n.Content); err != nil {
		return n, nil, err
	}
	n.Commit = *e.Commit
	if !faithful(e.Content, n.Content) {
		return n, spoilt("the note on %.80q is not text in UTF-8", n.Commit), nil
	}
	return n, n.Check(), nil
}

// faithful reports whether a string of JSON was read without putting anything in
// the place of what is no text.
func faithful(raw []byte, text string) bool {
	if !strings.Contains(text, "\uFFFD") {
		return true
	}
	written := bytes.Count(raw, []byte("\uFFFD"))
	for rest := raw; ; {
		at := bytes.IndexByte(rest, '\\')
		if at < 0 || at+1 >= len(rest) {
			break
		}
		if escape := rest[at+1:]; len(escape) >= 5 && strings.EqualFold(string(escape[:5]), "ufffd") {
			written++
		}
		rest = rest[at+2:]
	}
	return utf8.Valid(raw) && written == strings.Count(text, "\uFFFD")
}
