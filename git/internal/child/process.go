// Package child runs git commands as children of this process: where and in
// what environment, safe against what a foreign repository says, and how they
// ended. Only the packages of git see it.
package child

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/internal/wire"
	"github.com/stemma-dev/stemma/git/quote"
)

// An Error tells that a git command ended badly.
type Error struct {
	Verb string // "diff-tree"
	Line string // the last line git wrote to its error output, made printable
	Code int    // the exit code; -1 when it was killed
}

func (e *Error) Error() string {
	if e.Line == "" {
		return fmt.Sprintf("git %s: ended with code %d", e.Verb, e.Code)
	}
	return fmt.Sprintf("git %s: %s", e.Verb, e.Line)
}

// A Process is a running git command. One goroutine uses it.
type Process struct {
	In  io.WriteCloser
	Out *bufio.Reader

	verb   string
	cmd    *exec.Cmd
	ctx    context.Context
	cancel context.CancelFunc
	errs   tail
	once   sync.Once
	err    error
}

// Start runs git with args at the place. The caller must end it with
// [Process.End] or [Process.Kill], also after an error of reading.
func (at Place) Start(ctx context.Context, args ...string) (*Process, error) {
	at.started.Add(1)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := at.Ready(); err != nil {
		return nil, fmt.Errorf("git: making a place to work: %w", err)
	}
	args = append(at.settings[:len(at.settings):len(at.settings)], args...)
	own, cancel := context.WithCancel(ctx)
	p := &Process{verb: verb(args), ctx: ctx, cancel: cancel}
	p.cmd = exec.CommandContext(own, "git", args...)
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = at.Dir, at.env, &p.errs
	p.cmd.WaitDelay = 5 * time.Second
	in, err := p.cmd.StdinPipe()
	if err != nil {
		cancel()
		return nil, fmt.Errorf("git: starting %s: %w", p.verb, err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		cancel()
		return nil, fmt.Errorf("git: starting %s: %w", p.verb, err)
	}
	if err := p.cmd.Start(); err != nil {
		cancel()
		return nil, startError(p.verb, err)
	}
	p.In, p.Out = in, bufio.NewReaderSize(out, wire.BufferSize)
	return p, nil
}

func startError(verb string, err error) error {
	if errors.Is(err, exec.ErrNotFound) {
		return stemma.WithHint(errors.New("git: the git command is not installed"), "install git 2.30 or later, for example: apt-get install git")
	}
	return fmt.Errorf("git: starting %s: %w", verb, err)
}

// verb finds the name of the command behind the settings.
func verb(args []string) string {
	for i := 0; i < len(args); i++ {
		if args[i] == "-c" {
			i++
		} else if !strings.HasPrefix(args[i], "-") {
			return args[i]
		}
	}
	return "git"
}

// End waits for the command, whose output has been read to its end, and tells
// how it went.
func (p *Process) End() error {
	p.once.Do(func() {
		err := p.cmd.Wait()
		p.cancel()
		if cause := p.ctx.Err(); cause != nil && err != nil {
			p.err = cause
			return
		}
		var exit *exec.ExitError
		switch {
		case errors.As(err, &exit):
			p.err = &Error{Verb: p.verb, Line: p.errs.last(), Code: exit.ExitCode()}
		case err != nil:
			p.err = fmt.Errorf("git: running %s: %w", p.verb, err)
		}
	})
	return p.err
}

// Kill ends the command whatever it is doing and reaps it.
func (p *Process) Kill() {
	p.cancel()
	_ = p.End()
}

// Fail turns an error met while reading the command's output into the one to
// report: when the command itself died, that is the cause.
func (p *Process) Fail(err error) error {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		p.Kill()
		if cause := p.ctx.Err(); cause != nil {
			return cause
		}
		return fmt.Errorf("git: reading the output of %s: %w", p.verb, err)
	}
	if dead := p.End(); dead != nil {
		return dead
	}
	return fmt.Errorf("git: reading the output of %s: %w", p.verb, io.ErrUnexpectedEOF)
}

// Output runs a command to its end and returns at most limit bytes of what it
// wrote; more is an error.
func (at Place) Output(ctx context.Context, input []byte, limit int64, args ...string) ([]byte, error) {
	p, err := at.Start(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer p.Kill()
	go func() {
		_, _ = p.In.Write(input)
		_ = p.In.Close()
	}()
	out, err := io.ReadAll(io.LimitReader(p.Out, limit+1))
	if err != nil {
		return nil, p.Fail(err)
	}
	if int64(len(out)) > limit {
		return nil, fmt.Errorf("git: reading the output of %s: more than %d bytes", p.verb, limit)
	}
	return out, p.End()
}

// A tail keeps the last bytes written to it.
type tail struct{ buf []byte }

const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.buf = append(t.buf, b[max(0, len(b)-tailSize):]...)
	t.buf = t.buf[max(0, len(t.buf)-tailSize):]
	return len(b), nil
}

// last is the last line worth showing: the last that git calls fatal or an
// error, else the last that is not empty.
func (t *tail) last() string {
	found, grave := "", false
	for line := range bytes.Lines(t.buf) {
		s := strings.TrimRight(string(line), "\r\n ")
		is := strings.HasPrefix(s, "fatal: ") || strings.HasPrefix(s, "error: ")
		if s == "" || strings.HasPrefix(s, "hint: ") || grave && !is {
			continue
		}
		found, grave = s, is
	}
	return quote.Line(found)
}
