//go:build !unix

package spool

import (
	"context"
	"os"
)

const nonblock = 0

// lock relies on what the system promises of appending: a line that gets mixed
// with another is found by its sum.
func lock(*os.File) (unlock func()) { return func() {} }

// wait does not wait: of two that work at once, git lets one write.
func wait(context.Context, *os.File) (release func(), err error) { return func() {}, nil }
