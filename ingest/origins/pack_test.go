package origins

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/git/blame"
)

// fill gives every field below v a value of its own.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Struct:
		if _, ok := v.Interface().(time.Time); ok {
			v.Set(reflect.ValueOf(time.Unix(int64(*n), 0).In(time.FixedZone("", 60**n))))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.String:
		v.SetString("\xff" + string(rune('a'+*n)))
	case reflect.Int:
		v.SetInt(int64(*n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.SetBytes([]byte{byte(*n), 0xff})
	}
}

func TestPackedAnswerIsWhole(t *testing.T) {
	n := 0
	var lines []Line
	for range 3 {
		var l Line
		fill(reflect.ValueOf(&l).Elem(), &n)
		l.Commit.Author.Malformed, l.Commit.Committer.Malformed = false, false // never in a blame
		next := l
		next.OrigLine, next.FinalLine, next.Text = l.OrigLine+1, l.FinalLine+1, []byte{}
		lines = append(lines, l, next)
	}
	lines = append(lines, Line{Line: blame.Line{Commit: lines[0].Commit, Text: []byte{}}, Origin: &Origin{}})
	at, got, ok := unpack(pack("commit", lines))
	if at != "commit" || !ok {
		t.Fatalf("unpack: %q, %v", at, ok)
	}
	if d := cmp.Diff(lines, got); d != "" {
		t.Errorf("(-packed +unpacked):\n%s", d)
	}
	if got[0].Commit != got[1].Commit || got[0].Commit == got[2].Commit {
		t.Error("commits are not shared as they were")
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(pack("x", nil))
	f.Add(pack("x", []Line{{Line: blame.Line{Commit: &blame.Commit{ID: "a"}, OrigLine: 1, FinalLine: 1, Text: []byte("t")}, Origin: &Origin{}}}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		at, lines, ok := unpack(raw)
		if !ok {
			return
		}
		again, same, ok := unpack(pack(at, lines))
		if !ok || again != at || len(same) != len(lines) {
			t.Errorf("%d lines at %q became %d at %q", len(lines), at, len(same), again)
		}
	})
}
