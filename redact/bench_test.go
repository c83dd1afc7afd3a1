package redact_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/redact"
	"github.com/stemma-dev/stemma/redact/rules"
)

// rows is a transcript made up of code, talk and numbers, with a secret in one
// row of fifty.
func rows() []byte {
	var b bytes.Buffer
	for i := range 4000 {
		said := fmt.Sprintf("Row %d: the charge is made twice if the token of the request is lost.\n", i)
		code := strings.Repeat(fmt.Sprintf("\tif err := pay.Charge(ctx, order[%d], \"key\"); err != nil {\n\t\treturn fmt.Errorf(\"charge %d: %%w\", err)\n\t}\n", i, i), i%13)
		if i%50 == 0 {
			code += "password = \"pa55word" + fmt.Sprint(i) + "\"\n"
		}
		row, err := json.Marshal(map[string]any{
			"type": "assistant", "uuid": fmt.Sprintf("5c1e7d3a-0b9f-4e2d-8c6a-%012d", i), "cwd": "/home/ann/pay",
			"message": map[string]any{"content": []any{map[string]any{"type": "text", "text": said}, map[string]any{"type": "tool_result", "content": code}}},
		})
		if err != nil {
			panic(err)
		}
		b.Write(append(row, '\n'))
	}
	return b.Bytes()
}

// BenchmarkBody has gzip of the same bytes for a yardstick.
func BenchmarkBody(b *testing.B) {
	text := rows()
	s, err := rules.Load()
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		o    redact.Options
	}{{"quick", redact.Options{}}, {"quick with homes and mail", redact.Options{Homes: true, Mail: true}}, {"full", redact.Options{More: s}}} {
		b.Run(c.name, func(b *testing.B) {
			r := redact.New(c.o)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				r.Body(text)
			}
		})
	}
	b.Run("gzip", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			w := gzip.NewWriter(io.Discard)
			if _, err := w.Write(text); err != nil {
				b.Fatal(err)
			}
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
