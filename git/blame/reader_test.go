package blame

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
)

func FuzzReader(f *testing.F) {
	id := strings.Repeat("b", 40)
	f.Add([]byte(id + " 1 2 1\nauthor A\nauthor-mail <a@x>\nauthor-time 12\nauthor-tz +0100\nsummary s\nboundary\nprevious " + id + " \"o\\\"ld\"\nfilename f\n\ttext\n" + id + " 2 3\n\t\n"))
	f.Add([]byte(strings.Repeat("0", 40) + " 1 1 1\n\t"))
	f.Fuzz(func(_ *testing.T, in []byte) {
		b := newReader(bufio.NewReader(bytes.NewReader(in)))
		for n := 0; n <= len(in); n++ {
			if _, err := b.line(); err != nil {
				return
			}
		}
		panic("more lines than bytes")
	})
}
