package posted_test

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stemma-dev/stemma/ingest/posted"
)

// body is the body of an upload of notes.
func body(t testing.TB, notes []posted.Note) string {
	t.Helper()
	type entry struct {
		Commit  string `json:"commit_sha"`
		Content string `json:"content"`
	}
	entries := []entry{}
	for _, n := range notes {
		entries = append(entries, entry(n))
	}
	b, err := json.Marshal(map[string]any{"entries": entries})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// read reads a body to its end: the notes that can be kept, how many cannot be, and
// what is wrong with the whole.
func read(r io.Reader) (good []posted.Note, bad int, err error) {
	for n, err := range posted.Read(r) {
		var spoilt *posted.SpoiltError
		switch {
		case errors.As(err, &spoilt):
			bad++
		case err != nil:
			return good, bad, err
		default:
			good = append(good, n)
		}
	}
	return good, bad, nil
}

func TestFaultOfTheConnectionIsNoFaultOfTheBody(t *testing.T) {
	broken := errors.New("the line is dead")
	_, _, err := read(io.MultiReader(strings.NewReader(`{"entries":[{"commit_sha":"abcd",`), iotest.ErrReader(broken)))
	var malformed *posted.MalformedError
	if !errors.Is(err, broken) || errors.As(err, &malformed) {
		t.Errorf("the error is %v", err)
	}
}

func TestReadingMayStopAtAnyNote(t *testing.T) {
	for n, err := range posted.Read(strings.NewReader(`{"entries":[{"commit_sha":"abcd","content":"x"},{"commit_sha":"abce","content":"y"}]}`)) {
		if err != nil || n.Commit != "abcd" {
			t.Errorf("first comes %v %v", n, err)
		}
		break
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"entries":[]}`, `{"entries":[{"commit_sha":"abcd","content":"x"}]}`, `{"entries":[{"commit_sha":"abcd","content":"\ud800\ufffd` + "\ufffd" + `"}]}`,
		`{"entries":[{"commit_sha":"xyz","content":""},7]}`, `{"entries":{}}`, `[]`, ``, `{"entries":[[[[`, `{"a":1,"entries":null}`, `{"entries":[{"commit_sha":null,"content":"\\ufffd\\\ufffd"}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		good, _, err := read(strings.NewReader(text))
		if err == nil && !json.Valid([]byte(text)) {
			t.Error("what is no JSON was taken")
		}
		for _, n := range good {
			if n.Check() != nil {
				t.Errorf("%.100q was taken: %v", n.Commit, n.Check())
			}
		}
		again, bad, err := read(strings.NewReader(body(t, good)))
		if err != nil || bad != 0 || !slices.Equal(again, good) {
			t.Errorf("%d notes are %d when they come again, %d bad: %v", len(good), len(again), bad, err)
		}
	})
}
