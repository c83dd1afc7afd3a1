// Package compare tells in which rows two graphs differ, by reading their
// canonical dumps side by side. It keeps one row of each and writes nothing.
package compare

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/stemma-dev/stemma/graph"
)

// Graphs gives onlyX each row of x that y has not, and onlyY each row of y that
// x has not, as dumps have them and in their order. Neither graph is read any
// further once it has returned, for whatever reason.
func Graphs(ctx context.Context, x, y *graph.Graph, onlyX, onlyY func(row []byte)) error {
	a, b := dumped(ctx, x), dumped(ctx, y)
	defer func() { _, _ = a.Close(), b.Close() }() // closing the end that reads cannot fail
	return dumps(a, b, onlyX, onlyY)
}

// dumped streams the canonical dump of a graph until its reader is closed.
func dumped(ctx context.Context, g *graph.Graph) *io.PipeReader {
	r, w := io.Pipe()
	go func() { w.CloseWithError(g.Dump(ctx, w)) }()
	return r
}

// dumps compares two dumps. Tables come in one order and the rows of a table in
// order of their cells, so both are read once.
func dumps(one, other io.Reader, onlyOne, onlyOther func(row []byte)) error {
	a, b := bufio.NewReaderSize(one, 1<<20), bufio.NewReaderSize(other, 1<<20)
	x, errX := a.ReadBytes('\n')
	y, errY := b.ReadBytes('\n')
	for {
		for _, err := range []error{errX, errY} {
			if err != nil && !errors.Is(err, io.EOF) {
				return err
			}
		}
		if len(x) == 0 && len(y) == 0 {
			return nil
		}
		order := compareRows(x, y)
		if order < 0 {
			onlyOne(x)
		} else if order > 0 {
			onlyOther(y)
		}
		if order <= 0 {
			x, errX = a.ReadBytes('\n')
		}
		if order >= 0 {
			y, errY = b.ReadBytes('\n')
		}
	}
}

// compareRows tells which of two rows comes first. At the end of its table a
// dump waits for the other to come there.
func compareRows(x, y []byte) int {
	if bytes.Equal(x, y) {
		return 0
	}
	ended := func(row []byte) bool { return !bytes.Contains(row, []byte(",")) } // it is the name of the next table
	switch {
	case len(x) == 0 || len(y) > 0 && ended(x):
		return 1
	case len(y) == 0 || ended(y):
		return -1
	}
	var a, b []any
	if json.Unmarshal(x, &a) == nil && json.Unmarshal(y, &b) == nil {
		if order := slices.CompareFunc(a, b, compareCells); order != 0 {
			return order
		}
	}
	return bytes.Compare(x, y)
}

// compareCells puts numbers before texts and these before all else, as the
// databases do.
func compareCells(x, y any) int {
	rank := func(v any) int {
		switch v.(type) {
		case float64:
			return 0
		case string:
			return 1
		}
		return 2
	}
	if order := cmp.Compare(rank(x), rank(y)); order != 0 {
		return order
	}
	switch x := x.(type) {
	case float64:
		return cmp.Compare(x, y.(float64))
	case string:
		return cmp.Compare(x, y.(string))
	}
	return 0
}
