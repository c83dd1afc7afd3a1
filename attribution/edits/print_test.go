package edits

import (
	"bytes"
	"hash/fnv"
	"testing"
	"unicode"
)

// FuzzMark checks keys against the plain way to make them: take the white space out,
// then add up what is left.
func FuzzMark(f *testing.F) {
	for _, s := range []string{"", " \t\v\f\r", "\treturn err // why\r", "naïve\u00a0Größe\u2003\u0085x", "\xff\xfe a\xc3", "日本 語1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var text []byte
		letters := 0
		for _, r := range string(line) {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				letters++
			}
		}
		text = bytes.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return -1
			}
			return r
		}, line)
		var want Key
		if len(text) > 0 {
			h := fnv.New64a()
			_, _ = h.Write(text)
			want = Key(h.Sum64() | 1)
		}
		if mark, n := markOf(line); mark != want || n != letters {
			t.Errorf("%q has mark %x and %d letters, want %x and %d", line, mark, n, want, letters)
		}
	})
}
