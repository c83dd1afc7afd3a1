package child

import (
	"errors"
	"sync/atomic"
	"testing"
)

func TestErrorsShowGitsLastWordEscaped(t *testing.T) {
	var e tail
	for range 3000 {
		_, _ = e.Write([]byte("warning: noise\n"))
	}
	_, _ = e.Write([]byte("fatal: bad \x1b[31mname\nhint: do this\nmore\n"))
	if got := e.last(); got != `fatal: bad \033[31mname` || len(e.buf) > tailSize {
		t.Errorf("last line %q, %d bytes kept", got, len(e.buf))
	}
}

func TestDeadCommandIsTheCause(t *testing.T) {
	p, err := Place{Dir: t.TempDir(), env: base(t.TempDir()), started: new(atomic.Int64)}.Start(t.Context(), "no-such-verb")
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Out.ReadByte()
	var dead *Error
	if err := p.Fail(err); !errors.As(err, &dead) || dead.Verb != "no-such-verb" || dead.Code == 0 {
		t.Errorf("got %v", err)
	}
}
